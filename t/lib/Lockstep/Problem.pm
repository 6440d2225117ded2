package Lockstep::Problem;

# What every error of lockstep must look like (DESIGN, section 5), as one test.

use strict;
use warnings;
use Exporter 'import';
use Test::More ();

our @EXPORT = qw(is_problem same_answer);

# is_problem(answer, status, code, name, field => NAME): the answer is that problem
# and names that field, or none.
sub is_problem {
	my ($answer, $status, $code, $name, %more) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $body   = $answer->{json} // {};
	my $header = $answer->{headers};
	my %want   = (
		status         => [$answer->{status}, $status],
		'content-type' => [$header->{'content-type'}, 'application/problem+json'],
		type           => [$body->{type}, 'about:blank'],
		'body status'  => [$body->{status}, $status],
		code           => [$body->{code}, $code],
		field          => [$body->{field} // 'none', $more{field} // 'none'],
		instance       => [$body->{instance}, $header->{'x-request-id'}],
		members        => [join(' ', sort keys %$body), join ' ', sort qw(type title
		    status code detail instance), defined $more{field} ? 'field' : ()],
	);
	my @bad = grep { ($want{$_}[0] // 'nothing') ne ($want{$_}[1] // 'nothing') } sort keys %want;
	push @bad, 'detail' if !length($body->{detail} // '') || !length($body->{title} // '');
	return Test::More::ok(!@bad, $name) || do {
		Test::More::diag("$_: " . join ', wanted ', map { $_ // 'nothing' } @{ $want{$_} // [] })
		    for @bad;
		Test::More::diag("$answer->{status} $answer->{body}");
		0;
	};
}

# What of an answer may differ between two requests for the same.
sub shown {
	my ($answer) = @_;
	my %header = %{ $answer->{headers} };
	my ($rid) = (delete @header{qw(date x-request-id)})[1];
	my $body = $answer->{body} // '';
	$body =~ s/\Q$rid\E/RID/g if length($rid // '');
	return join "\n", $answer->{status}, (map { "$_: $header{$_}" } sort keys %header), '', $body;
}

# Two answers are the same, byte for byte, but for request id and date.
sub same_answer {
	my ($one, $other, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return Test::More::is(shown($one), shown($other), $name);
}

1;
