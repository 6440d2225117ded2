#ifndef BUSINESS_IDS_H
#define BUSINESS_IDS_H

struct req;

/* GET /api/reseller/business-ids */
int	business_ids_get(struct req *);

#endif
