#ifndef PRODUCTS_H
#define PRODUCTS_H

struct req;

/*
 * POST /api/analytics/sellers/{id}/products: which of the seller's products
 * are looked at.  {"nmIds":[…]}, text/csv with an id first on each line, or
 * {"all":true}: all that the API lists, found by the next run.  What is no id
 * is skipped and reported, item by item.
 */
int	products_post(struct req *);

/*
 * DELETE on the same: those with these ids are looked at no longer, and what is
 * stored of them is gone.
 */
int	products_delete(struct req *);

#endif
