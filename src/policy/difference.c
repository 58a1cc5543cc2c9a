#include "policy/difference.h"

#include "base/map.h"
#include "policy/request.h"

/* ---- The texts ------------------------------------------------------------------- */

/* Behind an annotation as leash writes it: @name or @name("value"), and blanks. */
static struct span skip_annotation(struct span text)
{
	size_t at = 0;

	while (at < text.len && text.p[at] != ' ' && text.p[at] != '(')
		at++;
	if (at < text.len && text.p[at] == '(') {
		/* From the first quote to the one that ends the string. */
		for (at += 2; at < text.len && text.p[at] != '"'; at++)
			if (text.p[at] == '\\')
				at++;
		at += 2;
	}
	while (at < text.len && (text.p[at] == ' ' || text.p[at] == '\n'))
		at++;
	return span_from(text, MIN(at, text.len));
}

/* What makes a policy this one: of annotations only one decides anything. */
static struct span identity(const struct policy_item *item, struct buf *out)
{
	struct span text = item->expanded;

	buf_reset(out);
	while (text.len && text.p[0] == '@') {
		struct span rest = skip_annotation(text);

		if (span_starts_with(text, SPAN("@tls(")))
			(void)buf_append(out, text.p, text.len - rest.len);
		text = rest;
	}
	(void)buf_append_span(out, text);
	return buf_span(out);
}

void difference_only(const struct policy_source *here, const struct policy_source *there,
		     policy_item_fn fn, void *ctx)
{
	static char is_known;
	_cleanup_buf_ struct buf key = BUF_INIT(0);
	struct map known = { 0 };

	for (size_t i = 0; i < policy_source_len(there); i++) {
		const struct policy_item item = policy_source_at(there, i);

		(void)map_put(&known, identity(&item, &key), &is_known);
	}
	for (size_t i = 0; i < policy_source_len(here); i++) {
		const struct policy_item item = policy_source_at(here, i);

		if (item.layer != POLICY_LAYER_OWN && !map_get(&known, identity(&item, &key)))
			fn(&item, ctx);
	}
	map_done(&known, NULL);
}

/* ---- The decisions ------------------------------------------------------------------ */

void difference_write_object(const struct difference *d, struct buf *out)
{
	const struct policy_request *r = d->request;
	size_t begin;

	if (r->action == POLICY_MCP_CALL) {
		(void)buf_append_span(out, r->server);
		(void)buf_append_char(out, '/');
	}
	begin = out->len;
	(void)request_resource_id(r, out);
	if (r->is_directory && out->len - begin > 1)
		(void)buf_append_char(out, '/');
}

static void append_fact(struct buf *out, bool is_first, const char *name, struct span value)
{
	(void)buf_printf(out, "%s%s=", is_first ? "" : " ", name);
	for (size_t i = 0; i < value.len; i++)
		(void)buf_append_char(out, (char)(value.p[i] ? value.p[i] : ','));
}

void difference_write_facts(const struct difference *d, struct buf *out)
{
	static const char *const names[COMPARE_N_FACTS] = {
		"exe",	  "comm",   "cwd",  "ancestors", "argv",
		"method", "scheme", "path", "query",	 "headers",
	};
	bool is_first = true;

	for (size_t i = 0; i < COMPARE_N_FACTS; i++) {
		if (!d->facts->is_named[i] || !d->facts->values[i].len)
			continue;
		append_fact(out, is_first, names[i], d->facts->values[i]);
		is_first = false;
	}
}

const char *difference_policy(const struct difference *d)
{
	const struct policy_decision *says = d->after->n_reasons ? d->after : d->before;

	return says->n_reasons ? says->reasons[0] : NULL;
}

/* ---- As JSON ---------------------------------------------------------------------- */

struct writing {
	struct json_writer *w;
	const struct difference_options *options;
	const char *in; /* which side has a policy */
	size_t n_decisions;
};

static void write_item(const struct policy_item *item, void *ctx)
{
	struct writing *x = ctx;

	json_begin_object(x->w);
	json_key_string(x->w, "in", span_of(x->in));
	json_key_string(x->w, "id", span_of(item->id));
	json_key_string(x->w, "file", span_of(item->file));
	json_key_uint(x->w, "line", item->line);
	json_key_string(x->w, "text", item->text);
	json_end_object(x->w);
}

static void write_difference(const struct difference *d, void *ctx)
{
	struct writing *x = ctx;
	_cleanup_buf_ struct buf object = BUF_INIT(0);
	_cleanup_buf_ struct buf facts = BUF_INIT(0);

	if (x->n_decisions++ >= x->options->max_decisions)
		return;
	difference_write_object(d, &object);
	difference_write_facts(d, &facts);
	json_begin_object(x->w);
	json_key_string(x->w, "action", span_of(policy_action_name(d->request->action)));
	json_key_string(x->w, "object", buf_span(&object));
	json_key_string_opt(x->w, "facts", buf_span(&facts));
	json_key_string(x->w, "old", span_of(policy_verdict_name(d->before->verdict)));
	json_key_string(x->w, "new", span_of(policy_verdict_name(d->after->verdict)));
	json_key_string_opt(x->w, "policy", span_of(difference_policy(d)));
	json_end_object(x->w);
}

static void breathe(void *ctx)
{
	const struct writing *x = ctx;

	x->options->breathe(x->options->ctx);
}

void difference_json(struct json_writer *w, const struct difference_side *before,
		     const struct difference_side *after, const struct difference_options *options,
		     struct comparison *ret)
{
	struct writing x = { .w = w, .options = options };

	json_key(w, "policies");
	json_begin_array(w);
	x.in = "old";
	difference_only(before->source, after->source, write_item, &x);
	x.in = "new";
	difference_only(after->source, before->source, write_item, &x);
	json_end_array(w);
	json_key(w, "decisions");
	json_begin_array(w);
	policy_compare(before->policy, after->policy, write_difference,
		       options->breathe ? breathe : NULL, &x, ret);
	json_end_array(w);
	json_key_uint(w, "requests", ret->n_requests);
	json_key_uint(w, "differences", ret->n_differences);
	json_key_bool(w, "complete", !ret->is_cut);
}
