/*
 * Options, subcommands and the table of worker kinds: what each kind is called
 * and where it listens stands here and nowhere else.
 */
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/account.h"
#include "cli/analytics.h"
#include "cli/check.h"
#include "cli/events.h"
#include "cli/jobs.h"
#include "cli/keygen.h"
#include "cli/migrate.h"
#include "cli/serve.h"
#include "cli/sync.h"
#include "core/compiler.h"
#include "core/conf.h"
#include "events/stream.h"
#include "proc/master.h"
#include "routes.h"

#define DEFAULT_CONF	SYSCONFDIR "/lockstep/lockstep.conf"

#define EXIT_USAGE	2

/* Its loop turns at least once a second, with clients or without. */
#define STREAM_STUCK_MS	10000

static int64_t
request_stuck_ms(const struct conf *conf)
{
	return conf->request_timeout_ms;
}

static int64_t
stream_stuck_ms(const struct conf *conf)
{
	(void)conf;
	return STREAM_STUCK_MS;
}

/*
 * By then another worker has had its job for two leases; one statement may
 * last as long as it is allowed to.
 */
static int64_t
jobs_stuck_ms(const struct conf *conf)
{
	return 3 * conf->jobs_lease_ms + conf->db_job_timeout_ms;
}

/*
 * A backlog that is full makes nginx answer 503 at once, which is what a
 * queue of people should get; stream's is longer, because after its restart
 * all clients come back together.
 */
static const struct worker_kind kinds[] = {
	{ "api", "api.sock", 64, offsetof(struct conf, api_workers),
	    false, request_stuck_ms, server_run_api },
	{ "live", "live.sock", 64, offsetof(struct conf, live_workers),
	    false, request_stuck_ms, server_run_live },
	{ "stream", "stream.sock", 511, offsetof(struct conf, stream_workers),
	    true, stream_stuck_ms, stream_run },
	{ "jobs", NULL, 0, offsetof(struct conf, jobs_workers),
	    true, jobs_stuck_ms, jobs_run },
};

static int
run_serve(const char *conf_path, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	return cli_serve(conf_path, kinds, nitems(kinds));
}

struct command {
	const char	*name;
	const char	*args;
	const char	*help;
	int		(*run)(const char *conf_path, int argc, char **argv);
};

static const struct command commands[] = {
	{ "serve", "", "serve requests until TERM", run_serve },
	{ "check", " [-T]", "test the configuration; -T prints it", cli_check },
	{ "migrate", "", "bring the database up to date", cli_migrate },
	{ "keygen", " FILE", "make a key file", cli_keygen },
	{ "sync", " [-fn] ACCOUNT", "bring an account in step", cli_sync },
	{ "analytics", " sync [-n] SELLER", "refresh a seller's products",
	    cli_analytics },
	{ "jobs", " [-a ACCOUNT | -s SELLER] [-n N]", "list jobs", cli_jobs },
	{ "job", " VERB ID", "show, cancel, pause, resume, retry(-failed)",
	    cli_job },
	{ "account", " VERB [USER]", "list, add, verify or disable accounts",
	    cli_account },
	{ "events", " [-f] [ACCOUNT]", "print what has changed", cli_events },
};

static void
print_help(FILE *out)
{
	char	left[48];
	size_t	i;

	fputs("usage: lockstep [-c FILE] COMMAND\n\n", out);
	for (i = 0; i < nitems(commands); i++) {
		snprintf(left, sizeof(left), "%s%s", commands[i].name,
		    commands[i].args);
		fprintf(out, "  %-38s%s\n", left, commands[i].help);
	}
	fputs("\n"
	    "  -c, --config FILE                     configuration (" DEFAULT_CONF
	    ")\n"
	    "  -V, --version                         print the version\n"
	    "  -h, --help                            print this\n", out);
}

static int
usage(void)
{
	print_help(stderr);
	return EXIT_USAGE;
}

static int
run_command(const char *conf_path, int argc, char **argv)
{
	size_t	i;
	int	status;

	for (i = 0; i < nitems(commands); i++) {
		if (strcmp(argv[0], commands[i].name) != 0)
			continue;
		status = commands[i].run(conf_path, argc, argv);
		return status == EXIT_USAGE ? usage() : status;
	}
	fprintf(stderr, "lockstep: no such command: %s\n", argv[0]);
	return usage();
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char	*conf_path = DEFAULT_CONF;
	int		 c;

	/* "+": what follows the command is the command's. */
	while ((c = getopt_long(argc, argv, "+c:Vh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			conf_path = optarg;
			break;
		case 'V':
			puts("lockstep " PACKAGE_VERSION);
			return 0;
		case 'h':
			print_help(stdout);
			return 0;
		default:
			return usage();
		}
	}
	if (optind == argc)
		return usage();
	return run_command(conf_path, argc - optind, argv + optind);
}
