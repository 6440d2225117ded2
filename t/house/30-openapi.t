#!/usr/bin/perl

# docs/openapi.yaml says what is built: its paths are those of the route table, its
# codes those of the problem table, and what the service answers fits its schemas.

use strict;
use warnings;
use CPAN::Meta::YAML;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lockstep::Stack;
use Test::More;

my $root = Lockstep::Stack->root;
my $json = JSON::PP->new->allow_nonref->canonical;

my $read = eval { CPAN::Meta::YAML->read("$root/docs/openapi.yaml") };
ok $read, 'it is YAML' or BAIL_OUT($@ || CPAN::Meta::YAML->errstr);
my $doc = $read->[0];
is $doc->{openapi}, '3.1.0', 'OpenAPI 3.1';

# What $ref => '#/a/b' stands for.
sub resolve {
	my ($node) = @_;
	while (ref $node eq 'HASH' && defined $node->{'$ref'}) {
		my $at = $doc;
		$at = ref $at eq 'HASH' ? $at->{$_} : undef for split m{/}, $node->{'$ref'} =~ s{^#/}{}r;
		return if !defined $at;
		$node = $at;
	}
	return $node;
}

sub references {
	my ($node) = @_;
	return map { references($_) } @$node if ref $node eq 'ARRAY';
	return if ref $node ne 'HASH';
	return (exists $node->{'$ref'} ? $node->{'$ref'} : (), map { references($_) } values %$node);
}

{
	my %used = map { $_ => 1 } references($doc);
	is_deeply [grep { !defined resolve({ '$ref' => $_ }) } sort keys %used], [], 'every $ref leads somewhere';
	my @defined = map { my $kind = $_; map { "#/components/$kind/$_" } keys %{ $doc->{components}{$kind} } }
	    qw(parameters responses headers schemas);
	is_deeply [grep { !$used{$_} } sort @defined], [], 'every component is used';
}

sub source { return Lockstep::Stack::slurp("$root/$_[0]") }

my %operation;		# "GET /path" => what the document has
for my $path (keys %{ $doc->{paths} }) {
	$operation{ uc($_) . " $path" } = $doc->{paths}{$path}{$_}
	    for grep { /^(?:get|put|post|patch|delete)$/ } keys %{ $doc->{paths}{$path} };
}

subtest 'the paths are those of the route table' => sub {
	my ($table, %route, %query) = source('src/routes.c');
	while ($table =~ /\{ METHOD_([A-Z]+), "([^"?]+)(?:\?(\w+)=(\w+))?",([^{}]*)\}/g) {
		# A row that asks for a parameter too is a part of its path's operation.
		$query{"$1 $2"}{$3} = $4 if defined $3;
		$route{"$1 $2"} .= $5;
	}
	cmp_ok scalar(keys %route), '>', 5, 'routes';
	is_deeply [sort keys %operation], [sort keys %route], 'the same';
	for my $name (sort keys %route) {
		my $has = $operation{$name} or next;
		my ($path) = $name =~ / (.*)/;
		my $operator = $route{$name} =~ /ROUTE_OPERATOR/ ? 1 : 0;
		is exists $doc->{paths}{$path}{servers} ? 1 : 0, $operator, "$name: whose listener";
		is ref $has->{security} eq 'ARRAY' && !@{ $has->{security} } ? 1 : 0,
		    $route{$name} =~ /account_login|seller_login/ ? 0 : 1, "$name: with login or without";
		ok $has->{responses}{401} && $has->{responses}{403}, "$name: for operators alone"
		    if $route{$name} =~ /seller_login/;
		ok $has->{responses}{401} && $has->{responses}{429}, "$name: may be refused"
		    if $route{$name} =~ /account_login/;
		is exists $has->{responses}{413} ? 1 : 0, $route{$name} =~ /, 0, / || $operator ? 0 : 1,
		    "$name: a body" if $name =~ /^POST/;
		my @in = $path =~ /\{(\w+)\}/g;
		my %parameter = map { $_->{name} => $_ } map { resolve($_) } @{ $has->{parameters} // [] };
		ok $parameter{$_} && $parameter{$_}{in} eq 'path', "$name: {$_} is explained" for @in;
		for my $key (sort keys %{ $query{$name} // {} }) {
			my $of = $parameter{$key} // {};
			is $of->{in}, 'query', "$name: $key is explained";
			ok scalar(grep { $_ eq $query{$name}{$key} } @{ $of->{schema}{enum} // [] }),
			    "... with $query{$name}{$key}";
		}
		my $tagged = $route{$name} =~ /ROUTE_ETAG|\b(?:table_get|product_get)\b/ ? 1 : 0;
		is exists $has->{responses}{304} ? 1 : 0, $tagged, "$name: may be as it was";
		is exists $parameter{'If-None-Match'} ? 1 : 0, $tagged, '... when that is asked';
		is exists +($has->{responses}{200}{headers} // {})->{ETag} ? 1 : 0, $tagged, '... by its tag';
	}
	my %id;
	$id{ $_->{operationId} }++ for values %operation;
	is_deeply [grep { $id{$_} > 1 } keys %id], [], 'operation ids are unique';
};

subtest 'the words are those of the source' => sub {
	my %code = reverse source('src/http/problem.c') =~ /= \{ (\d{3}),\s*"(\w+)"/g;
	is_deeply [sort @{ $doc->{components}{schemas}{Code}{enum} }], [sort keys %code], 'codes of problems';
	my %documented = map { $_ => 1 } map { keys %{ $_->{responses} } } values %operation;
	for my $code (sort keys %code) {
		next if $code{$code} == 405;	# said once, at the top
		ok $documented{ $code{$code} }, "$code: there is an answer $code{$code}";
	}
	my ($states) = source('sql/migrate/0002_jobs.sql') =~ /CHECK \(state IN \(([^)]*)\)/;
	is_deeply [sort @{ $doc->{components}{schemas}{Job}{properties}{state}{enum} }],
	    [sort $states =~ /'(\w+)'/g], 'states of jobs';
	my %event = map { $_ => 1 } map { source($_) =~ /json_put_text\(e(?:vent)?, "type", "(\w+)"\)/g }
	    qw(src/programs/report.c src/jobs/job.c);
	is_deeply [sort map { resolve($_)->{properties}{type}{const} } @{ $doc->{components}{schemas}{Event}{oneOf} }],
	    [sort 'start', keys %event], 'types of events';
	is $doc->{info}{version}, (source('configure.ac') =~ /AC_INIT\(\[lockstep\], \[([^\]]+)\]/)[0], 'version';
};

# A small part of JSON Schema: as much as the document uses.

sub type_of {
	my ($value) = @_;
	return 'null' if !defined $value;
	return 'object' if ref $value eq 'HASH';
	return 'array'  if ref $value eq 'ARRAY';
	return 'boolean' if JSON::PP::is_bool($value);
	return 'string' if $json->encode($value) =~ /^"/;
	return $value =~ /^-?\d+$/ ? 'integer' : 'number';
}

sub as_text { my ($value) = @_; return JSON::PP::is_bool($value) ? $value ? 'true' : 'false' : $value }

sub in_object {
	my ($schema, $value, $at) = @_;
	my @wrong = map { "$at: no $_" } grep { !exists $value->{$_} } @{ $schema->{required} // [] };
	for my $name (sort keys %{ $schema->{properties} // {} }) {
		push @wrong, wrong($schema->{properties}{$name}, $value->{$name}, "$at.$name")
		    if exists $value->{$name};
	}
	return @wrong;
}

sub in_scalar {
	my ($schema, $value, $at) = @_;
	my $text = as_text($value);
	return (
		(defined $schema->{const} && $text ne $schema->{const} ? "$at: $text is not $schema->{const}" : ()),
		($schema->{enum} && !grep({ $_ eq $text } @{ $schema->{enum} }) ? "$at: $text is none of the words" : ()),
		(defined $schema->{pattern} && $text !~ /$schema->{pattern}/ ? "$at: $text is no $schema->{pattern}" : ()),
		(defined $schema->{minimum} && $text < $schema->{minimum} ? "$at: $text is too low" : ()),
		(defined $schema->{maximum} && $text > $schema->{maximum} ? "$at: $text is too high" : ()),
	);
}

# What of the value does not fit the schema, as lines.
sub wrong {
	my ($schema, $value, $at) = @_;
	$schema = resolve($schema);
	if (my $some = $schema->{oneOf} // $schema->{anyOf}) {
		my @fits = grep { !wrong($_, $value, $at) } @$some;
		return if @fits == 1 || (@fits && $schema->{anyOf});
		return "$at: fits " . @fits . ' of the schemas: ' . $json->encode($value);
	}
	my $type = type_of($value);
	my @type = ref $schema->{type} ? @{ $schema->{type} } : $schema->{type} // $type;
	return "$at: $type, not @type" if !grep { $_ eq $type } @type;
	return in_object($schema, $value, $at) if $type eq 'object';
	return map { wrong($schema->{items}, $value->[$_], "$at\[$_]") } $schema->{items} ? 0 .. $#$value : ()
	    if $type eq 'array';
	return $type eq 'null' ? () : in_scalar($schema, $value, $at);
}

my $s = Lockstep::Stack->start(conf => { 'jobs.workers' => 1, 'stream.max_age' => '3s',
	'analytics.schedule' => '', 'analytics.funnel_interval' => '50ms', 'analytics.texts_interval' => '50ms' });

# Asks and compares; what was answered comes back.
sub fits {
	my ($operation, $path, $status, %how) = @_;
	my ($method) = $operation =~ /^(\w+)/;
	my $answer = $s->request($method, $path, %how);
	is $answer->{status}, $status, "$operation $status" or diag $answer->{body};
	my $documented = resolve($operation{$operation}{responses}{$status})
	    or return fail("$operation: $status is documented");
	for my $name (qw(etag link)) {
		my %has = map { lc, 1 } keys %{ $documented->{headers} // {} };
		ok $has{$name}, "... with $name" if defined $answer->{headers}{$name};
	}
	return is $answer->{body} // '', '', '... without a body' if $status == 304;
	my $type   = $answer->{headers}{'content-type'} =~ s/;.*//r;
	my $schema = $documented->{content}{$type}{schema} or return fail("$operation: $type is documented");
	my @value  = $type =~ /json$/ ? $answer->{json} : $type eq 'text/event-stream'
	    ? map { JSON::PP::decode_json($_) } $answer->{body} =~ /^data: (.*)$/mg : $answer->{body};
	my @wrong = map { wrong($schema, $_, '') } @value;
	ok @value && !@wrong, '... is what the document says';
	diag $_ for grep { defined } @wrong[0 .. 4];
	return $answer->{json};
}

subtest 'what is answered fits the schemas' => sub {
	my @odd = (login => ["odd\$&#\\\xc3\xb1ame", 'p@ss:w$&#\\']);
	fits('POST /api/auth/validate-credentials', '/api/auth/validate-credentials', 200, as => 'p80');
	fits('POST /api/auth/validate-credentials', '/api/auth/validate-credentials', 401, as => 'nobody');
	fits('POST /api/auth/validate-credentials', '/api/auth/validate-credentials', 401);
	fits('POST /api/auth/validate-credentials', '/api/auth/validate-credentials', 403, as => 'noaccess');
	fits('POST /api/auth/validate-credentials', '/api/auth/validate-credentials', 413, as => 'p80', body => 'x' x 2000);
	fits('POST /api/reseller/programs/sync', '/api/reseller/programs/sync', 200, as => 'p80');
	fits('POST /api/reseller/programs/sync', '/api/reseller/programs/sync', 200, @odd);
	fits('POST /api/reseller/programs/sync-stream', '/api/reseller/programs/sync-stream', 200, as => 'p41');
	my $ids = fits('GET /api/reseller/business-ids', '/api/reseller/business-ids', 200, as => 'p80');
	fits('GET /api/reseller/programs', '/api/reseller/programs?limit=40', 200, @odd);
	fits('GET /api/reseller/programs', '/api/reseller/programs?limit=41', 400, as => 'p80');
	my $of = '/api/reseller/programs?business_id=' . $ids->{businesses}[0]{business_id};
	fits('GET /api/reseller/programs', $of, 200, as => 'p80');
	$s->partner->fault(user => 'p80', path => 'info', kind => '500', times => 1);
	fits('GET /api/reseller/programs', $of, 200, as => 'p80');
	fits('GET /api/reseller/programs', '/api/reseller/programs', 200, as => 'p40');
	$s->partner->fault(user => 'p40', path => 'programs', kind => '503', retry_after => 7);
	fits('GET /api/reseller/programs', '/api/reseller/programs', 503, as => 'p40');
	$s->partner->heal;
	$s->partner->fault(user => 'p80', path => 'programs', kind => '400');
	fits('POST /api/reseller/programs/sync', '/api/reseller/programs/sync', 502, as => 'p80');
	$s->partner->heal;
	my $job = fits('GET /api/jobs', '/api/jobs', 200, as => 'p80')->{jobs}[0]{id};
	fits('GET /api/jobs/{id}', "/api/jobs/$job", 200, as => 'p80');
	fits('GET /api/jobs/{id}', "/api/jobs/$job", 404, as => 'p41');
	fits('GET /api/jobs/{id}/events', "/api/jobs/$job/events", 200, as => 'p80');
	my ($list, $filters) = ('/api/reseller/programs?source=registry', '/api/reseller/available-filters');
	for my $user ([as => 'p80'], \@odd) {
		my $page = fits('GET /api/reseller/programs', "$list&sort=-budget&limit=7", 200, @$user);
		fits('GET /api/reseller/programs', "$list&sort=-budget&limit=200&cursor=$page->{next_cursor}", 200, @$user);
		fits('GET /api/reseller/programs', $list, 200, @$user, headers => { Accept => 'text/csv' });
		fits('GET /api/reseller/available-filters', $filters, 200, @$user);
	}
	for ($list, $filters, '/api/reseller/business-ids') {
		fits('GET ' . s/\?.*//r, $_, 304, as => 'p80', headers => { 'If-None-Match' => '*' });
	}
	fits('GET /api/reseller/programs', "$list&sort=nothing", 400, as => 'p80');
	my $lost = $s->get('/api/reseller/events', as => 'p80', headers => { 'Last-Event-ID' => 'none' });
	my ($place) = $lost->{body} =~ /^id: (\S+)$/m;
	like $place, qr/$doc->{components}{schemas}{ChangeId}{pattern}/, 'a place among changes';
	my ($id) = map { $_->{program_id} } @{ $s->get($list, as => 'p80')->{json}{programs} };
	my $name = 'POST /api/reseller/program/{id}/custom-name';
	fits($name, "/api/reseller/program/$id/custom-name", 200, as => 'p80', body => '{"custom_name":"mine"}');
	fits($name, "/api/reseller/program/$id/custom-name", 400, as => 'p80', body => '[]');
	fits($name, '/api/reseller/program/none/custom-name', 404, as => 'p80', body => '{"custom_name":null}');
	fits('GET /api/reseller/events', '/api/reseller/events', 200, as => 'p80', headers => { 'Last-Event-ID' => $_ })
	    for $place, 'none';
	fits('POST /api/reseller/programs/sync', '/api/reseller/programs/sync?dry_run=1', 200, as => 'p80');
	fits("POST /api/jobs/{id}/$_", "/api/jobs/$job/$_", 409, as => 'p80') for qw(cancel pause resume);
	fits('POST /api/jobs/{id}/retry', "/api/jobs/$job/retry", 202, as => 'p80');
	my @operator = (login => $s->operator_login);
	my $api = '/api/analytics';
	my $token = $s->seller->token('small');
	my $seller = fits("POST $api/sellers", "$api/sellers", 201, @operator, json => { name => 'small', token => $token })->{id};
	fits("POST $api/sellers", "$api/sellers", 422, @operator, json => { name => 'small', token => $token });
	fits("POST $api/sellers/{id}/token", "$api/sellers/$seller/token", 200, @operator, json => { token => $token });
	fits("GET $api/sellers", "$api/sellers", 200, @operator);
	fits("GET $api/sellers", "$api/sellers", 401);
	fits("GET $api/sellers/{id}", "$api/sellers/$seller", 200, @operator);
	fits("GET $api/sellers/{id}", "$api/sellers/0", 404, @operator);
	my @nm = map { $_->{product}{nmId} } @{ $s->seller->data('small', '2026-01-01', '2026-01-02') };
	fits("POST $api/sellers/{id}/products", "$api/sellers/$seller/products", 200, @operator, json => { nmIds => [@nm, 'x'] });
	fits("POST $api/sync-background", "$api/sync-background", 403, @operator, headers => { Origin => 'https://elsewhere' });
	fits("POST $api/sync-background", "$api/sync-background", 400, @operator, json => { batchSize => 0 });
	# So that there is something to pause.
	$s->seller->latency(base_ms => 3000);
	my $task = fits("POST $api/sync-background", "$api/sync-background", 202, @operator)->{taskId};
	fits("POST $api/jobs/{id}/pause", "$api/jobs/$task/pause", 200, @operator);
	fits("GET $api/products", "$api/products", 200, @operator);
	fits("POST $api/jobs/{id}/resume", "$api/jobs/$task/resume", 200, @operator);
	fits("POST $api/jobs/{id}/cancel", "$api/jobs/$task/cancel", 200, @operator);
	fits("POST $api/jobs/{id}/cancel", "$api/jobs/$task/cancel", 409, @operator);
	$s->seller->latency(base_ms => 0);
	my $again = fits("POST $api/jobs/{id}/retry", "$api/jobs/$task/retry", 202, @operator)->{id};
	fits("GET $api/jobs/{id}/events", "$api/jobs/$task/events", 200, @operator);
	fits("GET $api/jobs/{id}", "$api/jobs/$again", 200, @operator);
	fits("GET $api/jobs", "$api/jobs", 200, @operator);
	fits("GET $api/products/{id}", "$api/products/$nm[0]", 200, @operator);
	fits("GET $api/products", "$api/products?sort=-revenue&limit=1", 200, @operator);
	fits("GET $api/products", "$api/products", 200, @operator, headers => { Accept => 'text/csv' });
	fits("GET $api/products", "$api/products", 304, @operator, headers => { 'If-None-Match' => '*' });
	fits("GET $api/products/{id}", "$api/products/$nm[0]", 304, @operator, headers => { 'If-None-Match' => '*' });
	fits("DELETE $api/sellers/{id}", "$api/sellers/$seller", 200, @operator);
	fits("GET $_", $_, 200, operator => 1) for qw(/healthz /readyz /status /metrics);
};

$s->stop;
done_testing;
