#include "policy/json.h"

static void write_effect(struct json_writer *w, bool is_forbid)
{
	json_key_string(w, "effect", is_forbid ? SPAN("forbid") : SPAN("permit"));
}

void policy_json_finding(struct json_writer *w, const struct policy_finding *f)
{
	json_key_string(w, "severity", f->is_error ? SPAN("error") : SPAN("warning"));
	json_key_string(w, "code", span_of(f->code));
	json_key_string_opt(w, "policy", span_of(f->policy));
	json_key_string(w, "file", span_of(f->file));
	json_key_uint(w, "line", f->line);
	json_key_uint(w, "column", f->column);
	json_key_uint(w, "end_line", f->end_line);
	json_key_uint(w, "end_column", f->end_column);
	json_key_string(w, "source", span_of(f->source));
	json_key_string(w, "message", span_of(f->message));
	json_key_string_opt(w, "suggestion", span_of(f->suggestion));
}

void policy_json_item(struct json_writer *w, const struct policy_item *item)
{
	json_key_string(w, "id", span_of(item->id));
	json_key_string(w, "layer", span_of(policy_layer_name(item->layer)));
	write_effect(w, item->is_forbid);
	json_key_string(w, "file", span_of(item->file));
	json_key_uint(w, "line", item->line);
	json_key_string(w, "text", item->text);
}

void policy_json_decision(struct json_writer *w, const struct policy_decision *d)
{
	json_key_string(w, "decision", span_of(policy_verdict_name(d->verdict)));
	json_key(w, "policies");
	json_begin_array(w);
	for (size_t i = 0; i < d->n_reasons; i++)
		json_string(w, span_of(d->reasons[i]));
	json_end_array(w);
}

static void write_reason(struct json_writer *w, const struct policy_reason *r)
{
	json_begin_object(w);
	json_key_string(w, "policy", span_of(r->id));
	write_effect(w, r->is_forbid);
	json_key_string(w, "file", span_of(r->file));
	json_key_uint(w, "line", r->line);
	json_key_string(w, "text", r->text);
	json_key(w, "conditions");
	json_begin_array(w);
	for (size_t i = 0; i < r->n_conditions; i++) {
		json_begin_object(w);
		json_key_string(w, "text", span_of(r->conditions[i].text));
		json_key_string(w, "result",
				span_of(policy_condition_result_name(r->conditions[i].result)));
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}

static void write_reasons(struct json_writer *w, const char *key,
			  const struct policy_reason *reasons, size_t n)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < n; i++)
		write_reason(w, &reasons[i]);
	json_end_array(w);
}

void policy_json_explanation(struct json_writer *w, const struct policy *p,
			     const struct policy_request *r, const struct policy_decision *d)
{
	struct policy_explanation found = { 0 };

	(void)!policy_explanation_make(p, r, d, &found);
	json_key_string(w, "action", span_of(policy_action_name(r->action)));
	policy_json_decision(w, d);
	json_key_bool(w, "error", d->has_error);
	write_reasons(w, "reasons", found.reasons, found.n_reasons);
	write_reasons(w, "almost", found.almost, found.n_almost);
	policy_explanation_done(&found);
}
