#include "proxy/answer.h"

#include <errno.h>

#include "base/json-writer.h"

static int put_response(const char *status, const struct buf *body, struct buf *out)
{
	return buf_printf(out,
			  "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
			  "Cache-Control: no-store\r\nConnection: close\r\n\r\n%.*s\n",
			  status, body->len + 1, SPAN_ARG(buf_span(body)));
}

int answer_split(struct span answer, struct span *ret_body)
{
	const struct span gap = SPAN("\r\n\r\n");
	const char *end = memmem(answer.p, answer.len, gap.p, gap.len);

	*ret_body = span_from(answer, (size_t)(end - answer.p) + gap.len);
	return (answer.p[9] - '0') * 100 + (answer.p[10] - '0') * 10 + (answer.p[11] - '0');
}

/* Host::"name:port", or the address where no name is known. */
static void put_resource(struct json_writer *w, const struct proxy_question *q)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	char address[ADDRESS_TEXT_MAX];
	struct span host = { 0 };
	bool is_bare_v6 = false;

	if (q->name && q->name->len) {
		host = name_span(q->name);
	} else if (q->address) {
		host = address_format(q->address, address);
		is_bare_v6 = q->address->is_v6;
	}
	(void)buf_printf(&text, is_bare_v6 ? "Host::\"[%.*s]:%u\"" : "Host::\"%.*s:%u\"",
			 SPAN_ARG(host), q->port);
	json_key_string(w, "resource", buf_span(&text));
}

int answer_denied(const struct policy_decision *d, const struct proxy_question *q, struct buf *out)
{
	_cleanup_buf_ struct buf body = BUF_INIT(0);
	struct json_writer w = { .out = &body };

	json_begin_object(&w);
	json_key_string(&w, "error", SPAN("denied by policy"));
	json_key_string(&w, "policy", d->n_reasons ? span_of(d->reasons[0]) : SPAN("default"));
	json_key_string(&w, "action", span_of(policy_action_name(q->action)));
	put_resource(&w, q);
	json_key_string(
		&w, "help",
		d->n_reasons ? SPAN("the policy named here forbids it; `leash policy explain` tells why")
			     : SPAN("no policy permits it; whoever started leash can add one"));
	json_end_object(&w);
	return put_response("403 Forbidden", &body, out);
}

int answer_secret(struct span secret, struct span why, const struct proxy_question *q,
		  struct buf *out)
{
	_cleanup_buf_ struct buf body = BUF_INIT(0);
	struct json_writer w = { .out = &body };

	json_begin_object(&w);
	json_key_string(&w, "error", SPAN("refused for a secret"));
	json_key_string_opt(&w, "secret", secret);
	json_key_string(&w, "reason", why);
	put_resource(&w, q);
	json_key_string(
		&w, "help",
		SPAN("what the agent holds is a placeholder; whoever started leash says with "
		     "--secret where the secret may go"));
	json_end_object(&w);
	return put_response("403 Forbidden", &body, out);
}

int answer_mismatch(const struct proxy_question *q, struct buf *out)
{
	_cleanup_buf_ struct buf body = BUF_INIT(0);
	struct json_writer w = { .out = &body };

	json_begin_object(&w);
	json_key_string(&w, "error",
			SPAN("the request's host is not what the connection leads to"));
	put_resource(&w, q);
	json_end_object(&w);
	return put_response("421 Misdirected Request", &body, out);
}

int answer_malformed(struct buf *out)
{
	_cleanup_buf_ struct buf body = BUF_INIT(0);
	struct json_writer w = { .out = &body };

	json_begin_object(&w);
	json_key_string(&w, "error", SPAN("the request is malformed"));
	json_end_object(&w);
	return put_response("400 Bad Request", &body, out);
}

int answer_bad_response(const struct proxy_question *q, struct buf *out)
{
	_cleanup_buf_ struct buf body = BUF_INIT(0);
	struct json_writer w = { .out = &body };

	json_begin_object(&w);
	json_key_string(&w, "error", SPAN("the server's response is malformed"));
	put_resource(&w, q);
	json_end_object(&w);
	return put_response("502 Bad Gateway", &body, out);
}

int answer_bad_server(const struct proxy_question *q, const char *what, const char *why,
		      struct buf *out)
{
	_cleanup_buf_ struct buf body = BUF_INIT(0);
	struct json_writer w = { .out = &body };

	json_begin_object(&w);
	json_key_string(&w, "error", span_of(what));
	put_resource(&w, q);
	json_key_string(&w, "reason", span_of(why));
	json_end_object(&w);
	return put_response("502 Bad Gateway", &body, out);
}

int answer_unreachable(const struct proxy_question *q, int error, struct buf *out)
{
	_cleanup_buf_ struct buf body = BUF_INIT(0);
	struct json_writer w = { .out = &body };

	json_begin_object(&w);
	json_key_string(&w, "error", SPAN("cannot connect"));
	put_resource(&w, q);
	json_key_string(&w, "reason", span_of(strerrordesc_np(-error)));
	json_end_object(&w);
	return put_response("502 Bad Gateway", &body, out);
}
