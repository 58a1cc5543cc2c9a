#include "http/h1-reader.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/vec.h"

enum state {
	STATE_HEAD,	  /* lines up to an empty one */
	STATE_LENGTH,	  /* `left` bytes of body */
	STATE_UNTIL_CLOSE,
	STATE_CHUNK_LINE, /* a chunk's size */
	STATE_CHUNK,	  /* `left` bytes of it */
	STATE_CHUNK_END,  /* the line end behind it */
	STATE_TRAILERS,
	STATE_ENDED,	  /* H1_END is due */
	STATE_OVER,	  /* nothing more is HTTP: upgraded */
	STATE_BAD,
};

/* A block of fields: its text, and where they are in it. */
struct block {
	struct buf text;
	size_t line_at; /* where the line that is being read begins */
	VEC(struct http_field) fields; /* at most LIMIT_HTTP_FIELDS */
};

struct h1_reader {
	enum h1_side side;
	enum state state;
	bool is_head_request; /* what the next response answers */
	bool is_reported;     /* the message has ended; its memory is used for the next one */
	struct block head, trailers;
	struct buf line; /* a chunk's size, or its end */
	struct http_head parsed;
	enum h1_body body;
	uint64_t length, left;
	const char *error;
};

struct h1_reader *h1_reader_new(enum h1_side side)
{
	struct h1_reader *r = xnew(struct h1_reader);

	r->side = side;
	r->head.text.max = LIMIT_HTTP_HEAD;
	r->trailers.text.max = LIMIT_HTTP_TRAILERS;
	r->line.max = LIMIT_HTTP_CHUNK_LINE;
	return r;
}

void h1_reader_free(struct h1_reader *r)
{
	if (!r)
		return;
	buf_done(&r->head.text);
	buf_done(&r->trailers.text);
	vec_done(&r->head.fields);
	vec_done(&r->trailers.fields);
	buf_done(&r->line);
	xfree(r);
}

void h1_reader_expect(struct h1_reader *r, struct span method)
{
	r->is_head_request = span_eq_str(method, "HEAD");
}

static enum h1_event bad(struct h1_reader *r, const char *why)
{
	r->state = STATE_BAD;
	r->error = why;
	return H1_BAD;
}

/* ---- Lines ---- */

/*
 * Takes bytes up to a line's end into out. Returns 1 when there is a whole line
 * (*ret is it, without CRLF), 0 when more is needed, -EBADMSG for a line end out
 * of form, -EMSGSIZE when it is too long.
 */
static int take_line(struct buf *out, size_t line_at, struct span bytes, size_t *used, struct span *ret)
{
	const char *end = bytes.len ? memchr(bytes.p, '\n', bytes.len) : NULL;
	size_t n = end ? (size_t)(end - bytes.p) + 1 : bytes.len;
	struct span line;

	*used += n;
	if (buf_append(out, bytes.p, n) < 0)
		return -EMSGSIZE;
	line = span_from(buf_span(out), line_at);
	if (!end)
		return 0;
	if (line.len < 2 || line.p[line.len - 2] != '\r' || memchr(line.p, '\r', line.len - 2))
		return -EBADMSG;
	*ret = span_make(line.p, line.len - 2);
	return 1;
}

/* ---- Fields ---- */

/* line lies in the block's text, whose bytes are ours to change. */
static const char *add_field(struct block *b, size_t at, size_t len)
{
	char *line = b->text.data + at;
	char *colon = memchr(line, ':', len);
	size_t name_len = colon ? (size_t)(colon - line) : 0;
	struct span value;

	if (!colon || !http_is_token(span_make(line, name_len)))
		return "a header field out of form, or folded over two lines";
	value = span_trim(span_make(colon + 1, len - name_len - 1));
	if (!http_is_value(value))
		return "a control byte in a header field";
	if (b->fields.len == LIMIT_HTTP_FIELDS)
		return "too many header fields";
	for (size_t i = 0; i < name_len; i++)
		line[i] = ascii_lower(line[i]);
	vec_push(&b->fields, (struct http_field){ span_make(line, name_len), value });
	return NULL;
}

/* All lines of the block from there on; the text ends with an empty one. NULL or what is wrong. */
static const char *parse_fields(struct block *b, size_t at)
{
	const char *error = NULL;

	while (!error && at + 2 < b->text.len) {
		const char *line = b->text.data + at;
		size_t len = (size_t)((const char *)memchr(line, '\r', b->text.len - at) - line);

		error = add_field(b, at, len);
		at += len + 2;
	}
	return error;
}

static size_t count_fields(const struct http_head *h, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_fields; i++)
		n += span_eq_str(h->fields[i].name, name);
	return n;
}

/* ---- First lines ---- */

/* "HTTP/1.0" or "HTTP/1.1". */
static bool parse_version(struct span s, int *ret_minor)
{
	if (s.len != 8 || memcmp(s.p, "HTTP/1.", 7) != 0 || (s.p[7] != '0' && s.p[7] != '1'))
		return false;
	*ret_minor = s.p[7] - '0';
	return true;
}

/* method SP request-target SP HTTP-version (RFC 9112 §3), single spaces only. */
static const char *parse_request_line(struct http_head *h, struct span line)
{
	const char *space = memchr(line.p, ' ', line.len);
	struct span rest;

	if (!space)
		return "a request line out of form";
	h->method = span_make(line.p, (size_t)(space - line.p));
	rest = span_from(line, h->method.len + 1);
	space = rest.len ? memchr(rest.p, ' ', rest.len) : NULL;
	if (!space)
		return "a request line out of form";
	h->target = span_make(rest.p, (size_t)(space - rest.p));
	if (!http_is_token(h->method) || !http_is_target(h->target) ||
	    !parse_version(span_from(rest, h->target.len + 1), &h->minor))
		return "a request line out of form";
	return NULL;
}

/* HTTP-version SP status-code [SP reason-phrase] (RFC 9112 §4) */
static const char *parse_status_line(struct http_head *h, struct span line)
{
	h->status = 0;
	if (line.len < 12 || line.p[8] != ' ' || !parse_version(span_make(line.p, 8), &h->minor))
		return "a status line out of form";
	for (size_t i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return "a status code out of form";
		h->status = h->status * 10 + (line.p[i] - '0');
	}
	if (h->status < 100 || h->status > 599 || (line.len > 12 && line.p[12] != ' '))
		return "a status code out of form";
	h->reason = span_from(line, 13);
	return http_is_value(h->reason) ? NULL : "a control byte in a status line";
}

/* ---- Framing: RFC 9112 §6 ---- */

static bool parse_length(struct span s, uint64_t *ret)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || n > (INT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(s.p[i] - '0');
	}
	*ret = n;
	return s.len > 0;
}

static bool has_no_body(const struct h1_reader *r)
{
	int status = r->parsed.status;

	return r->side == H1_RESPONSES &&
	       (status < 200 || status == 204 || status == 304 || r->is_head_request);
}

static const char *find_framing(struct h1_reader *r)
{
	const struct http_head *h = &r->parsed;
	size_t n_lengths = count_fields(h, "content-length");
	size_t n_codings = count_fields(h, "transfer-encoding");
	bool is_bare = r->side == H1_RESPONSES && (h->status < 200 || h->status == 204);

	r->body = H1_BODY_NONE;
	r->length = 0;
	if (n_lengths > 1 || n_codings > 1 || (n_lengths && n_codings))
		return "more than one length";
	if (n_lengths && !parse_length(http_field_find(h, "content-length")->value, &r->length))
		return "a length out of form";
	if (n_codings && (h->minor == 0 || is_bare ||
			  !span_eq_nocase(http_field_find(h, "transfer-encoding")->value, SPAN("chunked"))))
		return "a transfer encoding that is not understood here";
	if (has_no_body(r))
		return NULL;
	if (n_codings)
		r->body = H1_BODY_CHUNKED;
	else if (n_lengths)
		r->body = H1_BODY_LENGTH;
	else if (r->side == H1_RESPONSES)
		r->body = H1_BODY_UNTIL_CLOSE;
	return NULL;
}

static const char *check_host(const struct h1_reader *r)
{
	size_t n = count_fields(&r->parsed, "host");

	if (r->side == H1_RESPONSES)
		return NULL;
	if (n > 1)
		return "more than one Host";
	return n == 0 && r->parsed.minor == 1 ? "no Host" : NULL;
}

static const char *parse_head(struct h1_reader *r)
{
	struct span text = buf_span(&r->head.text);
	size_t len = (size_t)((const char *)memchr(text.p, '\r', text.len) - text.p);
	struct span line = span_make(text.p, len);
	const char *error;

	r->parsed = (struct http_head){ 0 };
	r->head.fields.len = 0;
	if (len > LIMIT_HTTP_FIRST_LINE)
		return "the first line is too long";
	error = r->side == H1_REQUESTS ? parse_request_line(&r->parsed, line)
				       : parse_status_line(&r->parsed, line);
	if (!error)
		error = parse_fields(&r->head, len + 2);
	r->parsed.fields = r->head.fields.items;
	r->parsed.n_fields = r->head.fields.len;
	if (!error)
		error = check_host(r);
	return error ? error : find_framing(r);
}

static void begin_body(struct h1_reader *r)
{
	r->left = r->length;
	if (r->side == H1_RESPONSES && r->parsed.status < 200)
		r->state = r->parsed.status == 101 ? STATE_OVER : STATE_HEAD;
	else if (r->body == H1_BODY_CHUNKED)
		r->state = STATE_CHUNK_LINE;
	else if (r->body == H1_BODY_UNTIL_CLOSE)
		r->state = STATE_UNTIL_CLOSE;
	else
		r->state = r->body == H1_BODY_LENGTH && r->length ? STATE_LENGTH : STATE_ENDED;
}

/* ---- The machine ---- */

static void forget(struct h1_reader *r)
{
	buf_reset(&r->head.text);
	r->head.line_at = 0;
	buf_reset(&r->trailers.text);
	r->trailers.line_at = r->trailers.fields.len = 0;
	r->is_reported = false;
}

static const char *line_error(int r)
{
	return r == -EMSGSIZE ? "the head is too long" : "a line end out of form";
}

static enum h1_event feed_head(struct h1_reader *r, struct span bytes, size_t *used)
{
	struct span line = { 0 };
	int n = take_line(&r->head.text, r->head.line_at, bytes, used, &line);
	const char *error;

	if (n <= 0)
		return n < 0 ? bad(r, line_error(n)) : H1_MORE;
	/* one empty line before a request is what old clients sent (RFC 9112 §2.2) */
	if (r->head.text.len == 2 && r->side == H1_REQUESTS) {
		r->head.line_at = 2;
		return H1_MORE;
	}
	if (line.len) {
		r->head.line_at = r->head.text.len;
		return H1_MORE;
	}
	if (span_starts_with(buf_span(&r->head.text), SPAN("\r\n")))
		buf_consume(&r->head.text, 2);
	error = r->head.text.len > 2 ? parse_head(r) : "an empty head";
	if (error)
		return bad(r, error);
	begin_body(r);
	r->is_reported = r->state == STATE_HEAD; /* an interim response has no end of its own */
	return H1_HEAD;
}

static enum h1_event feed_counted(struct h1_reader *r, struct span bytes, size_t *used, struct span *data,
				  enum state next)
{
	size_t n = (size_t)MIN((uint64_t)bytes.len, r->left);

	if (n == 0)
		return H1_MORE;
	*data = span_make(bytes.p, n);
	*used += n;
	r->left -= n;
	if (r->left == 0)
		r->state = next;
	return H1_DATA;
}

/* chunk-size [chunk-ext] (RFC 9112 §7.1); extensions are dropped, but must not hide a line end. */
static bool parse_chunk_size(struct span line, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < line.len && ascii_hex_value(line.p[i]) >= 0; i++) {
		if (i == 15)
			return false;
		n = n * 16 + (uint64_t)ascii_hex_value(line.p[i]);
	}
	*ret = n;
	return i > 0 && (i == line.len || line.p[i] == ';') && http_is_value(span_from(line, i));
}

static enum h1_event feed_chunk_line(struct h1_reader *r, struct span bytes, size_t *used)
{
	struct span line = { 0 };
	int n = take_line(&r->line, 0, bytes, used, &line);

	if (n == 0)
		return H1_MORE;
	if (n < 0 || !parse_chunk_size(line, &r->left))
		return bad(r, "a chunk's size out of form");
	buf_reset(&r->line);
	r->state = r->left ? STATE_CHUNK : STATE_TRAILERS;
	return H1_MORE;
}

static enum h1_event feed_chunk_end(struct h1_reader *r, struct span bytes, size_t *used)
{
	struct span line = { 0 };
	int n = take_line(&r->line, 0, bytes, used, &line);

	if (r->line.len > 2 || (r->line.len && r->line.data[0] != '\r'))
		n = -EBADMSG;
	if (n == 0)
		return H1_MORE;
	if (n < 0)
		return bad(r, "a chunk is longer than its size");
	buf_reset(&r->line);
	r->state = STATE_CHUNK_LINE;
	return H1_MORE;
}

/* What frames, routes or identifies has no place behind the body (RFC 9110 §6.5.1). */
static bool may_trail(struct span name)
{
	static const char *const not_these[] = {
		"authorization",    "cache-control", "connection",	   "content-encoding",
		"content-length",   "content-range", "content-type",	   "cookie",
		"expect",	    "host",	     "keep-alive",	   "max-forwards",
		"proxy-connection", "range",	     "proxy-authorization", "set-cookie",
		"te",		    "trailer",	     "transfer-encoding",  "upgrade"
	};

	for (size_t i = 0; i < ARRAY_SIZE(not_these); i++)
		if (span_eq_str(name, not_these[i]))
			return false;
	return true;
}

static enum h1_event feed_trailers(struct h1_reader *r, struct span bytes, size_t *used)
{
	struct block *b = &r->trailers;
	struct span line = { 0 };
	int n = take_line(&b->text, b->line_at, bytes, used, &line);
	const char *error;

	if (n <= 0)
		return n < 0 ? bad(r, line_error(n)) : H1_MORE;
	if (line.len) {
		b->line_at = b->text.len;
		return H1_MORE;
	}
	error = parse_fields(b, 0);
	if (error)
		return bad(r, error);
	for (size_t i = 0; i < b->fields.len; i++)
		if (!may_trail(b->fields.items[i].name))
			return bad(r, "a field behind the body that belongs before it");
	r->state = STATE_ENDED;
	return H1_MORE;
}

static enum h1_event step(struct h1_reader *r, struct span bytes, size_t *used, struct span *data)
{
	switch (r->state) {
	case STATE_HEAD:
		return feed_head(r, bytes, used);
	case STATE_LENGTH:
		return feed_counted(r, bytes, used, data, STATE_ENDED);
	case STATE_UNTIL_CLOSE:
		*data = bytes;
		*used += bytes.len;
		return bytes.len ? H1_DATA : H1_MORE;
	case STATE_CHUNK_LINE:
		return feed_chunk_line(r, bytes, used);
	case STATE_CHUNK:
		return feed_counted(r, bytes, used, data, STATE_CHUNK_END);
	case STATE_CHUNK_END:
		return feed_chunk_end(r, bytes, used);
	case STATE_TRAILERS:
		return feed_trailers(r, bytes, used);
	case STATE_ENDED:
		r->state = STATE_HEAD;
		r->is_reported = true;
		return H1_END;
	case STATE_OVER:
		return bad(r, "bytes behind an upgrade");
	case STATE_BAD:
		return H1_BAD;
	}
	return H1_BAD;
}

enum h1_event h1_reader_feed(struct h1_reader *r, struct span bytes, size_t *used, struct span *data)
{
	enum h1_event event = H1_MORE;

	*used = 0;
	*data = (struct span){ 0 };
	if (r->is_reported && bytes.len)
		forget(r);
	while (event == H1_MORE && (*used < bytes.len || r->state == STATE_ENDED))
		event = step(r, span_from(bytes, *used), used, data);
	return event;
}

bool h1_reader_has_ended(const struct h1_reader *r)
{
	return r->state == STATE_ENDED;
}

enum h1_event h1_reader_finish(struct h1_reader *r)
{
	if (h1_reader_is_idle(r))
		return H1_MORE;
	if (r->state != STATE_ENDED && r->state != STATE_UNTIL_CLOSE)
		return bad(r, "the message was cut off");
	r->state = STATE_HEAD;
	r->is_reported = true;
	return H1_END;
}

const struct http_head *h1_reader_head(const struct h1_reader *r)
{
	return &r->parsed;
}

enum h1_body h1_reader_body(const struct h1_reader *r, uint64_t *ret_length)
{
	*ret_length = r->length;
	return r->body;
}

const struct http_field *h1_reader_trailers(const struct h1_reader *r, size_t *n)
{
	*n = r->trailers.fields.len;
	return r->trailers.fields.items;
}

bool h1_reader_is_idle(const struct h1_reader *r)
{
	return r->state == STATE_HEAD && (r->is_reported || r->head.text.len == 0);
}

const char *h1_reader_error(const struct h1_reader *r)
{
	return r->error ? r->error : "";
}
