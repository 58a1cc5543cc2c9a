/*
 * Messages for the person at the terminal, on standard error. Only main-level
 * code and event-loop handlers call these; libraries return errors instead.
 * Control bytes in messages are shown escaped; colours only on a terminal and
 * never under NO_COLOR.
 */
#pragma once

#include "base/attributes.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_DEBUG,
};

/* Messages above the level are dropped; LOG_LEVEL_NOTICE at start. */
void log_set_level(enum log_level level);
/* While the terminal is raw, lines must end in CR LF. */
void log_set_raw_terminal(bool raw);
/* May standard error, or another descriptor, be coloured? */
bool log_want_color(int fd);

/* Writes text as it is, which we made ourselves (a report with source lines and carets). */
void log_text(const char *text, size_t len);

void log_error(const char *fmt, ...) _printf_(1, 2);
void log_warning(const char *fmt, ...) _printf_(1, 2);
void log_notice(const char *fmt, ...) _printf_(1, 2);
void log_debug(const char *fmt, ...) _printf_(1, 2);
