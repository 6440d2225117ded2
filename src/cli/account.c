/* `lockstep account`: partner logins, by hand. */
#include "cli/account.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/open.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "data/column.h"
#include "data/db.h"
#include "http/auth.h"
#include "http/refusal.h"
#include "http/req.h"
#include "jobs/control.h"
#include "net/upstream.h"
#include "programs/account.h"
#include "programs/partner.h"
#include "programs/sync.h"

static struct json *
account_json(struct cli *cli, const struct db_rows *rows, size_t i)
{
	static const char *const	 texts[] = { "state", "verified_at",
		"synced_at", "next_sync_at" };
	struct json			*obj = json_new_obj(cli->arena);

	json_put_int(obj, "id", rows_int(rows, i, "id"));
	cli_put_user(obj, "user_name", cli,
	    rows_bytes(rows, i, "user_name", cli->arena));
	for (size_t k = 0; k < nitems(texts); k++)
		json_put_text(obj, texts[k], rows_text(rows, i, texts[k]));
	json_put_int(obj, "programs", rows_int(rows, i, "programs"));
	return obj;
}

static void
print_row(struct cli *cli, const struct db_rows *rows, size_t i)
{
	const char	*synced = rows_text(rows, i, "synced_at");

	printf("%6lld  %-8s  %-19.19s  %8lld  %s\n",
	    (long long)rows_int(rows, i, "id"), rows_text(rows, i, "state"),
	    synced != NULL ? synced : "never",
	    (long long)rows_int(rows, i, "programs"), cli_show_user(cli,
	    rows_bytes(rows, i, "user_name", cli->arena)));
}

static int
list(struct cli *cli, const char *name)
{
	struct db_rows	*rows = db_query(cli->db, cli->arena, Q_CLI_ACCOUNTS,
			    DB_NO_ARGS);

	(void)name;
	if (rows == NULL)
		return cli_fail_database();
	for (size_t i = 0; i < rows_count(rows); i++) {
		if (cli->tty)
			print_row(cli, rows, i);
		else
			cli_print(cli, account_json(cli, rows, i));
	}
	return CLI_OK;
}

/* One line of the standard input, without its end.  -1: none, or too long. */
static int
read_line(char *out, size_t size, size_t *len)
{
	if (fgets(out, (int)size, stdin) == NULL)
		return -1;
	*len = strcspn(out, "\n");
	if (out[*len] != '\n' && !feof(stdin))
		return -1;
	out[*len] = '\0';
	return *len > 0 && *len <= AUTH_PASSWORD_MAX ? 0 : -1;
}

/* At a terminal it is asked for, and not shown. */
static int
read_password(struct cli *cli, struct bytes *password)
{
	char		*line = arena_alloc(cli->arena, AUTH_PASSWORD_MAX + 2);
	struct termios	 old, quiet;
	bool		 asks = tcgetattr(STDIN_FILENO, &old) == 0;
	size_t		 len = 0;
	int		 rc;

	if (asks) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
		/* What is typed from here on is neither shown nor flushed. */
		fputs("Password: ", stderr);
	}
	rc = read_line(line, AUTH_PASSWORD_MAX + 2, &len);
	if (asks) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	*password = (struct bytes){ line, len };
	return rc;
}

static int
print_login(struct cli *cli, const struct db_rows *rows, struct bytes user,
    int64_t total)
{
	struct json	*obj = json_new_obj(cli->arena);

	json_put_int(obj, "id", rows_int(rows, 0, "id"));
	cli_put_user(obj, "user_name", cli, user);
	json_put_text(obj, "state", rows_text(rows, 0, "state"));
	json_put_int(obj, "partner_total", total);
	cli_print(cli, obj);
	return strcmp(rows_text(rows, 0, "state"), "active") == 0 ? CLI_OK :
	    CLI_REFUSED;
}

/* What the partner said instead of yes. */
static int
fail_login(struct req *r, const struct partner_page *page)
{
	if (page->says == PARTNER_BAD_LOGIN && refusal_note(r->db,
	    r->arena, r->login->user, r->login->hash, "") == -1)
		return cli_fail_database();
	if (page->says == PARTNER_BAD_LOGIN)
		return cli_fail(CLI_REFUSED, "the partner does not accept "
		    "this user name and password");
	if (page->says == PARTNER_NO_ACCESS)
		return cli_fail(CLI_REFUSED, "the partner gives this login "
		    "no access to its programs");
	return cli_fail(CLI_FAILED, "the partner could not be asked: %s",
	    page->why);
}

/* Asks the partner about a login, and keeps what it says. */
static int
check_login(struct cli *cli, struct login *login, bool enable,
    int64_t *account_id)
{
	struct upstream_call	 call = { 0 };
	struct req		 r = { .conf = cli->conf, .db = cli->db,
		.arena = cli->arena, .login = login,
		.deadline_ms = clock_mono_ms() + cli->conf->live_deadline_ms };
	struct partner_page	 page;
	struct db_rows		*rows;
	int			 status;

	secret_login_hash(login->user, login->password, login->hash);
	login->authorization = partner_authorization(cli->arena, login->user,
	    login->password);
	r.upstream = upstream_new(cli->conf);
	page = account_probe(&r, &call);
	if (page.says != PARTNER_OK) {
		status = fail_login(&r, &page);
	} else if ((rows = account_remember(&r, page.total, enable)) == NULL) {
		status = cli_fail_database();
	} else {
		status = print_login(cli, rows, login->user, page.total);
		*account_id = rows_int(rows, 0, "id");
	}
	buf_free(&call.body);
	upstream_free(r.upstream);
	return status;
}

static int
open_key(struct cli *cli)
{
	const char	*why;

	return secret_load(cli->conf->key_file, &why) == 0 ? 0 :
	    cli_fail(CLI_FAILED, "%s", why);
}

/* As when somebody signs in for the first time; a disabled one is enabled. */
static int
add(struct cli *cli, const char *name)
{
	struct login	 login = { .user = { name, strlen(name) } };
	char		 job[JOB_ID_SIZE];
	int64_t		 id = 0;
	int		 status;

	if (login.user.len < 1 || login.user.len > AUTH_USER_MAX ||
	    memchr(name, ':', login.user.len) != NULL)
		return cli_fail(CLI_FAILED, "a user name has 1 to %d bytes "
		    "and no colon", AUTH_USER_MAX);
	if ((status = open_key(cli)) != 0)
		return status;
	if (read_password(cli, &login.password) == -1)
		return cli_fail(CLI_FAILED, "a password of 1 to %d bytes is "
		    "wanted, on one line", AUTH_PASSWORD_MAX);
	status = check_login(cli, &login, true, &id);
	if (status == CLI_OK && job_ask(cli->db, cli->arena, SYNC_KIND, id,
	    "{}", SYNC_START_EVENT, JOB_PRIORITY_NORMAL, job) == -1)
		return cli_fail_database();
	return status;
}

/* Is the stored login still good? */
static int
verify(struct cli *cli, const char *name)
{
	struct cli_account	 named;
	struct account		 acc;
	struct login		 login = { 0 };
	int64_t			 id;
	int			 status;

	if ((status = cli_find_account(cli, name, &named)) != 0 ||
	    (status = open_key(cli)) != 0)
		return status;
	switch (account_load(cli->db, cli->arena, named.id, 0, &acc)) {
	case -1:
		return cli_fail_database();
	case 0:
		return cli_fail(CLI_FAILED, "the stored login cannot be "
		    "opened with this key");
	}
	login.user = acc.user;
	login.password = acc.password;
	return check_login(cli, &login, false, &id);
}

static int
disable(struct cli *cli, const char *name)
{
	struct cli_account	 acc;
	struct control		 c;
	struct column		 accounts;
	struct db_rows		*rows;
	int			 status;

	if ((status = cli_find_account(cli, name, &acc)) != 0)
		return status;
	rows = db_query(cli->db, cli->arena, Q_CLI_DISABLE,
	    DB_ARGS(db_int(acc.id)));
	if (rows == NULL)
		return cli_fail_database();
	for (size_t i = 0; i < rows_count(rows); i++) {
		if (rows_null(rows, i, "job"))
			continue;
		column_init(&accounts, COLUMN_INT8);
		column_int(&accounts, acc.id);
		control_do(cli->db, cli->arena, CONTROL_CANCEL,
		    rows_text(rows, i, "job"), &accounts, &c);
		column_free(&accounts);
		if (c.end == CONTROL_FAILED)
			return cli_fail_database();
	}
	return CLI_OK;
}

static const struct {
	const char	*name;
	bool		 named;		/* takes an account */
	int		 (*run)(struct cli *, const char *name);
} verbs[] = {
	{ "list", false, list },
	{ "add", true, add },
	{ "verify", true, verify },
	{ "disable", true, disable },
};

int
cli_account(const char *conf_path, int argc, char **argv)
{
	struct cli	 cli;
	size_t		 i = 0;
	int		 status;

	while (argc > 1 && i < nitems(verbs) &&
	    strcmp(verbs[i].name, argv[1]) != 0)
		i++;
	if (argc < 2 || i == nitems(verbs) ||
	    argc != (verbs[i].named ? 3 : 2))
		return CLI_USAGE;
	if ((status = cli_open(&cli, conf_path)) != 0)
		return status;
	status = verbs[i].run(&cli, argv[2]);
	cli_close(&cli);
	return status;
}
