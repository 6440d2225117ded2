#ifndef PACE_H
#define PACE_H

/*
 * How many calls may run at once: the cap that is set, less after failures
 * that smell of too much load.  Halved on each sign of trouble, raised by one
 * after as many good answers as the cap is high (additive increase,
 * multiplicative decrease).
 */
struct pace {
	int	 max;
	int	 cap;
	int	 good;		/* answers since the last change */
};

/* At the cap that is set (max >= 1); then an answer that was good, or bad. */
void	pace_init(struct pace *, int max);
void	pace_good(struct pace *);
void	pace_trouble(struct pace *);

#endif
