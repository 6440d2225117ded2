package Lockstep::Run::Stack;

# One stack: a directory with everything that belongs to it, the facts that it
# remembers between calls (file "state"), and its parts in the order in which
# they need each other.
#
#	bin data etc log nginx pg run pid state web

use strict;
use warnings;
use Cwd   ();
use Fcntl ':flock';
use File::Copy     ();
use File::Find     ();
use File::Path     ();
use File::Spec     ();
use JSON::PP       ();
use Lockstep::Run::Build   qw(build_ready pages_ready);
use Lockstep::Run::Parts   qw(%part);
use Lockstep::Run::Process qw(alive listen_port pid_read pid_write spawn terminate
    terminate_survivors wait_until);

# sun_path holds 107 bytes and a zero.
use constant SOCKET_PATH_MAX => 107;
use constant START_SECONDS   => 30;

our @ORDER = qw(postgres partner seller pool lockstep nginx);

my %pid_name = (postgres => 'PID_POSTGRES', partner => 'PID_PARTNER', seller => 'PID_SELLER',
	pool => 'PID_POOL', lockstep => 'PID_MASTER', nginx => 'PID_NGINX');

# What "up" is told, and forgets when it is told anew.
my @options = qw(CONF LATENCY PARTNER_ARGS PARTNER_GIVEN SELLER_GIVEN POOL);

# The directory is ours if it is empty, new, or was a stack's before.
sub open {
	my ($class, $root, $dir, $create) = @_;
	my $self = bless { root => $root }, $class;
	$self->{dir} = File::Spec->rel2abs($dir);
	$self->fits;
	if (!-e "$dir/state") {
		die "$dir: no stack there\n" if !$create;
		File::Path::make_path($dir);
		die "$dir: not empty and not a stack's\n" if glob "$dir/*";
	}
	$self->{dir} = Cwd::realpath($dir) // die "$dir: $!\n";
	$self->fits;
	$self->{user} = $> == 0 ? (grep { defined getpwnam $_ } qw(postgres nobody))[0] : undef;
	$self->trusted;
	CORE::open($self->{lock}, '>>', $self->path('.lock')) or die "$dir: $!\n";
	flock $self->{lock}, LOCK_EX or die "$dir: lock: $!\n";
	$self->read_state;
	return $self;
}

sub fits {
	my ($self) = @_;
	my $over = length($self->path('pg/.s.PGSQL.65535')) - SOCKET_PATH_MAX;
	die "$self->{dir}: too long by $over bytes for the path of a unix socket\n"
	    if $over > 0;
}

# A directory that somebody else made in /tmp beforehand is theirs, not ours.
sub trusted {
	my ($self) = @_;
	my $owner = (stat $self->path)[4];
	my @ours  = ($>, defined $self->{user} ? scalar getpwnam $self->{user} : ());
	grep { $_ == $owner } @ours or die "$self->{dir}: belongs to somebody else\n";
}

sub root { return $_[0]{root} }
sub user { return $_[0]{user} }
sub path { my ($self, $name) = @_; return $self->{dir} . (defined $name ? "/$name" : '') }
sub log  { my ($self, $name) = @_; return $self->path("log/$name.log") }

sub slurp {
	my ($self, $file) = @_;
	CORE::open(my $in, '<:raw', $file) or die "$file: $!\n";
	local $/;
	return <$in> // '';
}

# Files belong to the user that the parts run as.
sub write {
	my ($self, $name, $text) = @_;
	my $file = $self->path($name);
	CORE::open(my $out, '>:raw', "$file.new") or die "$file: $!\n";
	print $out $text;
	close $out or die "$file: $!\n";
	chmod 0600, "$file.new";
	$self->own("$file.new");
	rename "$file.new", $file or die "$file: $!\n";
}

sub own {
	my ($self, @file) = @_;
	return if !defined $self->{user};
	my (undef, undef, $uid, $gid) = getpwnam $self->{user};
	chown $uid, $gid, @file;
}

# State.

sub read_state {
	my ($self) = @_;
	$self->{state} = {};
	-e $self->path('state') or return;
	for (split /\n/, $self->slurp($self->path('state'))) {
		my ($key, $value) = split /=/, $_, 2;
		$self->{state}{$key} = $value;
	}
}

sub get { my ($self, $key) = @_; return $self->{state}{$key} }

sub set {
	my ($self, $key, $value) = @_;
	if (defined $value) { $self->{state}{$key} = $value }
	else                { delete $self->{state}{$key} }
	$self->write('state', join '', map { "$_=$self->{state}{$_}\n" }
	    sort keys %{ $self->{state} });
	return $value;
}

sub list {
	my ($self, $key) = @_;
	return JSON::PP::decode_json($self->get($key) // '[]');
}

# The remembered port of that name, or a free one that is remembered from now on.
sub port {
	my ($self, $key) = @_;
	return $self->get($key) // $self->set($key => listen_port());
}

sub base_url     { return 'http://127.0.0.1:' . $_[0]->get('HTTP_PORT') }
sub operator_url { return 'http://127.0.0.1:' . $_[0]->get('OPERATOR_PORT') }

sub partner_url {
	my ($self) = @_;
	return $self->get('PARTNER_GIVEN')
	    // 'http://127.0.0.1:' . $self->port('PARTNER_PORT');
}

sub seller_url {
	my ($self) = @_;
	return $self->get('SELLER_GIVEN') // 'http://127.0.0.1:' . $self->port('SELLER_PORT');
}

sub database_url {
	my ($self) = @_;
	my $host = $self->path('pg') =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger;
	return "postgresql://lockstep\@$host:" . $self->get('POSTGRES_PORT') . '/lockstep';
}

sub database_url_tcp {
	my ($self) = @_;
	return sprintf 'postgresql://lockstep:%s@127.0.0.1:%d/lockstep',
	    $self->get('DB_PASSWORD'), $self->get('POSTGRES_PORT');
}

# The same through the pool, the way that conf/pgbouncer.ini is made for.
sub pool_url {
	my ($self) = @_;
	return sprintf 'postgresql://lockstep:%s@127.0.0.1:%d/lockstep',
	    $self->get('DB_PASSWORD'), $self->get('POOL_PORT');
}

sub has_pool { return !!$_[0]->get('POOL') }

# Parts.

sub parts {
	my ($self) = @_;
	my %without = (pool => !$self->has_pool,
		map { $_ => defined $self->get(uc . '_GIVEN') } qw(partner seller));
	return grep { !$without{$_} } @ORDER;
}

sub pid { my ($self, $name) = @_; return pid_read($self->path("pid/$name")) }

sub prepare {
	my ($self) = @_;
	chmod 0700, $self->path;
	$self->own($self->path);
	$self->reachable;
	my $binary = build_ready($self->{root});
	for (qw(bin data etc log nginx nginx/lockstep nginx/tmp pg run pid)) {
		mkdir $self->path($_), 0700;
		$self->own($self->path($_));
	}
	for (map { $self->log($_) } @ORDER) {
		CORE::open(my $log, '>>', $_) or die "$_: $!\n";
		$self->own($_);
	}
	# A copy: the user that it runs as may not be able to reach the source tree,
	# and a build that goes on does not change a stack that runs.
	my $copy = $self->path('bin/lockstep');
	File::Copy::copy($binary, "$copy.new") or die "$copy: $!\n";
	chmod 0755, "$copy.new";
	$self->own("$copy.new");
	rename "$copy.new", $copy or die "$copy: $!\n";
	$self->prepare_pages;
}

# A copy too, for the same reasons.
sub prepare_pages {
	my ($self) = @_;
	my $pages = pages_ready($self->{root}, $self->{pages});
	File::Path::remove_tree($self->path('web'));
	return if !defined $pages;
	system('cp', '-RL', $pages, $self->path('web')) == 0 or die "$pages: not copied\n";
	File::Find::find(sub { $self->own($_) }, $self->path('web'));
}

sub reachable {
	my ($self) = @_;
	return if !defined $self->{user};
	Lockstep::Run::Process::run_as({ dir => '/', log => '/dev/null',
		user => $self->{user} }, 'test', '-w', $self->path)
	    or die $self->path . ": the user $self->{user}, as whom PostgreSQL and"
	    . " lockstep run here, cannot get there; choose another --dir\n";
}

sub environment {
	my ($self) = @_;
	my $log = $self->path('log');
	return {
		# A test that measures memory cannot have what was freed kept.
		ASAN_OPTIONS  => "log_path=$log/asan:abort_on_error=1:detect_leaks=0"
		    . ($ENV{STACK_FREES} ? ':quarantine_size_mb=0:thread_local_quarantine_size_kb=0' : ''),
		UBSAN_OPTIONS => "log_path=$log/ubsan:abort_on_error=1:print_stacktrace=1:halt_on_error=1",
	};
}

sub launch {
	my ($self, $name) = @_;
	my $row     = $part{$name};
	my @command = $row->{start}->($self);
	my $mark    = -s $self->log($name) // 0;
	my $pid     = spawn({ dir => $self->path, log => $self->log($name),
		user => $name =~ /^(?:partner|seller)$/ ? undef : $self->{user},
		env => $self->environment }, @command);
	pid_write($self->path("pid/$name"), $pid);
	my $ready = wait_until(START_SECONDS, sub {
		return -1 if !alive($pid);
		return $row->{ready}->($self);
	});
	return 1 if $ready > 0;
	my $taken = substr($self->slurp($self->log($name)), $mark)
	    =~ /address (?:already )?in use/i;
	$self->stop($name);
	return 0 if $taken;
	die { part => $name, why => $ready < 0 ? 'died' : 'not ready in time' };
}

my %port_of = (postgres => ['POSTGRES_PORT'], partner => ['PARTNER_PORT'],
	seller => ['SELLER_PORT'], pool => ['POOL_PORT'],
	nginx => ['HTTP_PORT', 'OPERATOR_PORT'], lockstep => []);

# Somebody may have taken a port since it was found free.
sub start {
	my ($self, $name) = @_;
	return 0 if $self->pid($name);
	# What a killed one left, nginx's workers above all, still holds its port.
	$self->stop($name) if -e $self->path("pid/$name");
	for (1 .. ($self->{fixed}{HTTP_PORT} ? 2 : 5)) {
		return 1 if $self->launch($name);
		last if !$self->{may_move};
		$self->set($_ => undef) for grep { !$self->{fixed}{$_} } @{ $port_of{$name} };
	}
	die { part => $name, why => 'its port is taken' };
}

sub stop {
	my ($self, $name, $kill) = @_;
	my $row  = $part{$name};
	my $pid  = $self->pid($name);
	my $mild = 1;
	$mild = terminate($pid, $kill ? 'KILL' : $row->{signal}, $row->{seconds}) if $pid;
	my $exe = $row->{exe}->($self);
	terminate_survivors($self->path, Cwd::realpath($exe)) if defined $exe && -e $exe;
	unlink $self->path("pid/$name");
	return $mild;
}

# The last part needs all the others: its answer says that the whole is ready.
sub await_readyz {
	my ($self) = @_;
	wait_until(START_SECONDS, sub {
		$self->pid('lockstep') && $self->pid('nginx') or return -1;
		return Lockstep::Run::Parts::lockstep_answers($self);
	}) > 0 or die { part => 'lockstep', why => '/readyz is not 200' };
}

# Starts what does not run; what this call started is stopped if it fails.
sub up {
	my ($self, %option) = @_;
	my $running = grep { $self->pid($_) } @ORDER;
	if (!$running) {
		$self->set($_ => $option{$_}) for @options;
		$self->set(HTTP_PORT => $option{PORT}) if defined $option{PORT};
	}
	$self->{fixed}{HTTP_PORT} = 1 if defined $option{PORT};
	$self->{may_move} = !$running;
	$self->{pages}    = $option{pages};
	$self->prepare if !$self->pid('lockstep');
	my @started;
	eval {
		for ($self->parts) {
			unshift @started, $_ if !$self->pid($_);
			$self->start($_);
		}
		$self->await_readyz;
		1;
	} or do {
		my $error = $@;
		$self->stop($_) for @started;
		die $error;
	};
}

sub down {
	my ($self, $purge) = @_;
	my $mild = 1;
	for (reverse $self->parts) {
		next if $self->stop($_);
		warn "stack: $_ had to be killed\n";
		$mild = 0;
	}
	File::Path::remove_tree($self->path) if $purge;
	return $mild;
}

# The lines that callers read.
sub facts {
	my ($self) = @_;
	my @fact = (
		BASE_URL     => $self->base_url,
		OPERATOR_URL => $self->operator_url,
		PARTNER_URL  => $self->partner_url,
		Lockstep::Run::Parts::seller_facts($self),
		Lockstep::Run::Parts::operator_facts($self),
		DATABASE_URL => $self->database_url,
		DATABASE_URL_TCP => $self->database_url_tcp,
		($self->has_pool ? (POOL_URL => $self->pool_url) : ()),
		(map { $pid_name{$_} => $self->pid($_) } $self->parts),
		RUN_DIR => $self->path('run'),
		LOG     => $self->log('lockstep'),
		LOG_DIR => $self->path('log'),
		CONF    => $self->path('etc/lockstep.conf'),
		BIN     => $self->path('bin/lockstep'),
		DIR     => $self->path,
		(-e $self->path('web/index.html') ? (PAGE_URL => $self->base_url . '/programs') : ()),
	);
	my $text = '';
	while (my ($key, $value) = splice @fact, 0, 2) {
		$text .= "$key=$value\n";
	}
	return $text;
}

1;
