/* Opening and ending a command; naming accounts. */
#include "cli/open.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/conf.h"
#include "core/log.h"
#include "core/utf8.h"
#include "data/db.h"
#include "data/migrate.h"

int
cli_fail(enum cli_exit status, const char *fmt, ...)
{
	va_list	 ap;

	fputs("lockstep: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return (int)status;
}

int
cli_fail_database(void)
{
	return cli_fail(CLI_FAILED, "the database did not answer");
}

static int
check_schema(struct db *db)
{
	int	 pending = migrate_pending(db);

	if (pending == -1)
		return cli_fail_database();
	return pending == 0 ? 0 : cli_fail(CLI_FAILED,
	    "the database is not up to date; run lockstep migrate");
}

int
cli_open(struct cli *c, const char *conf_path)
{
	char	 err[CONF_ERR_SIZE];
	int	 status;

	memset(c, 0, sizeof(*c));
	if ((c->conf = conf_load(conf_path, err)) == NULL)
		return cli_fail(CLI_FAILED, "%s", err);
	/* What goes well is said by the command itself. */
	log_set_level(LOG_WARN);
	c->db = db_new_direct(c->conf, c->conf->db_job_timeout_ms);
	c->arena = arena_new();
	c->tty = isatty(STDOUT_FILENO);
	if ((status = check_schema(c->db)) != 0)
		cli_close(c);
	return status;
}

void
cli_close(struct cli *c)
{
	arena_free(c->arena);
	db_free(c->db);
	conf_free(c->conf);
}

/* "id:7"; -1 for anything else, which is a user name. */
static int64_t
parse_id(const char *name)
{
	char		*end;
	long long	 id;

	if (strncmp(name, "id:", 3) != 0 || name[3] < '1' || name[3] > '9')
		return -1;
	id = strtoll(name + 3, &end, 10);
	return *end == '\0' ? id : -1;
}

int
cli_find_account(struct cli *c, const char *name, struct cli_account *acc)
{
	int64_t		 id = parse_id(name);
	struct db_rows	*rows;

	rows = db_query(c->db, c->arena, Q_CLI_ACCOUNT, DB_ARGS(
	    id == -1 ? db_bytes((struct bytes){ name, strlen(name) }) :
	    db_null(), db_int(id)));
	if (rows == NULL)
		return cli_fail_database();
	if (rows_count(rows) == 0)
		return cli_fail(CLI_NOT_FOUND, "no such account");
	acc->id = rows_int(rows, 0, "id");
	acc->user = rows_bytes(rows, 0, "user_name", c->arena);
	acc->state = rows_text(rows, 0, "state");
	return 0;
}

int
cli_find_seller(struct cli *c, const char *name, struct cli_account *acc)
{
	int64_t		 id = parse_id(name);
	struct db_rows	*rows;

	rows = db_query(c->db, c->arena, Q_CLI_SELLER, DB_ARGS(
	    id == -1 ? db_text(name) : db_null(), db_int(id)));
	if (rows == NULL)
		return cli_fail_database();
	if (rows_count(rows) == 0)
		return cli_fail(CLI_NOT_FOUND, "no such seller");
	if (rows_count(rows) > 1)
		return cli_fail(CLI_NOT_FOUND, "several operators have a "
		    "seller of that name; say which as id:%lld or id:%lld",
		    (long long)rows_int(rows, 0, "id"),
		    (long long)rows_int(rows, 1, "id"));
	*acc = (struct cli_account){ .id = rows_int(rows, 0, "id"),
		.user = { name, strlen(name) },
		.state = rows_text(rows, 0, "state") };
	return 0;
}

const char *
cli_show_user(struct cli *c, struct bytes user)
{
	bool	 sound = utf8_length(user.p, user.len) >= 0 &&
		    !utf8_has_control(user.p, user.len);
	char	*text = arena_strndup(c->arena, user.p, user.len);

	for (size_t i = 0; !sound && i < user.len; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	return text;
}

void
cli_put_user(struct json *obj, const char *key, struct cli *c,
    struct bytes user)
{
	if (memchr(user.p, '\0', user.len) != NULL)
		json_put_nil(obj, key);
	else
		json_put_text(obj, key, arena_strndup(c->arena, user.p,
		    user.len));
}

void
cli_print(struct cli *c, const struct json *value)
{
	puts(json_dump(c->arena, value));
}
