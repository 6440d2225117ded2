package Lockstep::Bench::Load;

# Load from outside, and what is made of it: wrk through nginx, pgbench with the same
# statements, rounds of all sides in turn, and rows of rates.

use strict;
use warnings;
use Exporter 'import';
use Lockstep::Bench;
use Lockstep::Stack;

our @EXPORT = qw(beside pgbench pgbench_script rate rounds wrk);

use constant SECONDS => 1;

# One run of wrk on a path: {rate, p50, p99}. An answer that is not 200 spoils it all.
# %how: logins, the file of them; most, so many requests and no more.
sub wrk {
	my ($s, $path, $connections, %how) = @_;
	my $script = Lockstep::Bench::root() . '/bench/rotate.lua';
	open my $out, '-|', 'wrk', '-t1', "-c$connections", '-d' . SECONDS . 's', '-s', $script,
	    $s->{BASE_URL}, '--', $path, $how{logins}, $how{most} // 0 or die "wrk: $!\n";
	my ($line) = grep { /^requests=/ } <$out>;
	close $out or die "wrk failed\n";
	my %got = $line =~ /(\w+)=([\d.]+)/g;
	die "$path: $got{failed} requests failed\n" if $got{failed};
	return { rate => $got{requests} / $got{seconds}, p50 => $got{p50}, p99 => $got{p99} };
}

# One run of pgbench: {rate}.
sub pgbench {
	my ($s, $connections, $script) = @_;
	my ($host, $port) = map { s/%([0-9A-F]{2})/chr hex $1/ger }
	    $s->{DATABASE_URL} =~ m{\@([^:]+):(\d+)/};
	my $ran = Lockstep::Stack->run({}, 'pgbench', '-n', '-h', $host, '-p', $port,
		'-U', 'lockstep', '-M', 'prepared', '-c', $connections, '-j', 1, '-T', SECONDS,
		'-f', $script, 'lockstep');
	my ($tps) = $ran->{out} =~ /^tps = ([\d.]+)/m;
	die "pgbench: $ran->{err}\n" if !($tps // 0) || $ran->{exit};
	return { rate => $tps };
}

# The statements themselves, [NAME, PARAMETER => VALUE, ...] each, with pgbench's
# variable :i, the number of an account, in some of the values.
sub pgbench_script {
	my ($s, $name, $accounts, @query) = @_;
	my $text = "\\set i random(1, $accounts)\n";
	for my $query (@query) {
		my ($file, %value) = @$query;
		my $sql = Lockstep::Stack::slurp(Lockstep::Bench::root() . "/sql/query/$file.sql");
		$sql =~ s/--.*//g;
		$sql =~ s/(\$\d+)/$value{$1} \/\/ die "$file: no $1\n"/ge;
		$text .= "$sql;\n";
	}
	open my $out, '>', "$s->{dir}/$name.sql" or die "$name: $!\n";
	print $out $text;
	close $out or die "$name: $!\n";
	return "$s->{dir}/$name.sql";
}

# Rounds of all sides in turn; the medians of each.
sub rounds {
	my ($n, %side) = @_;
	my %got;
	for my $round (1 .. $n) {
		push @{ $got{$_} }, calm($side{$_}) for sort keys %side;
	}
	my %median;
	for my $side (keys %got) {
		for my $what (qw(rate p50 p99)) {
			my @value = grep { defined } map { $_->{$what} } @{ $got{$side} };
			$median{$side}{$what} = median(@value) if @value;
		}
	}
	return \%median;
}

sub rate {
	my ($run) = @_;
	my $text = commas(sprintf '%.0f', $run->{rate}) . '/s';
	$text .= sprintf ', p50 %.1f', $run->{p50} if defined $run->{p50};
	return $text . (defined $run->{p99} ? sprintf ', p99 %.1f ms', $run->{p99} : '');
}

sub beside {
	my ($what, $ours, $name, $theirs, $goal) = @_;
	row(what => $what, ours => rate($ours), beside => $name, theirs => rate($theirs),
		ratio => $ours->{rate} / $theirs->{rate}, goal => $goal);
	return;
}

1;
