#include "http/target.h"

#include <errno.h>
#include <string.h>

/* ---- The forms ---- */

static int split_path(struct span text, struct http_target *t)
{
	const char *mark = text.len ? memchr(text.p, '?', text.len) : NULL;

	t->path = mark ? span_make(text.p, (size_t)(mark - text.p)) : text;
	t->has_query = mark;
	t->query = mark ? span_from(text, t->path.len + 1) : (struct span){ 0 };
	return 0;
}

static bool starts_with_nocase(struct span s, struct span prefix)
{
	return s.len >= prefix.len && span_eq_nocase(span_make(s.p, prefix.len), prefix);
}

static int split_absolute(struct span target, struct http_target *t)
{
	const struct span schemes[] = { SPAN("http://"), SPAN("https://") };
	struct span rest = { 0 };
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (starts_with_nocase(target, schemes[i]))
			rest = span_from(target, schemes[i].len);
	while (len < rest.len && rest.p[len] != '/' && rest.p[len] != '?')
		len++;
	if (len == 0)
		return -EBADMSG;
	t->form = HTTP_TARGET_ABSOLUTE;
	t->authority = span_make(rest.p, len);
	(void)split_path(span_from(rest, len), t);
	if (t->path.len == 0)
		t->path = SPAN("/");
	return 0;
}

int http_target_split(struct span method, struct span target, struct http_target *ret)
{
	struct http_target t = { .form = HTTP_TARGET_ORIGIN };
	int r = 0;

	/* a fragment is not sent */
	if (target.len == 0 || memchr(target.p, '#', target.len))
		return -EBADMSG;
	if (span_eq_str(method, "CONNECT")) {
		t.form = HTTP_TARGET_AUTHORITY;
		t.authority = target;
	} else if (span_eq_str(target, "*")) {
		t.form = HTTP_TARGET_ASTERISK;
		r = span_eq_str(method, "OPTIONS") ? 0 : -EBADMSG;
	} else if (target.p[0] == '/') {
		r = split_path(target, &t);
	} else {
		r = split_absolute(target, &t);
	}
	if (r == 0)
		*ret = t;
	return r;
}

/* ---- The path ---- */

/* RFC 3986 §2.3 */
static bool is_unreserved(int c)
{
	return c > 0 && (ascii_is_alnum((char)c) || strchr("-._~", c));
}

/* An escape at the beginning of text. */
static int unescape(struct span text, struct buf *out)
{
	int high = text.len > 2 ? ascii_hex_value(text.p[1]) : -1;
	int low = text.len > 2 ? ascii_hex_value(text.p[2]) : -1;
	int c = high * 16 + low;

	if (high < 0 || low < 0 || c < ' ' || c == 0x7f)
		return -EBADMSG;
	return is_unreserved(c) ? buf_append_char(out, (char)c)
				: buf_printf(out, "%%%02X", (unsigned int)c);
}

static int unescape_all(struct span path, struct buf *out)
{
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.p[i];
		int r;

		if (c <= ' ' || c >= 0x7f || c == '\\')
			return -EBADMSG;
		r = c == '%' ? unescape(span_from(path, i), out) : buf_append_char(out, (char)c);
		if (r < 0)
			return r;
		i += c == '%' ? 2 : 0;
	}
	return 0;
}

static void drop_last_segment(struct buf *out, size_t start)
{
	while (out->len > start && out->data[out->len - 1] != '/')
		out->len--;
	if (out->len > start)
		out->len--; /* the slash */
}

/* RFC 3986 §5.2.4. The path begins with a slash. */
static int remove_dots(struct span path, struct buf *out)
{
	size_t start = out->len;
	int r = 0;

	while (path.len && r >= 0) {
		struct span segment = span_from(path, 1); /* behind its slash */
		const char *end = segment.len ? memchr(segment.p, '/', segment.len) : NULL;
		bool is_last = !end;

		if (end)
			segment.len = (size_t)(end - segment.p);
		path = span_from(path, 1 + segment.len);
		if (span_eq_str(segment, "..")) {
			drop_last_segment(out, start);
			r = is_last ? buf_append_char(out, '/') : 0;
		} else if (span_eq_str(segment, ".")) {
			r = is_last ? buf_append_char(out, '/') : 0;
		} else {
			r = buf_append_char(out, '/');
			if (r >= 0)
				r = buf_append_span(out, segment);
		}
	}
	return r;
}

int http_path_normalise(struct span path, struct buf *out)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(out->max);
	int r;

	if (path.len == 0 || path.p[0] != '/')
		return -EBADMSG;
	r = unescape_all(path, &plain);
	return r < 0 ? r : remove_dots(buf_span(&plain), out);
}

int http_path_merge_slashes(struct span path, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; i < path.len && r >= 0; i++)
		if (path.p[i] != '/' || i == 0 || path.p[i - 1] != '/')
			r = buf_append_char(out, path.p[i]);
	return r;
}
