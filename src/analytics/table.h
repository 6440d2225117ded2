#ifndef TABLE_H
#define TABLE_H

struct req;

/*
 * GET /api/analytics/products: a seller's products with their newest figures,
 * searched, sorted, page by page, with the sums of all that match; with Accept:
 * text/csv all of them as a file.
 */
int	table_get(struct req *);

/*
 * GET /api/analytics/products/{nmId}: one product with all of its search texts
 * and its figures of past periods.
 */
int	product_get(struct req *);

#endif
