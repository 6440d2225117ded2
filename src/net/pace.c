/* An adaptive cap on concurrency. */
#include "net/pace.h"

void
pace_init(struct pace *p, int start, int max)
{
	p->max = max;
	p->cap = start < max ? start : max;
	p->good = 0;
}

void
pace_good(struct pace *p)
{
	if (p->cap == p->max || ++p->good < p->cap)
		return;
	p->cap++;
	p->good = 0;
}

void
pace_trouble(struct pace *p)
{
	p->cap = p->cap > 1 ? p->cap / 2 : 1;
	p->good = 0;
}
