/* Calls to the sellers' analytics API and what its answers mean. */
#include "analytics/wb.h"

#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "net/retry.h"

#define SPARE_SHARE	61	/* of an interval: what the documents ask less */
#define WHY_MAX		200	/* bytes of the API's own words */
#define TEXT_MAX	500	/* bytes of a title, a query and the like */
#define COUNT_MAX	INT64_C(1000000000)
#define MONEY_MAX	1e11
#define SILENCE_MAX_MS	(48 * 3600 * INT64_C(1000))

static const char *const methods[] = {
	[WB_FUNNEL]	= "funnel",
	[WB_TEXTS]	= "search-texts",
	[WB_HISTORY]	= "funnel-history",
};

/* One call in an interval, evenly: safe under every reading of the limits. */
struct budget
wb_budget(const struct conf *conf, enum wb_method method,
    const char *token_kind, struct bytes limit_key)
{
	struct budget	 b = { .api = "wb", .method = methods[method],
		.rate = 1, .burst = 1 };
	int64_t		 base_ms;

	b.per_ms = method == WB_TEXTS ? conf->analytics_texts_interval_ms :
	    conf->analytics_funnel_interval_ms;
	base_ms = method == WB_TEXTS ?
	    conf->analytics_base_texts_interval_ms :
	    conf->analytics_base_funnel_interval_ms;
	if (strcmp(token_kind, "base") == 0 && base_ms > b.per_ms)
		b.per_ms = base_ms;
	memcpy(b.account, limit_key.p, limit_key.len < sizeof(b.account) ?
	    limit_key.len : sizeof(b.account));
	return b;
}

int64_t
wb_late_ms(const struct budget *b, int64_t asked_ms,
    const struct upstream_call *call)
{
	return call->sent_ms - asked_ms - b->per_ms / SPARE_SHARE;
}

static struct json *
put_ids(struct arena *a, const int64_t *ids, size_t n)
{
	struct json	*list = json_new_arr(a);

	for (size_t i = 0; i < n; i++)
		json_push_int(list, ids[i]);
	return list;
}

static struct json *
put_period(struct arena *a, const struct wb_period *p)
{
	struct json	*obj = json_new_obj(a);

	json_put_text(obj, "start", p->start);
	json_put_text(obj, "end", p->end);
	return obj;
}

static struct json *
put_order(struct arena *a)
{
	struct json	*obj = json_new_obj(a);

	json_put_text(obj, "field", "openCard");
	json_put_text(obj, "mode", "desc");
	return obj;
}

/* The token goes as it is, without a scheme (contract, section 1). */
static void
fill(struct upstream_call *call, struct arena *a, const struct conf *conf,
    const char *token, const char *path, const struct json *body)
{
	call->url = arena_printf(a, "%s%s", conf->analytics_url, path);
	call->authorization = token;
	call->post = json_dump(a, body);
	call->body_max = (size_t)conf->analytics_body_max;
	call->deadline_ms = clock_mono_ms() + conf->analytics_timeout_ms;
}

void
wb_funnel(struct upstream_call *call, struct arena *a,
    const struct conf *conf, const char *token,
    const struct wb_period *period, const int64_t *ids, size_t n,
    int64_t limit, int64_t offset)
{
	struct json	*body = json_new_obj(a);

	json_put(body, "selectedPeriod", put_period(a, period));
	json_put(body, "nmIds", put_ids(a, ids, n));
	json_put(body, "orderBy", put_order(a));
	json_put_int(body, "limit", limit);
	json_put_int(body, "offset", offset);
	fill(call, a, conf, token, "/api/analytics/v3/sales-funnel/products",
	    body);
}

void
wb_texts(struct upstream_call *call, struct arena *a, const struct conf *conf,
    const char *token, const struct wb_period *period, const int64_t *ids,
    size_t n)
{
	struct json	*body = json_new_obj(a);

	json_put(body, "currentPeriod", put_period(a, period));
	json_put(body, "nmIds", put_ids(a, ids, n));
	json_put_text(body, "topOrderBy", "openCard");
	json_put(body, "orderBy", put_order(a));
	json_put_int(body, "limit", conf->analytics_texts_limit);
	json_put_bool(body, "includeSubstitutedSKUs", true);
	json_put_bool(body, "includeSearchTexts", true);
	fill(call, a, conf, token, "/api/v2/search-report/product/search-texts",
	    body);
}

void
wb_history(struct upstream_call *call, struct arena *a,
    const struct conf *conf, const char *token,
    const struct wb_period *period)
{
	const int64_t	 any = 1;
	struct json	*body = json_new_obj(a);

	json_put(body, "selectedPeriod", put_period(a, period));
	json_put(body, "nmIds", put_ids(a, &any, 1));
	json_put_text(body, "aggregationLevel", "day");
	fill(call, a, conf, token,
	    "/api/analytics/v3/sales-funnel/products/history", body);
}

/* A text of bounded length, never cut within a character. */
static const char *
bounded(struct arena *a, const char *text, size_t max)
{
	size_t	 n;

	if (text == NULL)
		return NULL;
	n = strnlen(text, max);
	if (n == max)
		while (n > 0 && (text[n] & 0xc0) == 0x80)
			n--;
	return arena_strndup(a, text, n);
}

static enum wb_says
says_status(long status)
{
	switch (status) {
	case 200:
		return WB_OK;
	case 401:
		return WB_BAD_TOKEN;
	case 403:
		return WB_NO_ACCESS;
	case 402:
	case 404:
	case 405:
	case 410:
		return WB_RETIRED;
	case 408:
	case 504:
		return WB_TIMEOUT;
	case 429:
		return WB_LIMITED;
	case 498:
		return WB_AWAY;
	case 500:
		return WB_BROKEN;
	default:
		return status > 500 ? WB_AWAY : status >= 400 ?
		    WB_BAD_REQUEST : WB_GARBLED;
	}
}

/* What the answer says as a whole, and its JSON. */
static enum wb_says
read_whole(struct upstream_call *call, struct arena *a, struct json **body,
    const char **why)
{
	enum wb_says	 says;
	const char	*detail;

	*body = NULL;
	*why = arena_strdup(a, call->why);
	if (call->result == UPSTREAM_TIMEOUT) {
		*why = "the API did not answer in time";
		return WB_TIMEOUT;
	}
	if (call->result == UPSTREAM_TOO_BIG)
		return WB_GARBLED;
	if (call->result != UPSTREAM_OK)
		return WB_AWAY;
	*body = json_parse(a, call->body.data != NULL ? call->body.data : "",
	    call->body.len, why);
	says = says_status(call->status);
	if (says == WB_OK && *body == NULL) {
		*why = arena_printf(a, "the API's answer is not JSON: %s",
		    *why);
		return WB_GARBLED;
	}
	if (says == WB_OK)
		return says;
	detail = json_text(json_get(*body, "detail"));
	/* Who quotes our own request may quote the token. */
	if (detail != NULL && strstr(detail, call->authorization) != NULL)
		detail = NULL;
	*why = detail == NULL ?
	    arena_printf(a, "the API answered %ld", call->status) :
	    arena_printf(a, "the API answered %ld: %s", call->status,
	    bounded(a, detail, WHY_MAX));
	return says;
}

/* "No match" may be a bare empty array (contract, section 2.1). */
struct wb_answer
wb_read(struct upstream_call *call, enum wb_method method, struct arena *a)
{
	struct wb_answer	 answer = { 0 };
	struct json		*body, *data;

	answer.says = read_whole(call, a, &body, &answer.why);
	answer.detailed = json_text(json_get(body, "detail")) != NULL;
	buf_free(&call->body);
	if (answer.says != WB_OK)
		return answer;
	data = json_is_obj(json_get(body, "data")) ? json_get(body, "data") :
	    body;
	answer.rows = json_is_arr(body) && (json_count(body) == 0 ||
	    method == WB_HISTORY) ? body :
	    json_get(data, method == WB_FUNNEL ? "products" : "items");
	answer.currency = bounded(a, json_text(json_get(data, "currency")), 10);
	if (!json_is_arr(answer.rows)) {
		answer.says = WB_GARBLED;
		answer.why = "the API's answer lacks its list";
	}
	return answer;
}

bool
wb_names_jam(const struct wb_answer *answer)
{
	static const char *const	 words[] = { "Jam", "jam", "JAM",
		"subscription", "Джем", "джем", "подписк" };

	for (size_t i = 0; i < nitems(words); i++)
		if (answer->why != NULL && strstr(answer->why, words[i]))
			return true;
	return false;
}

bool
wb_names_category(const struct wb_answer *answer)
{
	return answer->says == WB_BAD_TOKEN && answer->why != NULL &&
	    strstr(answer->why, "scope not allowed") != NULL;
}

int
wb_row_id(const struct json *row, enum wb_method method, int64_t *id)
{
	if (method == WB_FUNNEL)
		row = json_get(row, "product");
	return json_whole(json_get(row, "nmId"), id) == 0 && *id > 0 ? 0 : -1;
}

/* A count that must be there. */
static const char *
read_count(const struct json *from, const char *key, int64_t *out)
{
	return json_whole(json_get(from, key), out) == 0 && *out >= 0 &&
	    *out <= COUNT_MAX ? NULL : key;
}

/* Money that must be there, as decimals. */
static const char *
read_money(struct arena *a, const struct json *from, const char *key,
    const char **out)
{
	double	 n;

	if (json_number(json_get(from, key), &n) == -1 ||
	    !(fabs(n) <= MONEY_MAX))
		return key;
	*out = arena_printf(a, "%.2f", n);
	return NULL;
}

int
wb_figures_read(struct wb_figures *f, struct arena *a,
    const struct json *row, const char **why)
{
	const struct json	*product = json_get(row, "product");
	const struct json	*s = json_get(json_get(row, "statistic"),
				    "selected");
	const char		*wrong;

	*f = (struct wb_figures){ .add_to_wishlist = -1 };
	if (wb_row_id(row, WB_FUNNEL, &f->nm_id) == -1) {
		*why = "the row names no product";
		return -1;
	}
	f->title = bounded(a, json_text(json_get(product, "title")), TEXT_MAX);
	f->vendor_code = bounded(a, json_text(json_get(product,
	    "vendorCode")), TEXT_MAX);
	f->brand = bounded(a, json_text(json_get(product, "brandName")),
	    TEXT_MAX);
	f->subject = bounded(a, json_text(json_get(product, "subjectName")),
	    TEXT_MAX);
	if ((wrong = read_count(s, "openCount", &f->views)) != NULL ||
	    (wrong = read_count(s, "cartCount", &f->add_to_cart)) != NULL ||
	    (wrong = read_count(s, "orderCount", &f->orders)) != NULL ||
	    (wrong = read_count(s, "buyoutCount", &f->buyouts)) != NULL ||
	    (wrong = read_count(s, "cancelCount", &f->cancels)) != NULL ||
	    (wrong = read_money(a, s, "orderSum", &f->revenue)) != NULL ||
	    (wrong = read_money(a, s, "buyoutSum", &f->buyout_sum)) != NULL ||
	    (wrong = read_money(a, s, "cancelSum", &f->cancel_sum)) != NULL) {
		*why = arena_printf(a, "the row's %s is not a figure that can "
		    "be kept", wrong);
		return -1;
	}
	/* Not needed for anything: absent is absent. */
	if (read_money(a, s, "avgPrice", &f->avg_price) != NULL)
		f->avg_price = NULL;
	if (read_count(s, "addToWishlist", &f->add_to_wishlist) != NULL)
		f->add_to_wishlist = -1;
	return 0;
}

/* The figure itself, beside its dynamics (contract, defect 4). */
static void
put_current(struct json *to, const char *name, const struct json *from)
{
	struct json	*current = json_get(from, "current");
	double		 n;

	json_put(to, name, json_number(current, &n) == 0 ? current : NULL);
}

struct json *
wb_text_read(struct arena *a, const struct json *row)
{
	const char	*text = bounded(a, json_text(json_get(row, "text")),
			    TEXT_MAX);
	struct json	*obj;

	if (text == NULL || *text == '\0')
		return NULL;
	obj = json_new_obj(a);
	json_put_text(obj, "query", text);
	put_current(obj, "openCard", json_get(row, "openCard"));
	put_current(obj, "addToCart", json_get(row, "addToCart"));
	put_current(obj, "orders", json_get(row, "orders"));
	put_current(obj, "avgPosition", json_get(row, "avgPosition"));
	return obj;
}

/* Contract, section 3: the order of trust. */
int64_t
wb_silence_ms(const struct upstream_call *call, enum wb_says says, int failed,
    int64_t interval_ms)
{
	int64_t	 ms = interval_ms;

	if (says != WB_LIMITED && !wb_is_transient(says))
		return 0;
	if (says == WB_LIMITED && call->limit.retry_ms > 0)
		ms = call->limit.retry_ms;
	else if (call->retry_after_ms > 0)
		ms = call->retry_after_ms;
	else {
		for (int i = 1; i < failed && ms < SILENCE_MAX_MS; i++)
			ms *= 2;
		ms += retry_delay_ms(1, 1 + interval_ms / 20);
	}
	return ms < SILENCE_MAX_MS ? ms : SILENCE_MAX_MS;
}

int
wb_is_transient(enum wb_says says)
{
	return says == WB_BROKEN || says == WB_AWAY || says == WB_TIMEOUT ||
	    says == WB_GARBLED;
}

enum problem
wb_problem(enum wb_says says)
{
	switch (says) {
	case WB_BAD_TOKEN:
		return PROBLEM_LOGIN_WRONG;
	case WB_NO_ACCESS:
		return PROBLEM_NO_ACCESS;
	case WB_LIMITED:
		return PROBLEM_PARTNER_LIMITED;
	case WB_TIMEOUT:
		return PROBLEM_PARTNER_TIMEOUT;
	case WB_BAD_REQUEST:
	case WB_RETIRED:
		return PROBLEM_PARTNER_REFUSED;
	default:
		return PROBLEM_PARTNER_ERROR;
	}
}

const char *
wb_code(enum wb_says says)
{
	return problem_code(wb_problem(says));
}
