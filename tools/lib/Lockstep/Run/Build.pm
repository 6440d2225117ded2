package Lockstep::Run::Build;

# Brings the build up to date before a stack is started. Which files make it stale
# is make's business; here are only the steps that come before make, and the lock
# that keeps two stacks from building the same tree at once.

use strict;
use warnings;
use Exporter 'import';
use POSIX ();
use Fcntl ':flock';

our @EXPORT_OK = qw(build_ready pages_ready pages_copied);

sub newer {
	my ($one, $other) = @_;
	return !-e $other || (stat $one)[9] > (stat $other)[9];
}

sub run {
	my ($log, $dir, @command) = @_;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open STDIN,  '<',  '/dev/null' or die;
		open STDOUT, '>', $log or die "$log: $!\n";
		open STDERR, '>&', \*STDOUT or die;
		chdir $dir or die "$dir: $!\n";
		exec @command or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	return if $? == 0;
	print STDERR `tail -n 30 $log`;
	die "build: '@command' failed, the rest is in $log\n";
}

# Asked first, so that a tree which is not ours to write to will do if it is fresh.
sub stale {
	my ($dir) = @_;
	return system('sh', '-c', 'exec make -s -q -C "$1" lockstep >/dev/null 2>&1',
		'sh', $dir) != 0;
}

# Held until it goes out of scope.
sub lock_builds {
	my ($root) = @_;
	open my $lock, '<', "$root/configure.ac" or die "$root/configure.ac: $!\n";
	flock $lock, LOCK_EX or die "lock: $!\n";
	return $lock;
}

sub tree { my ($root) = @_; return $ENV{LOCKSTEP_BUILD} || "$root/build" }

# Returns the path of an up-to-date binary. LOCKSTEP_BUILD names another tree,
# which must have been configured (the sanitizer's); otherwise it is build/.
sub build_ready {
	my ($root) = @_;
	my $dir = tree($root);
	my $log = "$dir/stack-build.log";

	my $lock = lock_builds($root);
	mkdir $dir;
	-d $dir or die "$dir: cannot be made\n";

	my $jobs = '-j' . (`nproc 2>/dev/null` =~ s/\D//gr || 2);
	if (!$ENV{LOCKSTEP_BUILD}) {
		run($log, $root, 'autoreconf', '-fi')
		    if newer("$root/configure.ac", "$root/configure");
		run($log, $dir, "$root/configure", '-q') if !-e "$dir/Makefile";
	}
	run($log, $dir, 'make', '-s', $jobs, 'lockstep') if stale($dir);
	-x "$dir/lockstep" or die "$dir/lockstep: not built\n";
	return "$dir/lockstep";
}

# Returns the directory of the pages for browsers, or undef for none; brings them up
# to date first when $wanted, which may download what they are made of.
sub pages_ready {
	my ($root, $wanted) = @_;
	my $dir = tree($root);
	if ($wanted) {
		my $lock = lock_builds($root);
		run("$dir/stack-build.log", $dir, 'make', '-s', 'pages');
	}
	my ($pages) = grep { -e "$_/index.html" } "$dir/web-build/dist", "$root/web/pages";
	return $pages;
}

# Returns the directory with an up-to-date copy of web/, in which its tools run.
sub pages_copied {
	my ($root) = @_;
	my $dir  = tree($root);
	my $lock = lock_builds($root);
	run("$dir/stack-build.log", $dir, 'make', '-s', 'web-build/copied');
	return "$dir/web-build";
}

1;
