#include <errno.h>
#include <stdio.h>

#include "api/private.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "http/h1-writer.h"

/* How long the rest of a request that was refused is read and thrown away, so that its sender
 * reads the answer before the connection is reset (RFC 9112 §9.6). */
#define LINGER_MS 2000

/* One answer on its way. */
struct sending {
	uv_write_t request;
	struct buf head, body;
};

static void set_deadline(struct api_connection *c, uint64_t ms)
{
	c->deadline = api_now(c->api) + ms;
}

/* ---- Closing ------------------------------------------------------------------- */

static void unlink_connection(struct api_connection *c)
{
	struct api *a = c->api;

	if (c->prev)
		c->prev->next = c->next;
	else
		a->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	a->n_connections--;
}

static void on_closed(uv_handle_t *handle)
{
	struct api_connection *c = handle->data;
	struct api *a = c->api;

	h1_reader_free(c->reader);
	buf_done(&c->body);
	buf_done(&c->pending);
	api_call_done(&c->call);
	live_free(c->live);
	xfree(c);
	api_handle_closed(a);
}

void connection_close(struct api_connection *c)
{
	if (c->state == CONNECTION_CLOSED)
		return;
	if (c->state == CONNECTION_LIVE)
		live_left(c);
	c->state = CONNECTION_CLOSED;
	unlink_connection(c);
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void connection_sweep(struct api_connection *c)
{
	if (api_now(c->api) < c->deadline)
		return;
	if (c->state == CONNECTION_WAITING) {
		api_problem(&c->call, 503,
			    "the policy was handed out, but not everybody has taken it up yet");
		connection_answer(c);
		return;
	}
	connection_close(c);
}

/* ---- Writing ------------------------------------------------------------------- */

static void feed(struct api_connection *c, struct span bytes);
static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer);

static const struct http_field security[] = {
	{ SPAN("content-security-policy"),
	  SPAN("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	       "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
	       "frame-ancestors 'none'"),
	  false },
	{ SPAN("x-content-type-options"), SPAN("nosniff"), false },
	{ SPAN("referrer-policy"), SPAN("no-referrer"), false },
	{ SPAN("cross-origin-opener-policy"), SPAN("same-origin"), false },
	{ SPAN("cross-origin-resource-policy"), SPAN("same-origin"), false },
};

/* A handler's, these, and what is said of length, type, cache and connection. */
#define MAX_FIELDS (API_MAX_FIELDS + ARRAY_SIZE(security) + 4)

static void add_field(struct http_head *h, struct http_field fields[MAX_FIELDS], const char *name,
		      struct span value)
{
	fields[h->n_fields++] = (struct http_field){ .name = span_of(name), .value = value };
}

static int write_head(struct api_connection *c, size_t body_len, struct buf *out)
{
	struct api_call *call = &c->call;
	struct http_field fields[MAX_FIELDS];
	struct http_head h = { .status = call->status,
			       .reason = span_of(api_reason(call->status)),
			       .fields = fields };
	char length[24];
	bool has_cache = false;

	(void)snprintf(length, sizeof(length), "%zu", body_len);
	if (call->status != 204 && call->status != 304)
		add_field(&h, fields, "content-length", span_of(length));
	if (call->type)
		add_field(&h, fields, "content-type", span_of(call->type));
	for (size_t i = 0; i < call->n_fields; i++) {
		has_cache |= strcmp(call->fields[i].name, "cache-control") == 0;
		add_field(&h, fields, call->fields[i].name, call->fields[i].value);
	}
	if (!has_cache)
		add_field(&h, fields, "cache-control", SPAN("no-store"));
	for (size_t i = 0; i < ARRAY_SIZE(security); i++)
		fields[h.n_fields++] = security[i];
	if (!c->keeps_alive)
		add_field(&h, fields, "connection", SPAN("close"));
	return h1_write_response(out, &h);
}

static void on_lingering(uv_shutdown_t *request, int status)
{
	(void)status;
	xfree(request);
}

static void linger(struct api_connection *c)
{
	uv_shutdown_t *request = xnew(uv_shutdown_t);

	c->state = CONNECTION_LINGERING;
	set_deadline(c, LINGER_MS);
	if (uv_shutdown(request, (uv_stream_t *)&c->tcp, on_lingering) < 0) {
		xfree(request);
		connection_close(c);
	} else if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0) {
		connection_close(c);
	}
}

/* What came meanwhile is read first. */
static void read_on(struct api_connection *c)
{
	struct buf pending = c->pending;

	c->pending = (struct buf){ 0 };
	c->state = CONNECTION_READING;
	set_deadline(c, pending.len ? LIMIT_API_REQUEST_MS : LIMIT_API_IDLE_MS);
	feed(c, buf_span(&pending));
	buf_done(&pending);
	if ((c->state == CONNECTION_READING || c->state == CONNECTION_LIVE) &&
	    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		connection_close(c);
}

static void sending_free(struct sending *s)
{
	buf_done(&s->head);
	buf_done(&s->body);
	xfree(s);
}

static void on_written(uv_write_t *request, int status)
{
	struct sending *s = request->data;
	struct api_connection *c = (struct api_connection *)request->handle;

	sending_free(s);
	if (c->state == CONNECTION_CLOSED)
		return;
	if (status < 0)
		connection_close(c);
	else if (!c->keeps_alive)
		linger(c);
	else
		read_on(c);
}

void connection_answer(struct api_connection *c)
{
	struct sending *s = xnew(struct sending);
	struct api_call *call = &c->call;
	bool is_file = call->file.len != 0;
	uv_buf_t parts[2];
	size_t body_len;

	if (call->out.failed || call->status == 0)
		api_problem(call, 500, "the answer would be too large");
	s->body = call->out;
	call->out = (struct buf){ 0 };
	body_len = is_file ? call->file.len : s->body.len;
	if (write_head(c, body_len, &s->head) < 0) {
		sending_free(s);
		connection_close(c);
		return;
	}
	parts[0] = uv_buf_init(s->head.data, (unsigned)s->head.len);
	/* uv_buf_t has no const; nothing is written to it. */
	parts[1] = uv_buf_init(is_file ? (char *)(uintptr_t)call->file.p : s->body.data,
			       (unsigned)body_len);
	api_call_reset(call);
	buf_reset(&c->body);
	c->state = CONNECTION_WRITING;
	set_deadline(c, LIMIT_API_WRITE_MS);
	s->request.data = s;
	(void)uv_read_stop((uv_stream_t *)&c->tcp);
	if (uv_write(&s->request, (uv_stream_t *)&c->tcp, parts,
		     body_len && !c->is_head_request ? 2 : 1, on_written) < 0) {
		sending_free(s);
		connection_close(c);
	}
}

/* ---- Who may ask ---------------------------------------------------------------- */

static bool is_below_api(struct span path)
{
	return span_eq_str(path, "/api") || span_starts_with(path, SPAN("/api/")) ||
	       span_eq_str(path, "/metrics");
}

static bool check_origin(struct api_call *c)
{
	const struct http_field *host = http_field_find(c->head, "host");

	if (!host || !api_auth_is_host(&c->api->auth, host->value))
		api_problem(c, 403, "leash does not listen under that name");
	else if (!api_auth_is_same_origin(c->head) ||
		 (is_below_api(c->path) && api_auth_is_foreign(c->head)))
		api_problem(c, 403, "a page of another origin may not use this");
	return c->status == 0;
}

static bool check_token(struct api_call *c)
{
	bool is_open = c->route ? c->route->flags & API_ROUTE_OPEN : !is_below_api(c->path);

	c->who = api_auth_who(&c->api->auth, c->head);
	if (is_open || c->who != API_NOBODY)
		return true;
	api_problem(c, 401,
		    "the session's token is needed: `leash token` prints it, `leash ui` opens the "
		    "page with it");
	api_answer_field(c, "www-authenticate", SPAN("Bearer realm=\"leash\""));
	return false;
}

static bool check_route(struct api_call *c, bool is_known)
{
	struct buf methods = BUF_INIT(0);
	struct span kept;

	if (c->route)
		return true;
	if (!is_known) {
		api_problem(c, 404, "there is nothing here");
		return false;
	}
	api_route_methods(c->path, &methods);
	api_problem(c, 405, "this is not done here; the methods are %s", methods.data);
	if (api_keep(c, buf_span(&methods), &kept))
		api_answer_field(c, "allow", kept);
	buf_done(&methods);
	return false;
}

static bool is_media_type(struct span value, const char *type)
{
	const char *end = memchr(value.p, ';', value.len);

	if (end)
		value.len = (size_t)(end - value.p);
	return span_eq_nocase(span_trim(value), span_of(type));
}

/*
 * A form, or a script of another origin that is not asked about first, can send
 * text/plain and the types of forms, but not JSON.
 */
static bool check_type(struct api_call *c, bool has_body)
{
	const struct http_field *type = http_field_find(c->head, "content-type");

	if (span_eq_str(c->method, "GET") || span_eq_str(c->method, "HEAD"))
		return true;
	if (type && is_media_type(type->value, "application/json"))
		return true;
	if (!type && !has_body && (c->who == API_BEARER || span_eq_str(c->method, "DELETE")))
		return true;
	c->is_text = c->route->flags & API_ROUTE_TEXT && c->who == API_BEARER &&
		     (!type || is_media_type(type->value, "text/plain") ||
		      is_media_type(type->value, "application/x-www-form-urlencoded"));
	if (!c->is_text)
		api_problem(c, 415, "the body must be application/json");
	return c->is_text;
}

/* ---- Reading -------------------------------------------------------------------- */

static void refuse(struct api_connection *c)
{
	c->has_failed = true;
	c->keeps_alive = false;
	connection_answer(c);
}

static void split_target(struct api_call *c)
{
	struct span target = c->head->target;
	const char *mark = memchr(target.p, '?', target.len);

	c->path = span_make(target.p, mark ? (size_t)(mark - target.p) : target.len);
	c->query = mark ? span_from(target, c->path.len + 1) : (struct span){ 0 };
}

static bool want_continue(const struct api_call *c)
{
	const struct http_field *f = http_field_find(c->head, "expect");

	return f && span_eq_nocase(f->value, SPAN("100-continue"));
}

/* The client waits before it sends its body. */
static bool say_go_on(struct api_connection *c)
{
	const struct http_head h = { .status = 100, .reason = SPAN("Continue") };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	uv_buf_t b;

	if (h1_write_response(&out, &h) < 0)
		return false;
	b = uv_buf_init(out.data, (unsigned)out.len);
	return uv_try_write((uv_stream_t *)&c->tcp, &b, 1) == (int)out.len;
}

/* The head is all that is needed to refuse. */
static void on_head(struct api_connection *c)
{
	struct api_call *call = &c->call;
	bool is_known = false, has_body, is_fine;
	uint64_t length;

	call->head = h1_reader_head(c->reader);
	call->method = call->head->method;
	split_target(call);
	c->keeps_alive = http_keeps_alive(call->head);
	c->is_head_request = span_eq_str(call->method, "HEAD");
	has_body = h1_reader_body(c->reader, &length) != H1_BODY_NONE;
	call->route = api_route_find(call->method, call->path, &is_known);
	is_fine = check_origin(call) && check_token(call) && check_route(call, is_known) &&
		  check_type(call, has_body && (length || h1_reader_body(c->reader, &length) ==
								  H1_BODY_CHUNKED));
	if (is_fine && length > LIMIT_API_BODY) {
		api_problem(call, 413, "a body may have %zu bytes", LIMIT_API_BODY);
		is_fine = false;
	}
	/* With a body under way, the connection's end is the only one there is. */
	if (!is_fine && has_body)
		refuse(c);
	else if (has_body && want_continue(call) && !say_go_on(c))
		connection_close(c);
}

static void on_data(struct api_connection *c, struct span data)
{
	if (buf_append_span(&c->body, data) >= 0)
		return;
	api_problem(&c->call, 413, "a body may have %zu bytes", LIMIT_API_BODY);
	refuse(c);
}

static void on_end(struct api_connection *c)
{
	struct api_call *call = &c->call;

	call->body = buf_span(&c->body);
	c->state = CONNECTION_WAITING;
	set_deadline(c, LIMIT_API_APPLY_MS);
	if (call->status == 0)
		call->route->handler(call);
	/* Else it waits, or is a WebSocket now. */
	if (c->state == CONNECTION_WAITING && !call->awaits)
		connection_answer(c);
}

static void on_bad(struct api_connection *c)
{
	api_problem(&c->call, 400, "%s", h1_reader_error(c->reader));
	refuse(c);
}

static void on_event(struct api_connection *c, enum h1_event event, struct span data)
{
	switch (event) {
	case H1_HEAD:
		on_head(c);
		break;
	case H1_DATA:
		on_data(c, data);
		break;
	case H1_END:
		on_end(c);
		break;
	case H1_BAD:
		on_bad(c);
		break;
	case H1_MORE:
		break;
	}
}

static void feed(struct api_connection *c, struct span bytes)
{
	struct span data;
	size_t used;

	while (c->state == CONNECTION_READING && (bytes.len || h1_reader_has_ended(c->reader))) {
		enum h1_event event;

		/* The first byte of a request starts its clock. */
		if (h1_reader_is_idle(c->reader))
			set_deadline(c, LIMIT_API_REQUEST_MS);
		event = h1_reader_feed(c->reader, bytes, &used, &data);
		bytes = span_from(bytes, used);
		on_event(c, event, data);
	}
	if (bytes.len == 0 || c->has_failed)
		return;
	if (c->state == CONNECTION_LIVE)
		live_feed(c, bytes);
	else if (c->state != CONNECTION_CLOSED && c->state != CONNECTION_LINGERING)
		(void)buf_append_span(&c->pending, bytes);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret)
{
	struct api_connection *c = handle->data;

	(void)hint;
	*ret = uv_buf_init(c->api->bytes, sizeof(c->api->bytes));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct api_connection *c = stream->data;

	if (n < 0)
		connection_close(c);
	else if (c->state == CONNECTION_LIVE)
		live_feed(c, span_make(buffer->base, (size_t)n));
	else if (c->state != CONNECTION_LINGERING)
		feed(c, span_make(buffer->base, (size_t)n));
	/* While an answer is due nothing more is read: what waits stays with the peer. */
	if (n >= 0 && c->state == CONNECTION_WAITING)
		(void)uv_read_stop(stream);
}

/* ---- Accepting ------------------------------------------------------------------ */

static struct api_connection *make(struct api *a)
{
	struct api_connection *c = xnew(struct api_connection);

	c->api = a;
	c->body.max = LIMIT_API_BODY;
	c->reader = h1_reader_new(H1_REQUESTS);
	c->call.api = a;
	c->call.connection = c;
	api_call_init(&c->call);
	c->next = a->connections;
	if (c->next)
		c->next->prev = c;
	a->connections = c;
	a->n_connections++;
	a->n_handles++;
	return c;
}

int connection_accept(struct api *a)
{
	struct api_connection *c = make(a);
	int r = uv_tcp_init(a->loop, &c->tcp);

	c->tcp.data = c;
	if (r < 0) {
		unlink_connection(c);
		h1_reader_free(c->reader);
		xfree(c);
		a->n_handles--;
		return r;
	}
	r = uv_accept((uv_stream_t *)&a->listener, (uv_stream_t *)&c->tcp);
	set_deadline(c, LIMIT_API_REQUEST_MS);
	if (r >= 0 && a->n_connections <= LIMIT_API_CONNECTIONS)
		r = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	else
		r = r < 0 ? r : -EMFILE;
	if (r < 0)
		connection_close(c);
	else
		(void)uv_tcp_nodelay(&c->tcp, 1);
	return r;
}
