#ifndef LIST_H
#define LIST_H

struct req;

/*
 * GET /api/reseller/programs: the partner's own list, live; with a business,
 * its programs from the registry with their details from the partner.
 */
int	programs_get(struct req *);

#endif
