package Lockstep::Sim::Seller::Errors;

# The refusals of the seller API.  Two forms live side by side (contract section
# 3): problem+json from the gateway, a smaller object from the services.

use strict;
use warnings;
use feature 'signatures';

use Digest::SHA qw(sha1_hex);
use Exporter 'import';
use Mojo::JSON qw(encode_json);
use POSIX ();

our @EXPORT_OK = qw(gateway_error html_reply json_reply service_error);

my %TEXT = (
    200 => 'OK',
    400 => 'Bad Request',       401 => 'Unauthorized',          402 => 'Payment Required',
    403 => 'Forbidden',         404 => 'Not Found',             409 => 'Conflict',
    413 => 'Request Entity Too Large', 422 => 'Unprocessable Entity',
    429 => 'Too Many Requests', 498 => 'Invalid Token',         500 => 'Internal Server Error',
    502 => 'Bad Gateway',       503 => 'Service Unavailable',   504 => 'Gateway Timeout',
);

my $serial = 0;

sub _request_id { return substr sha1_hex('request ' . ++$serial), 0, 32 }

sub json_reply ($status, $value, $type = 'application/json') {
    return { status => $status, type => $type, headers => {}, body => encode_json($value) };
}

# From the gateway: 401, 404, 429.
sub gateway_error ($status, $title, $detail, $now) {
    my $id = _request_id();
    return json_reply($status, {
        title      => $title,
        detail     => $detail,
        code       => substr($id, 0, 8) . '--' . substr($id, 8, 12) . '; 84bd353bf-75',
        requestId  => $id,
        origin     => 's2s-api-auth-analytics',
        status     => $status + 0,
        statusText => $TEXT{$status},
        timestamp  => POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $now),
    }, 'application/problem+json');
}

# From the service behind it: 400, 403, 413, 422, 500.
sub service_error ($status, $detail, $title = lc $TEXT{$status}) {
    my %body = (title => $title, detail => $detail);
    @body{qw(requestId origin)} = (_request_id(), 'seller-analytics') if $status != 402;
    return json_reply($status, \%body);
}

sub html_reply ($status) {
    my $title = "$status $TEXT{$status}";
    return {
        status  => $status,
        type    => 'text/html',
        headers => {},
        body    => "<html>\r\n<head><title>$title</title></head>\r\n<body>\r\n<center><h1>$title"
            . "</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    };
}

1;
