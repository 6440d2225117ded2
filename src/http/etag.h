#ifndef ETAG_H
#define ETAG_H

#include <stdbool.h>

/*
 * Entity tags of answers that come from the registry alone: they are good as
 * long as the account's registry version, the Pacific date (a status changes
 * at midnight without a write) and what was asked stay as they are.
 */
struct req;

/*
 * Gives the request its tag, which every 200 and 304 then carries.  True when
 * If-None-Match holds it already: there is nothing to make.  To be called
 * after the login, with the version that it has read: an answer made later
 * may be newer than its tag, never older.
 */
bool	etag_check(struct req *);

/*
 * Whether the value of If-None-Match names the tag, compared weakly (RFC
 * 9110, 8.8.3.2 and 13.1.2): nginx makes a strong tag weak when it compresses.
 */
bool	etag_matches(const char *if_none_match, const char *etag);

#endif
