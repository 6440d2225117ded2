#ifndef PROGRESS_H
#define PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A progress bar on a terminal: one line that is written over.
 */

/* The line for a terminal of that width, cut to it; without line ends. */
void	progress_draw(char *out, size_t size, int width, int64_t done,
	    int64_t total, int64_t added);

/* Writes it over the one before; and takes it away. */
void	progress_show(int64_t done, int64_t total, int64_t added);
void	progress_clear(void);

#endif
