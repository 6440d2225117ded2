/* What a run's trouble is, how grave, and who is told. */
#include "analytics/trouble.h"

#include <stdbool.h>
#include <string.h>

#include "analytics/run.h"
#include "core/json.h"
#include "core/log.h"
#include "data/db.h"
#include "events/outbox.h"

/*
 * Of a trouble: some of a night is missing, or all of it is, or nothing will
 * come until somebody sees to it.
 */
static int
graveness(const char *code)
{
	if (code == NULL)
		return 0;
	if (strcmp(code, "login_wrong") == 0 || strcmp(code, "no_access") == 0)
		return 3;
	return strcmp(code, "products_failed") == 0 ||
	    strncmp(code, "texts_", strlen("texts_")) == 0 ? 1 : 2;
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* -1: database. */
static int
note(struct run *r, const char *trouble)
{
	return seller_learn(r->job->db, r->job->scratch, r->job->account_id,
	    &(struct seller_news){ .trouble = trouble,
	    .trouble_told = graveness(trouble) });
}

int
trouble_tell(struct run *r, const char *code)
{
	struct job	*j = r->job;
	struct json	*data = json_new_obj(j->scratch);

	if (is_same(code, r->seller.trouble))
		return 0;
	if (code != NULL && graveness(code) <= r->seller.trouble_told)
		return note(r, code);
	json_put_int(data, "sellerId", j->account_id);
	json_put_text(data, "seller", r->seller.name);
	json_put_text(data, "code", code != NULL ? code : r->seller.trouble);
	json_put_text(data, "job", j->id);
	if (code != NULL)
		log_warn("analytics: in trouble", F_STR("seller",
		    r->seller.name), F_STR("code", code));
	else
		log_info("analytics: out of trouble", F_STR("seller",
		    r->seller.name));
	if (outbox_append(j->db, j->scratch, j->account_id, code != NULL ?
	    "analytics.trouble" : "analytics.recovered", data) == -1)
		return -1;
	return note(r, code != NULL ? code : "");
}

const char *
trouble_of(const struct run *r, const struct db_rows *settled)
{
	const char	*off = r->plan.parts[WB_TEXTS].off;

	if (rows_int(settled, 0, "failed") > 0)
		return rows_int(settled, 0, "ok") == 0 &&
		    rows_int(settled, 0, "partial") == 0 ? "all_failed" :
		    "products_failed";
	if (rows_int(settled, 0, "short") == 0)
		return NULL;
	return off != NULL ? off : "texts_failed";
}
