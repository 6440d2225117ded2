#ifndef PACE_H
#define PACE_H

/*
 * How many calls may run at once.  Halved on each sign of trouble that smells
 * of too much load, raised by one after as many good answers as the cap is
 * high, up to the highest that is set (additive increase, multiplicative
 * decrease).  With equal calls and nothing going wrong the n-th round of them
 * is therefore start + n - 1 wide, until max is reached: 48 pages take seven
 * rounds from 6 to 8, six with 8 from the beginning.
 */
struct pace {
	int	 max;
	int	 cap;
	int	 good;		/* answers since the last change */
};

/*
 * At start, which is at least 1; above max it is max.  Then an answer that was
 * good, or bad.
 */
void	pace_init(struct pace *, int start, int max);
void	pace_good(struct pace *);
void	pace_trouble(struct pace *);

#endif
