#include "proxy/http-head.h"

#include <errno.h>

#include "base/limits.h"

static bool starts_with_nocase(struct span s, struct span lower_prefix)
{
	if (s.len < lower_prefix.len)
		return false;
	for (size_t i = 0; i < lower_prefix.len; i++)
		if (ascii_lower(s.p[i]) != lower_prefix.p[i])
			return false;
	return true;
}

static bool same_authority(const struct authority *a, const struct authority *b)
{
	if (a->is_address != b->is_address || (a->port ? a->port : 80) != (b->port ? b->port : 80))
		return false;
	return a->is_address ? address_eq(&a->address, &b->address)
			     : span_eq(name_span(&a->name), name_span(&b->name));
}

/* Host, or an authority in the target, whichever comes first; the others must say the same. */
static int claim(struct http_first_head *h, struct span text)
{
	struct authority a;
	int r = authority_parse(text, &a);

	if (r < 0)
		return r;
	if (h->has_host && !same_authority(&h->host, &a))
		return -EBADMSG;
	h->host = a;
	h->has_host = true;
	return 0;
}

/* RFC 9112 §3.2: origin-form, absolute-form, authority-form (CONNECT) or "*". */
static int read_target(struct http_first_head *h, struct span method, struct span target)
{
	const struct span scheme = SPAN("http://");
	size_t len = 0;

	if (span_eq_str(method, "CONNECT"))
		return claim(h, target);
	if (target.p[0] == '/' || span_eq_str(target, "*"))
		return 0;
	if (!starts_with_nocase(target, scheme))
		return -EBADMSG;
	target = span_from(target, scheme.len);
	while (len < target.len && !memchr("/?#", target.p[len], 3))
		len++;
	return claim(h, span_make(target.p, len));
}

/* White space that lenient servers take between the parts of a request line (RFC 9112 §3). */
static bool is_separator(char c)
{
	return c && strchr(" \t\v\f\r", c);
}

/*
 * A method and, somewhere, a version: some server may take it for HTTP/1. Or a
 * method and a path: that was a whole request in HTTP/0.9, and still is to some.
 */
static bool is_request_line(struct span line)
{
	size_t i = 0;

	while (i < line.len && ascii_is_token_char(line.p[i]))
		i++;
	if (i == 0 || i == line.len || !is_separator(line.p[i]))
		return false;
	while (i < line.len && is_separator(line.p[i]))
		i++;
	if (i < line.len && line.p[i] == '/')
		return true;
	for (; i < line.len; i++)
		if (starts_with_nocase(span_from(line, i), SPAN("http/")) ||
		    starts_with_nocase(span_from(line, i), SPAN("http://")))
			return true;
	return false;
}

/* method SP request-target SP "HTTP/1." DIGIT, and nothing else. */
static int read_request_line(struct http_first_head *h, struct span line)
{
	const struct span version = SPAN(" HTTP/1.");
	struct span method = line, target;

	for (method.len = 0; method.len < line.len && ascii_is_token_char(line.p[method.len]);)
		method.len++;
	if (line.len <= method.len + version.len + 2 || line.p[method.len] != ' ' ||
	    !span_eq(span_make(line.p + line.len - version.len - 1, version.len), version))
		return -EBADMSG;
	if (line.p[line.len - 1] != '0' && line.p[line.len - 1] != '1')
		return -EBADMSG;
	target = span_make(line.p + method.len + 1, line.len - method.len - 1 - version.len - 1);
	for (size_t i = 0; i < target.len; i++)
		if ((unsigned char)target.p[i] <= ' ' || target.p[i] == 0x7f)
			return -EBADMSG;
	return read_target(h, method, target);
}

static int read_field(struct http_first_head *h, struct span line, bool *seen_host)
{
	struct span name = { line.p, 0 }, value;

	/* A line that begins with a space continues the one before: obs-fold, RFC 9112 §5.2. */
	while (name.len < line.len && ascii_is_token_char(line.p[name.len]))
		name.len++;
	if (name.len == 0 || name.len == line.len || line.p[name.len] != ':')
		return -EBADMSG;
	value = span_from(line, name.len + 1);
	for (size_t i = 0; i < value.len; i++)
		if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
			return -EBADMSG;
	while (value.len && (value.p[0] == ' ' || value.p[0] == '\t'))
		value = span_from(value, 1);
	while (value.len && (value.p[value.len - 1] == ' ' || value.p[value.len - 1] == '\t'))
		value.len--;
	if (name.len != 4 || !starts_with_nocase(name, SPAN("host")))
		return 0;
	if (*seen_host)
		return -EBADMSG;
	*seen_host = true;
	return claim(h, value);
}

/* All lines after the first; text ends with the empty line. */
static int read_fields(struct http_first_head *h, struct span text, bool is_1_0)
{
	bool seen_host = false;

	while (text.len > 2) {
		const char *end = memchr(text.p, '\r', text.len);
		size_t len = (size_t)(end - text.p);
		int r = read_field(h, span_make(text.p, len), &seen_host);

		if (r < 0)
			return r;
		text = span_from(text, len + 2);
	}
	return seen_host || is_1_0 ? 0 : -EBADMSG; /* RFC 9112 §3.2 */
}

static enum http_head_state end_first_line(struct http_first_head *h, struct span line)
{
	if (!is_request_line(line))
		return HTTP_HEAD_FOREIGN;
	h->has_request_line = true;
	return read_request_line(h, line) < 0 ? HTTP_HEAD_BAD : HTTP_HEAD_MORE;
}

/* A line has ended at the LF that text ends with. */
static enum http_head_state end_line(struct http_first_head *h)
{
	struct span line = span_from(buf_span(&h->text), h->line_at);
	bool has_cr = line.len >= 2 && line.p[line.len - 2] == '\r';
	enum http_head_state state = HTTP_HEAD_MORE;
	size_t first = h->line_at;

	line.len -= has_cr ? 2 : 1;
	h->line_at = h->text.len;
	if (!h->has_request_line) {
		/* Servers skip empty lines before a request (RFC 9112 §2.2); so may other
		 * protocols. */
		if (line.len == 0)
			return HTTP_HEAD_MORE;
		state = end_first_line(h, line);
		if (state == HTTP_HEAD_MORE && first > 0)
			state = HTTP_HEAD_BAD;
	}
	if (state != HTTP_HEAD_MORE)
		return state;
	if (!has_cr || memchr(line.p, '\r', line.len))
		return HTTP_HEAD_BAD;
	if (line.len)
		return HTTP_HEAD_MORE;
	line = buf_span(&h->text);
	first = (size_t)((const char *)memchr(line.p, '\r', line.len) - line.p);
	return read_fields(h, span_from(line, first + 2), line.p[first - 1] == '0') < 0
		       ? HTTP_HEAD_BAD
		       : HTTP_HEAD_DONE;
}

/* Can what has come of the first line still become a request line? */
static bool is_plausible(const struct http_first_head *h)
{
	struct span line = span_from(buf_span(&h->text), h->line_at);
	size_t i = 0;

	while (i < line.len && ascii_is_token_char(line.p[i]))
		i++;
	if (i > 32 || (i == 0 && line.len > 0 && line.p[0] != '\r'))
		return false;
	return i == line.len || is_separator(line.p[i]);
}

/* Bytes that no server would take in a request line. Those above 0x7f some do. */
static bool is_line_byte(char c)
{
	return (unsigned char)c >= ' ' || is_separator(c);
}

void http_head_init(struct http_first_head *h)
{
	*h = (struct http_first_head){ .text = BUF_INIT(LIMIT_PROXY_FIRST_BYTES) };
}

void http_head_done(struct http_first_head *h)
{
	buf_done(&h->text);
}

enum http_head_state http_head_feed(struct http_first_head *h, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		enum http_head_state state = HTTP_HEAD_MORE;
		char c = bytes.p[i];

		if (buf_append_char(&h->text, c) < 0)
			return HTTP_HEAD_BAD;
		if (c == '\n')
			state = end_line(h);
		else if (!h->has_request_line &&
			 (!is_line_byte(c) || (h->text.len - h->line_at <= 40 && !is_plausible(h))))
			state = HTTP_HEAD_FOREIGN;
		if (state != HTTP_HEAD_MORE)
			return state;
	}
	return HTTP_HEAD_MORE;
}
