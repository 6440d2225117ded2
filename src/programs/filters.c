/* The parameters that narrow down a list, and what each of them would leave. */
#include "programs/filters.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "programs/program.h"

static int
read_id(struct req *r, const char *name, const char **out)
{
	return req_id(r, name, out);
}

/* ALL is not to be narrowed. */
static int
read_state(struct req *r, const char *name, const char **out)
{
	static const char *const words[] = { "ALL", "CURRENT", "PAST",
		"FUTURE", "PAUSED", "INACTIVE", NULL };
	int	 status = req_word(r, name, words, NULL, out);

	if (status == 0 && *out != NULL && strcmp(*out, "ALL") == 0)
		*out = NULL;
	return status;
}

static int
read_pause(struct req *r, const char *name, const char **out)
{
	static const char *const words[] = { "PAUSED", "NOT_PAUSED", NULL };

	return req_word(r, name, words, NULL, out);
}

static int
read_words(struct req *r, const char *name, const char **out)
{
	return req_text(r, name, FILTERS_WORDS_MAX, out);
}

static int
read_day(struct req *r, const char *name, const char **out)
{
	int32_t	 days;
	int	 status;

	if ((status = req_text(r, name, 10, out)) != 0 || *out == NULL)
		return status;
	if (program_date(*out, &days) == -1)
		return problem_field(r, name, "%s must be a date such as "
		    "2026-01-31.", name);
	return 0;
}

/* In the order of registry_matching()'s arguments. */
static const struct {
	const char	*name;		/* NULL: not asked for by clients */
	size_t		 at;
	int		 (*read)(struct req *, const char *, const char **);
} rows[] = {
#define AT(field)	offsetof(struct filters, field)
	{ "business_id", AT(business), read_id },
	{ "program_status", AT(state), read_state },
	{ "program_type", AT(type), read_words },
	{ "pause", AT(pause), read_pause },
	{ NULL, AT(id), NULL },
	{ "q", AT(words), read_words },
	{ "start_from", AT(start_from), read_day },
	{ "start_to", AT(start_to), read_day },
	{ "end_from", AT(end_from), read_day },
	{ "end_to", AT(end_to), read_day },
#undef AT
};
_Static_assert(nitems(rows) + 2 == FILTERS_ARGS, "account, date, filters");

static const char *
value(const struct filters *f, size_t i)
{
	return *(const char *const *)((const char *)f + rows[i].at);
}

/* Dates of this form compare as texts. */
static int
check_range(struct req *r, const char *from, const char *to, const char *name)
{
	if (from == NULL || to == NULL || strcmp(from, to) <= 0)
		return 0;
	return problem_field(r, name, "%s must not be before the range's "
	    "first day.", name);
}

int
filters_read(struct req *r, struct filters *f)
{
	int	 status;

	*f = (struct filters){ 0 };
	for (size_t i = 0; i < nitems(rows); i++) {
		const char	**field = (const char **)((char *)f +
				    rows[i].at);

		if (rows[i].name != NULL &&
		    (status = rows[i].read(r, rows[i].name, field)) != 0)
			return status;
	}
	if ((status = check_range(r, f->start_from, f->start_to,
	    "start_to")) != 0)
		return status;
	return check_range(r, f->end_from, f->end_to, "end_to");
}

void
filters_args(const struct req *r, const struct filters *f,
    struct db_arg args[FILTERS_ARGS])
{
	*args++ = db_int(r->account_id);
	*args++ = db_text(r->today);
	for (size_t i = 0; i < nitems(rows); i++)
		*args++ = db_text(value(f, i));
}

/* Percent-encodes all but the unreserved: RFC 3986, section 2.3. */
static char *
encode(struct arena *a, const char *s)
{
	char	*out = arena_alloc(a, 3 * strlen(s) + 1), *w = out;

	for (; *s != '\0'; s++) {
		unsigned char	 c = (unsigned char)*s;

		if (isalnum(c) || strchr("-._~", c) != NULL)
			*w++ = *s;
		else {
			*w++ = '%';
			*w++ = "0123456789ABCDEF"[c >> 4];
			*w++ = "0123456789ABCDEF"[c & 15];
		}
	}
	return out;
}

char *
filters_query(struct arena *a, const struct filters *f)
{
	char	*query = arena_strdup(a, "");

	for (size_t i = 0; i < nitems(rows); i++)
		if (rows[i].name != NULL && value(f, i) != NULL)
			query = arena_printf(a, "%s&%s=%s", query,
			    rows[i].name, encode(a, value(f, i)));
	return query;
}

/* One value of one filter: the row of a statement. */
static struct json *
choice(struct arena *a, const struct db_rows *found, size_t i, bool business)
{
	struct json	*obj = json_new_obj(a);

	json_put_text(obj, business ? "business_id" : "value",
	    rows_text(found, i, "value"));
	if (business)
		json_put_text(obj, "name", rows_text(found, i, "name"));
	json_put_int(obj, "count", rows_int(found, i, "programs"));
	return obj;
}

int
available_filters_get(struct req *r)
{
	static const char *const facets[] = { "businesses", "statuses",
		"types", "pause" };
	struct json	*body = json_new_obj(r->arena);
	struct db_arg	 args[FILTERS_ARGS];
	struct db_rows	*found;
	struct filters	 f;
	int		 status;

	if ((status = filters_read(r, &f)) != 0)
		return status;
	filters_args(r, &f, args);
	found = db_query(r->db, r->arena, Q_PROGRAMS_FILTER_COUNTS, args,
	    nitems(args));
	if (found == NULL)
		return problem_database(r);
	for (size_t k = 0; k < nitems(facets); k++) {
		struct json	*list = json_new_arr(r->arena);

		for (size_t i = 0; i < rows_count(found); i++)
			if (strcmp(rows_text(found, i, "facet"),
			    facets[k]) == 0)
				json_push(list, choice(r->arena, found, i,
				    k == 0));
		json_put(body, facets[k], list);
	}
	json_put_bool(body, "from_db", true);
	return resp_json(r, 200, body);
}
