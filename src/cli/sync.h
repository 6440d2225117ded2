#ifndef CLI_SYNC_H
#define CLI_SYNC_H

/*
 * `lockstep sync [-fn] ACCOUNT`: asks for a sync as a client would and shows
 * how it goes: a progress bar on a terminal, elsewhere its events as JSON
 * lines.  Returns the exit status.
 */
int	cli_sync(const char *conf_path, int argc, char **argv);

#endif
