/*
 * JSON over jansson.  A struct json is a json_t, never looked into; the arena
 * holds one reference to each root and drops it at its reset.
 */

#include "core/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/log.h"

/* Up to here a double holds every whole number (IEEE 754, binary64). */
#define WHOLE_REAL_MAX	9007199254740992.0

/*
 * Fifteen digits survive the way through a double, more do not: a sum of 18.05
 * that came in goes out as 18.05, not as 18.050000000000001.
 */
#define PRINT_FLAGS \
	(JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

static json_t *
to_lib(const struct json *j)
{
	return (json_t *)j;
}

static struct json *
from_lib(json_t *j)
{
	return (struct json *)j;
}

static void
drop_root(void *root)
{
	json_decref(root);
}

static struct json *
own(struct arena *a, json_t *root)
{
	if (root == NULL)
		fatal("json: out of memory");
	arena_defer(a, drop_root, root);
	return from_lib(root);
}

/* Whether brackets outside of strings nest deeper than JSON_DEPTH_MAX. */
static bool
is_too_deep(const char *s, size_t n)
{
	bool	 in_string = false;
	int	 depth = 0;
	size_t	 i;

	for (i = 0; i < n; i++) {
		if (in_string && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if ((s[i] == '{' || s[i] == '[') &&
		    ++depth > JSON_DEPTH_MAX)
			return true;
		else if (s[i] == '}' || s[i] == ']')
			depth--;
	}
	return false;
}

/* jansson quotes the text after "near": it may be anybody's data. */
static const char *
reason(struct arena *a, const json_error_t *err)
{
	const char	*near = strstr(err->text, " near ");
	size_t		 len;

	len = near != NULL ? (size_t)(near - err->text) : strlen(err->text);
	return arena_printf(a, "%.*s at line %d, column %d", (int)len,
	    err->text, err->line, err->column);
}

static struct json *
load(struct arena *a, const char *s, size_t n, const char **why)
{
	json_error_t	 err;
	json_t		*root;

	if ((root = json_loadb(s, n, 0, &err)) == NULL) {
		if (json_error_code(&err) == json_error_out_of_memory)
			fatal("json: out of memory");
		*why = reason(a, &err);
		return NULL;
	}
	return own(a, root);
}

struct json *
json_parse(struct arena *a, const char *s, size_t n, const char **why)
{
	if (is_too_deep(s, n)) {
		*why = "nested too deep";
		return NULL;
	}
	return load(a, s, n, why);
}

struct json *
json_restore(struct arena *a, const char *text)
{
	const char	*why;
	struct json	*j = load(a, text, strlen(text), &why);

	return j != NULL ? j : json_new_obj(a);
}

struct json *
json_get(const struct json *obj, const char *key)
{
	return from_lib(json_object_get(to_lib(obj), key));
}

struct json *
json_at(const struct json *arr, size_t i)
{
	return from_lib(json_array_get(to_lib(arr), i));
}

size_t
json_count(const struct json *arr)
{
	return json_array_size(to_lib(arr));
}

bool
json_is_arr(const struct json *j)
{
	return json_is_array(to_lib(j));
}

bool
json_is_obj(const struct json *j)
{
	return json_is_object(to_lib(j));
}

bool
json_is_nil(const struct json *j)
{
	return j == NULL || json_is_null(to_lib(j));
}

const char *
json_text(const struct json *j)
{
	return json_string_value(to_lib(j));
}

int
json_whole(const struct json *j, int64_t *out)
{
	double	 real;

	if (json_is_integer(to_lib(j))) {
		*out = json_integer_value(to_lib(j));
		return 0;
	}
	if (!json_is_real(to_lib(j)))
		return -1;
	real = json_real_value(to_lib(j));
	if (fabs(real) > WHOLE_REAL_MAX || trunc(real) != real)
		return -1;
	*out = (int64_t)real;
	return 0;
}

bool
json_is_int(const struct json *j)
{
	return json_is_integer(to_lib(j));
}

int
json_truth(const struct json *j, bool *out)
{
	if (!json_is_boolean(to_lib(j)))
		return -1;
	*out = json_is_true(to_lib(j));
	return 0;
}

bool
json_flag(const struct json *j, const char *key)
{
	bool	 yes;

	return json_truth(json_get(j, key), &yes) == 0 && yes;
}

struct json *
json_new_obj(struct arena *a)
{
	return own(a, json_object());
}

struct json *
json_new_arr(struct arena *a)
{
	return own(a, json_array());
}

/* Takes over value; NULL, which is no text or not UTF-8, becomes null. */
static void
put(struct json *obj, const char *key, json_t *value)
{
	if (value == NULL)
		value = json_null();
	/* Fails for a key that is not UTF-8; the value is dropped then. */
	(void)json_object_set_new(to_lib(obj), key, value);
}

void
json_put(struct json *obj, const char *key, struct json *child)
{
	put(obj, key, json_incref(to_lib(child)));
}

void
json_put_text(struct json *obj, const char *key, const char *text)
{
	put(obj, key, text != NULL ? json_string(text) : NULL);
}

void
json_put_int(struct json *obj, const char *key, int64_t n)
{
	put(obj, key, json_integer(n));
}

void
json_put_bool(struct json *obj, const char *key, bool truth)
{
	put(obj, key, json_boolean(truth));
}

void
json_put_nil(struct json *obj, const char *key)
{
	put(obj, key, json_null());
}

void
json_push(struct json *arr, struct json *child)
{
	json_t	*value = json_incref(to_lib(child));

	if (value == NULL)
		value = json_null();
	if (json_array_append_new(to_lib(arr), value) == -1)
		fatal("json: append");
}

void
json_merge(struct json *dst, const struct json *src)
{
	if (src != NULL && json_object_update(to_lib(dst), to_lib(src)) == -1)
		fatal("json: merge");
}

static int
add_piece(const char *s, size_t n, void *buf)
{
	return buf_add(buf, s, n);
}

int
json_print(const struct json *j, struct buf *b)
{
	size_t	 start = b->len;

	if (json_dump_callback(to_lib(j), add_piece, b, PRINT_FLAGS) == 0)
		return 0;
	b->len = start;
	if (b->data != NULL)
		b->data[start] = '\0';
	return -1;
}

static char *
dump(struct arena *a, const struct json *j, size_t flags)
{
	char	*text;

	if ((text = json_dumps(to_lib(j), flags)) == NULL)
		fatal("json: out of memory");
	arena_defer(a, free, text);
	return text;
}

char *
json_dump(struct arena *a, const struct json *j)
{
	return dump(a, j, PRINT_FLAGS);
}

char *
json_dump_sorted(struct arena *a, const struct json *j)
{
	return dump(a, j, PRINT_FLAGS | JSON_SORT_KEYS);
}

void
json_push_int(struct json *arr, int64_t n)
{
	if (json_array_append_new(to_lib(arr), json_integer(n)) == -1)
		fatal("json: append");
}

int
json_number(const struct json *v, double *out)
{
	if (!json_is_number(to_lib(v)))
		return -1;
	*out = json_number_value(to_lib(v));
	return 0;
}
