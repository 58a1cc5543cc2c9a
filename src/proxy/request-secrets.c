/*
 * Secrets in a request that may go: what is put in, what is refused, and what is
 * recorded of it, which is names.
 */
#include "proxy/answer.h"
#include "proxy/connection-private.h"

/* What the connection was decided, and inside TLS verified, to lead to. */
static struct secrets_destination destination(const struct connection *c, struct span path,
					      char text[ADDRESS_TEXT_MAX])
{
	struct span host = c->is_by_address ? address_format(&c->to.address, text)
					    : name_span(&c->decided_name);

	return (struct secrets_destination){
		.host = host, .port = c->to.port, .is_verified = c->is_in_tls, .path = path
	};
}

static void report_uses(const struct connection *c, const struct http_head *head,
			const struct secrets_edit *edit)
{
	struct proxy_question q = request_question(c);

	for (size_t i = 0; i < edit->n_uses; i++) {
		struct event e = { .kind = EVENT_HTTP_REWRITE,
				   .method = head->method,
				   .header = edit->uses[i].header,
				   .secret = edit->uses[i].name };

		proxy_report_plain(c->proxy, &e, &q, EVENT_DECISION_NONE);
	}
}

static void refuse(struct connection *c, const struct http_head *head, struct exchange_request *r)
{
	const struct secrets_edit *edit = &r->edit;
	struct proxy_question q = request_question(c);
	struct policy_decision d = proxy_own_denial(c->proxy, "secret");
	struct event e = { .kind = EVENT_HTTP_REQUEST,
			   .method = head->method,
			   .secret = edit->refused_name,
			   .message = span_of(edit->why) };

	request_forget(c, TAKE_PTR(r->record));
	proxy_report(c->proxy, &e, &q, &d);
	(void)answer_secret(edit->refused_name, span_of(edit->why), &q, &r->answer);
}

bool request_put_in_secrets(struct connection *c, const struct http_head *head, struct span path,
			    struct exchange_request *r)
{
	char text[ADDRESS_TEXT_MAX];
	const struct secrets_destination to = destination(c, path, text);

	switch (secrets_put_in(c->proxy->secrets, &to, head, &r->edit)) {
	case SECRETS_NONE:
		return true;
	case SECRETS_PUT_IN:
		report_uses(c, head, &r->edit);
		r->head = &r->edit.head;
		return true;
	case SECRETS_REFUSED:
		break;
	}
	refuse(c, head, r);
	return false;
}
