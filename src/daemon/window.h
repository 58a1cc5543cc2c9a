/* The user's terminal, as far as one looks at it. */
#pragma once

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

/* Are standard input and output both a terminal? */
bool terminal_is_interactive(void);
/* Its size; one that most programs expect where it has none. */
struct winsize terminal_window(void);

/* Standard input's terminal as it was, while every byte goes to somebody else. */
struct raw_terminal {
	struct termios saved;
	bool is_raw;
};

/* Nothing happens where it is no terminal. */
void raw_terminal_enter(struct raw_terminal *t);
/* May be called without the other. */
void raw_terminal_leave(struct raw_terminal *t);
