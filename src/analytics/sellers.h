#ifndef SELLERS_H
#define SELLERS_H

/* Sellers over HTTP: adding, showing, another token, removing. */
struct req;

/* GET, POST /api/analytics/sellers */
int	sellers_get(struct req *);
int	sellers_post(struct req *);

/* GET, DELETE /api/analytics/sellers/{id}; POST …/token: another token. */
int	seller_get(struct req *);
int	seller_delete(struct req *);
int	seller_token_post(struct req *);

#endif
