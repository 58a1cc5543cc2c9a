#include "cli/show.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/utf8.h"

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define BOLD_RED "\033[1;31m"

/* ---- Text ------------------------------------------------------------------ */

static bool is_bare(struct span text)
{
	uint32_t scalar;

	if (text.len == 0)
		return false;
	while (text.len) {
		size_t n = utf8_decode(text, &scalar);

		if (n == 0 || utf8_is_hidden(scalar) || scalar == '"' || scalar == '\\' ||
		    scalar == ' ' || scalar == 0xa0 || scalar == 0x3000)
			return false;
		text = span_from(text, n);
	}
	return true;
}

static void show_quoted(struct span text, struct buf *out)
{
	uint32_t scalar = 0;

	(void)buf_append_char(out, '"');
	while (text.len) {
		size_t n = utf8_decode(text, &scalar);

		if (n == 0)
			(void)buf_printf(out, "\\x%02x", (unsigned)(unsigned char)text.p[0]);
		else if (scalar == '"' || scalar == '\\')
			(void)buf_printf(out, "\\%c", (char)scalar);
		else if (scalar == '\n')
			(void)buf_append_str(out, "\\n");
		else if (scalar == '\t')
			(void)buf_append_str(out, "\\t");
		else if (utf8_is_hidden(scalar))
			(void)buf_printf(out, "\\u{%x}", scalar);
		else
			(void)buf_append(out, text.p, n);
		text = span_from(text, n ? n : 1);
	}
	(void)buf_append_char(out, '"');
}

void show_text(struct span text, struct buf *out)
{
	if (is_bare(text))
		(void)buf_append_span(out, text);
	else
		show_quoted(text, out);
}

/* ---- For people ------------------------------------------------------------ */

static void show_key(const struct json *event, const char *key, const char *before, struct buf *out)
{
	const struct json *value = json_get(event, key);

	if (!value)
		return;
	(void)buf_append_str(out, before);
	if (value->type == JSON_NUMBER)
		(void)buf_append_span(out, value->text);
	else
		show_text(value->text, out);
}

/* The time of day where the reader is, to the millisecond, from an RFC 3339 time in UTC. */
static void show_time(struct span time, struct buf *out)
{
	_cleanup_free_ char *text = xmemdup0(time.p, time.len);
	struct tm tm = { 0 };
	char clock[16];
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t seconds;

	if (!rest) {
		show_text(time, out);
		return;
	}
	seconds = timegm(&tm);
	if (!localtime_r(&seconds, &tm) || strftime(clock, sizeof(clock), "%H:%M:%S", &tm) == 0)
		return;
	(void)buf_printf(out, "%s%.4s", clock, rest);
}

static const char *paint_of(struct span decision, struct span kind)
{
	if (span_eq_str(kind, "lost") || span_eq_str(kind, "tamper") ||
	    span_eq_str(kind, "mismatch"))
		return BOLD_RED;
	if (span_eq_str(decision, "deny") || span_eq_str(kind, "refused"))
		return RED;
	if (span_eq_str(decision, "would-deny") || span_eq_str(decision, "asked"))
		return YELLOW;
	return DIM;
}

/* Pads what was appended since start to width columns (names of ours: one byte, one column). */
static void pad(struct buf *out, size_t start, size_t width)
{
	size_t len = out->len - start;

	(void)buf_printf(out, "%*s", len < width ? (int)(width - len) : 0, "");
}

static void show_process(const struct json *event, struct buf *out)
{
	struct span program = json_get_string(event, "comm");
	const struct json *pid = json_get(event, "pid");
	size_t start = out->len;

	if (program.len == 0)
		program = json_get_string(event, "exe");
	if (program.len)
		show_text(program, out);
	if (pid && pid->type == JSON_NUMBER)
		(void)buf_printf(out, "[%.*s]", SPAN_ARG(pid->text));
	if (out->len == start)
		(void)buf_append_str(out, "-");
	pad(out, start, 21);
}

static void show_list(const struct json *list, struct buf *out)
{
	for (const struct json *item = list ? list->first : NULL; item; item = item->next) {
		show_text(item->text, out);
		if (item->next)
			(void)buf_append_char(out, ' ');
	}
}

static void show_peer(const struct json *event, struct buf *out)
{
	struct span host = json_get_string(event, "host");
	struct span ip = json_get_string(event, "ip");
	const struct json *port = json_get(event, "port");

	if (host.len)
		show_text(host, out);
	if (ip.len) {
		(void)buf_append_str(out, host.len ? " (" : "");
		show_text(ip, out);
		(void)buf_append_str(out, host.len ? ")" : "");
	}
	if (port && port->type == JSON_NUMBER)
		(void)buf_printf(out, " port %.*s", SPAN_ARG(port->text));
	show_key(event, "protocol", "/", out);
}

/* What it was done to. */
static void show_object(const struct json *event, struct span kind, struct buf *out)
{
	if (span_eq_str(kind, "lost")) {
		show_key(event, "count", "", out);
		(void)buf_append_str(out, " events lost");
		return;
	}
	if (span_eq_str(kind, "proc.exec") && json_get(event, "argv")) {
		show_key(event, "path", "", out);
		(void)buf_append_str(out, json_get(event, "path") ? ": " : "");
		show_list(json_get(event, "argv"), out);
		return;
	}
	show_key(event, "method", "", out);
	show_key(event, "url", json_get(event, "method") ? " " : "", out);
	show_key(event, "path", "", out);
	show_key(event, "target", " -> ", out);
	if (json_get(event, "access"))
		(void)buf_printf(out, " (%.*s)", SPAN_ARG(json_get_string(event, "access")));
	show_peer(event, out);
}

static void show_outcome(const struct json *event, struct buf *out)
{
	struct span message = json_get_string(event, "message");
	const struct json *policies = json_get(event, "policies");

	show_key(event, "status", " status ", out);
	show_key(event, "error", " ", out);
	if (message.len) {
		(void)buf_append_char(out, ' ');
		show_text(message, out);
	}
	if (json_get(event, "redacted"))
		(void)buf_append_str(out, " (a secret's value was left out)");
	if (policies && policies->first) {
		(void)buf_append_str(out, " [");
		show_list(policies, out);
		(void)buf_append_char(out, ']');
	}
}

void show_human(const struct json *event, bool color, struct buf *out)
{
	struct span kind = json_get_string(event, "kind");
	struct span decision = json_get_string(event, "decision");
	size_t start;

	show_time(json_get_string(event, "time"), out);
	(void)buf_printf(out, "  %s", color ? paint_of(decision, kind) : "");
	start = out->len;
	if (decision.len)
		show_text(decision, out);
	else
		(void)buf_append_char(out, '-');
	pad(out, start, 11);
	start = out->len;
	show_text(kind, out);
	(void)buf_append_str(out, color ? "\033[0m" : "");
	pad(out, start + (color ? 4 : 0), 15);
	show_process(event, out);
	(void)buf_append_char(out, ' ');
	show_object(event, kind, out);
	show_outcome(event, out);
	(void)buf_append_char(out, '\n');
}

/* ---- logfmt ---------------------------------------------------------------- */

static void append_list_text(const struct json *list, struct buf *out)
{
	for (const struct json *item = list->first; item; item = item->next) {
		for (size_t i = 0; i < item->text.len; i++) {
			if (item->text.p[i] == ',' || item->text.p[i] == '\\')
				(void)buf_append_char(out, '\\');
			(void)buf_append_char(out, item->text.p[i]);
		}
		if (item->next)
			(void)buf_append_char(out, ',');
	}
}

/* In logfmt '=' separates, so it is quoted too. */
static void show_logfmt_text(struct span text, struct buf *out)
{
	if (memchr(text.p, '=', text.len))
		show_quoted(text, out);
	else
		show_text(text, out);
}

static void show_logfmt_value(const struct json *value, struct buf *out)
{
	_cleanup_buf_ struct buf list = BUF_INIT(0);

	switch (value->type) {
	case JSON_STRING:
		show_logfmt_text(value->text, out);
		return;
	case JSON_NUMBER:
		(void)buf_append_span(out, value->text);
		return;
	case JSON_BOOL:
		(void)buf_append_str(out, value->is_true ? "true" : "false");
		return;
	case JSON_ARRAY:
		append_list_text(value, &list);
		show_logfmt_text(buf_span(&list), out);
		return;
	case JSON_NULL:
	case JSON_OBJECT:
		return;
	}
}

void show_logfmt(const struct json *event, struct buf *out)
{
	for (const struct json *m = event->first; m; m = m->next) {
		show_text(m->key, out);
		(void)buf_append_char(out, '=');
		show_logfmt_value(m, out);
		(void)buf_append_char(out, m->next ? ' ' : '\n');
	}
}
