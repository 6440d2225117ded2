/* Calls to the partner and what its answers mean. */
#include "programs/partner.h"

#include <string.h>

#include "core/arena.h"
#include "core/conf.h"
#include "core/json.h"

#define WHY_MAX		200	/* bytes of the partner's own words */

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
    const struct conf *conf, const char *authorization,
    const char *program_id, int64_t deadline_ms)
{
	fill(call, conf, authorization, deadline_ms, arena_printf(a,
	    "%s/v1/programs/info/%s", conf->partner_url, program_id));
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

/*
 * An unknown id is a 200 with an error inside; it is told from other errors
 * by its name alone (contract, section 3).
 */
static int
is_unknown_id(const struct json *body)
{
	const char	*id = json_text(json_get(json_at(
	    json_get(body, "errors"), 0), "id"));

	return id != NULL && strcmp(id, "INVALID_PROGRAM_ID") == 0;
}

struct partner_detail
partner_info_read(struct upstream_call *call, struct arena *a,
    const char *program_id)
{
	struct partner_detail	 detail = { 0 };
	struct json		*body, *programs;
	const char		*id, *own;

	detail.says = read_answer(call, a, &body, &detail.why);
	buf_free(&call->body);
	if (detail.says != PARTNER_OK)
		return detail;
	programs = json_get(body, "programs");
	id = json_text(json_get(json_at(programs, 0), "program_id"));
	if (id != NULL && strcmp(id, program_id) == 0) {
		detail.program = json_at(programs, 0);
		return detail;
	}
	own = words(a, body);
	detail.why = own != NULL ? own :
	    "the partner's answer does not hold the program";
	detail.says = json_is_arr(programs) && is_unknown_id(body) ?
	    PARTNER_UNKNOWN_ID : PARTNER_GARBLED;
	return detail;
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
