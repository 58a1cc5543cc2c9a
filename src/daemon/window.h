/* The user's terminal, as far as one looks at it. */
#pragma once

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

/* Are standard input and output both a terminal? */
bool terminal_is_interactive(void);
/* Its size; one that most programs expect where it has none. */
struct winsize terminal_window(void);
