#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>

/*
 * Signals, for the master as a stream of numbers, for a worker as two flags.
 * Nothing but a write(2) or a store happens in a handler.
 */

/*
 * The master's: TERM, INT, HUP, USR1 and CHLD are to be read with
 * signals_next(), PIPE is ignored.  Returns a descriptor that polls readable
 * when one has come; it stays ours.  What fails is fatal.
 */
int	signals_master(void);

/* The number of the next signal that came to the master, 0 for none left. */
int	signals_next(void);

/*
 * Around fork(): between the two no handler runs, so that a signal to the
 * fresh child is not taken for one to the master.  The child calls
 * signals_worker() in between.
 */
void	signals_hold(void);
void	signals_release(void);

/*
 * The worker's handlers in place of the master's, whose pipe is closed.  To
 * be called before FCGX_Init, which takes over what is default or ignored.
 */
void	signals_worker(void);

/* True once TERM has come. */
bool	signals_stop(void);

/* True once for every time that USR1 came since the last call, or more. */
bool	signals_reopen(void);

#endif
