/* Every endpoint, with its preconditions, and every kind of job. */
#include "routes.h"

#include "core/compiler.h"
#include "http/route.h"
#include "http/server.h"
#include "http/status.h"
#include "jobs/watch.h"
#include "jobs/worker.h"
#include "programs/account.h"
#include "programs/business_ids.h"
#include "programs/list.h"
#include "programs/sync.h"

static const struct route routes[] = {
	{ METHOD_POST, "/api/auth/validate-credentials",
	    validate_credentials_post, account_login, 1024,
	    ROUTE_LIVE | ROUTE_VERIFY },
	{ METHOD_POST, "/api/reseller/programs/sync",
	    sync_post, account_login, 1024, 0 },
	{ METHOD_POST, "/api/reseller/programs/sync-stream",
	    sync_stream_post, account_login, 1024, 0 },
	{ METHOD_GET, "/api/reseller/business-ids",
	    business_ids_get, account_login, 0, 0 },
	{ METHOD_GET, "/api/reseller/programs",
	    programs_get, account_login, 0, ROUTE_LIVE },
	{ METHOD_GET, "/api/jobs", jobs_get, account_login, 0, 0 },
	{ METHOD_GET, "/api/jobs/{id}", job_get, account_login, 0, 0 },
	{ METHOD_GET, "/api/jobs/{id}/events",
	    job_events_get, account_login, 0, 0 },

	{ METHOD_GET, "/healthz", healthz_get, NULL, 0, ROUTE_OPERATOR },
	{ METHOD_GET, "/readyz", readyz_get, NULL, 0, ROUTE_OPERATOR },
	{ METHOD_GET, "/status", status_get, NULL, 0, ROUTE_OPERATOR },
	{ METHOD_GET, "/metrics", metrics_get, NULL, 0, ROUTE_OPERATOR },
};

static const struct job_kind job_kinds[] = {
	{ SYNC_KIND, sync_run },
	{ SYNC_DRY_KIND, sync_run },
};

int
server_run_api(struct worker *w)
{
	return server_run(w, routes, nitems(routes), 0);
}

int
server_run_live(struct worker *w)
{
	return server_run(w, routes, nitems(routes), 1);
}

int
jobs_run(struct worker *w)
{
	return jobs_work(w, job_kinds, nitems(job_kinds));
}
