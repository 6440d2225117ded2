#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

/*
 * `lockstep account list`, `add USER`, `verify ACCOUNT`, `disable ACCOUNT`.
 * A password is asked for on the terminal or read from the standard input,
 * one line; it is never an argument, which everybody could see.  Returns the
 * exit status.
 */
int	cli_account(const char *conf_path, int argc, char **argv);

#endif
