#include "cli/log-lines.h"

#include <errno.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 * 1024)
#define LINE_MAX_LEN ((size_t)4 * 1024 * 1024)

void log_lines_init(struct log_lines *l, int fd)
{
	*l = (struct log_lines){ .fd = fd, .in = BUF_INIT(LINE_MAX_LEN + READ_SIZE) };
}

void log_lines_done(struct log_lines *l)
{
	buf_done(&l->in);
}

static bool take_line(struct log_lines *l, struct span *ret)
{
	struct span rest = span_from(buf_span(&l->in), l->taken);
	const char *end = rest.len ? memchr(rest.p, '\n', rest.len) : NULL;

	if (!end)
		return false;
	*ret = span_make(rest.p, (size_t)(end - rest.p));
	l->taken += ret->len + 1;
	l->n_lines++;
	return true;
}

int log_lines_next(struct log_lines *l, struct span *ret, struct err *err)
{
	while (!take_line(l, ret)) {
		char *to;
		ssize_t n;

		buf_consume(&l->in, l->taken);
		l->taken = 0;
		to = buf_reserve(&l->in, READ_SIZE);
		if (!to)
			return err_say(err, -EBADMSG, "the event log's line %llu is too long",
				       (unsigned long long)l->n_lines + 1);
		n = read(l->fd, to, READ_SIZE);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_set(err, -errno, "read the event log");
		if (n > 0)
			buf_grow(&l->in, (size_t)n);
	}
	return 1;
}
