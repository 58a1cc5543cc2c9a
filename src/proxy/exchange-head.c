#include "proxy/exchange-head.h"

#include <stdio.h>

#include "http/h1-writer.h"
#include "proxy/scrub.h"

#define MAX_FIELDS (LIMIT_HTTP_FIELDS + 4)

/* ---- Reading ---- */

bool exchange_head_binds_connection(const struct http_head *h)
{
	static const char *const schemes[] = { "negotiate ", "ntlm " };
	const struct http_field *f = http_field_find(h, "authorization");

	for (size_t i = 0; f && i < ARRAY_SIZE(schemes); i++) {
		struct span scheme = span_of(schemes[i]);

		if (f->value.len >= scheme.len &&
		    span_eq_nocase(span_make(f->value.p, scheme.len), scheme))
			return true;
	}
	return false;
}

const char *exchange_head_read_offer(const struct http_head *h, const struct h1_reader *reader,
				     bool *ret_wants_upgrade, struct websocket_offer *ret)
{
	uint64_t length;
	enum h1_body body = h1_reader_body(reader, &length);
	bool has_body = body != H1_BODY_NONE && !(body == H1_BODY_LENGTH && length == 0);

	*ret_wants_upgrade = websocket_is_asked_for(h);
	return *ret_wants_upgrade ? websocket_read_offer(h, has_body, ret) : NULL;
}

bool exchange_head_is_encoded(const struct http_head *h, const struct h1_reader *reader)
{
	const struct http_field *f = http_field_find(h, "content-encoding");
	uint64_t length;

	return f && f->value.len && !span_eq_nocase(f->value, SPAN("identity")) &&
	       h1_reader_body(reader, &length) != H1_BODY_NONE;
}

int exchange_head_scrub(const struct needles *needles, struct arena *arena,
			const struct http_head *h, struct http_field items[LIMIT_HTTP_FIELDS],
			struct http_head *ret)
{
	int r;

	*ret = *h;
	if (!needles || !needles->all.len)
		return 0;
	ret->n_fields = MIN(h->n_fields, LIMIT_HTTP_FIELDS);
	ret->fields = items;
	if (ret->n_fields)
		memcpy(items, h->fields, ret->n_fields * sizeof(*items));
	r = scrub_text(needles, arena, &ret->reason);
	return r < 0 ? r : scrub_fields(needles, arena, items, ret->n_fields);
}

/* ---- Making ---- */

#define NAME(literal)                                                                              \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}

/* Fields that concern one connection, or that are written anew (RFC 9110 §7.6.1). */
static const struct span of_connection[] = { NAME("connection"),
					     NAME("content-length"),
					     NAME("host"),
					     NAME("keep-alive"),
					     NAME("proxy-connection"),
					     NAME("proxy-authorization"),
					     NAME("proxy-authenticate"),
					     NAME("sec-websocket-extensions"),
					     NAME("te"),
					     NAME("transfer-encoding"),
					     NAME("upgrade") };

static bool is_of_connection(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_connection); i++)
		if (span_eq(name, of_connection[i]))
			return true;
	return false;
}

struct fields {
	struct http_field items[MAX_FIELDS];
	size_t n;
	char length[32]; /* the digits of the body's */
};

static void add_field(struct fields *f, const char *name, struct span value)
{
	if (f->n < MAX_FIELDS)
		f->items[f->n++] = (struct http_field){ span_of(name), value };
}

static void copy_fields(const struct http_head *h, struct span also_not, struct fields *to)
{
	bool has_list = http_field_find(h, "connection");

	for (size_t i = 0; i < h->n_fields && to->n < MAX_FIELDS; i++) {
		struct span name = h->fields[i].name;

		if (!is_of_connection(name) && !span_eq(name, also_not) &&
		    !(has_list && http_list_has(h, "connection", name)))
			to->items[to->n++] = h->fields[i];
	}
}

/* What the body would be, of which there is none (HEAD, 304). */
static void add_absent_length(const struct exchange_head *e, struct fields *f)
{
	const struct http_head *h = h1_reader_head(e->reader);
	const struct http_field *field = http_field_find(h, "content-length");

	if (field && h->status != 204)
		add_field(f, "content-length", field->value);
}

/* How the body is written on. */
static void add_framing(struct exchange_head *e, bool is_response, struct fields *f)
{
	uint64_t length = 0;
	enum h1_body body = h1_reader_body(e->reader, &length);
	bool may_chunk = !is_response || !e->is_old_client;

	e->is_chunked = false;
	if (body == H1_BODY_LENGTH) {
		(void)snprintf(f->length, sizeof(f->length), "%llu", (unsigned long long)length);
		add_field(f, "content-length", span_of(f->length));
	} else if (body == H1_BODY_CHUNKED && may_chunk) {
		e->is_chunked = true;
		add_field(f, "transfer-encoding", SPAN("chunked"));
	} else if (body != H1_BODY_NONE) {
		e->is_last = true; /* its end is the connection's */
	} else if (is_response) {
		add_absent_length(e, f);
	}
}

static void add_upgrade(struct fields *f)
{
	add_field(f, "connection", SPAN("upgrade"));
	add_field(f, "upgrade", SPAN("websocket"));
}

int exchange_head_write_request(struct exchange_head *e, struct span target, struct span host,
				struct buf *out)
{
	struct fields f = { .n = 0 };
	struct http_head made = { .method = e->head->method, .target = target, .minor = 1 };

	add_field(&f, "host", host);
	copy_fields(e->head, (struct span){ 0 }, &f);
	add_framing(e, /* is_response = */ false, &f);
	if (e->is_upgrade)
		add_upgrade(&f);
	else if (e->is_last)
		add_field(&f, "connection", SPAN("close"));
	made.fields = f.items;
	made.n_fields = f.n;
	return h1_write_request(out, &made);
}

int exchange_head_write_response(struct exchange_head *e, struct buf *out)
{
	struct fields f = { .n = 0 };
	struct http_head made = { .status = e->head->status,
				  .reason = e->head->reason,
				  .minor = 1 };
	bool is_interim = e->head->status < 200;

	/* Another way to the same service, which would lead around the proxy. */
	copy_fields(e->head, SPAN("alt-svc"), &f);
	if (!is_interim)
		add_framing(e, /* is_response = */ true, &f);
	if (e->is_upgrade)
		add_upgrade(&f);
	else if (!is_interim && e->is_last)
		add_field(&f, "connection", SPAN("close"));
	else if (!is_interim && e->is_old_client)
		add_field(&f, "connection", SPAN("keep-alive"));
	made.fields = f.items;
	made.n_fields = f.n;
	return h1_write_response(out, &made);
}

int exchange_head_write_trailers(const struct h1_reader *reader, const struct needles *needles,
				 struct buf *out)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(4 * LIMIT_HTTP_TRAILERS);
	struct http_field items[MAX_FIELDS];
	size_t n = 0;
	const struct http_field *trailers = h1_reader_trailers(reader, &n);
	int r = 0;

	n = MIN(n, (size_t)MAX_FIELDS);
	if (n)
		memcpy(items, trailers, n * sizeof(*items));
	if (needles)
		r = scrub_fields(needles, &arena, items, n);
	return r < 0 ? r : h1_write_last_chunk(out, items, n);
}
