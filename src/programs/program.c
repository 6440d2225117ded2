/* From the partner's JSON to the registry's columns. */
#include "programs/program.h"

#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"

#define ID_MAX	100

static bool
is_id(const char *s)
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

/* A text member, NULL when absent; -1 when it is longer than we keep. */
static int
text_of(const struct json *obj, const char *key, const char **out)
{
	*out = json_text(json_get(obj, key));
	return *out != NULL && strlen(*out) > PROGRAM_TEXT_MAX ? -1 : 0;
}

static bool
date_of(const struct json *obj, const char *key, int32_t *days)
{
	const char	*text = json_text(json_get(obj, key));

	return text != NULL && program_date(text, days) == 0;
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
		if (!known && is_id(id))
			p->businesses[p->nbusinesses++] = id;
	}
}

static void
add_to_hash(struct buf *b, const char *text)
{
	/* The length keeps fields apart; absent and empty differ. */
	if (buf_printf(b, "%zd:%s;", text == NULL ? (ssize_t)-1 :
	    (ssize_t)strlen(text), text == NULL ? "" : text) == -1)
		b->len = 0;
}

static void
hash_program(struct program *p, struct arena *a)
{
	unsigned char	 full[SECRET_HASH_SIZE];
	struct buf	 b;

	buf_init(&b, 1u << 20);
	add_to_hash(&b, p->type);
	add_to_hash(&b, p->status);
	add_to_hash(&b, p->pause);
	add_to_hash(&b, p->has_start ? arena_printf(a, "%d", p->start) : NULL);
	add_to_hash(&b, p->has_end ? arena_printf(a, "%d", p->end) : NULL);
	add_to_hash(&b, p->partner_business);
	for (size_t i = 0; i < p->nbusinesses; i++)
		add_to_hash(&b, p->businesses[i]);
	secret_hash("row", (struct bytes){ b.data, b.len }, full);
	memcpy(p->hash, full, sizeof(p->hash));
	buf_free(&b);
}

int
program_read(struct program *p, struct arena *a, const struct json *element,
    const char **why)
{
	const struct json	*list = json_get(element, "businesses");

	memset(p, 0, sizeof(*p));
	p->id = json_text(json_get(element, "program_id"));
	if (!is_id(p->id)) {
		*why = "the program has no usable program_id";
		return -1;
	}
	if (text_of(element, "program_type", &p->type) == -1 ||
	    text_of(element, "program_status", &p->status) == -1 ||
	    text_of(element, "program_pause_status", &p->pause) == -1 ||
	    text_of(json_at(list, 0), "partner_business_id",
	    &p->partner_business) == -1) {
		*why = "the program has a text that is too long to keep";
		return -1;
	}
	p->has_start = date_of(element, "start_date", &p->start);
	p->has_end = date_of(element, "end_date", &p->end);
	read_businesses(p, a, list);
	hash_program(p, a);
	return 0;
}

void
program_batch_init(struct program_batch *b)
{
	static const enum column_type	 types[PROGRAM__MAX] = {
		[PROGRAM_PAGE] = COLUMN_INT4,
		[PROGRAM_ID] = COLUMN_TEXT,
		[PROGRAM_BUSINESS] = COLUMN_TEXT,
		[PROGRAM_PARTNER_BUSINESS] = COLUMN_TEXT,
		[PROGRAM_TYPE] = COLUMN_TEXT,
		[PROGRAM_STATUS] = COLUMN_TEXT,
		[PROGRAM_PAUSE] = COLUMN_TEXT,
		[PROGRAM_START] = COLUMN_DATE,
		[PROGRAM_END] = COLUMN_DATE,
		[PROGRAM_HASH] = COLUMN_BYTEA,
		[PROGRAM_LINK_PROGRAM] = COLUMN_TEXT,
		[PROGRAM_LINK_BUSINESS] = COLUMN_TEXT,
	};

	b->n = 0;
	for (size_t i = 0; i < PROGRAM__MAX; i++)
		column_init(&b->columns[i], types[i]);
}

void
program_batch_free(struct program_batch *b)
{
	for (size_t i = 0; i < PROGRAM__MAX; i++)
		column_free(&b->columns[i]);
}

static void
add_date(struct column *c, bool present, int32_t days)
{
	if (present)
		column_date(c, days);
	else
		column_null(c);
}

void
program_batch_add(struct program_batch *b, int page,
    const struct program *p)
{
	struct column	*c = b->columns;

	b->n++;
	column_int(&c[PROGRAM_PAGE], page);
	column_text(&c[PROGRAM_ID], p->id);
	column_text(&c[PROGRAM_BUSINESS],
	    p->nbusinesses > 0 ? p->businesses[0] : NULL);
	column_text(&c[PROGRAM_PARTNER_BUSINESS], p->partner_business);
	column_text(&c[PROGRAM_TYPE], p->type);
	column_text(&c[PROGRAM_STATUS], p->status);
	column_text(&c[PROGRAM_PAUSE], p->pause);
	add_date(&c[PROGRAM_START], p->has_start, p->start);
	add_date(&c[PROGRAM_END], p->has_end, p->end);
	column_bytes(&c[PROGRAM_HASH], (struct bytes){
	    (const char *)p->hash, sizeof(p->hash) });
	for (size_t i = 0; i < p->nbusinesses; i++) {
		column_text(&c[PROGRAM_LINK_PROGRAM], p->id);
		column_text(&c[PROGRAM_LINK_BUSINESS], p->businesses[i]);
	}
}
