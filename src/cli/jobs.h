#ifndef CLI_JOBS_H
#define CLI_JOBS_H

/*
 * `lockstep jobs [-a ACCOUNT] [-n N]`: the newest jobs, as a table on a
 * terminal, elsewhere as JSON lines.  Returns the exit status.
 */
int	cli_jobs(const char *conf_path, int argc, char **argv);

/* `lockstep job show|cancel|pause|resume|retry ID`: prints the job. */
int	cli_job(const char *conf_path, int argc, char **argv);

#endif
