/*
 * Calling the engine's client: short calls whose answers are read, and the long
 * one that is the session.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

typedef VEC(char *) client_words; /* owned, NULL-terminated by client_call and client_start */

void client_add(client_words *w, const char *word);
void client_addf(client_words *w, const char *fmt, ...) _printf_(2, 3);
void client_done(client_words *w);

/*
 * Runs program with the words (argv[0] among them), reads what it prints and waits. The exit
 * status, or a negative errno where it could not be run, took longer (-ETIMEDOUT) or said more
 * than the buffers may hold.
 */
int client_call(const char *program, client_words *w, struct buf *out, struct buf *errors,
		uint64_t timeout_ms) _must_check_;
/* The same with the user's standard error for both outputs, without a limit of time. */
int client_show(const char *program, client_words *w) _must_check_;
/* Makes this process the client. A negative errno where that fails. */
int client_become(const char *program, client_words *w) _must_check_;
/*
 * Starts it with a pipe for its standard input, out of the terminal's process group; it is killed
 * when this process dies. Its standard error is the descriptor. Returns the pipe's writing end,
 * non-blocking.
 */
int client_start(const char *program, client_words *w, int error_fd, pid_t *ret_pid) _must_check_;
