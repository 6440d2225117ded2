#ifndef TASK_H
#define TASK_H

struct req;

/*
 * POST /api/analytics/sync-background: 202 and the id of the seller's run,
 * which is a new one or the one under way; with "ifOlderThanHours", 200 and no
 * id when the data is younger.
 */
int	sync_background_post(struct req *);

#endif
