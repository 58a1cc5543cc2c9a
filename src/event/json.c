#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json-writer.h"
#include "event/event-private.h"
#include "event/linux-numbers.h"

/* O_LARGEFILE is 0 in 64-bit programs; 32-bit ones pass the kernel's own value. */
static const struct flag_name {
	uint32_t mask, bits;
	const char *name;
} flag_names[] = {
	{ LINUX_O_PATH, LINUX_O_PATH, "O_PATH" },
	{ LINUX_O_ACCMODE | LINUX_O_PATH, LINUX_O_RDONLY, "O_RDONLY" },
	{ LINUX_O_ACCMODE, LINUX_O_WRONLY, "O_WRONLY" },
	{ LINUX_O_ACCMODE, LINUX_O_RDWR, "O_RDWR" },
	{ LINUX_O_CREAT, LINUX_O_CREAT, "O_CREAT" },
	{ LINUX_O_EXCL, LINUX_O_EXCL, "O_EXCL" },
	{ LINUX_O_TRUNC, LINUX_O_TRUNC, "O_TRUNC" },
	{ LINUX_O_APPEND, LINUX_O_APPEND, "O_APPEND" },
	{ LINUX_O_NOCTTY, LINUX_O_NOCTTY, "O_NOCTTY" },
	{ LINUX_O_NONBLOCK, LINUX_O_NONBLOCK, "O_NONBLOCK" },
	{ LINUX_O_SYNC, LINUX_O_SYNC, "O_SYNC" },
	{ LINUX_O_SYNC, LINUX_O_DSYNC, "O_DSYNC" },
	{ LINUX_O_ASYNC, LINUX_O_ASYNC, "O_ASYNC" },
	{ LINUX_O_DIRECT, LINUX_O_DIRECT, "O_DIRECT" },
	{ LINUX_O_TMPFILE, LINUX_O_TMPFILE, "O_TMPFILE" },
	{ LINUX_O_TMPFILE, LINUX_O_DIRECTORY, "O_DIRECTORY" },
	{ LINUX_O_NOFOLLOW, LINUX_O_NOFOLLOW, "O_NOFOLLOW" },
	{ LINUX_O_NOATIME, LINUX_O_NOATIME, "O_NOATIME" },
	{ LINUX_O_CLOEXEC, LINUX_O_CLOEXEC, "O_CLOEXEC" },
};

/* "O_WRONLY|O_CREAT|0x80000000": numbers differ between architectures, names do not. */
static void write_flags(struct json_writer *w, uint32_t flags)
{
	char text[320];
	size_t n = 0;
	uint32_t rest = flags & ~(uint32_t)LINUX_O_ACCMODE;

	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
		const struct flag_name *f = &flag_names[i];

		if ((flags & f->mask) != f->bits)
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? "|" : "", f->name);
		rest &= ~f->bits;
	}
	if (rest || n == 0)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s0x%x", n ? "|" : "", rest);
	json_key_string(w, "flags", span_make(text, n));
}

/* Texts separated by NUL, as an array. */
static void write_list(struct json_writer *w, const char *key, struct span list)
{
	json_key(w, key);
	json_begin_array(w);
	while (list.len) {
		const char *end = memchr(list.p, 0, list.len);
		size_t n = end ? (size_t)(end - list.p) : list.len;

		json_string(w, span_make(list.p, n));
		list = span_from(list, n + 1);
	}
	json_end_array(w);
}

static void write_action(struct json_writer *w, const struct event *e)
{
	json_key_string(w, "kind", span_of(event_kind_name(e->kind)));
	if (e->decision != EVENT_DECISION_NONE) {
		json_key_string(w, "decision", span_of(event_decision_name(e->decision)));
		write_list(w, "policies", e->policies.len ? e->policies : SPAN("default"));
	} else if (e->policies.len) {
		write_list(w, "policies", e->policies);
	}
	json_key_string_opt(w, "mode", e->mode);
	if (e->backend != EVENT_BACKEND_NONE)
		json_key_string(w, "backend", span_of(event_backend_name(e->backend)));
	if (e->generation)
		json_key_uint(w, "generation", e->generation);
}

static void write_process(struct json_writer *w, const struct event *e)
{
	if (e->pid)
		json_key_int(w, "pid", e->pid);
	if (e->ppid)
		json_key_int(w, "ppid", e->ppid);
	if (e->has_uid)
		json_key_uint(w, "uid", e->uid);
	json_key_string_opt(w, "exe", e->exe);
	json_key_string_opt(w, "comm", e->comm);
	json_key_string_opt(w, "cwd", e->cwd);
}

/* How a file was wanted. */
static void write_manner(struct json_writer *w, const struct event *e)
{
	char mode_bits[16];

	json_key_string_opt(w, "access", e->access);
	if (e->has_flags)
		write_flags(w, e->flags);
	if (e->has_mode_bits) {
		(void)snprintf(mode_bits, sizeof(mode_bits), "%04o", e->mode_bits);
		json_key_string(w, "mode_bits", span_of(mode_bits));
	}
}

static void write_network(struct json_writer *w, const struct event *e)
{
	json_key_string_opt(w, "host", e->host);
	json_key_string_opt(w, "ip", e->ip);
	if (e->has_port)
		json_key_uint(w, "port", e->port);
	json_key_string_opt(w, "protocol", e->protocol);
	json_key_string_opt(w, "family", e->family);
	if (e->bytes_in)
		json_key_uint(w, "bytes_in", e->bytes_in);
	if (e->bytes_out)
		json_key_uint(w, "bytes_out", e->bytes_out);
	json_key_string_opt(w, "method", e->method);
	json_key_string_opt(w, "url", e->url);
	json_key_string_opt(w, "header", e->header);
	json_key_string_opt(w, "secret", e->secret);
}

static void write_outcome(struct json_writer *w, const struct event *e)
{
	const char *name;

	if (e->has_status)
		json_key_int(w, "status", e->status);
	if (e->error) {
		name = linux_error_name(e->error);
		if (name)
			json_key_string(w, "error", span_of(name));
		else
			json_key_int(w, "error", e->error);
	}
	if (e->count)
		json_key_uint(w, "count", e->count);
	json_key_string_opt(w, "message", e->message);
	if (e->latency_us)
		json_key_uint(w, "latency_us", e->latency_us);
	if (e->is_cut)
		json_key_bool(w, "cut", true);
	if (e->is_redacted)
		json_key_bool(w, "redacted", true);
	if (e->cause)
		json_key_uint(w, "cause", e->cause);
}

/* Members that come after others: they begin with a comma, or are nothing at all. */
static void write_fragment(void (*write)(struct json_writer *w, const struct event *e),
			   const struct event *e, struct buf *out)
{
	struct json_writer w = { .out = out, .has_items = true };

	write(&w, e);
}

void event_fragment_action(const struct event *e, struct buf *out)
{
	write_fragment(write_action, e, out);
}

void event_fragment_process(const struct event *e, struct buf *out)
{
	write_fragment(write_process, e, out);
}

void event_fragment_manner(const struct event *e, struct buf *out)
{
	write_fragment(write_manner, e, out);
}

static void write_part(struct json_writer *w, const struct event *e, const struct span *made,
		       void (*write)(struct json_writer *w, const struct event *e))
{
	if (!made)
		write(w, e);
	else if (made->len)
		(void)buf_append_span(w->out, *made);
}

int event_to_json_with(const struct event *e, const struct event_fragments *made,
		       const struct event_chain *at, struct buf *out)
{
	struct json_writer w = { .out = out };
	char time[RFC3339_LEN + 1];

	json_begin_object(&w);
	if (at->seq)
		json_key_uint(&w, "seq", at->seq);
	if (e->time_ns) {
		clock_format_rfc3339(e->time_ns, time);
		json_key_plain(&w, "time", span_make(time, RFC3339_LEN));
	}
	if (at->session)
		json_key_string(&w, "session", span_of(at->session));
	write_part(&w, e, made ? &made->action : NULL, write_action);
	write_part(&w, e, made ? &made->process : NULL, write_process);
	if (e->argv.len)
		write_list(&w, "argv", e->argv);
	if (e->argv_cut)
		json_key_bool(&w, "argv_cut", true);
	json_key_string_opt(&w, "path", e->path);
	json_key_string_opt(&w, "target", e->target);
	write_part(&w, e, made ? &made->manner : NULL, write_manner);
	write_network(&w, e);
	write_outcome(&w, e);
	if (at->prev_hex)
		json_key_plain(&w, "prev", span_of(at->prev_hex));
	json_end_object(&w);
	return out->failed ? -EMSGSIZE : 0;
}

int event_to_json(const struct event *e, uint64_t seq, const char *session, const char *prev_hex,
		  struct buf *out)
{
	const struct event_chain at = { seq, session, prev_hex };

	return event_to_json_with(e, NULL, &at, out);
}
