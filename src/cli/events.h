#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

/*
 * `lockstep events [-f] [ACCOUNT]`: the changes that are kept, of one account
 * or all, as JSON lines; with -f, those to come.  Returns the exit status.
 */
int	cli_events(const char *conf_path, int argc, char **argv);

#endif
