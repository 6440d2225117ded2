package Lockstep::Analytics;

# Sellers, runs and what they left, as an operator's tests see them: a stack whose
# clock at the seller API runs faster, with our intervals as much shorter.

use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();
use Lockstep::Stack;
use Test::More;

our @EXPORT = qw(analytics ask clear_of_midnight ended events_of hup job_of op pages products_of run_of seller_of
    shop stored sync_of);

our $s;

# A stack at that factor: an API second is 1 / factor of ours. What a call takes on its
# way is not any faster, hence some real milliseconds more. More settings: conf.
sub analytics {
	my ($factor, %how) = @_;
	my $ms = int(20_500 / $factor) + 60;
	my %conf = ('analytics.funnel_interval' => "${ms}ms", 'analytics.texts_interval' => "${ms}ms",
		'analytics.base_funnel_interval' => int(1_830_000 / $factor) . 'ms',
		'analytics.base_texts_interval'  => int(3_660_000 / $factor) . 'ms',
		'analytics.schedule' => '', 'schedule.jitter' => '0ms', 'jobs.workers' => 2, %{ delete $how{conf} // {} });
	$s = Lockstep::Stack->start(conf => \%conf, %how);
	$s->seller->clock(factor => $factor);
	return $s;
}

# A request of the operator's, of the other's with other => 1.
sub op {
	my ($method, $path, %how) = @_;
	my $other = delete $how{other};
	return $s->request($method, "/api/analytics/$path", login => $s->operator_login($other), %how);
}

# A seller at the API with a token that is good for it: (name, token).
my $born = 0;

sub shop {
	my (%what) = @_;
	my $name = delete $what{name} // 'shop' . ++$born;
	my $type = delete $what{type};
	my $token = $s->seller->seller($name, products => 3, %what);
	$token = $s->seller->token($name, type => $type, categories => ['analytics'], days => 180) if $type;
	return ($name, $token);
}

# The ids of all its products.
sub products_of { my ($name) = @_; return map { $_->{product}{nmId} } @{ $s->seller->data($name, '2026-01-01', '2026-01-02') } }

# A seller of ours with all products of a shop: {id, name, token, ids}. The call that
# tries the token is forgotten, by the API's limit too; not of a base token, whose run
# must not have to wait for it.
sub seller_of {
	my (%what) = @_;
	my $other = delete $what{other};
	my ($name, $token) = shop(%what);
	my $made = op(POST => 'sellers', json => { name => $name, token => $token }, other => $other);
	$made->{status} == 201 or die "seller $name: $made->{status} $made->{body}";
	my $seller = { id => $made->{json}{id}, name => $name, token => $token, ids => [products_of($name)], other => $other };
	op(POST => "sellers/$seller->{id}/products", json => { nmIds => $seller->{ids} }, other => $other)->{status} == 200 or die 'products';
	return $seller if ($what{type} // '') eq 'base';
	$s->sql('DELETE FROM rate_bucket WHERE account = (SELECT limit_key FROM seller WHERE account_id = ?)', $seller->{id});
	$s->seller->limits($name, method => $_, interval => 0)  for qw(funnel texts);
	$s->seller->limits($name, method => $_, interval => 20, burst => 3) for qw(funnel texts);
	return $seller;
}

# Asks for a run: its task id.
sub ask {
	my ($seller, %body) = @_;
	my $answer = op(POST => 'sync-background', json => { sellerId => $seller->{id}, %body }, other => $seller->{other});
	$answer->{status} == 202 or die "sync-background: $answer->{status} $answer->{body}";
	return $answer->{json}{taskId};
}

sub job_of { my ($id, %how) = @_; return op(GET => "jobs/$id", %how)->{json} }

my %over = map { $_ => 1 } qw(done partial failed cancelled);

# The next so many seconds are of one Moscow day, and with them the period of every
# run: waits until midnight is past where it would come in between.
sub clear_of_midnight {
	my ($seconds) = @_;
	my $left = 86_400 - (time + 3 * 3600) % 86_400;
	return if $left > $seconds * ($ENV{TEST_SLOW} || 1);
	diag "waiting for Moscow's midnight, in $left s";
	sleep $left + 1;
	return;
}

# Waits for the end of a job.
sub ended {
	my ($id, $seconds) = @_;
	my $job;
	wait_until { $job = JSON::PP::decode_json($s->sql_value('SELECT job_json(j)::text FROM job j WHERE id = ?', $id)); $over{ $job->{state} } }
	    $seconds // 60, "the end of job $id";
	return $job;
}

sub run_of { my ($seller, %how) = @_; my $seconds = delete $how{seconds}; return ended(ask($seller, %how), $seconds) }

# A run with the API's counters and journal its own.
sub sync_of {
	my ($seller, %how) = @_;
	$s->seller->forget;
	$s->seller->call(DELETE => '/_sim/journal');
	return run_of($seller, %how);
}

sub events_of { my ($id) = @_; return map { JSON::PP::decode_json($_->{data}) } @{ $s->sql('SELECT data FROM job_event WHERE job_id = ? ORDER BY n', $id) } }

# All products of the list, page by page: {nmId => row}.
sub pages {
	my ($seller, $query) = @_;
	my ($path, %row) = ("products?sellerId=$seller->{id}&limit=200" . ($query // ''));
	while ($path) {
		my $answer = op(GET => $path, other => $seller->{other});
		$answer->{status} == 200 or die "products: $answer->{status} $answer->{body}";
		$row{ $_->{nmId} } = $_ for @{ $answer->{json}{products} };
		($path) = ($answer->{headers}{link} // '') =~ m{</api/analytics/([^>]+)>; rel="next"};
	}
	return \%row;
}

# The configuration as it has been edited is taken up.
sub hup {
	my %old = map { $_ => 1 } $s->pids('jobs');
	$s->kill('HUP', 'master');
	wait_until { my @now = $s->pids('jobs'); @now && !grep { $old{$_} } @now } 30, 'workers with the new configuration';
	return;
}

# Every stored row of a seller in one text, for "nothing has changed".
sub stored {
	my ($seller) = @_;
	return join "\n", map { $_->{t} } @{ $s->sql('SELECT a::text AS t FROM product_analytics a WHERE account_id = ? ORDER BY nm_id, period_end', $seller->{id}) };
}

1;
