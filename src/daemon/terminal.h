/*
 * The user's terminal and other standard streams. With a pty: raw mode, bytes
 * both ways, window size, and suspending leash itself when the command is
 * stopped by Ctrl-Z with nobody inside to resume it. Without one: files and
 * pipes go in as they are, but a terminal is replaced by a pipe that we copy,
 * so that nothing inside ever holds the user's terminal.
 */
#pragma once

#include <uv.h>

#include "base/err.h"

struct terminal;

/*
 * Puts the terminal into raw mode and starts copying. Takes pty_fd, also on failure. When the
 * user's terminal goes away, the container's does: what runs there is hung up on, and reads the
 * end of its input.
 */
int terminal_start_pty(uv_loop_t *loop, int pty_fd, struct terminal **ret, struct err *err) _must_check_;
/*
 * Fills child_fds with what becomes the command's 0, 1 and 2; they are the
 * caller's to close, except that a value below 3 is our own stream itself.
 */
int terminal_start_pipes(uv_loop_t *loop, int child_fds[3], struct terminal **ret,
			 struct err *err) _must_check_;
/* Passes the window's size on to the container. */
void terminal_resize(struct terminal *t);
/* Restores the terminal, stops our process group until it is continued, and goes raw again. */
void terminal_suspend(struct terminal *t);
/* Copies what is still there, restores the terminal and frees everything. NULL is allowed. */
void terminal_free(struct terminal *t);
