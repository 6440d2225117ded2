package Lockstep::Sim::Reads;

# The reads of the partner, contract sections 2 to 4: from a request to a
# call (what was asked), and from a call to a reply.  Rows are ready JSON text.

use strict;
use warnings;
use feature 'signatures';

use List::Util qw(max min shuffle uniq);
use Mojo::JSON qw(encode_json);
use Mojo::Util qw(b64_decode url_unescape);
use Lockstep::Sim::Errors qw(error_reply);
use Lockstep::Sim::Status qw(is_filter pacific_today status_of);

use constant {
    LIMIT_USUAL => 20,
    LIMIT_MAX   => 40,
    IDS_MAX     => 200,
};

# Call: path, user, password, offset, limit, filter, ids, page (the same for every
# attempt of one page), and bad, the reason if a parameter is not valid.
sub call_parse ($req) {
    my ($user, $password) = basic_login($req->headers->authorization // '');
    my %call = (user => $user, password => $password, offset => 0, ids => []);
    my ($path, $ids) = which_read($req);
    my $query = $req->query_params;

    @call{qw(path ids)} = ($path, $ids);
    @call{qw(limit_text filter)} = ($query->param('limit'), $query->param('program_status') // 'CURRENT');
    my $from = $query->param($path eq 'programs' ? 'offset' : 'start') // 0;
    if   ($from =~ /\A\d{1,9}\z/a) { $call{offset} = $from + 0 }
    else                           { $call{bad}    = 'offset: not a whole number' }
    $call{page} = join ' ', $user, $path, $call{offset}, $call{filter}, @$ids;
    return \%call;
}

# Only the first colon divides: a password may hold more of them (RFC 7617).
sub basic_login ($header) {
    return ('', '') unless $header =~ /\ABasic +(\S+)\s*\z/i;
    my ($user, $password) = split /:/, b64_decode($1), 2;
    return ($user // '', $password // '');
}

sub which_read ($req) {
    return ('other', []) unless $req->method eq 'GET';
    my $path = url_unescape($req->url->path->to_string);
    return ('programs', []) if $path eq '/programs/v1';
    return ($1, [uniq grep { length } split /,/, $2])
        if $path =~ m{\A/v1/programs/(info|list)/([^/]+)\z};
    return ('names', [uniq grep { length } split /,/, $1])
        if $path =~ m{\A/v1/business_info/([^/]+)\z};
    return ('other', []);
}

# Twists (see Faults) are obeyed here, since they are about rows.
sub reply ($call, $account, $twist, $today = pacific_today(), $businesses = undef) {
    return error_reply(404) if $call->{path} eq 'other';
    my $bad = $call->{bad} // limit_set($call, $twist)
        // filter_bad($call) // ids_bad($call);
    return error_reply(400, description => $bad) if defined $bad;

    my $read = { programs => \&programs, info => \&info, list => \&list, names => \&names }
        ->{ $call->{path} };
    my @fields = $read->($call, $account, $twist, $call->{path} eq 'names' ? $businesses : $today);
    return {
        status  => 200,
        type    => 'application/json',
        headers => {},
        body    => '{' . join(',', @fields) . '}',
    };
}

# Reason, or undef with the call's limit set.
sub limit_set ($call, $twist) {
    return undef if $call->{path} =~ /\A(?:info|names)\z/;
    my $limit = $call->{limit_text} // LIMIT_USUAL;
    return 'limit: not a whole number' unless $limit =~ /\A\d{1,9}\z/a;
    if ($twist->{clamp}) { $limit = min($limit, $twist->{clamp}{to} // LIMIT_MAX) }
    return 'limit: must be from 1 to 40' if $limit < 1 || $limit > LIMIT_MAX;
    $call->{limit} = $limit + 0;
    return undef;
}

sub filter_bad ($call) {
    return undef if $call->{path} ne 'programs' || is_filter($call->{filter});
    return 'program_status: not one of CURRENT, PAST, FUTURE, PAUSED, ALL';
}

sub ids_bad ($call) {
    return @{ $call->{ids} } > IDS_MAX ? 'ids: more than 200' : undef;
}

sub programs ($call, $account, $twist, $today) {
    my $all  = $account->select_status($call->{filter}, $today);
    my $from = $call->{offset};
    if (my $rule = $twist->{hide}) { $all = [slice($all, 0, max(0, @$all - ($rule->{n} // 1)))] }
    if ($twist->{unstable_order}) { $all = [shuffle @$all] }
    # Rows slide over from the page before, and as many fall off the end.
    if (my $rule = $twist->{duplicate}) { $from -= min($from, $rule->{n} // $call->{limit}) }

    my @rows  = slice($all, $from, $call->{limit});
    my $total = @$all + ($twist->{total_off} ? $twist->{total_off}{k} // 1 : 0);
    my @echo  = (
        qq("program_status":"$call->{filter}"), qq("offset":$call->{offset}),
        qq("limit":$call->{limit}),
    );
    return (
        $twist->{no_echo} ? () : @echo,
        qq("total":$total),
        array('payment_programs', $twist, map { $account->text($_, 'programs') } @rows),
    );
}

sub slice ($all, $from, $n) {
    return () if $from > $#$all || $n < 1;
    return @$all[$from .. min($from + $n - 1, $#$all)];
}

# The JSON field of rows, or what a twist makes of it: null, empty, or no field.
sub array ($name, $twist, @rows) {
    return ()               if $twist->{array_missing};
    return qq("$name":null) if $twist->{array_null};
    return qq("$name":[])   if $twist->{empty_page};
    return qq("$name":[) . join(',', @rows) . ']';
}

# An unknown id is an entry in errors beside the programs found, with 200.
sub info ($call, $account, $twist, $) {
    my (@found, @errors);
    for my $id (@{ $call->{ids} }) {
        my $record = $account->find($id);
        if ($record) { push @found, $record }
        else         { push @errors, not_there('PROGRAM', 'program') }
    }
    my @rows = slice(\@found, $call->{offset}, IDS_MAX);
    return (
        array('programs', $twist, map { $account->text($_, 'info') } @rows),
        '"errors":[' . join(',', @errors) . ']',
    );
}

# The envelope is not documented; this one is by analogy.
sub names ($call, $account, $twist, $businesses) {
    my (@found, @errors);
    for my $id (@{ $call->{ids} }) {
        my $found = $businesses->find($id);
        if ($found) { push @found, encode_json($found) }
        else        { push @errors, not_there('BUSINESS', 'business') }
    }
    return (array('businesses', $twist, @found), '"errors":[' . join(',', @errors) . ']');
}

sub not_there ($kind, $word) {
    return encode_json(
        { id => "INVALID_${kind}_ID", description => "Supplied $word ID does not exist." });
}

# Offset and limit hold for each business by itself; there is no total.
sub list ($call, $account, $twist, $today) {
    my $index = $account->by_business;
    my (@rows, @errors);
    for my $id (@{ $call->{ids} }) {
        my $records = $index->{$id};
        if ($records) { push @rows, business($call, $account, $today, $id, $records) }
        else          { push @errors, not_there('BUSINESS', 'business') }
    }
    return (array('businesses', $twist, @rows), '"errors":[' . join(',', @errors) . ']');
}

sub business ($call, $account, $today, $id, $records) {
    my ($own) = map { $_->{partner_business_id} }
        grep { $_->{yelp_business_id} eq $id } @{ $records->[0]{element}{businesses} };
    my $current = grep { status_of($_->{element}, $today) eq 'CURRENT' } @$records;
    my $head    = encode_json({
        yelp_business_id             => $id,
        partner_business_id          => $own,
        advertiser_status            => $current ? 'ACTIVE' : 'INACTIVE',
        destination_yelp_business_id => undef,
    });
    my @rows = slice($records, $call->{offset}, $call->{limit});
    chop $head;
    return "$head,\"programs\":[" . join(',', map { $account->text($_, 'list') } @rows) . ']}';
}

1;
