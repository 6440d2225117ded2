/* The one column of the registry that is the user's own. */
#include "programs/custom_name.h"

#include <string.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/utf8.h"
#include "data/db.h"
#include "events/outbox.h"
#include "http/problem.h"
#include "http/req.h"
#include "http/resp.h"
#include "programs/program.h"
#include "programs/registry.h"

#define FIELD		"custom_name"
#define CHANGED_EVENT	"programs.custom_name_updated"
#define NAME_MAX_CHARS	255
#define BLANKS		" \t\r\n"

/* Without the blanks around it; NULL when nothing is left. */
static const char *
trim(struct arena *a, const char *text)
{
	size_t	 n;

	text += strspn(text, BLANKS);
	n = strlen(text);
	while (n > 0 && strchr(BLANKS, text[n - 1]) != NULL)
		n--;
	return n > 0 ? arena_strndup(a, text, n) : NULL;
}

/* *name is NULL when the name is to go. */
static int
read_name(struct req *r, const char **name)
{
	struct json	*body;
	struct json	*member;
	int		 status;

	*name = NULL;
	if ((status = req_json(r, &body)) != 0)
		return status;
	if ((member = json_get(body, FIELD)) == NULL)
		return problem_field(r, FIELD, FIELD " is missing.");
	if (json_is_nil(member))
		return 0;
	if (json_text(member) == NULL)
		return problem_field(r, FIELD, FIELD " must be a text or "
		    "null.");
	if ((*name = trim(r->arena, json_text(member))) == NULL)
		return 0;
	if (utf8_length(*name, strlen(*name)) > NAME_MAX_CHARS)
		return problem_field(r, FIELD, FIELD " may have %d "
		    "characters.", NAME_MAX_CHARS);
	if (utf8_has_control(*name, strlen(*name)))
		return problem_field(r, FIELD, FIELD " must not hold control "
		    "characters.");
	return 0;
}

static int
announce(struct req *r, const char *name)
{
	struct json	*data = json_new_obj(r->arena);

	json_put_text(data, "program_id", r->path_id);
	json_put_text(data, FIELD, name);
	return outbox_append(r->db, r->arena, r->account_id, CHANGED_EVENT,
	    data);
}

/* 1; 0 when there is no such program; -1: the database failed. */
static int
store(struct req *r, const char *name)
{
	struct db_rows	*rows;

	db_begin(r->db);
	rows = db_query(r->db, r->arena, Q_PROGRAMS_CUSTOM_NAME,
	    DB_ARGS(db_int(r->account_id), db_text(r->path_id),
	    db_text(name)));
	if (rows == NULL || (rows_count(rows) > 0 &&
	    rows_bool(rows, 0, "changed") && announce(r, name) == -1)) {
		db_rollback(r->db);
		return -1;
	}
	return db_commit(r->db) == -1 ? -1 : rows_count(rows) > 0;
}

int
custom_name_post(struct req *r)
{
	struct json	*row;
	const char	*name;
	int		 status, found;

	if ((status = read_name(r, &name)) != 0)
		return status;
	found = program_is_id(r->path_id) ? store(r, name) : 0;
	if (found == 1)
		found = registry_one(r, r->path_id, &row);
	if (found == -1)
		return problem_database(r);
	return found ? resp_json(r, 200, row) :
	    problem(r, PROBLEM_NOT_FOUND, "This account has no such program.");
}
