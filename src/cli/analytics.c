/* `lockstep analytics`: runs by hand, as `lockstep sync` is for programs. */
#include "cli/analytics.h"

#include <getopt.h>
#include <string.h>

#include "analytics/run.h"
#include "cli/open.h"
#include "cli/sync.h"

static int
run_seller(struct cli *cli, const char *name, bool wait)
{
	struct cli_wish		 wish = { .kind = RUN_KIND,
		.request = RUN_REQUEST, .first_event = RUN_START_EVENT,
		.wait = wait };
	struct cli_account	 acc;
	int			 status;

	if ((status = cli_find_seller(cli, name, &acc)) != 0)
		return status;
	if (strcmp(acc.state, "active") != 0)
		return cli_fail(CLI_REFUSED, "the seller's token is %s",
		    acc.state);
	wish.account_id = acc.id;
	return cli_watch(cli, &wish);
}

int
cli_analytics(const char *conf_path, int argc, char **argv)
{
	struct cli	 cli;
	bool		 wait = true;
	int		 c, status;

	if (argc < 2 || strcmp(argv[1], "sync") != 0)
		return CLI_USAGE;
	argc--;
	argv++;
	optind = 0;		/* glibc: scan these arguments from the start */
	while ((c = getopt(argc, argv, "+n")) != -1) {
		if (c != 'n')
			return CLI_USAGE;
		wait = false;
	}
	if (optind != argc - 1)
		return CLI_USAGE;
	if ((status = cli_open(&cli, conf_path)) != 0)
		return status;
	status = run_seller(&cli, argv[optind], wait);
	cli_close(&cli);
	return status;
}
