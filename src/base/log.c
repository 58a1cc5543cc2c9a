#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

static enum log_level max_level = LOG_LEVEL_NOTICE;
static bool terminal_is_raw;

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_set_raw_terminal(bool raw)
{
	terminal_is_raw = raw;
}

bool log_want_color(int fd)
{
	const char *no_color = secure_getenv("NO_COLOR");
	const char *term = secure_getenv("TERM");

	return !(no_color && *no_color) && term && strcmp(term, "dumb") != 0 && isatty(fd);
}

static void append_escaped(struct buf *line, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			(void)buf_append_str(line, terminal_is_raw ? "\r\n" : "\n");
		else if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			(void)buf_printf(line, "\\x%02x", (unsigned)(unsigned char)*text);
		else
			(void)buf_append_char(line, *text);
	}
}

_printf_(2, 0) static void emit(enum log_level level, const char *fmt, va_list ap)
{
	static const char *const colors[] = { "\033[31m", "\033[33m", "\033[36m", "\033[2m" };
	_cleanup_buf_ struct buf line = BUF_INIT(0);
	_cleanup_free_ char *text = NULL;
	bool color = log_want_color(STDERR_FILENO);

	if (level > max_level || vasprintf(&text, fmt, ap) < 0)
		return;
	(void)buf_printf(&line, "%sleash:%s ", color ? colors[level] : "", color ? "\033[0m" : "");
	append_escaped(&line, text);
	(void)buf_append_str(&line, terminal_is_raw ? "\r\n" : "\n");
	if (fd_write_all(STDERR_FILENO, line.data, line.len) < 0)
		return; /* nowhere left to say so */
}

void log_text(const char *text, size_t len)
{
	if (fd_write_all(STDERR_FILENO, text, len) < 0)
		return;
}

#define DEFINE_LOG(name, level)                \
	void name(const char *fmt, ...)        \
	{                                      \
		va_list ap;                    \
		va_start(ap, fmt);             \
		emit(level, fmt, ap);          \
		va_end(ap);                    \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_notice, LOG_LEVEL_NOTICE)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
