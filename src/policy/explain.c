#include "policy/policy-private.h"
#include "policy/request.h"
#include "policy/text.h"

static const char *const verbs[POLICY_ACTION_MAX] = {
	[POLICY_FILE_OPEN_READ_ONLY] = "read",
	[POLICY_FILE_OPEN_READ_WRITE] = "write",
	[POLICY_FILE_CREATE] = "create",
	[POLICY_FILE_DELETE] = "delete",
	[POLICY_FILE_LINK] = "link",
	[POLICY_FILE_SET_ATTRIBUTES] = "change the attributes of",
	[POLICY_PROCESS_EXEC] = "execute",
	[POLICY_NETWORK_LISTEN] = "listen on",
	[POLICY_NETWORK_CONNECT] = "connect to",
	[POLICY_DNS_RESOLVE] = "resolve",
	[POLICY_NETWORK_DATAGRAM] = "send datagrams to",
	[POLICY_HTTP_REQUEST] = "send HTTP requests to",
	[POLICY_MCP_CALL] = "call the MCP tool",
};

struct explanation {
	const struct policy *policy;
	const struct policy_request *request;
	const struct policy_decision *decision;
	bool color;
	struct buf *out;
};

/* Bytes below a space, and DEL, would let a file's name write on the terminal. */
static int append_visible(struct buf *out, struct span text, bool keep_newlines)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c < 0x20 || c == 0x7f) && !(keep_newlines && (c == '\n' || c == '\t')))
			r = buf_printf(out, "\\x%02x", (unsigned int)c);
		else
			r = buf_append_char(out, text.p[i]);
	}
	return r;
}

static bool is_known_request(const struct explanation *x)
{
	return x->request->action == POLICY_HTTP_REQUEST && x->request->http;
}

/* Without query: that may hold what is nobody's business. */
static int append_url(const struct explanation *x, struct span host)
{
	const struct policy_http *http = x->request->http;
	bool has_path = http->path.p[0] == '/';
	int r = buf_printf(x->out, "%.*s %.*s://", SPAN_ARG(http->method), SPAN_ARG(http->scheme));

	if (r >= 0)
		r = append_visible(x->out, host, /* keep_newlines = */ false);
	if (r >= 0 && has_path)
		r = append_visible(x->out, http->path, /* keep_newlines = */ false);
	return r;
}

static int append_object(const struct explanation *x)
{
	_cleanup_buf_ struct buf id = BUF_INIT(0);

	if (!request_is_sound(x->request) || request_resource_id(x->request, &id) < 0)
		return buf_append_str(x->out, "something without a proper name");
	if (is_known_request(x))
		return append_url(x, buf_span(&id));
	return append_visible(x->out, buf_span(&id), /* keep_newlines = */ false);
}

static int explain_verdict(const struct explanation *x)
{
	bool is_allowed = x->decision->verdict == DECISION_ALLOW;
	const char *color = !x->color ? "" : is_allowed ? "\033[1;32m" : "\033[1;31m";
	int r = buf_printf(x->out, "%s%s%s: to %s ", color, is_allowed ? "allowed" : "denied",
			   x->color ? "\033[0m" : "",
			   is_known_request(x) ? "send" : verbs[x->request->action]);

	if (r >= 0)
		r = append_object(x);
	if (r >= 0)
		r = buf_printf(x->out, " (%s)\n", policy_action_name(x->request->action));
	if (r < 0 || is_allowed || !policy_permits(x->policy, x->decision))
		return r;
	return buf_printf(x->out, "It goes ahead all the same: the session's mode is %s.\n",
			  policy_mode_name(policy_session_mode(x->policy)));
}

static int append_indented(struct buf *out, struct span text)
{
	int r = 0;

	while (r >= 0 && text.len) {
		const char *end = memchr(text.p, '\n', text.len);
		size_t len = end ? (size_t)(end - text.p) : text.len;

		r = buf_append_str(out, "    ");
		if (r >= 0)
			r = append_visible(out, span_make(text.p, len), /* keep_newlines = */ true);
		if (r >= 0)
			r = buf_append_char(out, '\n');
		text = span_from(text, len + 1);
	}
	return r;
}

static int append_condition(const struct explanation *x, const struct policy_condition *c)
{
	int r = buf_printf(x->out, "    %s: ", policy_condition_result_name(c->result));

	if (r >= 0)
		r = append_visible(x->out, span_of(c->text), /* keep_newlines = */ false);
	return r < 0 ? r : buf_append_char(x->out, '\n');
}

static int append_id(const struct explanation *x, const struct policy_reason *reason)
{
	int r = append_visible(x->out, span_of(reason->id), /* keep_newlines = */ false);

	return r < 0 ? r : buf_printf(x->out, ", line %zu of %s", reason->line, reason->file);
}

static int explain_reason(const struct explanation *x, const struct policy_reason *reason)
{
	int r = buf_printf(x->out, "%s by ", reason->is_forbid ? "Forbidden" : "Permitted");

	if (r >= 0)
		r = append_id(x, reason);
	if (r >= 0)
		r = buf_append_str(x->out, ":\n");
	if (r >= 0)
		r = append_indented(x->out, reason->text);
	for (size_t i = 0; r >= 0 && i < reason->n_conditions; i++)
		r = append_condition(x, &reason->conditions[i]);
	return r;
}

/* Only what stands in the way: the rest holds. */
static int explain_almost(const struct explanation *x, const struct policy_reason *reason)
{
	int r = append_id(x, reason);

	if (r >= 0)
		r = buf_append_str(x->out, ", would permit it, but:\n");
	for (size_t i = 0; r >= 0 && i < reason->n_conditions; i++)
		if (reason->conditions[i].result != POLICY_CONDITION_HOLDS)
			r = append_condition(x, &reason->conditions[i]);
	return r;
}

static int explain_policies(const struct explanation *x)
{
	struct policy_explanation found;
	int r = policy_explanation_make(x->policy, x->request, x->decision, &found);

	if (r < 0)
		return buf_printf(x->out,
				  "It is not canonical, so no policy can be asked about it.\n");
	for (size_t i = 0; r >= 0 && i < found.n_reasons; i++)
		r = explain_reason(x, &found.reasons[i]);
	for (size_t i = 0; r >= 0 && i < found.n_almost; i++)
		r = explain_almost(x, &found.almost[i]);
	policy_explanation_done(&found);
	return r;
}

static int append_request_conditions(const struct explanation *x)
{
	int r = buf_append_str(x->out, "\n    when { context.method == ");

	if (r >= 0)
		r = text_append_literal(x->request->http->method, x->out);
	if (r >= 0)
		r = buf_append_str(x->out, " && context.path == ");
	if (r >= 0)
		r = text_append_literal(x->request->http->path, x->out);
	return r < 0 ? r : buf_append_str(x->out, " }");
}

/* A permit of just this object, which a person can widen. */
static int append_permit(const struct explanation *x)
{
	_cleanup_buf_ struct buf id = BUF_INIT(0);
	struct span type = request_resource_type(x->request);
	int r;

	if (request_resource_id(x->request, &id) < 0)
		return 0;
	r = buf_printf(x->out,
		       "    permit (principal, action == Action::\"%s\", resource == %.*s::",
		       policy_action_name(x->request->action), SPAN_ARG(type));
	if (r >= 0)
		r = text_append_literal(buf_span(&id), x->out);
	if (r >= 0)
		r = buf_append_char(x->out, ')');
	if (r >= 0 && is_known_request(x))
		r = append_request_conditions(x);
	return r < 0 ? r : buf_append_str(x->out, ";\n");
}

static int explain_change(const struct explanation *x)
{
	const struct policy_decision *d = x->decision;
	int r;

	if (d->verdict == DECISION_ALLOW)
		return buf_append_str(
			x->out, "To deny it, add a forbid: a forbid wins over every permit.\n");
	if (d->is_own_rule)
		return buf_append_str(
			x->out,
			"This is a rule of leash itself: no policy and no mode lifts it.\n");
	if (d->n_reasons)
		return buf_printf(
			x->out,
			"No permit outweighs a forbid. To allow it, %s would have to exclude it.\n",
			d->n_reasons + d->n_more_reasons == 1 ? "that policy"
							      : "each of these policies");
	r = buf_append_str(x->out, "No policy permits it, and what nothing permits is denied. "
				   "To allow it, add for instance:\n");
	return r < 0 ? r : append_permit(x);
}

int policy_explain(const struct policy *p, const struct policy_request *r,
		   const struct policy_decision *d, bool color, struct buf *out)
{
	const struct explanation x = { p, r, d, color, out };
	int code;

	if (r->action >= POLICY_ACTION_MAX)
		return buf_append_str(out, "denied: no such action\n");
	code = explain_verdict(&x);
	if (code >= 0)
		code = explain_policies(&x);
	if (code >= 0 && d->n_more_reasons)
		code = buf_printf(out, "... and %zu more.\n", d->n_more_reasons);
	if (code >= 0 && d->has_error)
		code = buf_append_str(
			out, "A policy could not be evaluated (a fact is missing, or types "
			     "do not fit); an erring forbid denies, an erring permit does "
			     "not apply.\n");
	return code < 0 ? code : explain_change(&x);
}
