#ifndef CLI_ANALYTICS_H
#define CLI_ANALYTICS_H

/*
 * `lockstep analytics sync [-n] SELLER`: asks for a run of the seller's
 * products and shows how it goes.  Returns the exit status.
 */
int	cli_analytics(const char *conf_path, int argc, char **argv);

#endif
