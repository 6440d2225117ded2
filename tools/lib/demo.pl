#!/usr/bin/perl

# The demo after its packages are there: starts a stack, runs the first sync of
# 2,671 programs through nginx with curl, draws its progress, gives the operator a
# seller, and prints what to try next. Exits 0 only if the registry holds as many programs as the partner.

use strict;
use warnings;
use File::Basename qw(dirname);
use Getopt::Long;
use JSON::PP    ();
use Time::HiRes qw(time);

use constant { USER => 'demo', PASSWORD => 'demo-password', LATENCY_MS => 150 };

my $tools = dirname(__FILE__) . '/..';

# A socket's path holds 107 bytes, the longest of ours being 19 below the directory.
use constant DIR_MAX => 88;

# Root's home is closed to the user that PostgreSQL runs as then.
sub default_dir {
	my $base = $ENV{XDG_STATE_HOME} || ($ENV{HOME} // '') . '/.local/state';
	my $dir  = "$base/lockstep-demo";
	return $dir if $> != 0 && $base =~ m{^/} && length $dir <= DIR_MAX;
	return "/tmp/lockstep-demo-$>";
}

# The stack's KEY=value lines as a hash.
sub stack_up {
	my ($dir, $port) = @_;
	print "Starting PostgreSQL, the simulated partner, lockstep and nginx in $dir\n",
	    -e "$tools/../build/lockstep" ? '' : "(the first time it is built, too, which takes a minute or two)\n";
	open my $out, '-|', "$tools/stack", 'up', '--dir', $dir, '--pages',
	    '--latency', LATENCY_MS, defined $port ? ('--port', $port) : ()
	    or die "tools/stack: $!\n";
	my %fact = map { /^([A-Z_]+)=(.*)$/ ? ($1, $2) : () } <$out>;
	close $out or exit 1;
	return \%fact;
}

sub commas { my ($n) = @_; 1 while $n =~ s/^(\d+)(\d{3})/$1,$2/; return $n }

# JSON of one request, or the end.
sub ask {
	my ($url, $login, @option) = @_;
	open my $out, '-|', 'curl', '-sS', '--max-time', 30,
	    '-u', $login, @option, $url or die "curl: $!\n";
	local $/;
	my $text = <$out> // '';
	close $out;
	return eval { JSON::PP::decode_json($text) } // die "$url: $text\n";
}

sub get { my ($url, @option) = @_; return ask($url, USER . ':' . PASSWORD, @option) }

# The operator's seller with all that the simulated API has of it: 438 products, of
# which nothing is known before the first run.
sub seller {
	my ($fact) = @_;
	my $token = $fact->{SELLER_TOKEN} // return;
	my $login = "$fact->{OPERATOR_USER}:$fact->{OPERATOR_PASSWORD}";
	my $url   = "$fact->{BASE_URL}/api/analytics/sellers";
	my $post  = sub {
		my ($path, $body) = @_;
		return ask("$url$path", $login, '-H', 'Content-Type: application/json',
		    '--data-binary', JSON::PP::encode_json($body));
	};
	return if @{ ask($url, $login)->{sellers} };
	my $made = $post->('', { name => 'Demo', token => $token });
	$made->{id} or die "The seller was not taken: $made->{detail}\n";
	$post->("/$made->{id}/products", { all => JSON::PP::true });
}

# One line that is drawn over on a terminal; elsewhere a line for each tenth.
{
	my $tenth = -1;

	sub draw {
		my ($event, $since) = @_;
		my ($n, $total, $percent) = @{$event}{qw(synced total percentage)};
		my $text = sprintf '%3d %%  %s of %s programs  %.1f s', $percent,
		    commas($n), commas($total), time - $since;
		if (-t STDOUT) {
			my $full = int($percent * 40 / 100);
			printf "\r[%s%s] %s ", '#' x $full, '.' x (40 - $full), $text;
			print "\n" if $n >= $total;
		} elsif (int($percent / 10) > $tenth) {
			$tenth = int($percent / 10);
			print "$text\n";
		}
	}
}

# Runs the sync and draws it; returns its last event and how long it took.
sub sync {
	my ($base) = @_;
	my $since = time;
	my $url   = "$base/api/reseller/programs/sync-stream";
	open my $stream, '-|', 'curl', '-sSN', '-u', USER . ':' . PASSWORD,
	    '-X', 'POST', $url or die "curl: $!\n";
	my ($last, $other) = ({}, '');
	while (my $line = <$stream>) {
		my $event = $line =~ /^data: ?(.*)/ ? eval { JSON::PP::decode_json($1) } : undef;
		if (!$event) { $other .= $line if $line !~ /^(?:id|retry)?:|^$/; next }
		$last = $event;
		my $type = $event->{type};
		if    ($type eq 'progress') { draw($event, $since) }
		elsif ($type eq 'info') {
			printf "The partner has %s programs, the registry %s\n",
			    commas($event->{total_api}), commas($event->{total_db});
		} elsif ($type ne 'complete') { print "$event->{message}\n" }
	}
	close $stream;
	($last->{type} // '') eq 'complete' or die "The sync did not complete: "
	    . ($last->{message} // $other || 'no answer') . "\n";
	return ($last, time - $since);
}

# Prints what the database holds, asked through the API. Returns what the partner
# itself says it has, and the business with the most programs.
sub counts {
	my ($fact) = @_;
	my $ids    = get("$fact->{BASE_URL}/api/reseller/business-ids");
	my $list   = get("$fact->{BASE_URL}/api/reseller/programs?limit=1");
	my $rows   = 0;
	$rows += $_->{program_count} for @{ $ids->{businesses} };
	my $most = $ids->{businesses}[0];
	printf "In the database: %s programs of %s businesses, most of %s (%s)\n",
	    commas($rows), commas($ids->{total}), $most->{business_id},
	    commas($most->{program_count});
	return ($list->{total_count}, $most->{business_id});
}

sub timing {
	my ($fact) = @_;
	my $job = get("$fact->{BASE_URL}/api/jobs")->{jobs}[0] // return;
	my $ms  = $job->{timing_ms} // return;
	printf "Where the time went: partner %.2f s, database %.2f s, total %.2f s\n",
	    map { ($ms->{$_} // 0) / 1000 } qw(partner database total);
}

sub advise {
	my ($fact, $business, $stop) = @_;
	my ($base, $login) = ($fact->{BASE_URL}, '-u ' . USER . ':' . PASSWORD);
	my $page = $fact->{PAGE_URL}
	    ? "Open $fact->{PAGE_URL}\nand sign in as " . USER . ' with ' . PASSWORD
	    : "It runs at $base. The page for browsers was left out: no npm.";
	my $operator = !$fact->{PAGE_URL} || !$fact->{SELLER_TOKEN} ? '' : <<"TEXT";

Operators have $base/analytics
and $base/jobs; the browser asks for the login:
$fact->{OPERATOR_USER} with $fact->{OPERATOR_PASSWORD}
TEXT
	print <<"TEXT";

$page
$operator
Or without a browser:

  curl $login '$base/api/reseller/business-ids'
  curl $login '$base/api/reseller/programs?limit=2'
  curl $login '$base/api/reseller/programs?business_id=$business&limit=2'
  curl $login '$base/api/jobs'
  curl -N $login -X POST '$base/api/reseller/programs/sync-stream'
  curl '$fact->{OPERATOR_URL}/status'

Logs: $fact->{LOG_DIR}; database: psql '$fact->{DATABASE_URL}'
$stop ends it.
TEXT
}

sub main {
	my ($dir, $port, $stop, $purge, $help);
	GetOptions('dir=s' => \$dir, 'port=i' => \$port, 'stop' => \$stop,
		'purge' => \$purge, 'help' => \$help) && !@ARGV && !$help
	    or die "usage: tools/demo [--dir D] [--port N] | --stop [--purge] [--dir D]\n";
	my $end_it = 'tools/demo --stop' . (defined $dir ? " --dir $dir" : '');
	$dir //= default_dir();
	exec "$tools/stack", 'down', '--dir', $dir, $purge ? '--purge' : () if $stop;

	$| = 1;
	my $fact = stack_up($dir, $port);
	my ($end, $seconds) = sync($fact->{BASE_URL});
	printf "%s (%s, %.1f s)\n", $end->{message}, $end->{status}, $seconds;
	my ($total, $business) = counts($fact);
	timing($fact);
	seller($fact);
	$end->{total_synced} == $total && $end->{status} ne 'partial'
	    or die "The registry has $end->{total_synced} programs, the partner $total\n";
	advise($fact, $business, $end_it);
}

eval { main(); 1 } or do { print STDERR $@; exit 1 };
