#!/usr/bin/perl

# POST /api/reseller/program/{id}/custom-name: the one column that is the user's own,
# which nothing else ever changes.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lockstep::Stack;
use Encode qw(decode_utf8 encode_utf8);
use Test::More;

my $s = Lockstep::Stack->start(conf => { 'api.workers' => 2, 'live.workers' => 2, 'jobs.workers' => 2 },
	partner => { shop => 60, other => 40 });

sub post { my ($id, @how) = @_; return $s->post("/api/reseller/program/$id/custom-name", as => 'shop', @how) }
sub name { my ($id, $name, @how) = @_; return post($id, json => { custom_name => $name }, @how) }
sub row  { my ($id) = @_; return (grep { $_->{program_id} eq $id } @{ $s->get("/api/reseller/programs?source=registry&q=$id", as => 'shop')->{json}{programs} })[0] }

sub version { return $s->sql_value('SELECT registry_version FROM account WHERE user_name = ?', 'shop') }

sub is_field {
	my ($answer, $name) = @_;
	is_deeply [$answer->{status}, @{ $answer->{json} }{qw(code field)}], [400, 'bad_field', 'custom_name'], $name
	    or diag $answer->{body};
}

$s->sync($_) for qw(shop other);
my @id    = map { $_->{program_id} } @{ $s->partner->data('shop')->{programs} };
my $id    = $id[0];
my $alien = $s->partner->data('other')->{programs}[0]{program_id};

subtest 'a name is set, changed and taken away' => sub {
	my $before = version();
	my $answer = name($id, 'Sommer ☀ 2026');
	is $answer->{status}, 200, 'an answer' or diag $answer->{body};
	is $answer->{json}{custom_name}, 'Sommer ☀ 2026', 'the name';
	is_deeply $answer->{json}, row($id), 'in the row as the list shows it';
	is version(), $before + 1, 'the registry has a new version';
	is name($id, "  Winter \n")->{json}{custom_name}, 'Winter', 'without the blanks around it';
	is name($id, undef)->{json}{custom_name}, undef, 'null takes it away';
	name($id, 'x');
	is name($id, ' ')->{json}{custom_name}, undef, 'and so does nothing but blanks';
	is row($id)->{custom_name}, undef, 'also in the list';
};

subtest 'the same name again changes nothing' => sub {
	my $row    = name($id, 'Same')->{json};
	my $before = version();
	is_deeply name($id, 'Same')->{json}, $row, 'the row, updated_at and all';
	is_deeply name($id, ' Same ')->{json}, $row, 'with blanks too';
	is version(), $before, 'nor the version';
	name($id, 'Other');
	cmp_ok row($id)->{updated_at}, 'gt', $row->{updated_at}, 'another one does';
};

subtest 'it may have 255 characters of any kind' => sub {
	for my $long ('x' x 255, 'é' x 255, '🍋' x 255, ' ' . 'x' x 255 . ' ') {
		my $answer = name($id, $long);
		is $answer->{status}, 200, 'taken';
		is $answer->{json}{custom_name}, $long =~ s/^ | $//gr, 'as it is';
	}
	my $escaped = '{"custom_name":"' . '\ud83c\udf4b' x 255 . '"}';
	is post($id, body => $escaped)->{json}{custom_name}, '🍋' x 255, 'escaped at its longest';
	is_field name($id, 'x' x 256), 'one more is too many';
	is_field name($id, 'é' x 256), 'counted in characters';
};

subtest 'what is no name is named' => sub {
	name($id, 'Kept');
	is_field name($id, "a\tb"), 'a tab';
	is_field name($id, "a\nb"), 'a line break';
	is_field name($id, "a\x{7f}"), 'DEL';
	is_field name($id, "a\x{85}b"), 'C1';
	is_field name($id, $_), 'no text' for 7, [], {}, JSON::PP::true;
	is_field post($id, json => {}), 'missing';
	is_field post($id, json => { name => 'x' }), 'under another name';
	for my $body ('', '{', '[]', '"x"', 'null', '{"custom_name":"a\u0000b"}', '{"custom_name":"\ud800"}', "{\"custom_name\":\"\xff\"}", '[' x 3000) {
		my $answer = post($id, body => $body, headers => { 'Content-Type' => 'application/json' });
		is_deeply [$answer->{status}, @{ $answer->{json} }{qw(code field)}], [400, 'bad_body', 'body'], 'unreadable: ' . substr $body =~ s/[^ -~]/?/gr, 0, 30;
	}
	is post($id, body => '{"custom_name":"' . 'x' x 5000 . '"}')->{status}, 413, 'too large a body';
	is row($id)->{custom_name}, 'Kept', 'and nothing has changed';
	is $s->get("/api/reseller/program/$id/custom-name", as => 'shop')->{headers}{allow}, 'POST', 'only POST';
};

subtest 'only of a program of one\'s own' => sub {
	is $_->{status}, 404, 'not found' for name('nosuchprogram', 'x'), name($alien, 'x'), name('a%20b', 'x'), name('%ff', 'x'), name('x' x 101, 'x');
	is $s->post("/api/reseller/program/$id/custom-name", json => { custom_name => 'x' })->{status}, 401, 'a stranger';
	is name($id, 'x', as => 'other')->{status}, 404, 'another account';
	is row($id)->{custom_name}, 'Kept', 'nothing has changed';
	is $s->sql_value('SELECT count(*) FROM program WHERE custom_name = ?', 'x'), 0, 'anywhere';
};

subtest 'who follows the account is told, once a change' => sub {
	my @before = @{ $s->sql(q(SELECT data FROM event WHERE topic = 'programs.custom_name_updated')) };
	name($id[1], 'Told');
	name($id[1], 'Told');
	name($id[1], undef);
	my @data = map { JSON::PP::decode_json($_->{data}) } @{ $s->sql(q(SELECT data FROM event WHERE topic = 'programs.custom_name_updated' ORDER BY seq)) };
	is_deeply [@data[@before .. $#data]],
	    [map { { type => 'programs.custom_name_updated', program_id => $id[1], custom_name => $_ } } 'Told', undef],
	    'of what changed';
};

subtest 'a sync never touches it' => sub {
	name($id[2], 'Mine');
	$s->partner->edit(user => 'shop', op => 'change', ids => [$id[2]], values => { program_type => 'HOLOGRAM' });
	is $s->post('/api/reseller/programs/sync?mode=full', as => 'shop')->{json}{updated}, 1, 'a change by the partner';
	is_deeply [@{ row($id[2]) }{qw(program_type custom_name)}], ['HOLOGRAM', 'Mine'], 'the rest is new, the name is not';

	my ($element) = grep { $_->{program_id} eq $id[2] } @{ $s->partner->data('shop')->{programs} };
	my @all = @{ $s->partner->data('shop')->{programs} };
	$s->partner->edit(user => 'shop', op => 'remove', ids => [$id[2]]);
	is $s->post('/api/reseller/programs/sync?mode=full', as => 'shop')->{json}{removed}, 1, 'the partner drops it';
	is name($id[2], 'Ghost')->{status}, 404, 'a retired program has no name to set';
	$s->partner->edit(user => 'shop', op => 'set', programs => \@all);
	is $s->post('/api/reseller/programs/sync?mode=full', as => 'shop')->{json}{added}, 1, 'and has it again';
	is row($id[2])->{custom_name}, 'Mine', 'it comes back with its name';
};

$s->stop;
done_testing;
