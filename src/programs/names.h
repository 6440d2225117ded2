#ifndef NAMES_H
#define NAMES_H

/*
 * What an account's businesses are called: asked of the partner with the
 * account's login, up to 200 in a call, after a sync has written its programs
 * (partner contract, section 4).
 */
struct account;
struct job;

/*
 * Brings the names up to date that are new, old, or to be tried again; outside
 * of transactions.  Nothing that goes wrong here is the job's failure: what
 * has no name stays an id, and is asked about by a later sync.
 */
void	names_fetch(struct job *, const struct account *);

#endif
