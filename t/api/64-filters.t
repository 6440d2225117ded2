#!/usr/bin/perl

# GET /api/reseller/available-filters: each choice with what it would leave, against
# the same counted the slow way, and against the list itself. The database's
# statements run unprepared here, as behind a pool that cannot prepare.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Encode qw(encode_utf8);
use Lockstep::Listing qw(counts_of flat listed);
use Test::More;

my $s = Lockstep::Stack->start(conf => { 'api.workers' => 2, 'live.workers' => 2, 'jobs.workers' => 2, 'db.prepare' => 'off' },
	partner => { shop => { programs => 240, businesses => 9, variants => JSON::PP::true }, other => 40, empty => 0 });
my $path = '/api/reseller/available-filters';
srand 64;

sub escape { my ($text) = @_; return encode_utf8($text) =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger }
sub query  { my (%param) = @_; return join '&', map { "$_=" . escape($param{$_}) } sort keys %param }
sub get    { my ($user, %param) = @_; return $s->get("$path?" . query(%param), as => $user) }

# As counts_of() has them.
sub counts {
	my ($answer) = @_;
	my %count;
	for my $facet (qw(businesses statuses types pause)) {
		$count{$facet} = { map { ($_->{business_id} // $_->{value}) => $_->{count} } @{ $answer->{json}{$facet} } };
	}
	return \%count;
}

$s->sync($_) for qw(shop other empty);
my @elements = @{ $s->partner->data('shop')->{programs} };
my $named    = $elements[3]{program_id};
$s->post("/api/reseller/program/$named/custom-name", as => 'shop', json => { custom_name => 'Sommer' })->{status} == 200 or die;
my %names;
my @business = sort keys %{ $s->partner->counts('shop') };
for my $i (0 .. $#business) {
	$names{ $business[$i] } = ('Café Á', 'cafe b', undef)[$i % 3];
	$s->sql('INSERT INTO business (business_id, name, next_try_at) VALUES (?, ?, now() + interval \'1 day\')
		ON CONFLICT (business_id) DO UPDATE SET name = excluded.name', $business[$i],
		defined $names{ $business[$i] } ? encode_utf8($names{ $business[$i] }) : undef);
}
my @truth = map { flat($_, \%names, $_->{program_id} eq $named ? 'Sommer' : undef) } @elements;
my @types = grep { defined } map { $_->{program_type} } @truth;

subtest 'the shape is the contract\'s' => sub {
	my $answer = get('shop');
	is $answer->{status}, 200, 'an answer' or diag $answer->{body};
	is_deeply [sort keys %{ $answer->{json} }], [qw(businesses from_db pause statuses types)], 'members';
	is_deeply [sort keys %{ $answer->{json}{businesses}[0] }], [qw(business_id count name)], 'of a business';
	is_deeply [sort keys %{ $answer->{json}{statuses}[0] }], [qw(count value)], 'of a status';
	my @count = map { $_->{count} } @{ $answer->{json}{businesses} };
	is_deeply \@count, [sort { $b <=> $a } @count], 'most programs first';
	is_deeply { map { @$_{qw(business_id name)} } @{ $answer->{json}{businesses} } }, \%names, 'with their names';
	is_deeply { map { @$_{qw(business_id count)} } @{ $answer->{json}{businesses} } },
	    $s->partner->counts('shop'), 'and as many as the partner counts';
	my %status = map { @$_{qw(value count)} } @{ $answer->{json}{statuses} };
	is_deeply \%status, $s->sim(GET => '/_sim/counts?user=shop')->{statuses}, 'statuses too';
	is_deeply counts(get('empty')), { businesses => {}, statuses => {}, types => {}, pause => {} }, 'nothing of nothing';
};

sub any_filter {
	my $row  = $truth[rand @truth];
	my $id   = (grep { defined } map { $_->{yelp_business_id} } @{ $row->{businesses} })[-1];
	my %all  = (
		(defined $id ? (business_id => $id) : ()),
		program_status => (qw(ALL CURRENT PAST FUTURE PAUSED INACTIVE))[rand 6],
		program_type   => $types[rand @types],
		pause          => (qw(PAUSED NOT_PAUSED))[rand 2],
		q              => ('CAFÉ', 'sommer', substr($row->{program_id}, 2, 2))[rand 3],
		start_from     => $row->{start_date} // '2020-01-01',
		end_to         => $row->{end_date} // '2026-01-01',
	);
	my @name = keys %all;
	my %some;
	$some{$_} = $all{$_} for map { $name[rand @name] } 1 .. 1 + rand 4;
	return \%some;
}

subtest 'counts are what a choice would leave' => sub {
	my $zero = 0;
	for (1 .. 80) {
		my $filter = any_filter();
		my $got    = counts(get('shop', %$filter));
		my $want   = counts_of(\@truth, $filter, \%names);
		$zero += grep { $_ == 0 } map { values %$_ } values %$got;
		is_deeply $got, $want, query(%$filter) or last;
	}
	cmp_ok $zero, '>', 0, 'a choice that leaves nothing is still there';
};

subtest 'defect 23: and what the list then holds' => sub {
	my %set = (program_status => 'PAST', q => 'caf');
	my %param = (businesses => 'business_id', statuses => 'program_status', types => 'program_type', pause => 'pause');
	my $counts = counts(get('shop', %set));
	for my $facet (sort keys %param) {
		for my $value (sort keys %{ $counts->{$facet} }) {
			my %then = (%set, $param{$facet} => $value, limit => 1);
			is $s->get('/api/reseller/programs?source=registry&' . query(%then), as => 'shop')->{json}{total_count},
			    $counts->{$facet}{$value}, "$facet $value";
		}
	}
};

subtest 'the list works unprepared too' => sub {
	for my $sort (qw(program_id -budget custom_name -end_date is_autobid)) {
		my $first = $s->get("/api/reseller/programs?source=registry&sort=$sort&limit=130", as => 'shop');
		my $rest  = $s->get(($first->{headers}{link} =~ /<([^>]+)>; rel="next"/)[0], as => 'shop');
		is_deeply [map { $_->{program_id} } map { @{ $_->{json}{programs} } } $first, $rest],
		    [map { $_->{program_id} } listed(\@truth, {}, $sort, \%names)], $sort;
	}
};

subtest 'what is asked for wrongly is named' => sub {
	for my $bad ([business_id => 'a b'], [program_status => 'GONE'], [pause => 'yes'], [q => ''], [start_from => 'x'], [end_to => '2026-13-01']) {
		my $answer = get('shop', @$bad);
		is_deeply [$answer->{status}, $answer->{json}{field}], [400, $bad->[0]], "$bad->[0]=$bad->[1]";
	}
	is $s->get($path)->{status}, 401, 'a stranger learns nothing';
};

subtest 'nobody counts the programs of another' => sub {
	my $other = counts(get('other'));
	is_deeply $other->{businesses}, $s->partner->counts('other'), 'only one\'s own';
	is_deeply counts(get('other', business_id => $business[0]))->{statuses}, {}, 'not by a business';
	my ($chosen) = grep { $_->{business_id} eq $business[0] } @{ get('other', business_id => $business[0])->{json}{businesses} };
	is $chosen->{count}, 0, 'which leaves nothing';
	is $chosen->{name}, undef, 'and has no name to tell';
};

$s->stop;
done_testing;
