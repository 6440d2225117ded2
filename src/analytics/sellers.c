/* A seller is kept once the API has taken its token. */
#include "analytics/sellers.h"

#include <stdbool.h>
#include <string.h>

#include "analytics/seller.h"
#include "analytics/trial.h"
#include "core/arena.h"
#include "core/buf.h"
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

static struct db_arg
listed(const struct trial *g)
{
	return g->listed == -1 ? db_null() : db_int(g->listed);
}

static struct db_arg
expiry(const struct trial *g)
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
add(struct req *r, const char *name, const char *zone, struct trial *g)
{
	char		 user[sizeof(":wb:") + USER_DIGITS] = ":wb:";
	struct bytes	 owner = { user, sizeof(user) - 1 };
	struct db_rows	*rows;
	int64_t		 id;
	int		 status;

	secret_random_hex(user + strlen(":wb:"), USER_DIGITS);
	trial_keys(g, r->arena, owner);
	if ((status = trial_check(r, g, (struct bytes){ NULL, 0 })) != 0)
		return status;
	rows = db_query(r->db, r->arena, Q_ANALYTICS_ADD,
	    DB_ARGS(db_bytes(owner), db_bytes(trial_hash(g->hash)),
	    db_bytes(g->sealed), db_text(r->operator), db_text(name),
	    db_bytes(trial_hash(g->limit_key)), db_text(g->says.kind),
	    expiry(g), db_text(zone), listed(g)));
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
	struct trial	 g;
	struct json	*body;
	int		 status;

	if ((status = req_json(r, &body)) != 0 ||
	    (status = read_text(r, body, "name", &name)) != 0 ||
	    (!json_is_nil(json_get(body, "timeZone")) &&
	    (status = read_text(r, body, "timeZone", &zone)) != 0) ||
	    (status = trial_read(r, body, &g)) != 0 ||
	    (status = not_added(r, name, zone)) != 0)
		return status;
	return add(r, name, zone, &g);
}

/* Does the seller's token leave open whose it is, and its key with it? */
static bool
is_unnamed(const struct seller *s)
{
	unsigned char	 key[SECRET_HASH_SIZE];

	if (s->limit_key.len != sizeof(key))
		return false;
	secret_hash("wbseller", s->user, key);	/* as it was before */
	if (memcmp(s->limit_key.p, key, sizeof(key)) == 0)
		return true;
	if (s->token == NULL)
		return false;
	trial_key_of_token(s->token, key);
	return memcmp(s->limit_key.p, key, sizeof(key)) == 0;
}

int
seller_token_post(struct req *r)
{
	struct seller	 s;
	struct trial	 g;
	struct json	*body;
	struct db_rows	*rows;
	int64_t		 id;
	int		 status;

	if ((status = seller_of_path(r, &id)) != 0 ||
	    (status = req_json(r, &body)) != 0 ||
	    (status = trial_read(r, body, &g)) != 0)
		return status;
	if (seller_load(r->db, r->arena, r->conf, id, r->operator, &s) != 1)
		return problem_database(r);
	trial_keys(&g, r->arena, s.user);
	if (!is_unnamed(&s) && s.limit_key.len == sizeof(g.limit_key)) {
		/* Once known whose it is, no token changes that. */
		if (g.says.seller == NULL)
			memcpy(g.limit_key, s.limit_key.p, s.limit_key.len);
		else if (memcmp(g.limit_key, s.limit_key.p,
		    s.limit_key.len) != 0)
			return problem_token(r, PROBLEM_TOKEN_OTHER_SELLER,
			    "The token is another seller's; add that one "
			    "instead.");
	}
	if ((status = trial_check(r, &g, s.limit_key)) != 0)
		return status;
	rows = db_query(r->db, r->arena, Q_ANALYTICS_ROTATE,
	    DB_ARGS(db_int(id), db_text(r->operator),
	    db_bytes(trial_hash(g.hash)), db_bytes(g.sealed),
	    db_bytes(trial_hash(g.limit_key)), db_text(g.says.kind),
	    expiry(&g), listed(&g)));
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
