/* Calls to the partner and what its answers mean. */
#include "programs/partner.h"

#include <string.h>

#include "core/arena.h"
#include "core/conf.h"
#include "core/json.h"
#include "net/retry.h"

#define WHY_MAX		200	/* bytes of the partner's own words */
#define NAME_MAX_BYTES	1000	/* of a business's name or URL */
#define SILENCE_MAX_MS	(24 * 3600 * 1000LL)

const char *
partner_authorization(struct arena *a, struct bytes user,
    struct bytes password)
{
	struct bytes	 pair;
	char		*p = arena_alloc(a, user.len + 1 + password.len);

	memcpy(p, user.p, user.len);
	p[user.len] = ':';
	memcpy(p + user.len + 1, password.p, password.len);
	pair = (struct bytes){ p, user.len + 1 + password.len };
	return arena_printf(a, "Basic %s", base64_encode(a, pair));
}

struct budget
partner_budget(const struct conf *conf, struct bytes user, const char *method)
{
	struct budget	 b = { .api = "partner", .method = method,
		.rate = conf->partner_rate, .burst = conf->partner_burst,
		.reserve = conf->partner_reserve };

	secret_hash("name", user, b.account);
	return b;
}

static void
fill(struct upstream_call *call, const struct conf *conf,
    const char *authorization, int64_t deadline_ms, const char *url)
{
	call->url = url;
	call->authorization = authorization;
	call->deadline_ms = deadline_ms;
	call->body_max = (size_t)conf->partner_body_max;
}

void
partner_list(struct upstream_call *call, struct arena *a,
    const struct conf *conf, const char *authorization, int64_t offset,
    int64_t limit, const char *status, int64_t deadline_ms)
{
	fill(call, conf, authorization, deadline_ms, arena_printf(a,
	    "%s/programs/v1?offset=%lld&limit=%lld&program_status=%s",
	    conf->partner_url, (long long)offset, (long long)limit, status));
}

void
partner_info(struct upstream_call *call, struct arena *a,
    const struct conf *conf, const char *authorization, const char *ids,
    int64_t deadline_ms)
{
	fill(call, conf, authorization, deadline_ms, arena_printf(a,
	    "%s/v1/programs/info/%s", conf->partner_url, ids));
}

void
partner_names(struct upstream_call *call, struct arena *a,
    const struct conf *conf, const char *authorization, const char *ids,
    int64_t deadline_ms)
{
	fill(call, conf, authorization, deadline_ms, arena_printf(a,
	    "%s/v1/business_info/%s", conf->partner_url, ids));
}

const char *
partner_ids(struct arena *a, const char *const *ids, size_t n)
{
	size_t	 len = 0;
	char	*list, *p;

	for (size_t i = 0; i < n; i++)
		len += strlen(ids[i]) + 1;
	p = list = arena_alloc(a, len + 1);
	for (size_t i = 0; i < n; i++) {
		p = stpcpy(p, ids[i]);
		if (i + 1 < n)
			*p++ = ',';
	}
	return list;
}

/* Bytes of text up to a bound, but never a part of a UTF-8 character. */
static int
cut(const char *text)
{
	size_t	 n = strnlen(text, WHY_MAX);

	while (n > 0 && (text[n] & 0xc0) == 0x80)
		n--;
	/* It becomes a part of a sentence of ours. */
	while (n > 0 && text[n - 1] == '.')
		n--;
	return (int)n;
}

/*
 * The partner's own words from whichever envelope they came in (contract,
 * section 6), cut to a bound; NULL when there are none.
 */
static const char *
words(struct arena *a, const struct json *body)
{
	static const char *const keys[] = { "description", "error_message",
	    "id", "code", "error_code" };
	const struct json	*error = json_get(body, "error");
	const char		*text;

	if (error == NULL)
		error = json_at(json_get(body, "errors"), 0);
	for (size_t i = 0; i < nitems(keys); i++)
		if ((text = json_text(json_get(error, keys[i]))) != NULL)
			return arena_printf(a, "%.*s", cut(text), text);
	return NULL;
}

static enum partner_says
says_status(long status)
{
	switch (status) {
	case 200:
		return PARTNER_OK;
	case 400:
		return PARTNER_BAD_REQUEST;
	case 401:
		return PARTNER_BAD_LOGIN;
	case 403:
		return PARTNER_NO_ACCESS;
	case 408:
		return PARTNER_TIMEOUT;
	case 429:
		return PARTNER_LIMITED;
	case 503:
		return PARTNER_UNAVAILABLE;
	case 504:
		return PARTNER_TIMEOUT;
	default:
		return status >= 500 ? PARTNER_BROKEN :
		    status >= 400 ? PARTNER_REJECTED : PARTNER_GARBLED;
	}
}

/* Everything that lists and details share: the call, the status, the JSON. */
static enum partner_says
read_answer(struct upstream_call *call, struct arena *a, struct json **body,
    const char **why)
{
	enum partner_says	 says;
	const char		*own;

	*body = NULL;
	*why = arena_strdup(a, call->why);
	switch (call->result) {
	case UPSTREAM_OK:
		break;
	case UPSTREAM_TIMEOUT:
		*why = "the partner did not answer in time";
		return PARTNER_TIMEOUT;
	case UPSTREAM_TOO_BIG:
		return PARTNER_GARBLED;
	case UPSTREAM_HELD:
		return PARTNER_LIMITED;
	default:
		return PARTNER_BROKEN;
	}
	*body = json_parse(a, call->body.data != NULL ? call->body.data : "",
	    call->body.len, why);
	says = says_status(call->status);
	own = words(a, *body);
	if (says != PARTNER_OK)
		*why = arena_printf(a, "the partner answered %ld%s%s",
		    call->status, own != NULL ? ": " : "",
		    own != NULL ? own : "");
	else if (!json_is_obj(*body)) {
		*why = arena_printf(a, "the partner's answer is not a JSON "
		    "object%s%s", *body == NULL ? ": " : "",
		    *body == NULL ? *why : "");
		says = PARTNER_GARBLED;
	}
	return says;
}

struct partner_page
partner_list_read(struct upstream_call *call, struct arena *a)
{
	struct partner_page	 page = { 0 };
	struct json		*body;

	page.says = read_answer(call, a, &body, &page.why);
	buf_free(&call->body);
	if (page.says != PARTNER_OK)
		return page;
	page.programs = json_get(body, "payment_programs");
	page.count = json_count(page.programs);
	if (!json_is_arr(page.programs) ||
	    json_whole(json_get(body, "total"), &page.total) == -1 ||
	    page.total < 0 || page.total > PARTNER_TOTAL_MAX) {
		page.says = PARTNER_GARBLED;
		page.why = "the partner's page lacks its list or its total";
	}
	return page;
}

/* How many of the errors inside a 200 say this, or -1 when any says else. */
static int64_t
count_errors(const struct json *body, const char *expected)
{
	const struct json	*errors = json_get(body, "errors");
	size_t			 n = json_count(errors);

	for (size_t i = 0; i < n; i++) {
		const char	*id = json_text(json_get(json_at(errors, i),
		    "id"));

		if (id == NULL || strcmp(id, expected) != 0)
			return -1;
	}
	return (int64_t)n;
}

static struct json *
find_by_id(const struct json *list, const char *key, const char *id)
{
	for (size_t i = 0; i < json_count(list); i++) {
		struct json	*element = json_at(list, i);
		const char	*own = json_text(json_get(element, key));

		if (own != NULL && strcmp(own, id) == 0)
			return element;
	}
	return NULL;
}

/*
 * An unknown id is a 200 with an error inside, told from other errors by its
 * name alone (contract, section 3).  The error does not say which id it
 * means: as many of them as ids are missing mean those, else who knows.
 */
void
partner_info_read(struct upstream_call *call, struct arena *a,
    const char *const *ids, size_t n, struct partner_detail *details)
{
	struct partner_detail	 all = { 0 }, missing;
	struct json		*body, *programs;
	const char		*own;
	int64_t			 nmissing = 0;

	all.says = read_answer(call, a, &body, &all.why);
	buf_free(&call->body);
	programs = json_get(body, "programs");
	for (size_t i = 0; i < n; i++) {
		details[i] = all;
		if (all.says == PARTNER_OK)
			details[i].program = find_by_id(programs,
			    "program_id", ids[i]);
		nmissing += details[i].program == NULL;
	}
	if (all.says != PARTNER_OK || nmissing == 0)
		return;
	own = words(a, body);
	missing.program = NULL;
	missing.why = own != NULL ? own :
	    "the partner's answer does not hold the program";
	missing.says = json_is_arr(programs) &&
	    count_errors(body, "INVALID_PROGRAM_ID") == nmissing ?
	    PARTNER_UNKNOWN_ID : PARTNER_GARBLED;
	for (size_t i = 0; i < n; i++)
		if (details[i].program == NULL)
			details[i] = missing;
}

/* A text of the partner's that is one, is short enough, and is not the id. */
static const char *
name_text(const struct json *v, const char *id)
{
	const char	*text = json_text(v);

	return text != NULL && *text != '\0' && strcmp(text, id) != 0 &&
	    strlen(text) <= NAME_MAX_BYTES ? text : NULL;
}

/*
 * The envelope is not documented; it is read as those of the other calls are
 * (contract, section 4).  A business that an answer leaves out is absent,
 * unless an error says something else than that.
 */
enum partner_says
partner_names_read(struct upstream_call *call, struct arena *a,
    const char *const *ids, size_t n, struct partner_name *names,
    const char **why)
{
	struct json		*body, *list;
	enum partner_says	 says = read_answer(call, a, &body, why);
	enum partner_says	 left_out;

	buf_free(&call->body);
	list = json_get(body, "businesses");
	if (says == PARTNER_OK && !json_is_arr(list)) {
		*why = "the partner's answer lacks its businesses";
		says = PARTNER_GARBLED;
	}
	left_out = count_errors(body, "INVALID_BUSINESS_ID") == -1 ?
	    PARTNER_GARBLED : PARTNER_UNKNOWN_ID;
	for (size_t i = 0; i < n; i++) {
		const struct json	*b = find_by_id(list,
					    "yelp_business_id", ids[i]);

		names[i] = (struct partner_name){ .says = says };
		if (says != PARTNER_OK)
			continue;
		names[i].name = name_text(json_get(b, "name"), ids[i]);
		names[i].url = name_text(json_get(b, "url"), ids[i]);
		if (b == NULL)
			names[i].says = left_out;
		else if (names[i].name == NULL)
			names[i].says = PARTNER_UNKNOWN_ID;
	}
	return says;
}

int64_t
partner_silence_ms(const struct conf *conf, const struct upstream_call *call)
{
	if (call->result != UPSTREAM_OK ||
	    (call->status != 429 && call->status != 503))
		return 0;
	if (call->retry_after_ms > 0)
		return call->retry_after_ms < SILENCE_MAX_MS ?
		    call->retry_after_ms : SILENCE_MAX_MS;
	return call->status == 429 ?
	    retry_delay_ms(1, conf->partner_retry_base_ms) : 0;
}

int
partner_is_transient(enum partner_says says)
{
	return says == PARTNER_LIMITED || says == PARTNER_UNAVAILABLE ||
	    says == PARTNER_BROKEN || says == PARTNER_TIMEOUT ||
	    says == PARTNER_GARBLED;
}

int
partner_is_overload(enum partner_says says)
{
	return says == PARTNER_LIMITED || says == PARTNER_UNAVAILABLE ||
	    says == PARTNER_BROKEN || says == PARTNER_TIMEOUT ||
	    says == PARTNER_NO_ACCESS;
}

enum problem
partner_problem(enum partner_says says)
{
	switch (says) {
	case PARTNER_BAD_LOGIN:
		return PROBLEM_LOGIN_WRONG;
	case PARTNER_NO_ACCESS:
		return PROBLEM_NO_ACCESS;
	case PARTNER_LIMITED:
		return PROBLEM_PARTNER_LIMITED;
	case PARTNER_UNAVAILABLE:
		return PROBLEM_PARTNER_UNAVAILABLE;
	case PARTNER_TIMEOUT:
		return PROBLEM_PARTNER_TIMEOUT;
	case PARTNER_BAD_REQUEST:
	case PARTNER_REJECTED:
	case PARTNER_UNKNOWN_ID:
		return PROBLEM_PARTNER_REFUSED;
	default:
		return PROBLEM_PARTNER_ERROR;
	}
}
