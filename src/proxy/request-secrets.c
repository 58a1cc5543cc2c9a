/*
 * Secrets in a request that may go: what is put in, what is refused, and what is
 * recorded of it, which is names.
 */
#include <errno.h>

#include "base/alloc.h"
#include "proxy/answer.h"
#include "proxy/connection-private.h"

static struct secrets_destination destination(const struct connection *c, struct span path,
					      char text[ADDRESS_TEXT_MAX])
{
	struct span host = c->decided_name.len && !c->is_by_address
				   ? name_span(&c->decided_name)
				   : address_format(&c->to.address, text);

	return (struct secrets_destination){
		.host = host, .port = c->to.port, .is_verified = c->is_verified_tls, .path = path
	};
}

static struct proxy_question question(const struct connection *c)
{
	struct proxy_question q = connection_question(c);

	q.action = POLICY_HTTP_REQUEST;
	q.name = &c->decided_name;
	q.address = &c->dialled.address;
	return q;
}

static void report_uses(const struct connection *c, const struct http_head *head,
			const struct secrets_edit *edit)
{
	struct proxy_question q = question(c);

	for (size_t i = 0; i < edit->n_uses; i++) {
		struct event e = { .kind = EVENT_HTTP_REWRITE,
				   .method = head->method,
				   .header = edit->uses[i].header,
				   .secret = edit->uses[i].name };

		proxy_report_plain(c->proxy, &e, &q, EVENT_DECISION_NONE);
	}
}

static void refuse(struct connection *c, const struct http_head *head,
		   const struct secrets_edit *edit, struct buf *answer)
{
	struct proxy_question q = question(c);
	struct policy_decision d = proxy_own_denial(c->proxy, "secret");
	struct event e = { .kind = EVENT_HTTP_REQUEST,
			   .method = head->method,
			   .secret = edit->refused_name,
			   .message = span_of(edit->why) };

	request_forget(c);
	proxy_report(c->proxy, &e, &q, &d);
	(void)answer_secret(edit->refused_name, span_of(edit->why), &q, answer);
}

const struct http_head *request_put_in_secrets(struct connection *c, const struct http_head *head,
					       struct span path, struct buf *answer)
{
	struct secrets_edit edit = { 0 };
	char text[ADDRESS_TEXT_MAX];
	const struct secrets_destination to = destination(c, path, text);

	switch (secrets_put_in(c->proxy->secrets, &to, head, &edit)) {
	case SECRETS_NONE:
		secrets_edit_done(&edit);
		return head;
	case SECRETS_PUT_IN:
		report_uses(c, head, &edit);
		c->edit = xnew(struct secrets_edit);
		*c->edit = edit;
		return &c->edit->head;
	case SECRETS_REFUSED:
		break;
	}
	refuse(c, head, &edit, answer);
	secrets_edit_done(&edit);
	return NULL;
}

void request_forget_secrets(struct connection *c)
{
	if (!c->edit)
		return;
	secrets_edit_done(c->edit);
	xfree(TAKE_PTR(c->edit));
}
