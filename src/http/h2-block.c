#include "http/h2-block.h"

#include "base/alloc.h"

struct h2_block *h2_block_new(void)
{
	struct h2_block *b = xnew(struct h2_block);

	/* Each field counts as in HTTP/1, with its colon, blank and line end. */
	b->text = (struct buf)BUF_INIT(LIMIT_HTTP_HEAD);
	b->cookie = (struct buf)BUF_INIT(2 * LIMIT_HTTP_HEAD);
	return b;
}

void h2_block_free(struct h2_block *b)
{
	if (!b)
		return;
	buf_done(&b->text);
	buf_done(&b->cookie);
	xfree(b);
}

void h2_block_reset(struct h2_block *b)
{
	buf_reset(&b->text);
	buf_reset(&b->cookie);
	b->n_parts = 0;
	b->error = NULL;
	b->head = (struct http_head){ 0 };
}

static bool is_lower_name(struct span name)
{
	if (name.len && name.p[0] == ':')
		name = span_from(name, 1);
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] >= 'A' && name.p[i] <= 'Z')
			return false;
	return http_is_token(name);
}

void h2_block_add(struct h2_block *b, struct span name, struct span value, bool is_secret)
{
	if (b->error)
		return;
	if (!is_lower_name(name) || !http_is_value(value) || span_trim(value).len != value.len) {
		b->error = "a field has a byte that it must not have";
		return;
	}
	if (b->n_parts == H2_BLOCK_FIELDS) {
		b->error = "too many fields";
		return;
	}
	b->parts[b->n_parts++] = (struct h2_part){ b->text.len, name.len, value.len, is_secret };
	(void)buf_append_span(&b->text, name);
	(void)buf_append_str(&b->text, ": ");
	(void)buf_append_span(&b->text, value);
	if (buf_append_str(&b->text, "\r\n") < 0)
		b->error = "the head is too long";
}

static struct http_field field_at(const struct h2_block *b, size_t i)
{
	const struct h2_part *p = &b->parts[i];
	const char *text = b->text.data + p->at;

	return (struct http_field){ span_make(text, p->name_len),
				    span_make(text + p->name_len + 2, p->value_len), p->is_secret };
}

static bool is_pseudo(const struct http_field *f)
{
	return f->name.p[0] == ':';
}

bool h2_block_has(const struct h2_block *b, const char *name)
{
	for (size_t i = 0; !b->error && i < b->n_parts; i++) {
		struct http_field f = field_at(b, i);

		if (span_eq_str(f.name, name))
			return true;
	}
	return false;
}

/* RFC 9113 §8.2.2 */
static bool is_of_connection(const struct http_field *f)
{
	static const char *const names[] = { "connection",	  "keep-alive", "proxy-connection",
					     "transfer-encoding", "upgrade",	"http2-settings" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_eq_str(f->name, names[i]))
			return true;
	return span_eq_str(f->name, "te") && !span_eq_nocase(f->value, SPAN("trailers"));
}

/* One pseudo field, once, before all others. */
static void take_pseudo(struct h2_block *b, const struct http_field *f, const char *name,
			struct span *to)
{
	if (!span_eq_str(f->name, name))
		return;
	if (to->p)
		b->error = "a pseudo field is there twice";
	*to = f->value;
}

/* An empty piece would leave a blank at the end, which no value may have. */
static void add_cookie(struct h2_block *b, struct span value)
{
	if (value.len == 0)
		return;
	if (b->cookie.len)
		(void)buf_append_str(&b->cookie, "; ");
	(void)buf_append_span(&b->cookie, value);
}

/* Fields that are not pseudo; Host, if it is wanted, apart from the others. */
static void take_fields(struct h2_block *b, struct span *host)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_parts && !b->error; i++) {
		struct http_field f = field_at(b, i);

		if (is_pseudo(&f)) {
			if (n || b->cookie.len || (host && host->p))
				b->error = "a pseudo field comes after others";
		} else if (is_of_connection(&f)) {
			b->error = "a field that has no place in HTTP/2";
		} else if (host && span_eq_str(f.name, "host")) {
			if (host->p)
				b->error = "Host is there twice";
			*host = f.value;
		} else if (host && span_eq_str(f.name, "cookie")) {
			add_cookie(b, f.value);
		} else {
			b->fields[n++] = f;
		}
	}
	if (b->cookie.len && !b->error)
		b->fields[n++] = (struct http_field){ SPAN("cookie"), buf_span(&b->cookie), true };
	if (n > LIMIT_HTTP_FIELDS)
		b->error = "too many fields";
	b->head.fields = b->fields;
	b->head.n_fields = n;
}

static bool is_path(const struct http_head *h)
{
	if (!http_is_target(h->target))
		return false;
	return h->target.p[0] == '/' ||
	       (span_eq_str(h->target, "*") && span_eq_str(h->method, "OPTIONS"));
}

static void check_request(struct h2_block *b, struct span host)
{
	struct http_head *h = &b->head;

	if (!h->authority.p)
		h->authority = host;
	else if (host.p && !span_eq_nocase(host, h->authority))
		b->error = ":authority and Host disagree";
	if (b->error)
		return;
	if (span_eq_str(h->method, "CONNECT"))
		b->error = "CONNECT is not for a server";
	else if (!http_is_token(h->method) || !is_path(h) || !h->scheme.len)
		b->error = ":method, :scheme or :path is missing or malformed";
	else if (!h->authority.len)
		b->error = "neither :authority nor Host says whom it is for";
}

void h2_block_finish_request(struct h2_block *b)
{
	struct http_head *h = &b->head;
	struct span host = { 0 };

	for (size_t i = 0; i < b->n_parts && !b->error; i++) {
		struct http_field f = field_at(b, i);

		take_pseudo(b, &f, ":method", &h->method);
		take_pseudo(b, &f, ":scheme", &h->scheme);
		take_pseudo(b, &f, ":authority", &h->authority);
		take_pseudo(b, &f, ":path", &h->target);
		if (is_pseudo(&f) && !span_eq_str(f.name, ":method") &&
		    !span_eq_str(f.name, ":scheme") && !span_eq_str(f.name, ":authority") &&
		    !span_eq_str(f.name, ":path"))
			b->error = "a pseudo field that requests do not have";
	}
	take_fields(b, &host);
	if (!b->error)
		check_request(b, host);
}

static bool is_status(struct span s)
{
	return s.len == 3 && s.p[0] >= '1' && s.p[0] <= '9' && s.p[1] >= '0' && s.p[1] <= '9' &&
	       s.p[2] >= '0' && s.p[2] <= '9';
}

void h2_block_finish_response(struct h2_block *b)
{
	struct span status = { 0 };

	for (size_t i = 0; i < b->n_parts && !b->error; i++) {
		struct http_field f = field_at(b, i);

		take_pseudo(b, &f, ":status", &status);
		if (is_pseudo(&f) && !span_eq_str(f.name, ":status"))
			b->error = "a pseudo field that responses do not have";
	}
	take_fields(b, NULL);
	if (b->error)
		return;
	if (!is_status(status) || span_eq_str(status, "101"))
		b->error = ":status is missing or malformed";
	else
		b->head.status =
			(status.p[0] - '0') * 100 + (status.p[1] - '0') * 10 + (status.p[2] - '0');
}

void h2_block_finish_trailers(struct h2_block *b)
{
	for (size_t i = 0; i < b->n_parts && !b->error; i++) {
		struct http_field f = field_at(b, i);

		if (is_pseudo(&f))
			b->error = "a pseudo field among the trailers";
	}
	take_fields(b, NULL);
}
