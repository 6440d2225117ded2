/*
 * libcurl's multi interface behind a call that starts and a call that waits.
 */
#include "net/upstream.h"

#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"

#define HANDLES_MAX	128	/* kept for use again */
#define RETRY_AFTER_MAX_S	1000000

/* One transfer's libcurl side; used again for the next call. */
struct handle {
	CURL			*easy;
	struct curl_slist	*headers;
	struct upstream_call	*call;
	int64_t			 began_ms;
	struct handle		*next;
};

struct upstream {
	CURLM		*multi;
	struct handle	*spare;
	struct handle	*active;
	size_t		 nactive;
	long		 connect_timeout_ms;
};

struct upstream *
upstream_new(const struct conf *conf)
{
	struct upstream	*u = calloc(1, sizeof(*u));

	if (u == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (u->multi = curl_multi_init()) == NULL)
		fatal("upstream: cannot start");
	u->connect_timeout_ms = (long)conf->partner_connect_timeout_ms;
	curl_multi_setopt(u->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(u->multi, CURLMOPT_MAXCONNECTS, (long)HANDLES_MAX);
	return u;
}

/* Called by libcurl for each piece of a body; short means "too big". */
static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct handle	*h = arg;

	if (buf_add(&h->call->body, data, size * n) == -1) {
		h->call->result = UPSTREAM_TOO_BIG;
		return 0;
	}
	return size * n;
}

static struct handle *
take_handle(struct upstream *u)
{
	struct handle	*h = u->spare;

	if (h != NULL) {
		u->spare = h->next;
		curl_easy_reset(h->easy);
	} else if ((h = calloc(1, sizeof(*h))) == NULL ||
	    (h->easy = curl_easy_init()) == NULL)
		fatal("upstream: out of memory");
	h->next = u->active;
	u->active = h;
	u->nactive++;
	return h;
}

static void
put_back(struct upstream *u, struct handle *h)
{
	struct handle	**p = &u->active;

	while (*p != h)
		p = &(*p)->next;
	*p = h->next;
	u->nactive--;
	curl_multi_remove_handle(u->multi, h->easy);
	curl_slist_free_all(h->headers);
	h->headers = NULL;
	h->call = NULL;
	h->next = u->spare;
	u->spare = h;
}

static void
set_headers(struct handle *h)
{
	char	 line[8192];

	h->headers = curl_slist_append(NULL, "Accept: application/json");
	if (h->call->post != NULL)
		h->headers = curl_slist_append(h->headers,
		    "Content-Type: application/json");
	if (h->call->authorization != NULL) {
		snprintf(line, sizeof(line), "Authorization: %s",
		    h->call->authorization);
		h->headers = curl_slist_append(h->headers, line);
		explicit_bzero(line, sizeof(line));
	}
	if (h->headers == NULL)
		fatal("upstream: out of memory");
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
}

void
upstream_start(struct upstream *u, struct upstream_call *call)
{
	struct handle	*h = take_handle(u);
	int64_t		 left_ms = call->deadline_ms - clock_mono_ms();

	h->call = call;
	h->began_ms = clock_mono_ms();
	call->handle = h;
	call->result = UPSTREAM_PENDING;
	call->status = 0;
	call->retry_after_ms = -1;
	call->limit = (struct upstream_limit){ -1, -1, -1, -1 };
	call->why[0] = '\0';
	buf_init(&call->body, call->body_max);

	curl_easy_setopt(h->easy, CURLOPT_URL, call->url);
	curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(h->easy, CURLOPT_USERAGENT,
	    "lockstep/" PACKAGE_VERSION);
	curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS,
	    (long)(left_ms > 1 ? left_ms : 1));
	curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS,
	    u->connect_timeout_ms);
	curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_PRIVATE, h);
	/* Kept by the caller until it is answered. */
	if (call->post != NULL)
		curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, call->post);
	set_headers(h);
	if (curl_multi_add_handle(u->multi, h->easy) != CURLM_OK)
		fatal("upstream: cannot add a transfer");
}

/* The value of a header that is a number; -1 when it is none. */
static int64_t
number_header(const struct handle *h, const char *name)
{
	struct curl_header	*found;
	double			 n;
	char			*end;

	if (curl_easy_header(h->easy, name, 0, CURLH_HEADER, -1, &found) !=
	    CURLHE_OK)
		return -1;
	n = strtod(found->value, &end);
	if (end == found->value || *end != '\0' || !(n >= 0))
		return -1;
	return n < RETRY_AFTER_MAX_S ? (int64_t)ceil(n) : RETRY_AFTER_MAX_S;
}

static int64_t
seconds_header(const struct handle *h, const char *name)
{
	int64_t	 n = number_header(h, name);

	return n == -1 ? -1 : n * 1000;
}

static void
finish(struct handle *h, CURLcode code)
{
	struct upstream_call	*call = h->call;
	curl_off_t		 after = 0, sent_us = 0;

	call->took_ms = clock_mono_ms() - h->began_ms;
	curl_easy_getinfo(h->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	call->sent_ms = h->began_ms + sent_us / 1000;
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &call->status);
	if (curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &after) ==
	    CURLE_OK && after > 0)
		call->retry_after_ms = (after < RETRY_AFTER_MAX_S ? after :
		    RETRY_AFTER_MAX_S) * INT64_C(1000);
	call->limit = (struct upstream_limit){
		.remaining = number_header(h, "X-Ratelimit-Remaining"),
		.retry_ms = seconds_header(h, "X-Ratelimit-Retry"),
		.reset_ms = seconds_header(h, "X-Ratelimit-Reset"),
		.burst = number_header(h, "X-Ratelimit-Limit"),
	};
	if (code == CURLE_OK)
		call->result = UPSTREAM_OK;
	else if (call->result == UPSTREAM_TOO_BIG)
		snprintf(call->why, sizeof(call->why),
		    "the answer is larger than %zu bytes", call->body_max);
	else {
		call->result = code == CURLE_OPERATION_TIMEDOUT ?
		    UPSTREAM_TIMEOUT : UPSTREAM_UNREACHABLE;
		snprintf(call->why, sizeof(call->why), "%s",
		    curl_easy_strerror(code));
	}
}

/* One that libcurl has finished, or NULL. */
static struct upstream_call *
reap(struct upstream *u)
{
	CURLMsg			*msg;
	struct handle		*h;
	struct upstream_call	*call;
	int			 left;

	while ((msg = curl_multi_info_read(u->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &h);
		call = h->call;
		finish(h, msg->data.result);
		put_back(u, h);
		return call;
	}
	return NULL;
}

struct upstream_call *
upstream_next(struct upstream *u, int timeout_ms)
{
	int64_t			 deadline_ms = clock_mono_ms() + timeout_ms;
	struct upstream_call	*call;
	int			 running;

	for (;;) {
		curl_multi_perform(u->multi, &running);
		if ((call = reap(u)) != NULL)
			return call;
		if (u->nactive == 0 || clock_left_ms(deadline_ms) == 0)
			return NULL;
		curl_multi_poll(u->multi, NULL, 0,
		    clock_left_ms(deadline_ms), NULL);
	}
}

size_t
upstream_pending(const struct upstream *u)
{
	return u->nactive;
}

void
upstream_cancel(struct upstream *u)
{
	while (u->active != NULL)
		put_back(u, u->active);
}

void
upstream_fanout(struct upstream *u, struct upstream_call *calls, size_t n,
    size_t width)
{
	size_t	 started = 0;

	while (started < n || u->nactive > 0) {
		while (started < n && u->nactive < width)
			upstream_start(u, &calls[started++]);
		upstream_next(u, 1000);
	}
}

void
upstream_free(struct upstream *u)
{
	struct handle	*h;

	upstream_cancel(u);
	while ((h = u->spare) != NULL) {
		u->spare = h->next;
		curl_easy_cleanup(h->easy);
		free(h);
	}
	curl_multi_cleanup(u->multi);
	free(u);
}
