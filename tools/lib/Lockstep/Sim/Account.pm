package Lockstep::Sim::Account;

# One payment account: its programs in the partner's own order, and the edits a
# test may make to them.  The JSON of each program is made once, at first use.

use strict;
use warnings;
use feature 'signatures';

use List::Util qw(min shuffle uniq);
use Lockstep::Sim::Programs qw(programs_make program_make program_text id_make seed_with);
use Lockstep::Sim::Status qw(status_of);

sub new ($class, $seed, $spec) {
    my ($made, $business_ids) = programs_make($seed, $spec->{user}, $spec);
    my $self = bless {
        seed         => $seed,
        user         => $spec->{user},
        password     => $spec->{password},
        access       => $spec->{access},
        names        => $spec->{names},
        business_ids => $business_ids,
        born         => 0,
        edits        => 0,
        gone         => [],
        journal      => $spec->{journal} ? [] : undef,
    }, $class;
    $self->_take($made);
    return $self;
}

sub user ($self)       { return $self->{user} }
sub total ($self)      { return scalar @{ $self->{order} } }
sub has_access ($self) { return $self->{access} }
sub has_names ($self)  { return $self->{access} && $self->{names} }
sub find ($self, $id)  { return $self->{by_id}{$id} }

sub set_password ($self, $password) { $self->{password} = $password }
sub set_access ($self, $access)     { $self->{access}   = $access }
sub set_names ($self, $names)       { $self->{names}    = $names }

sub password_is ($self, $password) { return $self->{password} eq $password }

# Records, partner's order.  The list is the account's own: don't change it.
sub select_status ($self, $filter, $today) {
    return $self->{order} if $filter eq 'ALL';
    return $self->{selected}{"$filter $today"}
        //= [grep { status_of($_->{element}, $today) eq $filter } @{ $self->{order} }];
}

# Business id -> its records, partner's order; a program in three is in each.
sub by_business ($self) {
    return $self->{by_business} //= do {
        my %index;
        for my $record (@{ $self->{order} }) {
            push @{ $index{$_} }, $record for business_ids_of($record->{element});
        }
        \%index;
    };
}

sub business_ids_of ($element) {
    return uniq map { $_->{yelp_business_id} } @{ $element->{businesses} // [] };
}

# The JSON of a record as one of the three reads shows it: programs, info, list.
sub text ($self, $record, $form) {
    return $record->{text}{$form} //= $self->_noted($form, program_text(shaped($record, $form)));
}

sub _noted ($self, $form, $text) {
    push @{ $self->{journal} }, $text if $self->{journal} && $form eq 'programs';
    return $text;
}

# Every version of a program that was to be seen since the last call, oldest first.
sub journal_take ($self) {
    my $journal = $self->{journal} // die "user: keeps no journal\n";
    $self->{journal} = [];
    return @$journal;
}

sub shaped ($record, $form) {
    return $record->{element} if $form eq 'programs';

    my %shown = (_known(ad_categories => $record->{categories}), %{ $record->{element} });
    if ($form eq 'list') {
        return { _known(ad_campaign_id => $record->{campaign}), %shown };
    }
    # Program info shows the business flat (section 3).
    my $first = (delete $shown{businesses} // [])->[0];
    $shown{$_} = $first ? $first->{$_} : undef for qw(yelp_business_id partner_business_id);
    return \%shown;
}

sub _known ($name, $value) { return defined $value ? ($name => $value) : () }

# Edits.  Each answers the ids it touched; dies with a reason.
my %EDIT = (
    add     => \&_add,
    remove  => \&_remove,
    restore => \&_restore,
    change  => \&_change,
    move    => \&_move,
    reorder => \&_reorder,
    set     => \&_set,
);

sub edit ($self, $op, $how) {
    my $run = $EDIT{$op} or die "op: one of " . join(', ', sort keys %EDIT) . "\n";
    seed_with($self->{seed}, $self->{user}, 'edit', ++$self->{edits});
    my @ids = $run->($self, $how);
    delete @$self{qw(selected by_business)};
    return @ids;
}

sub _take ($self, $made) {
    my %by_id;
    for my $record (@$made) {
        my $id = $record->{element}{program_id};
        die "program_id twice: $id\n" if $by_id{$id};
        $by_id{$id} = $record;
    }
    @$self{qw(order by_id)} = ([@$made], \%by_id);
    return;
}

# Index of the programs an edit is about: by "ids", or n by "pick".
sub _picked ($self, $how) {
    my $total = $self->total;
    if ($how->{ids}) {
        my %asked   = map { $_ => 1 } @{ $how->{ids} };
        my @unknown = grep { !$self->{by_id}{$_} } keys %asked;
        die "ids: unknown $unknown[0]\n" if @unknown;
        return grep { $asked{ $self->{order}[$_]{element}{program_id} } } 0 .. $total - 1;
    }
    my $n = min($how->{n} // 1, $total);
    return () unless $n;
    return 0 .. $n - 1               if ($how->{pick} // 'first') eq 'first';
    return $total - $n .. $total - 1 if $how->{pick} eq 'last';
    my @any = shuffle(0 .. $total - 1);
    return sort { $a <=> $b } @any[0 .. $n - 1];
}

sub _ids (@records) { return map { $_->{element}{program_id} } @records }

sub _add ($self, $how) {
    my $business = $how->{business} // $self->{business_ids}[0]
        // id_make($self->{seed}, $self->{user}, 'business', 0);
    my @new;
    for (1 .. $how->{n} // 1) {
        my $made = program_make($how->{status} // 'CURRENT', $business);
        $made->{element}{program_id}
            = id_make($self->{seed}, $self->{user}, 'born', ++$self->{born});
        push @new, $made;
    }
    $self->{by_id}{ $_->{element}{program_id} } = $_ for @new;

    splice @{ $self->{order} }, $self->_place($how), 0, @new;
    return _ids(@new);
}

# Where in the order new ones go.
sub _place ($self, $how) {
    my $pick = $how->{pick} // 'first';
    return $pick eq 'first' ? 0 : $pick eq 'last' ? $self->total : int rand($self->total + 1);
}

sub _remove ($self, $how) {
    my %gone = map { $_ => 1 } $self->_picked($how);
    my @gone = @{ $self->{order} }[sort { $a <=> $b } keys %gone];
    my @left = map { $self->{order}[$_] } grep { !$gone{$_} } 0 .. $self->total - 1;
    $self->{order} = \@left;
    delete @{ $self->{by_id} }{ _ids(@gone) };
    push @{ $self->{gone} }, @gone;
    return _ids(@gone);
}

# Some that were removed are listed again, as they were.
sub _restore ($self, $how) {
    my @back = splice @{ $self->{gone} }, -min($how->{n} // 1, scalar @{ $self->{gone} });
    $self->{by_id}{ $_->{element}{program_id} } = $_ for @back;
    splice @{ $self->{order} }, $self->_place($how), 0, @back;
    return _ids(@back);
}

my %CHANGE = (
    budget => sub ($p) {
        my $old = $p->{program_metrics} // {};
        my $budget = ($old->{budget} // 0) =~ s/^#raw#//r;
        $p->{program_metrics} = { %$old, budget => $budget + 1000 };
    },
    status => sub ($p) {
        $p->{program_status} = $p->{program_status} eq 'ACTIVE' ? 'INACTIVE' : 'ACTIVE';
    },
    pause => sub ($p) {
        my $paused = ($p->{program_pause_status} // '') eq 'PAUSED';
        $p->{program_pause_status} = $paused ? 'NOT_PAUSED' : 'PAUSED';
    },
    dates => sub ($p) {
        my $new = ($p->{end_date} // '') eq '2071-01-31' ? '2071-02-28' : '2071-01-31';
        $p->{end_date} = $new;
    },
);

sub change_fields { return sort keys %CHANGE }

# Without "values", "unset" or "field" the programs take the kinds of change in turn.
sub _change ($self, $how) {
    my @kinds = $how->{field} ? $how->{field} : qw(budget status dates);
    my @touched;
    for my $i ($self->_picked($how)) {
        my $record = $self->{order}[$i];
        if ($how->{values} || $how->{unset}) {
            _merge($record->{element}, $how->{values} // {});
            delete @{ $record->{element} }{ @{ $how->{unset} // [] } };
        }
        else { $CHANGE{ $kinds[@touched % @kinds] }->($record->{element}) }
        delete $record->{text};
        push @touched, $record;
    }
    return _ids(@touched);
}

# Metrics are merged one level deeper, so that a test can name one of them.
sub _merge ($element, $values) {
    for my $name (keys %$values) {
        my ($old, $new) = ($element->{$name}, $values->{$name});
        $element->{$name}
            = ref $old eq 'HASH' && ref $new eq 'HASH' ? { %$old, %$new } : $new;
    }
    return;
}

# To another business: what a merge or a mistake at the partner looks like.
sub _move ($self, $how) {
    my $to = $how->{to};
    my @touched;
    for my $i ($self->_picked($how)) {
        my $record = $self->{order}[$i];
        my ($from) = (business_ids_of($record->{element}), '');
        my ($other) = $to // grep { $_ ne $from } @{ $self->{business_ids} };
        die "to: the account has no other business\n" unless defined $other;
        $record->{element}{businesses}
            = [{ yelp_business_id => $other, partner_business_id => undef }];
        delete $record->{text};
        push @touched, $record;
    }
    return _ids(@touched);
}

sub _reorder ($self, $) {
    $self->{order} = [shuffle @{ $self->{order} }];
    return _ids(@{ $self->{order} });
}

sub _set ($self, $how) {
    my $programs = $how->{programs} // die "programs: missing\n";
    for my $p (@$programs) {
        die "programs: each needs a program_id\n"
            unless ref $p eq 'HASH' && length($p->{program_id} // '');
    }
    $self->_take([map { { element => $_ } } @$programs]);
    $self->{gone}         = [];
    $self->{business_ids} = [uniq map { business_ids_of($_) } @$programs];
    return _ids(@{ $self->{order} });
}

1;
