package Lockstep::Run::Process;

# Starting, watching and ending one long-lived process. A pid is believed only
# together with the start time that the kernel keeps for it, so a pid file left
# over from before can never get another process killed.

use strict;
use warnings;
use Exporter 'import';
use POSIX     ();
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(alive listen_port pid_read pid_write run_as spawn terminate
    terminate_survivors wait_until);

use constant NOFILE => 65536;

# Calls $test until it returns true or $seconds are over; returns what it returned.
sub wait_until {
	my ($seconds, $test) = @_;
	my $end = time + $seconds;
	while (1) {
		# It is looked at once more after the end: this process may have stood still.
		my $late   = time >= $end;
		my $result = $test->();
		return $result if $result || $late;
		sleep 0.02;
	}
}

# A loopback port that is free now. Somebody may take it before it is used:
# callers try again with another.
sub listen_port {
	require IO::Socket::INET;
	my $socket = IO::Socket::INET->new(
		Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0)
	    or die "no free port: $!\n";
	return $socket->sockport;
}

# Start time in clock ticks since boot, or undef for no process or a zombie.
sub started_at {
	my ($pid) = @_;
	waitpid $pid, POSIX::WNOHANG();
	open my $stat, '<', "/proc/$pid/stat" or return;
	my $line = <$stat> // return;
	my @field = split ' ', $line =~ s/^.*\)//r;
	return $field[0] =~ /[ZX]/ ? undef : $field[19];
}

sub pid_write {
	my ($file, $pid) = @_;
	open my $out, '>', $file or die "$file: $!\n";
	printf $out "%d %s\n", $pid, started_at($pid) // 0;
	close $out or die "$file: $!\n";
}

# The pid in $file if that very process still runs, else 0.
sub pid_read {
	my ($file) = @_;
	open my $in, '<', $file or return 0;
	my ($pid, $start) = split ' ', scalar(<$in>) // '';
	return $pid && alive($pid, $start) ? $pid : 0;
}

sub alive {
	my ($pid, $start) = @_;
	my $now = started_at($pid);
	return defined $now && (!defined $start || $now eq $start);
}

sub become {
	my ($user) = @_;
	return if $> != 0 || !defined $user;
	my (undef, undef, $uid, $gid) = getpwnam $user or die "no user $user\n";
	$( = $gid;
	$) = "$gid $gid";
	POSIX::setuid($uid) or die "setuid $user: $!\n";
	$ENV{HOME} = '/';
}

# The child's side: nothing of the caller's terminal or pipes is kept, or a test
# that reads our output to its end would wait for a daemon.
sub exec_detached {
	my ($how, @command) = @_;
	POSIX::setsid();
	umask 077;
	open STDIN,  '<',  '/dev/null' or die;
	open STDOUT, '>>', $how->{log} or die "$how->{log}: $!\n";
	open STDERR, '>&', \*STDOUT    or die;
	POSIX::close($_) for 3 .. 255;
	chdir $how->{dir} or die "$how->{dir}: $!\n";
	delete $ENV{LOCKSTEP_BUILD};
	$ENV{$_} = $how->{env}{$_} for keys %{ $how->{env} // {} };
	become($how->{user});
	exec '/bin/sh', '-c',
	    'h=$(ulimit -Hn); case $h in unlimited) h=' . NOFILE . ';; esac; '
	    . '[ "$h" -le ' . NOFILE . ' ] || h=' . NOFILE . '; '
	    . 'ulimit -n "$h"; exec "$@"', 'sh', @command;
	die "$command[0]: $!\n";
}

# Starts @command in the background. $how: dir, log, user (when root), env.
# Returns its pid.
sub spawn {
	my ($how, @command) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	eval { exec_detached($how, @command) };
	print STDERR $@;
	POSIX::_exit(127);
}

# Runs @command to its end, output into $how->{log}; true if it exited 0.
sub run_as {
	my ($how, @command) = @_;
	my $pid = spawn($how, @command);
	my $end = time + ($how->{timeout} // 60);
	while (waitpid($pid, POSIX::WNOHANG()) == 0) {
		kill 'KILL', $pid if time > $end;
		sleep 0.01;
	}
	return $? == 0;
}

# Ends $pid: $signal, then KILL after $seconds. False if KILL was needed.
sub terminate {
	my ($pid, $signal, $seconds) = @_;
	my $start = started_at($pid) // return 1;
	my $gone  = sub { !alive($pid, $start) };
	kill $signal, $pid;
	kill 'CONT',  $pid;
	return 1 if wait_until($seconds, $gone);
	kill 'KILL', $pid;
	wait_until(5, $gone);
	return 0;
}

# What outlives a killed parent: processes of this executable working in $dir.
sub terminate_survivors {
	my ($dir, $exe) = @_;
	my $ours = sub {
		my ($pid) = @_;
		my $cwd = readlink("/proc/$pid/cwd") // return;
		my $run = readlink("/proc/$pid/exe") // return;
		return $run =~ s/ \(deleted\)$//r eq $exe
		    && ($cwd eq $dir || index($cwd, "$dir/") == 0);
	};
	my $find = sub { grep { $ours->($_) } map { m{(\d+)$} } glob '/proc/[0-9]*' };
	wait_until(2, sub { !$find->() }) and return;
	kill 'KILL', $find->();
	wait_until(5, sub { !$find->() });
}

1;
