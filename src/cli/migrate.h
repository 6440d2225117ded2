#ifndef CLI_MIGRATE_H
#define CLI_MIGRATE_H

/*
 * `lockstep migrate`: brings the database to this binary's schema.  Returns
 * the exit status; 2 for arguments, as it takes none.
 */
int	cli_migrate(const char *conf_path, int argc, char **argv);

#endif
