package Lockstep::Sim::Errors;

# The partner's error bodies.  Several shapes live on one host (contract
# section 6), so a caller may choose which.

use strict;
use warnings;
use feature 'signatures';

use Exporter 'import';
use Mojo::JSON qw(encode_json);
use Mojo::Util qw(encode);

our @EXPORT_OK = qw(error_reply error_shapes);

my %KNOWN = (
    400 => ['INVALID_PARAMETER',   'A parameter is not valid.'],
    401 => ['UNAUTHORIZED',        'Could not authenticate you.'],
    403 => ['ACCESS_DENIED',       'You are not authorized to access this resource.'],
    404 => ['NOT_FOUND',           'The requested resource does not exist.'],
    409 => ['CONFLICT',            'The request conflicts with another one.'],
    429 => ['TOO_MANY_REQUESTS',   'Too many requests.'],
    500 => ['INTERNAL_ERROR',      'Something went wrong internally, please try again later.'],
    502 => ['BAD_GATEWAY',         'Bad gateway.'],
    503 => ['SERVICE_UNAVAILABLE', 'The service is unavailable.'],
    504 => ['GATEWAY_TIMEOUT',     'Gateway timeout.'],
);

my %SHAPE = (
    id => sub ($status, $id, $text) {
        return encode_json({ error => { id => $id, description => $text, http_code => $status + 0 } });
    },
    id_text => sub ($status, $id, $text) {
        return encode_json({ error => { id => $id, description => $text, http_code => "$status" } });
    },
    code => sub ($status, $id, $text) {
        return encode_json({ error => { code => "${status}_$id", description => $text } });
    },
    list => sub ($status, $id, $text) {
        return encode_json(
            { errors => [{ error_code => $id, error_message => $text, more_info => '' }] });
    },
    text => sub ($status, $id, $text) { return encode('UTF-8', "$text\n") },
    none => sub ($status, $id, $text) { return '' },
);

sub error_shapes { return [sort keys %SHAPE] }

# %how: shape, id, description, headers.
sub error_reply ($status, %how) {
    my ($id, $text) = @{ $KNOWN{$status} };
    my $shape = $how{shape} // ($status eq '401' ? 'code' : 'id');
    my $body  = $SHAPE{$shape}->($status, $how{id} // $id, $how{description} // $text);
    return {
        status  => $status,
        type    => $shape eq 'text' ? 'text/plain' : 'application/json',
        headers => $how{headers} // {},
        body    => $body,
    };
}

1;
