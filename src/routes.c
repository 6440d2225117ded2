/* Every endpoint, with its preconditions, and every kind of job. */
#include "routes.h"

#include "analytics/products.h"
#include "analytics/run.h"
#include "analytics/seller.h"
#include "analytics/sellers.h"
#include "analytics/table.h"
#include "analytics/task.h"
#include "core/compiler.h"
#include "core/conf.h"
#include "events/feed.h"
#include "http/route.h"
#include "http/server.h"
#include "http/status.h"
#include "jobs/control.h"
#include "jobs/watch.h"
#include "jobs/worker.h"
#include "programs/account.h"
#include "programs/business_ids.h"
#include "programs/custom_name.h"
#include "programs/filters.h"
#include "programs/list.h"
#include "programs/registry.h"
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
	    business_ids_get, account_login, 0, ROUTE_ETAG },
	{ METHOD_GET, "/api/reseller/programs?source=registry",
	    registry_get, account_login, 0, ROUTE_ETAG },
	{ METHOD_GET, "/api/reseller/programs",
	    programs_get, account_login, 0, ROUTE_LIVE },
	{ METHOD_GET, "/api/reseller/available-filters",
	    available_filters_get, account_login, 0, ROUTE_ETAG },
	{ METHOD_POST, "/api/reseller/program/{id}/custom-name",
	    custom_name_post, account_login, 4096, 0 },
	{ METHOD_GET, "/api/reseller/events", feed_get, account_login, 0, 0 },
	{ METHOD_GET, "/api/jobs", jobs_get, account_login, 0, 0 },
	{ METHOD_GET, "/api/jobs/{id}", job_get, account_login, 0, 0 },
	{ METHOD_GET, "/api/jobs/{id}/events",
	    job_events_get, account_login, 0, 0 },
	{ METHOD_POST, "/api/jobs/{id}/cancel",
	    job_cancel_post, account_login, 1024, 0 },
	{ METHOD_POST, "/api/jobs/{id}/pause",
	    job_pause_post, account_login, 1024, 0 },
	{ METHOD_POST, "/api/jobs/{id}/resume",
	    job_resume_post, account_login, 1024, 0 },
	{ METHOD_POST, "/api/jobs/{id}/retry",
	    job_retry_post, account_login, 1024, 0 },

	{ METHOD_GET, "/api/analytics/sellers",
	    sellers_get, seller_login, 0, 0 },
	{ METHOD_POST, "/api/analytics/sellers",
	    sellers_post, seller_login, 8192, ROUTE_LIVE },
	{ METHOD_GET, "/api/analytics/sellers/{id}",
	    seller_get, seller_login, 0, 0 },
	{ METHOD_DELETE, "/api/analytics/sellers/{id}",
	    seller_delete, seller_login, 0, 0 },
	{ METHOD_POST, "/api/analytics/sellers/{id}/token",
	    seller_token_post, seller_login, 8192, ROUTE_LIVE },
	{ METHOD_POST, "/api/analytics/sellers/{id}/products",
	    products_post, seller_login, 262144, 0 },
	{ METHOD_DELETE, "/api/analytics/sellers/{id}/products",
	    products_delete, seller_login, 262144, 0 },
	{ METHOD_GET, "/api/analytics/sellers/{id}/events",
	    seller_events_get, seller_login, 0, 0 },
	{ METHOD_POST, "/api/analytics/sync-background",
	    sync_background_post, seller_login, 4096, 0 },
	{ METHOD_GET, "/api/analytics/products",
	    table_get, seller_login, 0, 0 },
	{ METHOD_GET, "/api/analytics/products/{id}",
	    product_get, seller_login, 0, 0 },
	{ METHOD_GET, "/api/analytics/jobs", jobs_get, seller_login, 0, 0 },
	{ METHOD_GET, "/api/analytics/jobs/{id}",
	    job_get, seller_login, 0, 0 },
	{ METHOD_GET, "/api/analytics/jobs/{id}/events",
	    job_events_get, seller_login, 0, 0 },
	{ METHOD_POST, "/api/analytics/jobs/{id}/cancel",
	    job_cancel_post, seller_login, 1024, 0 },
	{ METHOD_POST, "/api/analytics/jobs/{id}/pause",
	    job_pause_post, seller_login, 1024, 0 },
	{ METHOD_POST, "/api/analytics/jobs/{id}/resume",
	    job_resume_post, seller_login, 1024, 0 },
	{ METHOD_POST, "/api/analytics/jobs/{id}/retry",
	    job_retry_post, seller_login, 1024, 0 },

	{ METHOD_GET, "/healthz", healthz_get, NULL, 0, ROUTE_OPERATOR },
	{ METHOD_GET, "/readyz", readyz_get, NULL, 0, ROUTE_OPERATOR },
	{ METHOD_GET, "/status", status_get, NULL, 0, ROUTE_OPERATOR },
	{ METHOD_GET, "/metrics", metrics_get, NULL, 0, ROUTE_OPERATOR },
};

static const struct job_kind job_kinds[] = {
	{ SYNC_KIND, sync_run, SYNC_START_EVENT, "partner",
	    offsetof(struct conf, schedule_sync), NULL },
	{ RUN_KIND, run_run, RUN_START_EVENT, "wb",
	    offsetof(struct conf, analytics_schedule), RUN_REQUEST },
	{ SYNC_DRY_KIND, sync_run, SYNC_START_EVENT, NULL, 0, NULL },
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
