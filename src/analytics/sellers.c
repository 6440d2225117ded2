/* A seller's token is tried at the API before it is kept. */
#include "analytics/sellers.h"

#include <string.h>

#include "analytics/seller.h"
#include "analytics/token.h"
#include "analytics/wb.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "core/utf8.h"
#include "data/column.h"
#include "data/db.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "jobs/control.h"

#define NAME_MAX_CHARS	255
#define LIST_MAX	(8u << 20)
#define USER_DIGITS	32

/* A token as it came, and what is made of it. */
struct given {
	const char	*text;
	struct token	 says;
	unsigned char	 limit_key[SECRET_HASH_SIZE];
	unsigned char	 hash[SECRET_HASH_SIZE];
	struct bytes	 sealed;
};

static struct bytes
hash_bytes(const unsigned char hash[SECRET_HASH_SIZE])
{
	return (struct bytes){ (const char *)hash, SECRET_HASH_SIZE };
}

/* The sellers, or this one alone, as JSON texts. */
static struct db_rows *
find(struct req *r, int64_t id)
{
	return db_query(r->db, r->arena, Q_ANALYTICS_SELLERS,
	    DB_ARGS(db_text(r->operator), id == 0 ? db_null() : db_int(id),
	    db_int(r->conf->analytics_token_warning_ms)));
}

int
sellers_get(struct req *r)
{
	struct db_rows	*rows = find(r, 0);
	struct buf	 out;
	int		 failed = 0, status;

	if (rows == NULL)
		return problem_database(r);
	buf_init(&out, LIST_MAX);
	failed |= buf_addstr(&out, "{\"sellers\":[");
	for (size_t i = 0; i < rows_count(rows); i++) {
		failed |= buf_addstr(&out, i > 0 ? "," : "");
		failed |= buf_addstr(&out, rows_text(rows, i, "body"));
	}
	failed |= buf_addstr(&out, "]}");
	status = failed ? problem(r, PROBLEM_INTERNAL,
	    "The list is too long.") : resp_bytes(r, 200, "application/json",
	    out.data, out.len);
	buf_free(&out);
	return status;
}

/* Answers with the seller as it stands. */
static int
show(struct req *r, int status, int64_t id)
{
	struct db_rows	*rows = find(r, id);
	const char	*body;

	if (rows == NULL || rows_count(rows) == 0)
		return problem_database(r);
	body = rows_text(rows, 0, "body");
	return resp_bytes(r, status, "application/json", body, strlen(body));
}

int
seller_get(struct req *r)
{
	int64_t	 id;
	int	 status;

	return (status = seller_of_path(r, &id)) != 0 ? status :
	    show(r, 200, id);
}

/* A text of the body's: 0 with *out set, or the status of a 400. */
static int
read_text(struct req *r, const struct json *body, const char *field,
    const char **out)
{
	const char	*text = json_text(json_get(body, field));
	long		 n;

	if (text == NULL)
		return problem_field(r, field, "%s must be a text.", field);
	n = utf8_length(text, strlen(text));
	if (n < 1 || n > NAME_MAX_CHARS || utf8_has_control(text,
	    strlen(text)) || strspn(text, " ") == strlen(text))
		return problem_field(r, field, "%s must be 1 to %d characters "
		    "without control characters.", field, NAME_MAX_CHARS);
	*out = text;
	return 0;
}

/* What an HTTP header can carry as a token. */
static int
read_token(struct req *r, const struct json *body, struct given *g)
{
	const char	*text = json_text(json_get(body, "token"));
	size_t		 n = text == NULL ? 0 : strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			n = 0;
	if (n == 0 || n > TOKEN_MAX)
		return problem_field(r, "token", "token must be the API's "
		    "token, without blanks, of at most %d bytes.", TOKEN_MAX);
	g->text = text;
	token_read(&g->says, r->arena, text);
	if (g->says.expires_s != -1 &&
	    g->says.expires_s * 1000 <= clock_wall_ms())
		return problem_unfit(r, "token", "The token has expired; make "
		    "a new one.");
	return 0;
}

/* The bytes that stand for a seller whose calls count together. */
static void
make_keys(struct req *r, struct given *g, struct bytes user)
{
	const char	*who = g->says.seller;

	secret_hash("wbseller", who != NULL ?
	    (struct bytes){ who, strlen(who) } : user, g->limit_key);
	secret_login_hash(user, (struct bytes){ g->text, strlen(g->text) },
	    g->hash);
	g->sealed = secret_seal(r->arena, (struct bytes){ g->text,
	    strlen(g->text) }, user);
}

static int
hold(struct req *r, int64_t ms)
{
	problem(r, PROBLEM_PARTNER_LIMITED, "The API's limit for this seller "
	    "leaves no call to try the token with; try again later.");
	resp_header(r, "Retry-After", arena_printf(r->arena, "%lld",
	    (long long)(ms + 999) / 1000));
	return r->status;
}

/* The cheapest call that only a good token of this category can make. */
static struct wb_answer
try(struct req *r, const struct given *g, struct upstream_call *call)
{
	char		 today[CLOCK_ISO_SIZE];
	struct wb_period period;

	/* Yesterday at the latest: also where Moscow's day has not begun. */
	clock_iso(clock_wall_ms() - 2 * 24 * 3600 * INT64_C(1000), today);
	today[10] = '\0';
	period = (struct wb_period){ today, today };
	wb_funnel(call, r->arena, r->conf, g->text, &period, NULL, 0, 1, 0);
	if (call->deadline_ms > r->deadline_ms)
		call->deadline_ms = r->deadline_ms;
	upstream_fanout(r->upstream, call, 1, 1);
	return wb_read(call, WB_FUNNEL, r->arena);
}

static int
refuse(struct req *r, const struct wb_answer *answer)
{
	log_warn("seller: token not tried", F_STR("why", answer->why));
	switch (answer->says) {
	case WB_BAD_TOKEN:
		return problem_unfit(r, "token", "The API does not accept the "
		    "token: %s.", answer->why);
	case WB_NO_ACCESS:
		return problem_unfit(r, "token", "The token may not read "
		    "analytics: %s.", answer->why);
	default:
		return problem(r, wb_problem(answer->says), "The API could "
		    "not be asked about the token: %s.", answer->why);
	}
}

/*
 * A token says itself whose it is.  Until the API has taken it that may be
 * anybody's, whose budget it must not touch: this operator's tries of it have
 * one of their own.
 */
static void
key_of_tries(struct req *r, const struct given *g,
    unsigned char key[SECRET_HASH_SIZE])
{
	const char	*who = arena_printf(r->arena, "%zu:%s%s",
			    strlen(r->operator), r->operator, g->says.seller);

	secret_hash("wbtry", (struct bytes){ who, strlen(who) }, key);
}

/*
 * Asks the API: 0 when it takes the token, else the answer's status.  own: the
 * limit key of the seller that it is for, empty for a new one.
 */
static int
check(struct req *r, const struct given *g, struct bytes own)
{
	bool			 proven = g->says.seller == NULL ||
				    (own.len == sizeof(g->limit_key) &&
				    memcmp(g->limit_key, own.p, own.len) == 0);
	struct budget		 budget = wb_budget(r->conf, WB_FUNNEL,
				    g->says.kind, hash_bytes(g->limit_key));
	struct budget_wish	 wish = { .n = 1, .urgent = true };
	struct budget_grant	 grant;
	struct upstream_call	 call = { 0 };
	struct wb_answer	 answer;
	int64_t			 ms;

	/* Who pastes another token need not wait; runs never use it. */
	if (strcmp(g->says.kind, "base") != 0 &&
	    strcmp(g->says.kind, "unknown") != 0)
		budget.burst = WB_BURST;
	if (!proven)
		key_of_tries(r, g, budget.account);
	if (budget_take(r->db, r->arena, &budget, &wish, &grant) == -1)
		return problem_database(r);
	budget.burst = 0;	/* after a 429: exactly when it says */
	if (grant.n == 0)
		return hold(r, grant.next_ms);
	answer = try(r, g, &call);
	ms = answer.says == WB_LIMITED ? wb_silence_ms(&call, answer.says, 1,
	    budget.per_ms) : 0;
	if (ms > 0 && budget_block(r->db, r->arena, &budget, ms) == -1)
		return problem_database(r);
	if (answer.says == WB_OK && !proven) {	/* the call was that seller's */
		budget.burst = 1;
		memcpy(budget.account, g->limit_key, sizeof(budget.account));
		if (budget_take(r->db, r->arena, &budget, &wish, &grant) == -1)
			return problem_database(r);
	}
	if (answer.says == WB_OK)
		return 0;
	return ms > 0 ? hold(r, ms) : refuse(r, &answer);
}

static struct db_arg
expiry(const struct given *g)
{
	return g->says.expires_s == -1 ? db_null() :
	    db_int(g->says.expires_s);
}

/* Why nothing was added. */
static int
not_added(struct req *r, const char *name, const char *zone)
{
	struct db_rows	*rows = db_query(r->db, r->arena, Q_ANALYTICS_KNOWN,
			    DB_ARGS(db_text(r->operator), db_text(name),
			    db_text(zone)));

	if (rows == NULL)
		return problem_database(r);
	if (rows_bool(rows, 0, "nowhere"))
		return problem_unfit(r, "timeZone", "There is no such time "
		    "zone.");
	if (rows_bool(rows, 0, "named"))
		return problem_unfit(r, "name", "You have a seller of that "
		    "name.");
	return 0;
}

static int
add(struct req *r, const char *name, const char *zone, struct given *g)
{
	char		 user[sizeof(":wb:") + USER_DIGITS] = ":wb:";
	struct bytes	 owner = { user, sizeof(user) - 1 };
	struct db_rows	*rows;
	int64_t		 id;
	int		 status;

	secret_random_hex(user + strlen(":wb:"), USER_DIGITS);
	make_keys(r, g, owner);
	if ((status = check(r, g, (struct bytes){ NULL, 0 })) != 0)
		return status;
	rows = db_query(r->db, r->arena, Q_ANALYTICS_ADD,
	    DB_ARGS(db_bytes(owner), db_bytes(hash_bytes(g->hash)),
	    db_bytes(g->sealed), db_text(r->operator), db_text(name),
	    db_bytes(hash_bytes(g->limit_key)), db_text(g->says.kind),
	    expiry(g), db_text(zone)));
	if (rows == NULL)
		return problem_database(r);
	if (rows_count(rows) == 0)
		return (status = not_added(r, name, zone)) != 0 ? status :
		    problem_database(r);
	id = rows_int(rows, 0, "id");
	log_info("seller: added", F_INT("seller", id),
	    F_STR("token", g->says.kind));
	show(r, 201, id);
	if (r->status == 201)
		resp_header(r, "Location", arena_printf(r->arena,
		    "/api/analytics/sellers/%lld", (long long)id));
	return r->status;
}

int
sellers_post(struct req *r)
{
	const char	*name, *zone = "Europe/Moscow";
	struct given	 g;
	struct json	*body;
	int		 status;

	if ((status = req_json(r, &body)) != 0 ||
	    (status = read_text(r, body, "name", &name)) != 0 ||
	    (!json_is_nil(json_get(body, "timeZone")) &&
	    (status = read_text(r, body, "timeZone", &zone)) != 0) ||
	    (status = read_token(r, body, &g)) != 0 ||
	    (status = not_added(r, name, zone)) != 0)
		return status;
	return add(r, name, zone, &g);
}

int
seller_token_post(struct req *r)
{
	struct seller	 s;
	struct given	 g;
	struct json	*body;
	struct db_rows	*rows;
	unsigned char	 unnamed[SECRET_HASH_SIZE];
	int64_t		 id;
	int		 status;

	if ((status = seller_of_path(r, &id)) != 0 ||
	    (status = req_json(r, &body)) != 0 ||
	    (status = read_token(r, body, &g)) != 0)
		return status;
	if (seller_load(r->db, r->arena, r->conf, id, r->operator, &s) != 1)
		return problem_database(r);
	make_keys(r, &g, s.user);
	/* A token that names nobody is the seller's who has it: its key stays. */
	secret_hash("wbseller", s.user, unnamed);
	if (g.says.seller == NULL)
		memcpy(g.limit_key, s.limit_key.p, sizeof(g.limit_key));
	else if (memcmp(s.limit_key.p, unnamed, sizeof(unnamed)) != 0 &&
	    memcmp(g.limit_key, s.limit_key.p, sizeof(g.limit_key)) != 0)
		return problem_unfit(r, "token", "The token is another "
		    "seller's; add that one instead.");
	if ((status = check(r, &g, s.limit_key)) != 0)
		return status;
	rows = db_query(r->db, r->arena, Q_ANALYTICS_ROTATE,
	    DB_ARGS(db_int(id), db_text(r->operator),
	    db_bytes(hash_bytes(g.hash)), db_bytes(g.sealed),
	    db_bytes(hash_bytes(g.limit_key)), db_text(g.says.kind),
	    expiry(&g)));
	if (rows == NULL)
		return problem_database(r);
	log_info("seller: token changed", F_STR("token", g.says.kind));
	return show(r, 200, id);
}

/* Streams of its jobs end as those of any job that is cancelled. */
static int
cancel_jobs(struct req *r, int64_t id)
{
	struct db_rows	*rows = db_query(r->db, r->arena, Q_ANALYTICS_ACTIVE,
			    DB_ARGS(db_int(id)));
	struct column	 accounts;
	struct control	 c = { .end = CONTROL_DONE };

	if (rows == NULL)
		return -1;
	column_init(&accounts, COLUMN_INT8);
	column_int(&accounts, id);
	for (size_t i = 0; i < rows_count(rows); i++)
		control_do(r->db, r->arena, CONTROL_CANCEL,
		    rows_text(rows, i, "id"), &accounts, &c);
	column_free(&accounts);
	return c.end == CONTROL_FAILED ? -1 : 0;
}

int
seller_delete(struct req *r)
{
	int64_t	 id;
	int	 status;

	if ((status = seller_of_path(r, &id)) != 0)
		return status;
	if (cancel_jobs(r, id) == -1 || db_query(r->db, r->arena,
	    Q_ANALYTICS_REMOVE, DB_ARGS(db_int(id),
	    db_text(r->operator))) == NULL)
		return problem_database(r);
	log_info("seller: removed", F_INT("seller", id));
	return resp_json(r, 200, json_new_obj(r->arena));
}
