#include "event/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"

/* Written out when so much has gathered, so that a busy session costs few system calls. */
#define FLUSH_SIZE ((size_t)256 * 1024)
/* JSON needs at most six bytes for one of a ring's records, plus keys. */
#define LINE_MAX_LEN ((size_t)2 * 1024 * 1024)

struct event_log {
	int fd;
	int error;
	uint64_t seq;	/* of the last record */
	off_t good_len; /* of the file: whole records */
	struct buf lines, line;
	char *session;
	char head[SHA256_HEX_LEN + 1]; /* hash of the last line */
};

static void set_zero_hash(char hex[SHA256_HEX_LEN + 1])
{
	memset(hex, '0', SHA256_HEX_LEN);
	hex[SHA256_HEX_LEN] = 0;
}

int event_log_create(const char *path, const char *session, struct event_log **ret, struct err *err)
{
	struct event_log *l;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return err_set(err, -errno, "create the event log %s", path);
	/* A file system without locks only leaves others unsure whether the session still runs. */
	(void)fcntl(fd, F_OFD_SETLK, &lock);
	l = xnew(struct event_log);
	l->fd = fd;
	l->session = xstrdup(session);
	l->line.max = LINE_MAX_LEN;
	set_zero_hash(l->head);
	*ret = l;
	return 0;
}

static int format(struct event_log *l, const struct event *e)
{
	struct event now;

	buf_reset(&l->line);
	if (e->time_ns)
		return event_to_json(e, l->seq + 1, l->session, l->head, &l->line);
	now = *e;
	now.time_ns = clock_real_ns();
	return event_to_json(&now, l->seq + 1, l->session, l->head, &l->line);
}

/* A record that cannot be written leaves one that says so. */
static int format_or_lose(struct event_log *l, const struct event *e)
{
	struct event lost = { .kind = EVENT_LOST, .time_ns = e->time_ns, .count = 1 };

	if (format(l, e) == 0)
		return 0;
	lost.message = SPAN("an event was too large for the log");
	return format(l, &lost);
}

uint64_t event_log_append(struct event_log *l, const struct event *e)
{
	if (l->error)
		return 0;
	l->error = format_or_lose(l, e);
	if (l->error)
		return 0;
	sha256_hex(buf_span(&l->line), l->head);
	l->seq++;
	(void)buf_append_span(&l->lines, buf_span(&l->line));
	(void)buf_append_char(&l->lines, '\n');
	if (l->lines.len >= FLUSH_SIZE && event_log_flush(l, /* sync = */ false) < 0)
		return 0;
	return l->seq;
}

int event_log_flush(struct event_log *l, bool sync)
{
	if (l->error)
		return l->error;
	l->error = fd_write_all(l->fd, l->lines.data, l->lines.len);
	if (l->error) {
		/* A full disk took half a record: take it back, so that what is there can be
		 * checked. */
		if (ftruncate(l->fd, l->good_len) < 0)
			return l->error;
		return l->error;
	}
	l->good_len += (off_t)l->lines.len;
	buf_reset(&l->lines);
	if (sync && fdatasync(l->fd) < 0)
		l->error = -errno;
	return l->error;
}

int event_log_error(const struct event_log *l)
{
	return l->error;
}

uint64_t event_log_head(const struct event_log *l, char ret_hex[SHA256_HEX_LEN + 1])
{
	memcpy(ret_hex, l->head, sizeof(l->head));
	return l->seq;
}

void event_log_free(struct event_log *l)
{
	if (!l)
		return;
	fd_close(l->fd);
	buf_done(&l->lines);
	buf_done(&l->line);
	xfree(l->session);
	xfree(l);
}

bool event_log_is_open(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* ---- Checking -------------------------------------------------------------- */

struct verifier {
	struct event_log_report *report;
	struct err *err;
};

static int bad_line(const struct verifier *v, const char *why)
{
	v->report->bad_line = v->report->n_records + 1;
	return err_say(v->err, -EBADMSG, "line %llu: %s", (unsigned long long)v->report->bad_line,
		       why);
}

/* Consumes the literal at the start of *s. */
static bool skip(struct span *s, struct span literal)
{
	if (!span_starts_with(*s, literal))
		return false;
	*s = span_from(*s, literal.len);
	return true;
}

/* The decimal number, without leading zeros, at the start of *s; 0 is none. */
static uint64_t take_seq(struct span *s)
{
	uint64_t n = 0;

	while (s->len && s->p[0] >= '0' && s->p[0] <= '9' && (n || s->p[0] != '0')) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s->p[0] - '0'), &n))
			return 0;
		*s = span_from(*s, 1);
	}
	return n;
}

/* Up to its kind a line holds nothing that an agent chose: the first "kind" is the record's. */
static bool is_stop(struct span line)
{
	static const char key[] = "\"kind\":\"session.stop\"";
	const char *kind = memmem(line.p, line.len, key, strlen("\"kind\":"));

	return kind && span_starts_with(span_from(line, (size_t)(kind - line.p)),
					span_make(key, sizeof(key) - 1));
}

/* The line ends in ,"prev":"<64 hex>"} */
static bool has_prev(struct span line, const char *hex)
{
	static const char key[] = ",\"prev\":\"";
	size_t tail_len = sizeof(key) - 1 + SHA256_HEX_LEN + 2;
	struct span tail;

	if (line.len < tail_len)
		return false;
	tail = span_from(line, line.len - tail_len);
	return skip(&tail, SPAN(",\"prev\":\"")) && skip(&tail, span_of(hex)) &&
	       span_eq(tail, SPAN("\"}"));
}

static int verify_line(const struct verifier *v, struct span line)
{
	struct event_log_report *r = v->report;
	struct span rest = line;

	if (!skip(&rest, SPAN("{\"seq\":")))
		return bad_line(v, "not a record of an event log");
	if (take_seq(&rest) != r->n_records + 1)
		return bad_line(v, "not the record that follows: records are missing, added or in "
				   "another order");
	if (!has_prev(line, r->head_hex))
		return bad_line(
			v, r->n_records
				   ? "the hash in it does not match the line before: one of the "
				     "two was changed"
				   : "the first record does not begin a chain: it was changed");
	r->n_records++;
	r->is_stopped = is_stop(line);
	sha256_hex(line, r->head_hex);
	return 0;
}

/* Checks the whole lines in what was read and consumes them. */
static int verify_lines(const struct verifier *v, struct buf *in)
{
	size_t done = 0;
	int err = 0;

	while (err == 0) {
		const char *start = in->data + done;
		const char *end = in->len > done ? memchr(start, '\n', in->len - done) : NULL;

		if (!end)
			break;
		err = verify_line(v, span_make(start, (size_t)(end - start)));
		done += (size_t)(end - start) + 1;
	}
	buf_consume(in, done);
	return err;
}

int event_log_verify(int fd, struct event_log_report *ret, struct err *err)
{
	const struct verifier v = { ret, err };
	_cleanup_buf_ struct buf in = BUF_INIT(LINE_MAX_LEN + FLUSH_SIZE);
	off_t at = 0;
	int result = 0;

	*ret = (struct event_log_report){ 0 };
	set_zero_hash(ret->head_hex);
	while (result == 0) {
		char *to = buf_reserve(&in, FLUSH_SIZE);
		ssize_t n;

		if (!to)
			return bad_line(&v, "longer than any record");
		n = pread(fd, to, FLUSH_SIZE, at);
		if (n < 0 && errno != EINTR)
			return err_set(err, -errno, "read the event log");
		if (n == 0)
			break;
		if (n > 0) {
			buf_grow(&in, (size_t)n);
			at += n;
		}
		result = verify_lines(&v, &in);
	}
	ret->is_cut = result == 0 && in.len;
	if (ret->is_cut)
		return bad_line(&v,
				"cut short: it was being written when leash or the machine died, "
				"or its end was removed");
	return result;
}
