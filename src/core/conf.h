#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/compiler.h"

/*
 * The settings.  One table in conf.c says for each its name, type, range and
 * default; this struct is where they go.  Durations are in milliseconds,
 * sizes in bytes.  Read by the master before it forks; a worker reads no file.
 */
struct conf {
	const char	*run_dir;
	const char	*key_file;
	int64_t		 request_timeout_ms;
	int64_t		 shutdown_timeout_ms;
	int64_t		 max_requests;
	int64_t		 body_max;

	const char	*log_file;		/* or "-" for stderr */
	int64_t		 log_level;		/* enum log_level */

	int64_t		 socket_mode;		/* octal, as in chmod */
	const char	*socket_group;		/* "": none */

	const char	*db_url;
	const char	*db_direct_url;		/* "": db_url is direct */
	int64_t		 db_timeout_ms;
	int64_t		 db_job_timeout_ms;
	bool		 db_prepare;

	int64_t		 api_workers;
	int64_t		 live_workers;
	int64_t		 live_deadline_ms;
	int64_t		 live_fanout;
	int64_t		 stream_workers;
	int64_t		 stream_ping_ms;
	int64_t		 stream_max_clients;
	int64_t		 stream_buffer_max;
	int64_t		 stream_max_age_ms;

	int64_t		 jobs_workers;
	int64_t		 jobs_lease_ms;
	int64_t		 jobs_heartbeat_ms;
	int64_t		 jobs_keep_ms;

	int64_t		 events_keep_ms;

	const char	*schedule_sync;		/* cron; "": none */
	int64_t		 schedule_jitter_ms;

	const char	*partner_url;		/* no slash at the end */
	int64_t		 partner_concurrency;
	int64_t		 partner_concurrency_start;
	int64_t		 partner_rate;		/* calls a second, 0: any */
	int64_t		 partner_burst;		/* calls */
	int64_t		 partner_reserve;	/* percent */
	int64_t		 partner_connect_timeout_ms;
	int64_t		 partner_timeout_ms;
	int64_t		 partner_body_max;
	int64_t		 partner_retries;
	int64_t		 partner_retry_base_ms;

	const char	*analytics_url;		/* no slash at the end */
	int64_t		 analytics_funnel_interval_ms;
	int64_t		 analytics_texts_interval_ms;
	int64_t		 analytics_base_funnel_interval_ms;
	int64_t		 analytics_base_texts_interval_ms;
	int64_t		 analytics_batch_pause_ms;
	int64_t		 analytics_texts_limit;
	int64_t		 analytics_timeout_ms;
	int64_t		 analytics_body_max;
	int64_t		 analytics_retries;
	const char	*analytics_schedule;	/* cron; "": none */
	int64_t		 analytics_token_warning_ms;

	int64_t		 auth_lifetime_ms;
	int64_t		 auth_refusal_memory_ms;
	int64_t		 auth_refusals_per_name;
	int64_t		 auth_refusals_per_address;

	int64_t		 names_max_age_ms;
	int64_t		 names_retry_ms;

	int64_t		 sync_wait_max_ms;

	int64_t		 programs_full_every_ms;
	int64_t		 programs_retire_max_share;	/* percent */
};

#define CONF_ERR_SIZE	512

/*
 * A complete new configuration from defaults, the file at path and then the
 * environment (LOCKSTEP_DB_URL for db.url; for secrets LOCKSTEP_DB_URL_FILE
 * too, which names a file that holds the value).  The caller owns it and ends
 * it with conf_free().  NULL on the first unknown key or bad value; err then
 * holds "file:line: key: what", "LOCKSTEP_…: what" or, where settings do not go
 * together, "key: what", and never a value.
 */
struct conf	*conf_load(const char *path, char err[CONF_ERR_SIZE])
		    MUST_CHECK;
void		 conf_free(struct conf *);

/* Is there a pool between db.url and PostgreSQL, and db.direct_url past it? */
bool		 conf_has_pool(const struct conf *);

/* Writes every setting as a file that conf_load() reads, secrets masked. */
void		 conf_print(const struct conf *, FILE *);

#endif
