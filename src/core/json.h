#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

/*
 * JSON over jansson, which is named in json.c alone.  A document's root
 * belongs to the arena it was made with; children belong to their parent.
 */
struct arena;
struct buf;
struct json;

/* Nesting beyond this is refused before the parser sees it. */
#define JSON_DEPTH_MAX	32

/*
 * Parses n bytes of UTF-8.  NULL when they are not one JSON object or array,
 * too deep, or hold \u0000; *why then says so in words (static or in the
 * arena), and quotes nothing of the text.  Of a key that is there twice the
 * last counts.
 */
struct json	*json_parse(struct arena *, const char *, size_t n,
		    const char **why) MUST_CHECK;

/*
 * Parses a text that we have made ourselves, of documents that json_parse() has
 * taken, so that it may nest deeper.  An empty object when it is none.
 */
struct json	*json_restore(struct arena *, const char *);

/* Reading.  All take NULL for "not there" and answer as for the wrong type. */
struct json	*json_get(const struct json *obj, const char *key);
struct json	*json_at(const struct json *arr, size_t i);
size_t		 json_count(const struct json *arr);
bool		 json_is_arr(const struct json *);
bool		 json_is_obj(const struct json *);
bool		 json_is_nil(const struct json *);	/* absent or null */

/* The string, or NULL; lives as long as the document. */
const char	*json_text(const struct json *);

/*
 * A whole number, sent as 1000000 or as 1000000.0 (partner contract,
 * section 2).  -1 for anything else, fractions and what int64 cannot hold.
 */
int		 json_whole(const struct json *, int64_t *) MUST_CHECK;

/* Whether it was sent as an integer, without a fraction. */
bool		 json_is_int(const struct json *);

/* Any number, as a double.  -1 when it is none. */
int		 json_number(const struct json *, double *) MUST_CHECK;

/* -1 when it is no boolean. */
int		 json_truth(const struct json *, bool *) MUST_CHECK;

/* Whether that member of an object is true; no boolean is not. */
bool		 json_flag(const struct json *, const char *key);

/* Making: a new root in the arena. */
struct json	*json_new_obj(struct arena *);
struct json	*json_new_arr(struct arena *);

/*
 * Setting a member; text must be UTF-8 (what is not becomes null), NULL text
 * becomes null.  json_put and json_push share the child: it may also stay
 * part of another document; a NULL child becomes null.  Keys must be UTF-8: a
 * member whose key is not is left out.
 */
void		 json_put(struct json *obj, const char *key,
		    struct json *child);
void		 json_put_text(struct json *obj, const char *key, const char *);
void		 json_put_int(struct json *obj, const char *key, int64_t);
void		 json_put_bool(struct json *obj, const char *key, bool);
void		 json_put_nil(struct json *obj, const char *key);
void		 json_push(struct json *arr, struct json *child);
void		 json_push_int(struct json *arr, int64_t);

/* Puts every member of src into dst. */
void		 json_merge(struct json *dst, const struct json *src);

/* Appends the compact text; -1, and nothing appended, when buf is full. */
int		 json_print(const struct json *, struct buf *) MUST_CHECK;

/*
 * The compact text in the arena; sorted: the members of each object by name, so
 * that the same values give the same text in whatever order they came.
 */
char		*json_dump(struct arena *, const struct json *);
char		*json_dump_sorted(struct arena *, const struct json *);

#endif
