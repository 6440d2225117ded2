#!/usr/bin/perl

# Ten rounds of tools/chaos: each kind of mishap once.

use strict;
use warnings;
use FindBin;

exec $^X, "$FindBin::Bin/../../tools/chaos", '--rounds', 10, '--seed', $ENV{CHAOS_SEED} // 1
    or die "tools/chaos: $!";
