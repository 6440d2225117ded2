package Lockstep::Bench::Peers;

# The other sides of the reads, in the same nginx, over the same database, with as
# many processes as api has: a FastCGI handler that does nothing, and php-fpm.

use strict;
use warnings;
use File::Copy ();
use HTTP::Tiny;
use Lockstep::Bench;
use Lockstep::Run::Process qw(spawn terminate);
use Lockstep::Stack qw(wait_until);

# Starts both and puts them at /bench/noop, /bench/php and, with statements that stay
# prepared from one request to the next, /bench/php-kept.
sub new {
	my ($class, $s, $workers) = @_;
	my $self = bless { stack => $s, workers => $workers, pid => [],
		user => $> == 0 ? scalar getpwuid((stat $s->{RUN_DIR})[4]) : undef }, $class;
	mkdir "$s->{DIR}/bench" or die "$s->{DIR}/bench: $!\n";
	$self->own("$s->{DIR}/bench");
	$self->noop;
	$self->php;
	$self->nginx;
	return $self;
}

# Nothing of it outlives the bench.
sub stop {
	my ($self) = @_;
	terminate($_, 'TERM', 5) for splice @{ $self->{pid} };
	return;
}

sub DESTROY { local ($?, $@); $_[0]->stop }

sub path { my ($self, $name) = @_; return "$self->{stack}{DIR}/bench/$name" }

sub own {
	my ($self, @file) = @_;
	return if !defined $self->{user};
	my (undef, undef, $uid, $gid) = getpwnam $self->{user};
	chown $uid, $gid, @file;
}

# For the stack's user alone: one of them holds the key.
sub write_file {
	my ($self, $file, $text) = @_;
	umask 077;
	open my $out, '>', $file or die "$file: $!\n";
	print $out $text;
	close $out or die "$file: $!\n";
	$self->own($file);
	return $file;
}

sub launch {
	my ($self, $name, @command) = @_;
	my $log = $self->write_file($self->path("$name.log"), '');
	push @{ $self->{pid} },
	    spawn({ dir => $self->path(''), log => $log, user => $self->{user} }, @command);
	wait_until { -S $self->path("$name.sock") } 10, "$name.sock"
	    or die "$name does not start: ", Lockstep::Stack::slurp($log);
}

# A copy: the user that it runs as may not reach the source tree.
sub copy {
	my ($self, $from, $name, $mode) = @_;
	File::Copy::copy($from, $self->path($name)) or die "$from: $!\n";
	chmod $mode, $self->path($name);
	$self->own($self->path($name));
	return $self->path($name);
}

sub noop {
	my ($self) = @_;
	my $binary = $self->copy(built('noop'), 'noop', 0700);
	$self->launch('noop', $binary, $self->path('noop.sock'), $self->{workers});
}

sub php_binary {
	my ($newest) = sort { ($b =~ /([\d.]+)$/)[0] <=> ($a =~ /([\d.]+)$/)[0] }
	    grep { -x } glob '/usr/sbin/php-fpm[0-9]*';
	return $newest // die "php-fpm is not installed: tools/deps bench\n";
}

# At its best: a static pool, a compiled script that is never looked at again, a
# connection that is kept.
sub php {
	my ($self) = @_;
	my $s = $self->{stack};
	$self->copy(Lockstep::Bench::root() . '/bench/business-ids.php', 'business-ids.php', 0600);
	my $key = Lockstep::Stack::slurp("$s->{DIR}/etc/key") =~ s/\s//gr;
	my ($host, $port) = map { s/%([0-9A-F]{2})/chr hex $1/ger }
	    $s->{DATABASE_URL} =~ m{\@([^:]+):(\d+)/};
	my $conf = $self->write_file($self->path('php-fpm.conf'), <<"CONF");
[global]
error_log = @{[ $self->path('php.log') ]}
daemonize = no
[bench]
listen = @{[ $self->path('php.sock') ]}
listen.mode = 0600
listen.backlog = 64
pm = static
pm.max_children = $self->{workers}
env[LOCKSTEP_KEY] = $key
env[DATABASE] = "host='$host' port=$port dbname=lockstep user=lockstep"
php_admin_value[opcache.validate_timestamps] = 0
CONF
	$self->launch('php', php_binary(), '-F', '-y', $conf);
}

sub location {
	my ($self, $name, $socket, $statements) = @_;
	my $php = defined $statements ? <<"PHP" : '';
	fastcgi_param SCRIPT_FILENAME @{[ $self->path('business-ids.php') ]};
	fastcgi_param STATEMENTS $statements;
PHP
	return <<"CONF";
location = /bench/$name {
	include lockstep/request;
$php	fastcgi_pass unix:@{[ $self->path("$socket.sock") ]};
}
CONF
}

# Beside the locations of the real snippet; nginx reads its configuration anew.
sub nginx {
	my ($self) = @_;
	my $s = $self->{stack};
	my $locations = $self->write_file("$s->{DIR}/nginx/bench.conf",
		$self->location('noop', 'noop') . $self->location('php', 'php', 'plain')
		. $self->location('php-kept', 'php', 'kept'));
	my $file = "$s->{DIR}/nginx/nginx.conf";
	my $text = Lockstep::Stack::slurp($file);
	$text =~ s{^(\s*)(?=location / \{)}{$1include $locations;\n$1}m or die "$file: no place\n";
	$self->write_file($file, $text);
	kill 'HUP', $s->{PID_NGINX};
	my $http = HTTP::Tiny->new;
	wait_until { $http->get("$s->{BASE_URL}/bench/noop")->{success} } 10, 'the peers'
	    or die "nginx does not take the peers\n";
}

1;
