package Lockstep::Run::Parts;

# The parts of a stack. Each is a row of %part: how it is started, what says
# that it is ready, how it is told to end. They get the stack ($s) for its
# directory, its user and the facts that it remembers (ports, passwords).

use strict;
use warnings;
use DBI;
use Digest::SHA qw(sha1_base64);
use Exporter 'import';
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use Lockstep::Run::Process qw(alive listen_port run_as wait_until);

our @EXPORT_OK = qw(%part part_exe);

our %part = (
	postgres => {
		start => \&postgres_command, ready => \&postgres_ready,
		exe => \&postgres_exe, signal => 'INT', seconds => 20,
	},
	partner => {
		start => \&partner_command, ready => \&partner_ready,
		exe => sub { undef }, signal => 'TERM', seconds => 15,
	},
	seller => {
		start => \&seller_command, ready => \&seller_ready,
		exe => sub { undef }, signal => 'TERM', seconds => 15,
	},
	pool => {
		start => \&pool_command, ready => \&pool_ready,
		exe => \&pool_exe, signal => 'TERM', seconds => 15,
	},
	lockstep => {
		start => \&lockstep_command, ready => \&lockstep_ready,
		exe => sub { $_[0]->path('bin/lockstep') },
		signal => 'TERM', seconds => 20,
	},
	nginx => {
		start => \&nginx_command, ready => \&nginx_ready,
		exe => \&nginx_exe, signal => 'TERM', seconds => 15,
	},
);

sub connects {
	my ($port) = @_;
	return !!IO::Socket::INET->new(
		PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 2);
}

sub random_hex {
	open my $in, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
	read $in, my $bytes, 16 or die "/dev/urandom: $!\n";
	return unpack 'H*', $bytes;
}

sub tool {
	my ($s, $log, @command) = @_;
	run_as({ dir => $s->path, log => $s->log($log), user => $s->user },
		@command) or die { part => $log, why => "'@command' failed" };
}

# PostgreSQL.

sub postgres_bin {
	my ($newest) = sort { ($b =~ m{/(\d+)/bin})[0] <=> ($a =~ m{/(\d+)/bin})[0] }
	    glob '/usr/lib/postgresql/*/bin';
	return $newest // die "PostgreSQL is not installed: tools/deps\n";
}

sub postgres_exe { return postgres_bin() . '/postgres' }

# The socket's directory is open to nobody else, hence trust there; on loopback
# TCP anyone can knock, hence a password.
sub postgres_init {
	my ($s) = @_;
	tool($s, 'postgres', postgres_bin() . '/initdb', '-D', $s->path('data'),
		qw(-U postgres -E UTF8 --locale=C -A trust --no-sync));
	$s->write('data/pg_hba.conf', <<'HBA');
local all all              trust
host  all all 127.0.0.1/32 scram-sha-256
HBA
}

# One that was killed and that nobody has reaped yet looks alive to the next.
sub postgres_forget {
	my ($s) = @_;
	for my $file ($s->path('data/postmaster.pid'), glob $s->path('pg/.s.PGSQL.*.lock')) {
		my ($pid) = -e $file ? $s->slurp($file) =~ /^(\d+)$/m : ();
		unlink $file if $pid && !alive($pid);
	}
}

sub postgres_command {
	my ($s) = @_;
	postgres_init($s) if !-e $s->path('data/PG_VERSION');
	postgres_forget($s);
	my $port = $s->port('POSTGRES_PORT');
	return (postgres_exe($s), '-D', $s->path('data'), '-p', $port,
		'-k', $s->path('pg'), '-c', 'listen_addresses=127.0.0.1');
}

sub postgres_connect {
	my ($s, $database) = @_;
	return DBI->connect(sprintf('dbi:Pg:dbname=%s;host=%s;port=%d', $database,
		$s->path('pg'), $s->get('POSTGRES_PORT')), 'postgres', '',
		{ PrintError => 0, RaiseError => 0 });
}

sub postgres_ready {
	my ($s) = @_;
	my $db = postgres_connect($s, 'postgres') // return 0;
	$db->{RaiseError} = 1;
	if (!$db->selectrow_array(q(SELECT 1 FROM pg_roles WHERE rolname = 'lockstep'))) {
		my $password = $s->get('DB_PASSWORD') // $s->set(DB_PASSWORD => random_hex());
		$db->do("CREATE ROLE lockstep LOGIN PASSWORD '$password'");
	}
	$db->do('CREATE DATABASE lockstep OWNER lockstep')
	    if !$db->selectrow_array(q(SELECT 1 FROM pg_database WHERE datname = 'lockstep'));
	$db->disconnect;
	return 1;
}

# PgBouncer, from the real file; only addresses and paths are changed. It refuses to
# run as root, as PostgreSQL does.

sub pool_exe {
	my ($path) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
	return $path // die "pgbouncer is not installed: tools/deps check\n";
}

# Each must be there to be changed, or the pool would be somebody else's.
sub pool_ini {
	my ($s) = @_;
	my $text = $s->slurp($s->root . '/conf/pgbouncer.ini');
	my %own  = (
		'listen_port'     => $s->port('POOL_PORT'),
		'unix_socket_dir' => $s->path('pg'),
		'auth_file'       => $s->path('etc/userlist.txt'),
		'logfile'         => $s->log('pool'),
		'pidfile'         => $s->path('pg/pool.pid'),
	);
	for my $key (sort keys %own) {
		$text =~ s/^\Q$key\E = \K.*$/$own{$key}/m or die "conf/pgbouncer.ini: no $key\n";
	}
	$text =~ s/^lockstep = .* port=\K5432(?= )/$s->get('POSTGRES_PORT')/me
	    or die "conf/pgbouncer.ini: no port of PostgreSQL\n";
	return $text;
}

# The role's secret as PostgreSQL keeps it, which is all that either side needs.
sub pool_users {
	my ($s) = @_;
	my $db = postgres_connect($s, 'postgres') // die "PostgreSQL does not answer\n";
	my ($line) = $db->selectrow_array(
		q(SELECT format('"%s" "%s"', rolname, rolpassword) FROM pg_authid WHERE rolname = 'lockstep'));
	$db->disconnect;
	return "$line\n";
}

sub pool_command {
	my ($s) = @_;
	$s->write('etc/pgbouncer.ini', pool_ini($s));
	$s->write('etc/userlist.txt', pool_users($s)) if $s->pid('postgres');
	unlink $s->path('pg/pool.pid');
	return (pool_exe(), '-q', $s->path('etc/pgbouncer.ini'));
}

# It listens on two addresses; the file is written when it has both.
sub pool_ready {
	my ($s) = @_;
	return -s $s->path('pg/pool.pid') && connects($s->get('POOL_PORT'));
}

# The simulated partner. It runs as whoever calls: only what must not be root, or
# shares sockets with what must not, gives root up.

sub partner_command {
	my ($s) = @_;
	unlink $s->path('run/partner.port');
	return ($s->root . '/tools/partner-sim',
		'--listen', 'http://127.0.0.1:' . $s->port('PARTNER_PORT'),
		'--port-file', $s->path('run/partner.port'),
		(defined $s->get('LATENCY') ? ('--latency', $s->get('LATENCY')) : ()),
		@{ $s->list('PARTNER_ARGS') });
}

sub partner_ready {
	my ($s) = @_;
	return -s $s->path('run/partner.port') && connects($s->get('PARTNER_PORT'));
}

# The simulated seller API, as the partner.

sub seller_command {
	my ($s) = @_;
	unlink $s->path('run/seller.port');
	return ($s->root . '/tools/seller-sim',
		'--listen', 'http://127.0.0.1:' . $s->port('SELLER_PORT'),
		'--port-file', $s->path('run/seller.port'));
}

sub seller_ready {
	my ($s) = @_;
	return -s $s->path('run/seller.port') && connects($s->get('SELLER_PORT'));
}

# The token is made by the simulator. One that was given and does not answer, or is
# the real API, has none for us.
sub seller_facts {
	my ($s) = @_;
	my $url    = $s->seller_url;
	my $answer = HTTP::Tiny->new(timeout => 5)->get("$url/_sim/token?seller=demo");
	my $token  = $answer->{success} && eval { JSON::PP::decode_json($answer->{content})->{token} };
	return (SELLER_URL => $url, ($token ? (SELLER_TOKEN => $token) : ()));
}

# Lockstep itself.

sub lockstep_conf {
	my ($s) = @_;
	my %conf = (
		'run_dir'     => $s->path('run'),
		'key_file'    => $s->path('etc/key'),
		($s->has_pool ? ('db.url' => $s->pool_url, 'db.direct_url' => $s->database_url,
			'db.prepare' => 'off') : ('db.url' => $s->database_url)),
		'partner.url' => $s->partner_url,
		'analytics.url' => $s->seller_url,
		map { /^([^=]+)=(.*)$/s ? ($1, $2) : die "--conf $_: KEY=VALUE\n" }
		    @{ $s->list('CONF') },
	);
	my ($text, $section) = ('', '');
	my @top = grep { !/\./ } sort keys %conf;
	for my $key (@top, grep { /\./ } sort keys %conf) {
		my ($in, $name) = $key =~ /^(?:(\w+)\.)?(\w+)$/
		    or die "--conf $key: no such key\n";
		$text .= "\n[$in]\n" if defined $in && $in ne $section;
		$section = $in // '';
		$text .= "$name = $conf{$key}\n";
	}
	return $text;
}

sub lockstep_command {
	my ($s) = @_;
	my @lockstep = ($s->path('bin/lockstep'), '-c', $s->path('etc/lockstep.conf'));
	$s->write('etc/lockstep.conf', lockstep_conf($s));
	tool($s, 'lockstep', $s->path('bin/lockstep'), 'keygen', $s->path('etc/key'))
	    if !-e $s->path('etc/key');
	tool($s, 'lockstep', @lockstep, 'migrate');
	return (@lockstep, 'serve');
}

# Asked of the kernel: a connection that says nothing would hold a worker for the
# two seconds that libfcgi waits.
sub lockstep_ready {
	my ($s) = @_;
	my $sockets = $s->slurp('/proc/net/unix');
	for my $kind (qw(api live stream)) {
		my $path = $s->path("run/$kind.sock");
		return 0 if $sockets !~ m{ 00010000 \S+ 01 +\d+ \Q$path\E$}m;
	}
	return 1;
}

# The operators whom nginx knows, made up once: two, so that what belongs to one can
# be kept from the other.

sub operator_facts {
	my ($s) = @_;
	return map {
		my $key = $_ eq 'operator' ? 'OPERATOR' : 'OTHER_OPERATOR';
		my $password = $s->get("${key}_PASSWORD") // $s->set("${key}_PASSWORD" => random_hex());
		("${key}_USER" => $_, "${key}_PASSWORD" => $password);
	} qw(operator other);
}

sub operator_file {
	my ($s) = @_;
	my @fact = operator_facts($s);
	my $text = '';
	while (my (undef, $user, undef, $password) = splice @fact, 0, 4) {
		$text .= "$user:{SHA}" . sha1_base64($password) . "=\n";
	}
	$s->write('nginx/htpasswd', $text);
}

# nginx, from the real files; only paths and ports are changed.

sub nginx_exe {
	my ($path) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin';
	return $path // die "nginx is not installed: tools/deps\n";
}

sub nginx_files {
	my ($s) = @_;
	my $run = $s->path('run');
	for my $file (glob $s->root . '/conf/nginx/*') {
		my $text = $s->slurp($file);
		$text =~ s{unix:/run/lockstep/}{unix:$run/}g;
		$text =~ s{/usr/local/share/lockstep/web}{$s->path('web')}ge;
		$text =~ s{/etc/nginx/lockstep\.htpasswd}{$s->path('nginx/htpasswd')}ge;
		$text =~ s{127\.0\.0\.1:8081}{'127.0.0.1:' . $s->get('OPERATOR_PORT')}ge;
		$s->write('nginx/lockstep/' . $file =~ s{.*/}{}r, $text);
	}
}

sub nginx_conf {
	my ($s) = @_;
	my ($port, $tmp) = ($s->get('HTTP_PORT'), $s->path('nginx/tmp'));
	my $log = $s->path('log');
	return <<"CONF";
daemon off;
worker_processes 2;
worker_shutdown_timeout 5s;
pid $tmp/nginx.pid;
error_log $log/nginx.log notice;
events {
	worker_connections 16384;
}
http {
	client_body_temp_path $tmp/body;
	fastcgi_temp_path $tmp/fastcgi;
	proxy_temp_path $tmp/proxy;
	scgi_temp_path $tmp/scgi;
	uwsgi_temp_path $tmp/uwsgi;
	include lockstep/log;
	include lockstep/operator.conf;
	server {
		listen 127.0.0.1:$port backlog=4096;
		access_log $log/access.log lockstep;
		include lockstep/lockstep.conf;
		location / {
			return 404;
		}
	}
}
CONF
}

sub nginx_command {
	my ($s) = @_;
	$s->port('HTTP_PORT');
	$s->port('OPERATOR_PORT');
	nginx_files($s);
	operator_file($s);
	$s->write('nginx/nginx.conf', nginx_conf($s));
	unlink $s->path('nginx/tmp/nginx.pid');
	return (nginx_exe(), '-p', $s->path('nginx'), '-c', $s->path('nginx/nginx.conf'),
		'-e', $s->path('log/nginx.log'));
}

# Written once all addresses are bound; that one of them answers says nothing, as it
# may be somebody else's.
sub nginx_ready { return -s $_[0]->path('nginx/tmp/nginx.pid') }

# True when lockstep itself says, through nginx, that it is ready.
sub lockstep_answers {
	my ($s) = @_;
	my $http = HTTP::Tiny->new(timeout => 5);
	return $http->get($s->operator_url . '/readyz')->{status} == 200;
}

1;
