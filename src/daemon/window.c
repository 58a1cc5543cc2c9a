#include "daemon/window.h"

#include <unistd.h>

#include "base/log.h"

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

void raw_terminal_enter(struct raw_terminal *t)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
	log_set_raw_terminal(t->is_raw);
}

void raw_terminal_leave(struct raw_terminal *t)
{
	if (t->is_raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	t->is_raw = false;
	log_set_raw_terminal(false);
}
