/* Drawing progress. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MAX	100	/* longer lines are hard to read */
#define BAR_MIN		10

/* Rounded, and 100 only when all is there, as in the events. */
static int
percent(int64_t done, int64_t total)
{
	int64_t	 p;

	if (done >= total)
		return 100;
	p = (200 * done + total) / (2 * total);
	return p < 99 ? (int)p : 99;
}

void
progress_draw(char *out, size_t size, int width, int64_t done, int64_t total,
    int64_t added)
{
	char	 figures[80], bar[WIDTH_MAX + 1];
	int	 room, full;

	snprintf(figures, sizeof(figures), "%3d%%  %lld/%lld  %lld new",
	    percent(done, total), (long long)done, (long long)total,
	    (long long)added);
	if (width > WIDTH_MAX)
		width = WIDTH_MAX;
	/* The brackets, two blanks, and the last column left free. */
	room = width - (int)strlen(figures) - 5;
	if (room < BAR_MIN) {
		snprintf(out, size, "%.*s", width > 1 ? width - 1 : 0,
		    figures);
		return;
	}
	full = percent(done, total) * room / 100;
	memset(bar, '#', (size_t)full);
	memset(bar + full, '.', (size_t)(room - full));
	bar[room] = '\0';
	snprintf(out, size, "[%s]  %s", bar, figures);
}

static int
terminal_width(void)
{
	struct winsize	 ws;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 ?
	    ws.ws_col : 80;
}

void
progress_show(int64_t done, int64_t total, int64_t added)
{
	char	 line[2 * WIDTH_MAX];

	progress_draw(line, sizeof(line), terminal_width(), done, total,
	    added);
	/* CSI K: whatever was longer before is gone. */
	printf("\r%s\033[K", line);
	fflush(stdout);
}

void
progress_clear(void)
{
	fputs("\r\033[K", stdout);
	fflush(stdout);
}
