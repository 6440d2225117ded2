#ifndef KEYGEN_H
#define KEYGEN_H

/*
 * `lockstep keygen FILE`: writes a fresh key to a file that must not exist.
 * Returns the exit status; 2 when FILE is not the only argument.
 */
int	cli_keygen(const char *conf_path, int argc, char **argv);

#endif
