#include "daemon/window.h"

#include <unistd.h>

bool terminal_is_interactive(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

struct winsize terminal_window(void)
{
	struct winsize w = { .ws_row = 24, .ws_col = 80 };
	struct winsize real;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &real) == 0 && real.ws_row && real.ws_col)
		w = real;
	return w;
}
