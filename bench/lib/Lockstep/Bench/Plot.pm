package Lockstep::Bench::Plot;

# Lines over two logarithmic axes, as an SVG that needs nothing but this.

use strict;
use warnings;
use Exporter 'import';
use List::Util qw(max min);
use POSIX      qw(ceil floor);
use Lockstep::Bench;

our @EXPORT = qw(plot);

use constant { WIDTH => 760, HEIGHT => 440, LEFT => 70, RIGHT => 44, TOP => 80, BOTTOM => 60 };
my @colour = ('#c2410c', '#1d4ed8', '#15803d', '#7e22ce');

sub log10 { return log($_[0]) / log(10) }

# 1, 2 and 5 of each decade, from the last that is not above all of these to the first
# that is not below.
sub marks {
	my (@value) = @_;
	my ($least, $most) = (min(@value), max(@value));
	my @mark = map { my $decade = 10**$_; map { $_ * $decade } 1, 2, 5 }
	    floor(log10($least)) .. ceil(log10($most));
	my $first = max(grep { $_ <= $least } @mark);
	my $last  = min(grep { $_ >= $most } @mark);
	return [grep { $_ >= $first && $_ <= $last } @mark];
}

sub text {
	my ($x, $y, $text, $more) = @_;
	return sprintf qq{<text x="%.1f" y="%.1f" %s>%s</text>\n}, $x, $y, $more // '', $text;
}

sub line {
	my ($x1, $y1, $x2, $y2, $colour) = @_;
	return sprintf qq{<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>\n},
	    $x1, $y1, $x2, $y2, $colour;
}

sub number { my ($n) = @_; return $n < 1 ? sprintf('%g', $n) : commas($n) }

# A line for each decade, and fainter ones for 2 and 5.
sub grid {
	my ($place, $mark, $upright) = @_;
	my $svg = '';
	for my $n (@$mark) {
		my $at = $place->($n);
		my $colour = sprintf('%e', $n) =~ /^1\.0/ ? '#9ca3af' : '#e5e7eb';
		$svg .= $upright
		    ? line($at, TOP, $at, HEIGHT - BOTTOM, $colour)
			. text($at, HEIGHT - BOTTOM + 18, number($n), 'text-anchor="middle"')
		    : line(LEFT, $at, WIDTH - RIGHT, $at, $colour)
			. text(LEFT - 8, $at + 4, number($n), 'text-anchor="end"');
	}
	return $svg;
}

# Where a value lies between the ends of an axis, from 0 to 1.
sub share { my ($mark, $value) = @_; return log($value / $mark->[0]) / log($mark->[-1] / $mark->[0]) }

sub curve {
	my ($x, $y, $points, $colour) = @_;
	my @at = map { [$x->($_->[0]), $y->($_->[1])] } @$points;
	my $svg = sprintf qq{<polyline fill="none" stroke="%s" stroke-width="2.5" points="%s"/>\n},
	    $colour, join ' ', map { sprintf '%.1f,%.1f', @$_ } @at;
	for my $i (0 .. $#at) {
		$svg .= sprintf qq{<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>\n}, @{ $at[$i] }, $colour;
		my $side = $i == $#at ? 'end' : $i ? 'middle' : 'start';
		$svg .= text($at[$i][0], $at[$i][1] - 9, sprintf($points->[$i][1] < 10 ? '%.1f' : '%.0f',
			$points->[$i][1]), qq{text-anchor="$side" fill="$colour"});
	}
	return $svg;
}

# plot(FILE, title, x and y, the names of the axes, lines => [{name, points => [[x, y], ...]}]).
sub plot {
	my ($file, %what) = @_;
	my @points = map { @{ $_->{points} } } @{ $what{lines} };
	my $across = marks(map { $_->[0] } @points);
	my $up     = marks(map { $_->[1] } @points);
	my $x = sub { LEFT + (WIDTH - LEFT - RIGHT) * share($across, $_[0]) };
	my $y = sub { HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share($up, $_[0]) };
	my $svg = sprintf qq{<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" }
	    . qq{font-family="sans-serif" font-size="12" fill="#111827">\n}
	    . qq{<rect width="100%%" height="100%%" fill="#ffffff"/>\n}, WIDTH, HEIGHT;
	$svg .= text(LEFT, 24, $what{title}, 'font-size="16" font-weight="bold"');
	$svg .= grid($x, $across, 1) . grid($y, $up, 0);
	$svg .= text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "$what{x} (logarithmic)", 'text-anchor="middle"');
	$svg .= text(16, (TOP + HEIGHT - BOTTOM) / 2, "$what{y} (logarithmic)", sprintf
	    'text-anchor="middle" transform="rotate(-90 16 %.1f)"', (TOP + HEIGHT - BOTTOM) / 2);
	my $left = LEFT;
	for my $i (0 .. $#{ $what{lines} }) {
		my $one = $what{lines}[$i];
		$svg .= sprintf qq{<rect x="%.1f" y="42" width="14" height="4" fill="%s"/>\n}, $left, $colour[$i];
		$svg .= text($left + 20, 48, $one->{name}, qq{fill="$colour[$i]"});
		$left += 40 + 6.6 * length $one->{name};
		$svg .= curve($x, $y, $one->{points}, $colour[$i]);
	}
	open my $out, '>', $file or die "$file: $!\n";
	print $out "$svg</svg>\n";
	close $out or die "$file: $!\n";
	return;
}

1;
