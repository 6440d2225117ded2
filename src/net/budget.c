/* Budgets in the database: GCRA in one statement. */
#include "net/budget.h"

#include "core/arena.h"
#include "core/log.h"
#include "data/db.h"

static struct db_arg
account_arg(const struct budget *b)
{
	return db_bytes((struct bytes){ (const char *)b->account,
	    sizeof(b->account) });
}

int64_t
budget_share(const struct budget *b, bool urgent)
{
	int64_t	 kept = (b->burst * b->reserve + 99) / 100;

	if (urgent)
		return b->burst;
	/* The last one is for everybody, or no job would ever run. */
	return b->burst - kept > 1 ? b->burst - kept : 1;
}

static int64_t
per_ms(const struct budget *b)
{
	return b->per_ms > 0 ? b->per_ms : 1000;
}

/* Without a rate only a time that the partner has named counts. */
static int
look(struct db *db, struct arena *a, const struct budget *b,
    const struct budget_wish *wish, struct budget_grant *grant)
{
	struct db_rows	*rows;
	int64_t		 blocked_ms = 0;

	rows = db_query(db, a, Q_NET_RATE_LOOK, DB_ARGS(db_text(b->api),
	    account_arg(b), db_text(b->method)));
	if (rows == NULL)
		return -1;
	if (rows_count(rows) > 0)
		blocked_ms = rows_int(rows, 0, "blocked_ms");
	grant->n = blocked_ms <= wish->wait_max_ms ? wish->n : 0;
	grant->wait_ms = grant->next_ms = blocked_ms;
	return 0;
}

int
budget_take(struct db *db, struct arena *a, const struct budget *b,
    const struct budget_wish *wish, struct budget_grant *grant)
{
	struct db_rows	*rows;

	if (b->rate == 0)
		return look(db, a, b, wish, grant);
	rows = db_query(db, a, Q_NET_RATE_TAKE, DB_ARGS(db_text(b->api),
	    account_arg(b), db_text(b->method), db_int(wish->n),
	    db_int(b->rate), db_int(budget_share(b, wish->urgent)),
	    db_int(wish->wait_max_ms), db_int(per_ms(b))));
	if (rows == NULL)
		return -1;
	grant->n = rows_int(rows, 0, "granted");
	grant->wait_ms = grant->n > 0 ? rows_int(rows, 0, "wait_ms") : 0;
	grant->next_ms = rows_int(rows, 0, "next_ms");
	return 0;
}

int
budget_block(struct db *db, struct arena *a, const struct budget *b,
    int64_t ms)
{
	int64_t	 refill_ms = b->rate > 0 ? b->burst * per_ms(b) / b->rate : 0;

	log_info("budget: blocked", F_STR("method", b->method),
	    F_INT("ms", ms));
	return db_query(db, a, Q_NET_RATE_BLOCK, DB_ARGS(db_text(b->api),
	    account_arg(b), db_text(b->method), db_int(ms),
	    db_int(refill_ms))) != NULL ? 0 : -1;
}

int
budget_postpone(struct db *db, struct arena *a, const struct budget *b,
    int64_t ms)
{
	return db_query(db, a, Q_NET_RATE_POSTPONE, DB_ARGS(db_text(b->api),
	    account_arg(b), db_text(b->method), db_int(ms))) != NULL ? 0 : -1;
}

void
budget_trim(struct db *db)
{
	struct arena	*a = arena_new();
	struct db_rows	*rows = db_query(db, a, Q_NET_RATE_TRIM, DB_NO_ARGS);

	if (rows != NULL && rows_int(rows, 0, "trimmed") > 0)
		log_info("budget: trimmed", F_INT("budgets",
		    rows_int(rows, 0, "trimmed")));
	arena_free(a);
}
