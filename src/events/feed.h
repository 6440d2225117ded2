#ifndef FEED_H
#define FEED_H

struct req;

/*
 * GET /api/reseller/events: hands over to stream, which follows the account's
 * changes from Last-Event-ID on, or from now.
 */
int	feed_get(struct req *);

#endif
