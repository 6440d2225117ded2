#ifndef CUSTOM_NAME_H
#define CUSTOM_NAME_H

struct req;

/*
 * POST /api/reseller/program/{id}/custom-name {"custom_name":"..."}: the user's
 * own name for a program, which no sync ever touches; null or nothing but
 * blanks takes it away.  Answers the row.
 */
int	custom_name_post(struct req *);

#endif
