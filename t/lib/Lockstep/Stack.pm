package Lockstep::Stack;

# The test frame: the real stack (tools/stack) and everything that a test does to
# it. Each test file starts its own; what is still up when the file ends is
# stopped and purged. Every wait is bounded, and longer by the factor
# TEST_SLOW for the sanitizer build.

use strict;
use warnings;
use Cwd ();
use DBI;
use Exporter 'import';
use File::Basename qw(dirname);
use File::Temp     ();
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use IPC::Open3   ();
use JSON::PP     ();
use MIME::Base64 ();
use Test::More   ();
use Time::HiRes  qw(sleep time);

use lib Cwd::realpath(dirname(__FILE__) . '/../../..') . '/tools/lib';
use Lockstep::FastCGI ();
use Lockstep::Partner;
use Lockstep::Seller;
use Lockstep::Run::Build ();
use Lockstep::SSE;

our @EXPORT = qw(wait_until);

my $root = Cwd::realpath(dirname(__FILE__) . '/../../..');
my $slow = $ENV{TEST_SLOW} || 1;
my %running;

# LOCKSTEP_POOL=1: PgBouncer before PostgreSQL. lockstep would take it for a setting.
my $with_pool = delete $ENV{LOCKSTEP_POOL};

my %password = (demo => 'demo-password', agency => 'agency-password',
	noaccess => 'pw', (map { ("p$_" => 'pw') } 0, 1, 39, 40, 41, 80));

# wait_until { test } seconds, what: true as soon as the test is, else false with
# a note of what was waited for.
sub wait_until(&;$$) {
	my ($test, $seconds, $what) = @_;
	my $end = time + ($seconds // 10) * $slow;
	while (1) {
		# It is looked at once more after the end: this process may have stood still.
		my $late   = time >= $end;
		my $result = $test->();
		return $result if $result;
		last if $late;
		sleep 0.02;
	}
	Test::More::diag("waited in vain for $what") if defined $what;
	return;
}

sub root { return $root }

# The binary under test, built when need be; also without a stack.
sub binary { return Lockstep::Run::Build::build_ready($root) }

# Runs a command to its end: {exit, out, err}; exit is -1 after the time-out.
sub run {
	my ($class, $how, @command) = @_;
	local %ENV = (%ENV, %{ $how->{env} // {} });
	my $err = File::Temp->new;
	open my $null, '<', '/dev/null' or die "/dev/null: $!";
	my $pid = IPC::Open3::open3('<&' . fileno $null, my $out,
		'>&' . fileno $err, @command);
	my ($text, $end) = ('', time + ($how->{timeout} // 20) * $slow);
	my $select = IO::Select->new($out);
	while (time < $end && $select->can_read($end - time)) {
		sysread $out, $text, 65536, length $text or last;
	}
	kill 'KILL', $pid if time >= $end;
	waitpid $pid, 0;
	seek $err, 0, 0;
	return { exit => time >= $end ? -1 : $? >> 8 || ($? & 127 ? 128 + ($? & 127) : 0),
		out => $text, err => join '', <$err> };
}

# start(conf => {KEY => VALUE}, latency => MS, partner => {NAME => N or {...}},
# partner_url => URL, seller_url => URL, pages => 1 for those of browsers, pool => BOOL,
# env => {...}). In partner, N is the number of programs; the password is NAME-password.
sub start {
	my ($class, %how) = @_;
	my $dir  = File::Temp::tempdir('lockstep-XXXXXX', TMPDIR => 1);
	my $self = bless { dir => $dir, allow => [], how => \%how }, $class;
	# No sync that nobody asked for: the clock strikes in the middle of any test. And no
	# 503 for a PostgreSQL that stood still for a moment.
	my %conf = ('schedule.sync' => '', 'db.timeout' => '10s', %{ $how{conf} // {} });
	my @option = map { ('--conf', "$_=$conf{$_}") } sort keys %conf;
	push @option, '--pool' if $how{pool} // $with_pool;
	push @option, '--latency', $how{latency}         if defined $how{latency};
	push @option, '--partner-url', $how{partner_url} if defined $how{partner_url};
	push @option, '--pages' if $how{pages};
	push @option, '--seller-url', $how{seller_url}   if defined $how{seller_url};
	$running{$dir} = $self;
	$self->tool('up', @option, '--', '--seed', $how{seed} // 1);
	$self->{partner} = Lockstep::Partner->new($self->{PARTNER_URL});
	$self->{seller}  = Lockstep::Seller->new($self->{SELLER_URL});
	for my $name (sort keys %{ $how{partner} // {} }) {
		my $what = $how{partner}{$name};
		$self->account($name, ref $what ? %$what : (programs => $what));
	}
	return $self;
}

# tools/stack on this directory; its KEY=value lines become fields of the object.
sub tool {
	my ($self, @argument) = @_;
	my ($verb, @rest) = @argument;
	my @part = @rest && $rest[0] =~ /^\w/ ? shift @rest : ();
	my $ran = ref($self)->run({ timeout => 240, env => $self->{how}{env} },
		"$root/tools/stack", $verb, @part, '--dir', $self->{dir}, @rest);
	$self->{$1} = $2 while $ran->{out} =~ /^([A-Z_]+)=(.*)$/mg;
	die "tools/stack @argument: exit $ran->{exit}\n$ran->{err}" if $ran->{exit};
	return $ran;
}

sub stop_part  { my ($self, $part, @how) = @_; $self->disconnect; return $self->tool('stop', $part, @how) }
sub start_part { my ($self, $part) = @_; return $self->tool('start', $part) }
sub restart    { my ($self, $part) = @_; $self->stop_part($part); return $self->start_part($part) }

for my $part (qw(postgres nginx partner seller pool lockstep)) {
	no strict 'refs';
	*{"stop_$part"}  = sub { my ($self, @how) = @_; return $self->stop_part($part, @how) };
	*{"start_$part"} = sub { return $_[0]->start_part($part) };
}

# Ends the stack and judges what it left behind.
sub stop {
	my ($self) = @_;
	delete $running{ $self->{dir} } or return;
	$self->disconnect;
	my $down = eval { $self->tool('down'); 1 };
	Test::More::fail("the stack ends by itself: $@") if !$down;
	$self->judge;
	$self->tool('down', '--purge') if -e "$self->{dir}/state";
	return;
}

# Deaths with such a line in the log, which fail the test otherwise, are meant to be.
sub allow { my ($self, @regex) = @_; push @{ $self->{allow} }, @regex; return }

# A worker that died by itself: not killed from outside (SIGKILL), not told to end.
my $crash = qr/"master: worker died".* by=(?:signal status=(?!9\b)\d|exit status=[1-9])|runtime error:/;

sub judge {
	my ($self) = @_;
	$self->{mark} = 0;
	for my $report (glob "$self->{dir}/log/{asan,ubsan}*") {
		Test::More::fail('no sanitizer report');
		Test::More::diag(slurp($report));
	}
	my @bad = grep { my $line = $_; !grep { $line =~ $_ } @{ $self->{allow} } }
	    $self->log($crash);
	return if !@bad;
	Test::More::fail('no worker died of itself');
	Test::More::diag($_) for @bad;
}

sub tail { my ($n, @line) = @_; return @line > $n ? @line[-$n .. -1] : @line }

END {
	my $status = $?;
	for my $self (values %running) {
		Test::More::diag("stopping what a test left up; the end of its log:\n"
		    . join "\n", tail(20, $self->log(qr{.}))) if $status;
		eval { $self->stop; 1 } or Test::More::diag($@);
	}
	$? = $status || (Test::More->builder->is_passing ? 0 : 1);
}
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = $SIG{PIPE} = sub { exit 130 };

# Accounts and logins.

# Makes an account at the simulator, or another of that name.
sub account {
	my ($self, $name, %what) = @_;
	$password{$name} = delete $what{password} // "$name-password";
	$self->partner->account($name, $password{$name}, %what);
	return;
}

sub partner { return $_[0]{partner} }
sub seller  { return $_[0]{seller} }

# For login: the operator whom nginx knows; "other" is another one.
sub operator_login {
	my ($self, $other) = @_;
	my $key = $other ? 'OTHER_OPERATOR' : 'OPERATOR';
	return [@$self{"${key}_USER", "${key}_PASSWORD"}];
}

sub sim {
	my ($self, $method, $path, $body) = @_;
	return $self->partner->call($method, $path, $body);
}

# login => [user, password] as it stands; as => name with the password that the
# account has, or, for a stranger, one that it would have.
sub authorization {
	my ($how) = @_;
	my ($user, $password) = @{ $how->{login}
	    // (defined $how->{as} ? [$how->{as}, $password{ $how->{as} } // "$how->{as}-password"] : []) };
	return if !defined $user;
	return (Authorization => 'Basic ' . MIME::Base64::encode_base64("$user:$password", ''));
}

# Requests.

sub port { my ($self, $url) = @_; return ($self->{ $url // 'BASE_URL' } =~ /:(\d+)$/)[0] }

sub headers_of {
	my ($how) = @_;
	return { authorization($how),
		(exists $how->{json} ? ('Content-Type' => 'application/json') : ()),
		%{ $how->{headers} // {} } };
}

sub body_of {
	my ($how) = @_;
	return exists $how->{json} ? JSON::PP->new->utf8->allow_nonref->encode($how->{json})
	    : $how->{body};
}

# request(METHOD, path, as|login, headers, body|json, timeout, operator => 1):
# {status, headers, body, json}. Status 599 is no answer, the reason in body.
sub request {
	my ($self, $method, $path, %how) = @_;
	my $http = HTTP::Tiny->new(max_redirect => 0, timeout => ($how{timeout} // 20) * $slow,
		agent => 'lockstep-test', keep_alive => 0);
	my $body   = body_of(\%how);
	my $answer = $http->request($method,
		$self->{ $how{operator} ? 'OPERATOR_URL' : 'BASE_URL' } . $path,
		{ headers => headers_of(\%how), (defined $body ? (content => $body) : ()) });
	return {
		status  => $answer->{status},
		headers => $answer->{headers},
		body    => $answer->{content},
		json    => scalar eval { JSON::PP::decode_json($answer->{content}) },
	};
}

sub get  { my ($self, $path, @how) = @_; return $self->request(GET => $path, @how) }
sub post { my ($self, $path, @how) = @_; return $self->request(POST => $path, @how) }

sub operator { my ($self, $path) = @_; return $self->get($path, operator => 1) }

# Bytes as they are to the public port; what came back until the other side closed
# or the time was over.
sub raw {
	my ($self, $bytes, $timeout) = @_;
	my $socket = $self->connect;
	local $SIG{PIPE} = 'IGNORE';
	syswrite $socket, $bytes;
	my ($text, $end) = ('', time + ($timeout // 20) * $slow);
	while (time < $end && IO::Select->new($socket)->can_read($end - time)) {
		sysread $socket, $text, 65536, length $text or last;
	}
	return $text;
}

sub connect {
	my ($self, $port) = @_;
	return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port // $self->port, Timeout => 5) // die "connect: $!";
}

# A connection to one of lockstep's own sockets, past nginx: kind api, live, stream.
sub fcgi { my ($self, $kind) = @_; return Lockstep::FastCGI::fcgi_connect("$self->{RUN_DIR}/$kind.sock") }

# An open stream, see Lockstep::SSE. A POST unless method says otherwise.
sub sse {
	my ($self, $path, %how) = @_;
	return Lockstep::SSE->open(port => $self->port, method => $how{method} // 'GET',
		path => $path, headers => headers_of(\%how), body => body_of(\%how),
		timeout => ($how{timeout} // 20) * $slow);
}

# query: of the URL, such as mode=full.
sub sync_path { my ($what, $how) = @_; my $query = delete $how->{query}; return "/api/reseller/programs/$what" . ($query ? "?$query" : '') }

sub sync_stream { my ($self, $as, %how) = @_; return $self->sse(sync_path('sync-stream', \%how), method => 'POST', as => $as, %how) }

# Runs a sync to its end and returns its answer; anything but 200 is the end of the test.
sub sync {
	my ($self, $as, %how) = @_;
	my $answer = $self->post(sync_path('sync', \%how), as => $as, timeout => 60, %how);
	$answer->{status} == 200 or die "sync $as: $answer->{status} $answer->{body}";
	return $answer->{json};
}

# Programs per business, as the partner's counts().
sub counts {
	my ($self, $as) = @_;
	my $answer = $self->get('/api/reseller/business-ids', as => $as);
	return { map { $_->{business_id} => $_->{program_count} } @{ $answer->{json}{businesses} // [] } };
}

# Database.

sub db {
	my ($self) = @_;
	my ($host, $port) = $self->{DATABASE_URL} =~ m{\@([^:]+):(\d+)/} or die;
	$host =~ s/%([0-9A-F]{2})/chr hex $1/ge;
	return $self->{db} //= DBI->connect("dbi:Pg:dbname=lockstep;host=$host;port=$port",
		'postgres', '', { RaiseError => 1, PrintError => 0, pg_enable_utf8 => 0 });
}

sub disconnect { my ($self) = @_; (delete $self->{db})->disconnect if $self->{db}; return }

# Rows as hashes; for a statement without rows their number.
sub sql {
	my ($self, $query, @bind) = @_;
	my $statement = $self->db->prepare($query);
	my $n = $statement->execute(@bind);
	return $statement->{NUM_OF_FIELDS} ? $statement->fetchall_arrayref({}) : $n;
}

sub sql_value { my ($self, $query, @bind) = @_; return ($self->db->selectrow_array($query, undef, @bind))[0] }

# Processes.

# The workers as /status tells them: {kind, index, pid, state, ...}.
sub workers {
	my ($self, $kind) = @_;
	my $status = $self->operator('/status')->{json} or return;
	return grep { !defined $kind || $_->{kind} eq $kind } @{ $status->{workers} };
}

sub pids {
	my ($self, $kind) = @_;
	return map { $_->{pid} } $self->workers($kind);
}

sub pid {
	my ($self, $kind, $index) = @_;
	return $self->{PID_MASTER} if $kind eq 'master';
	my ($worker) = grep { $_->{index} == ($index // 0) } $self->workers($kind);
	return $worker && $worker->{pid};
}

# kill(SIGNAL, kind, index): kind master, api, live, stream or jobs. Returns the pid.
sub kill {
	my ($self, $signal, $kind, $index) = @_;
	my $pid = $self->pid($kind, $index) or die "no process $kind/" . ($index // 0);
	CORE::kill($signal, $pid) or die "kill $pid: $!";
	return $pid;
}

sub alive { my ($self, $pid) = @_; my $stat = slurp("/proc/$pid/stat"); return $stat =~ /\) [^ZX] / ? 1 : 0 }

# Configuration of the running stack: edit(sub { s/a/b/ }) on the file's text.
sub conf_edit {
	my ($self, $edit) = @_;
	local $_ = slurp($self->{CONF});
	$edit->();
	open my $out, '>', $self->{CONF} or die "$self->{CONF}: $!";
	print $out $_;
	close $out or die "$self->{CONF}: $!";
	return;
}

# A second master on the same database, beside the stack's, with its files in DIR/second
# and its log in DIR/second.log: the pid, for the caller to end.
sub second_master {
	my ($self) = @_;
	my $dir  = "$self->{DIR}/second";
	my $conf = slurp($self->{CONF}) =~ s{^run_dir = .*}{run_dir = $dir}mr;
	mkdir $dir;
	my @owner = (stat $self->{DIR})[4, 5];
	chown @owner, $dir;
	open my $out, '>', "$dir.conf" or die "$dir.conf: $!";
	print $out $conf;
	close $out or die "$dir.conf: $!";
	chmod 0600, "$dir.conf";
	chown @owner, "$dir.conf";
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open STDIN, '<', '/dev/null';
	open STDOUT, '>>', "$dir.log";
	open STDERR, '>&', \*STDOUT;
	chdir '/';
	if ($> == 0) { $( = $) = "$owner[1] $owner[1]"; $< = $> = $owner[0] }
	exec $self->{BIN}, '-c', "$dir.conf", 'serve' or die "exec: $!";
}

# lockstep itself with this stack's configuration: {exit, out, err}.
sub lockstep {
	my ($self, @argument) = @_;
	return ref($self)->run({}, $self->{BIN}, '-c', $self->{CONF}, @argument);
}

# Logs.

sub slurp {
	my ($file) = @_;
	open my $in, '<:raw', $file or return '';
	local $/;
	return <$in> // '';
}

# The lines of lockstep's log that match, after the mark if log_mark was called. With
# `least`, waits until there are as many: a line is written when others may have seen
# already what it tells of.
sub log {
	my ($self, $regex, $least) = @_;
	wait_until { $self->log($regex) >= $least } 20 if $least;
	my $text = substr slurp($self->{LOG} // "$self->{dir}/log/lockstep.log"), $self->{mark} // 0;
	return grep { $_ =~ $regex } split /\n/, $text;
}

sub log_mark { my ($self) = @_; $self->{mark} = -s $self->{LOG}; return }

sub access_log { my ($self, $regex) = @_; return grep { $_ =~ $regex } split /\n/, slurp("$self->{LOG_DIR}/access.log") }

sub wait_log {
	my ($self, $regex, $seconds) = @_;
	return wait_until { ($self->log($regex))[0] } $seconds, "$regex in the log";
}

# One logfmt line as a hash.
sub fields {
	my ($self, $line) = @_;
	my %field;
	while ($line =~ /([\w.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g) {
		my ($key, $quoted, $plain) = ($1, $2, $3);
		$field{$key} = defined $quoted ? $quoted =~ s/\\(.)/$1/gr : $plain;
	}
	return \%field;
}

1;
