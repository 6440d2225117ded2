#!/usr/bin/perl

# Who asks beside others: for a run that is there already, with a token that names
# somebody else's seller, for products that were added since; and words of the API
# that have to be cut.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lockstep::Analytics;
use Lockstep::Stack;
use Test::More;

my $s = analytics(60);

sub request_of { my ($id) = @_; return JSON::PP::decode_json($s->sql_value('SELECT request::text FROM job WHERE id = ?', $id)) }

# A seller whose last run ended with some products that failed.
sub troubled {
	my $one = seller_of(products => 6, jam => 'standard');
	$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => 'missing', only => [$one->{ids}[0]]);
	my $job = sync_of($one);
	$s->seller->heal;
	is $job->{state}, 'partial', 'a run with a product that failed';
	return ($one, $job->{id});
}

subtest 'words of the API are cut between characters, and the run ends' => sub {
	for my $lead (0 .. 3) {
		my $one = seller_of(products => 3, jam => 'standard');
		$s->seller->fault(seller => $one->{name}, method => 'funnel', kind => '400', detail => 'x' x $lead . '₽🐫' x 60);
		my $job = sync_of($one, seconds => 30);
		$s->seller->heal;
		is $job->{state}, 'failed', 'it failed, and no more';
		like +($job->{errors}[0]{detail} // '') . ($s->sql_value('SELECT answer FROM job WHERE id = ?', $job->{id})), qr/₽🐫/, '... in the API\'s words';
	}
};

subtest 'a retry of what failed takes nothing from a run of all that waits' => sub {
	my ($one, $old) = troubled();
	my @worker = $s->pids('jobs');
	CORE::kill('STOP', @worker);	# six products are done within a moment
	my ($all, $paused) = eval { my $job = ask($one); ($job, op(POST => "jobs/$job/pause")->{status}) };
	CORE::kill('CONT', @worker);
	is $paused, 200, 'a run of all that waits';
	op(POST => "jobs/$old/retry", json => { failedOnly => JSON::PP::true() });
	is request_of($all)->{all}, JSON::PP::true(), 'it still is one of all';
	op(POST => "jobs/$all/resume");
	my $job = ended($all);
	is $job->{progress}{total}, 6, '... and was';
};

subtest 'who wants all and finds a run of what failed gets all after it' => sub {
	my ($one, $old) = troubled();
	my $answer = op(POST => "jobs/$old/retry", json => { failedOnly => JSON::PP::true() });
	my $less = $answer->{json}{id};
	isnt $less, $old, 'a run of what failed';
	wait_until { $s->sql_value("SELECT checkpoint ? 'failed' FROM job WHERE id = ?" =~ s/\? 'failed'/\\? 'failed'/r, $less) } 10, 'its plan';
	ask($one);
	ended($less);
	my $next;
	ok wait_until { $next = $s->sql_value('SELECT id FROM job WHERE account_id = ? AND created_at > (SELECT created_at FROM job WHERE id = ?)', $one->{id}, $less) } 10,
	    'another run follows';
	is ended($next)->{progress}{total}, 6, '... of all';
};

subtest 'a token that names another\'s seller spends nothing of theirs' => sub {
	my $theirs = seller_of(products => 3, jam => 'standard');
	my $spent = sub { $s->sql_value(q(SELECT count(*) || ' ' || coalesce(max(tat)::text, '') FROM rate_bucket WHERE account = (SELECT limit_key FROM seller WHERE account_id = ?)), $theirs->{id}) };
	my $before = $spent->();
	my $forged = $theirs->{token} =~ s/\.[^.]*\z/.c2lnbmF0dXJl/r;
	is op(POST => 'sellers', json => { name => 'mine', token => $forged }, other => 1)->{status}, 422, 'it is refused';
	is $spent->(), $before, '... at no cost of theirs';
};

subtest 'products that are added while a run is under way are in its total' => sub {
	my $one  = seller_of(products => 70, jam => 'standard');
	my @late = @{ $one->{ids} }[60 .. 69];
	my $path = "sellers/$one->{id}/products";
	op(DELETE => $path, json => { nmIds => \@late });
	# The first call is about those that there are; it is under way as more come.
	$s->seller->hold(seller => $one->{name}, method => 'funnel');
	my $id = ask($one);
	is job_of($id)->{progress}{total}, 60, 'sixty';
	wait_until { $s->sql_value('SELECT calls_made FROM job WHERE id = ?', $id) } 30, 'the first call';
	op(POST => $path, json => { nmIds => \@late });
	is_deeply [grep { $_->{type} eq 'saved' } events_of($id)], [], 'ten more come while it is under way';
	$s->seller->heal;
	my $job = ended($id);
	is "$job->{state} $job->{counts}{updated}", 'done 70', 'they are read';
	is_deeply $job->{progress}, { done => 70, total => 70, percentage => 100 }, '... and counted';
	my @event = grep { $_->{type} =~ /^(?:saved|progress)$/ } events_of($id);
	is_deeply [grep { ($_->{saved} // $_->{done}) > $_->{total} || $_->{batch} > $_->{batches} } @event], [], 'no event has more than all';
	is $event[-1]{total}, 70, '... and the last has them all';
};

subtest 'products that are added when the figures are there are for the next run' => sub {
	my $one  = seller_of(products => 70, jam => 'standard');
	my @late = @{ $one->{ids} }[60 .. 69];
	my $path = "sellers/$one->{id}/products";
	op(DELETE => $path, json => { nmIds => \@late });
	# Before the second call for texts it is clear that there is nothing else to read figures of.
	$s->seller->hold(seller => $one->{name}, method => 'texts', after_calls => 1);
	$s->seller->forget;
	my $id = ask($one);
	wait_until { $s->sql_value('SELECT calls_made FROM job WHERE id = ?', $id) == 3 } 30, 'the second call for texts';
	op(POST => $path, json => { nmIds => \@late });
	is +(grep { $_->{type} eq 'progress' } events_of($id))[-1]{done}, 50, 'ten more come while it is under way';
	$s->seller->heal;
	my $job = ended($id);
	is "$job->{state} $job->{counts}{updated}", 'done 60', 'the run is of those that it has figures of';
	is_deeply $job->{progress}, { done => 60, total => 60, percentage => 100 }, '... all of them';
	is_deeply [grep { ($_->{saved} // $_->{done} // 0) > 60 } events_of($id)], [], 'no event has more than all';
	is $s->seller->counts($one->{name})->{methods}{texts}{calls}, 2, 'no call is spent on the others';
	is $s->sql_value('SELECT count(*) FROM product_analytics WHERE account_id = ? AND views IS NULL', $one->{id}), 0, '... and there are no texts without figures';
	$job = sync_of($one);
	is "$job->{state} $job->{counts}{updated}", 'done 70', 'the next run has them';
};

subtest 'products that were never read are not fresh' => sub {
	my $one = seller_of(products => 5, jam => 'standard');
	$s->sql('DELETE FROM product WHERE account_id = ? AND nm_id = ?', $one->{id}, $one->{ids}[4]);
	is sync_of($one)->{state}, 'done', 'a run of four';
	my $ask = sub { op(POST => 'sync-background', json => { sellerId => $one->{id}, ifOlderThanHours => 24 }) };
	is $ask->()->{json}{fresh}, JSON::PP::true(), 'all is fresh';
	op(POST => "sellers/$one->{id}/products", json => { nmIds => [$one->{ids}[4]] });
	my $answer = $ask->();
	is $answer->{status}, 202, 'with one more it is not';
	is ended($answer->{json}{taskId})->{progress}{total}, 5, '... and it is read';
};

done_testing;
