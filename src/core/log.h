#ifndef LOG_H
#define LOG_H

#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

/*
 * One logfmt line an event, written with one write(2):
 *
 *	ts=… level=info worker=jobs/0 rid=… job=… account=7
 *	    msg="sync: start" mode=full
 *
 * Never a secret, a body or personal data in a field.
 */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL__MAX };

/* An array of fields ends with one whose key is NULL. */
struct log_field {
	const char	*key;
	const char	*str;		/* NULL: the number is meant */
	double		 num;
	int		 decimals;	/* of num: 0 for whole numbers */
};

#define F_STR(k, v)	{ .key = (k), .str = log_str(v) }
#define F_INT(k, v)	{ .key = (k), .num = (double)(v) }
#define F_SEC(k, v)	{ .key = (k), .num = (v), .decimals = 3 }

/* F_STR of strerror(errno): give it where errno is still the failed call's. */
#define F_ERRNO		{ .key = "err", .str = log_errno() }

/* msg is "subsystem: what", lower case; the fields follow it. */
#define log_debug(...)	LOG__AT(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)	LOG__AT(LOG_INFO, __VA_ARGS__)
#define log_warn(...)	LOG__AT(LOG_WARN, __VA_ARGS__)
#define log_error(...)	LOG__AT(LOG_ERROR, __VA_ARGS__)

#define LOG__AT(level, ...) \
	do { \
		if (log_wants(level)) \
			LOG__LINE(level, __VA_ARGS__, { .key = NULL }); \
	} while (0)
#define LOG__LINE(level, msg, ...) \
	log_line(level, msg, (const struct log_field[]){ __VA_ARGS__ })

/*
 * Logs at error level and exits 1: for what is wrong at start, and for out of
 * memory.  log_errno() may be among the fields.
 */
#define fatal(...) \
	do { \
		LOG__LINE(LOG_ERROR, __VA_ARGS__, { .key = NULL }); \
		log_exit(); \
	} while (0)

/*
 * Where lines go: a path that is appended to, or "-" for stderr (also before
 * the first call).  -1 with errno when the file cannot be opened; then the
 * old place stays.
 */
int		 log_open(const char *path) MUST_CHECK;

/* Opens the same path again, after it was moved away (USR1). */
void		 log_reopen(void);

/* Lines below this level are left out; 1 when one of this level is not. */
void		 log_set_level(enum log_level);
int		 log_wants(enum log_level);

/* "debug", "info", "warn" or "error". */
const char	*log_level_name(enum log_level);

/* Whose lines these are, as "api/3"; copied. */
void		 log_set_worker(const char *name);

/*
 * What is in hand, put into each line until changed: request id, job id and
 * account id.  Copied; NULL or 0 takes it out again.
 */
void		 log_set_request(const char *rid);
void		 log_set_job(const char *job_id);
void		 log_set_account(int64_t account_id);

/* What the macros stand on. */
void		 log_line(enum log_level, const char *msg,
		    const struct log_field *fields);
const char	*log_errno(void);
const char	*log_str(const char *);		/* "" for NULL */
void		 log_exit(void) NORETURN;

#endif
