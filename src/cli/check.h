#ifndef CHECK_H
#define CHECK_H

/*
 * `lockstep check [-T]`: reads the configuration and the key file as serve
 * would and says "configuration ok", or with -T prints all settings, secrets
 * masked.  What is wrong goes to stderr.  Returns the exit status; 2 for
 * arguments that it does not know.
 */
int	cli_check(const char *conf_path, int argc, char **argv);

#endif
