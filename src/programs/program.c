/* From the partner's JSON to the registry's columns. */
#include "programs/program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/log.h"

#define ID_MAX	100

bool
program_is_id(const char *s)
{
	size_t	 n = s == NULL ? 0 : strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n >= 1 && n <= ID_MAX && s[n] == '\0';
}

static bool
is_leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days before year y, counted from year 1. */
static int32_t
days_before(int y)
{
	y--;
	return y * 365 + y / 4 - y / 100 + y / 400;
}

int
program_date(const char *text, int32_t *days)
{
	static const int	 lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	int			 y, m, d, n = 0, of_month;

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' ||
	    strspn(text, "0123456789-") != 10 ||
	    sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 ||
	    y < 1 || m < 1 || m > 12 || d < 1)
		return -1;
	of_month = lengths[m - 1] + (m == 2 && is_leap(y));
	if (d > of_month)
		return -1;
	*days = days_before(y) - days_before(1970) + d - 1;
	for (int i = 0; i < m - 1; i++)
		*days += lengths[i] + (i == 1 && is_leap(y));
	return 0;
}

/*
 * The readers of the table below: from the member of that name to a value;
 * absent and null are NULL, never empty or zero.  What is returned says why
 * it is not to be kept; NULL when it is.
 */
static const char *
read_text(struct value *v, struct arena *a, const struct json *member)
{
	(void)a;
	v->text = json_text(member);
	v->present = v->text != NULL;
	return v->present && strlen(v->text) > PROGRAM_TEXT_MAX ?
	    "is too long" : NULL;
}

static const char *
read_date(struct value *v, struct arena *a, const struct json *member)
{
	const char	*text = json_text(member);
	int32_t		 days;

	(void)a;
	v->present = text != NULL && program_date(text, &days) == 0;
	if (v->present)
		v->number = days;
	return NULL;
}

static const char *
read_whole(struct value *v, struct arena *a, const struct json *member)
{
	(void)a;
	if (json_is_nil(member))
		return NULL;
	v->present = true;
	return json_whole(member, &v->number) == 0 ? NULL :
	    "is not a whole number";
}

static const char *
read_truth(struct value *v, struct arena *a, const struct json *member)
{
	bool	 yes;

	(void)a;
	if (json_is_nil(member))
		return NULL;
	v->present = true;
	if (json_truth(member, &yes) == -1)
		return "is neither true nor false";
	v->number = yes;
	return NULL;
}

/*
 * Dollars, here at the edge alone, become cents.  A binary fraction is off
 * from the decimal one by far less than a hundredth of a cent.
 */
static const char *
read_dollars(struct value *v, struct arena *a, const struct json *member)
{
	double	 dollars, cents;

	(void)a;
	if (json_is_nil(member))
		return NULL;
	if (json_number(member, &dollars) == -1 || fabs(dollars) > 1e12)
		return "is not an amount of money";
	cents = round(dollars * 100);
	if (fabs(dollars * 100 - cents) > 0.01)
		return "has a fraction of a cent";
	v->present = true;
	v->number = (int64_t)cents;
	return NULL;
}

static const char *
read_list(struct value *v, struct arena *a, const struct json *member)
{
	if (json_is_nil(member))
		return NULL;
	if (!json_is_arr(member))
		return "is not a list";
	v->present = true;
	v->text = json_dump_sorted(a, member);
	return strlen(v->text) > PROGRAM_JSON_MAX ? "is too long" : NULL;
}

enum part { PART_PROGRAM, PART_FIRST_BUSINESS, PART_METRICS, PART_UPGRADE,
	PART__MAX };

/*
 * The columns: what each is called, and how it is read from which part.  Lists
 * are sent once each, and by number.
 */
static const struct {
	enum column_type	 type;
	enum part		 part;
	const char		*key;
	const char		*(*read)(struct value *, struct arena *,
				    const struct json *);
} columns[PROGRAM__MAX] = {
	[PROGRAM_ID]		= { COLUMN_TEXT, PART_PROGRAM,
	    "program_id", read_text },
	[PROGRAM_BUSINESS]	= { COLUMN_TEXT, PART_FIRST_BUSINESS,
	    "yelp_business_id", read_text },
	[PROGRAM_PARTNER_BUSINESS] = { COLUMN_TEXT, PART_FIRST_BUSINESS,
	    "partner_business_id", read_text },
	[PROGRAM_TYPE]		= { COLUMN_TEXT, PART_PROGRAM,
	    "program_type", read_text },
	[PROGRAM_STATUS]	= { COLUMN_TEXT, PART_PROGRAM,
	    "program_status", read_text },
	[PROGRAM_PAUSE]		= { COLUMN_TEXT, PART_PROGRAM,
	    "program_pause_status", read_text },
	[PROGRAM_START]		= { COLUMN_DATE, PART_PROGRAM,
	    "start_date", read_date },
	[PROGRAM_END]		= { COLUMN_DATE, PART_PROGRAM,
	    "end_date", read_date },
	[PROGRAM_BUDGET]	= { COLUMN_INT8, PART_METRICS,
	    "budget", read_whole },
	[PROGRAM_CURRENCY]	= { COLUMN_TEXT, PART_METRICS,
	    "currency", read_text },
	[PROGRAM_AUTOBID]	= { COLUMN_BOOL, PART_METRICS,
	    "is_autobid", read_truth },
	[PROGRAM_MAX_BID]	= { COLUMN_INT8, PART_METRICS,
	    "max_bid", read_whole },
	[PROGRAM_IMPRESSIONS]	= { COLUMN_INT8, PART_METRICS,
	    "billed_impressions", read_whole },
	[PROGRAM_CLICKS]	= { COLUMN_INT8, PART_METRICS,
	    "billed_clicks", read_whole },
	[PROGRAM_AD_COST]	= { COLUMN_INT8, PART_METRICS,
	    "ad_cost", read_whole },
	[PROGRAM_FEE_PERIOD]	= { COLUMN_TEXT, PART_METRICS,
	    "fee_period", read_text },
	[PROGRAM_ACTIVE_FEATURES] = { COLUMN_INT4, PART_PROGRAM,
	    "active_features", read_list },
	[PROGRAM_AVAILABLE_FEATURES] = { COLUMN_INT4, PART_PROGRAM,
	    "available_features", read_list },
	[PROGRAM_BUSINESSES]	= { COLUMN_INT4, PART_PROGRAM,
	    "businesses", read_list },
	[PROGRAM_BUDGET_CHANGES] = { COLUMN_INT4, PART_PROGRAM,
	    "future_budget_changes", read_list },
	[PROGRAM_UPGRADE_RATE]	= { COLUMN_INT8, PART_UPGRADE,
	    "monthly_rate", read_dollars },
	[PROGRAM_UPGRADE_COST]	= { COLUMN_INT8, PART_UPGRADE,
	    "cost", read_dollars },
	[PROGRAM_AD_CATEGORIES]	= { COLUMN_INT4, PART_PROGRAM,
	    "ad_categories", read_list },
	[PROGRAM_CAMPAIGN]	= { COLUMN_TEXT, PART_PROGRAM,
	    "ad_campaign_id", read_text },
};

const char *
program_id(const struct program *p)
{
	return p->values[PROGRAM_ID].text;
}

/* An id given twice counts once; one that is no id is left out. */
static void
read_businesses(struct program *p, struct arena *a, const struct json *list)
{
	size_t	 n = json_count(list);

	if (n > PROGRAM_BUSINESSES_MAX)
		n = PROGRAM_BUSINESSES_MAX;
	p->businesses = arena_alloc(a, (n + 1) * sizeof(*p->businesses));
	for (size_t i = 0; i < n; i++) {
		const char	*id = json_text(json_get(json_at(list, i),
		    "yelp_business_id"));
		bool		 known = false;

		for (size_t k = 0; k < p->nbusinesses && id != NULL; k++)
			known |= strcmp(p->businesses[k], id) == 0;
		if (!known && program_is_id(id))
			p->businesses[p->nbusinesses++] = id;
	}
}

static void
digest(unsigned char *out, size_t size, const char *text, size_t len)
{
	unsigned char	 full[SECRET_HASH_SIZE];

	secret_digest((struct bytes){ text, len }, full);
	memcpy(out, full, size);
}

/*
 * Of every column: what differs in any of them is another row.  Of the
 * businesses alone as well, so that a row whose links stay needs no look at
 * them.
 */
static void
hash_program(struct program *p)
{
	const char	*businesses = p->values[PROGRAM_BUSINESSES].text;
	struct buf	 b;
	int		 rc = 0;

	/* Bounded by what an answer of the partner's may hold. */
	buf_init(&b, SIZE_MAX);
	for (size_t i = 0; i < PROGRAM__MAX; i++) {
		const struct value	*v = &p->values[i];

		/* The length keeps cells apart; absent and empty differ. */
		if (!v->present)
			rc |= buf_addstr(&b, "-;");
		else if (v->text != NULL)
			rc |= buf_printf(&b, "%zu:%s;", strlen(v->text),
			    v->text);
		else
			rc |= buf_printf(&b, "%lld;", (long long)v->number);
	}
	if (rc == -1)
		fatal("no room to hash a program");
	if (businesses == NULL)
		businesses = "";
	digest(p->hash, PROGRAM_LINKS_HASH_SIZE, businesses,
	    strlen(businesses));
	digest(p->hash + PROGRAM_LINKS_HASH_SIZE,
	    PROGRAM_HASH_SIZE - PROGRAM_LINKS_HASH_SIZE, b.data, b.len);
	buf_free(&b);
}

int
program_read(struct program *p, struct arena *a, const struct json *element,
    const char **why)
{
	const struct json	*parts[PART__MAX] = {
		[PART_PROGRAM] = element,
		[PART_FIRST_BUSINESS] =
		    json_at(json_get(element, "businesses"), 0),
		[PART_METRICS] = json_get(element, "program_metrics"),
		[PART_UPGRADE] = json_get(element, "page_upgrade_info"),
	};

	memset(p, 0, sizeof(*p));
	if (!program_is_id(json_text(json_get(element, "program_id")))) {
		*why = "the program has no usable program_id";
		return -1;
	}
	for (size_t i = 0; i < PROGRAM__MAX; i++) {
		const char	*wrong = columns[i].read(&p->values[i], a,
		    json_get(parts[columns[i].part], columns[i].key));

		if (wrong != NULL) {
			*why = arena_printf(a, "the program's %s %s",
			    columns[i].key, wrong);
			return -1;
		}
	}
	/* Not an id: as good as none. */
	if (!program_is_id(p->values[PROGRAM_BUSINESS].text))
		p->values[PROGRAM_BUSINESS] = (struct value){ 0 };
	read_businesses(p, a, json_get(element, "businesses"));
	hash_program(p);
	return 0;
}

void
program_batch_init(struct program_batch *b)
{
	b->n = 0;
	memset(b->last, 0, sizeof(b->last));
	for (size_t i = 0; i < PROGRAM__MAX; i++)
		column_init(&b->columns[i], columns[i].type);
	column_init(&b->hash, COLUMN_BYTEA);
	documents_init(&b->lists);
	column_init(&b->relinked, COLUMN_TEXT);
	column_init(&b->link_program, COLUMN_TEXT);
	column_init(&b->link_business, COLUMN_TEXT);
}

void
program_batch_free(struct program_batch *b)
{
	for (size_t i = 0; i < PROGRAM__MAX; i++)
		column_free(&b->columns[i]);
	column_free(&b->hash);
	documents_free(&b->lists);
	column_free(&b->relinked);
	column_free(&b->link_program);
	column_free(&b->link_business);
}

static void
add_value(struct column *c, const struct value *v)
{
	if (!v->present) {
		column_null(c);
		return;
	}
	switch (c->type) {
	case COLUMN_BOOL:
		column_bool(c, v->number != 0);
		break;
	case COLUMN_DATE:
		column_date(c, (int32_t)v->number);
		break;
	case COLUMN_INT8:
		column_int(c, v->number);
		break;
	default:
		column_text(c, v->text);
	}
}

/* Often that of the program before: then it need not be looked for. */
static void
add_list(struct program_batch *b, size_t i, const char *text)
{
	if (b->last[i].text == NULL || strcmp(b->last[i].text, text) != 0) {
		b->last[i].text = text;
		b->last[i].number = documents_add(&b->lists, text);
	}
	column_int(&b->columns[i], b->last[i].number);
}

void
program_batch_add(struct program_batch *b, const struct program *p)
{
	b->n++;
	for (size_t i = 0; i < PROGRAM__MAX; i++)
		if (columns[i].read == read_list && p->values[i].present)
			add_list(b, i, p->values[i].text);
		else
			add_value(&b->columns[i], &p->values[i]);
	column_bytes(&b->hash, (struct bytes){ (const char *)p->hash,
	    sizeof(p->hash) });
}

void
program_batch_link(struct program_batch *b, const struct program *p)
{
	column_text(&b->relinked, program_id(p));
	for (size_t i = 0; i < p->nbusinesses; i++) {
		column_text(&b->link_program, program_id(p));
		column_text(&b->link_business, p->businesses[i]);
	}
}
