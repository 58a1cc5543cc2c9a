/* `leash policy check`: every mistake in the policies that a session here would use. */
#include <errno.h>
#include <unistd.h>

#include "base/json-writer.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/policy-private.h"
#include "policy/json.h"

enum { OPTION_DENY_WARNINGS = POLICY_OPTION_OWN };

static const struct option_spec options[] = {
	POLICY_ROWS_LAYERS,
	{ "deny-warnings", 0, NULL, "warnings are errors", OPTION_DENY_WARNINGS, 0 },
	POLICY_ROWS_COMMON,
};

const struct usage policy_check_usage = {
	.name = "policy check",
	.arguments = "[FLAGS] [FILE]",
	.description =
		"Reads the policies of a session here, or FILE in place of profile and user "
		"policy, and reports every\n"
		"mistake: what does not parse, what does not fit leash's schema, and what is "
		"perhaps not meant. The codes\n"
		"stand in docs/CEDAR.md. Ends with 0 when the policies can be used, 1 when not.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash policy check\n"
		    "  leash policy check --json my.cedar\n",
};

struct checking {
	struct policy_context context;
	struct policy_source *source;
	struct buf report;
	struct policy_findings findings;
	struct policy_report *handling; /* how each policy is carried out */
	size_t n_policies, n_of[POLICY_NEVER_APPLIES + 1];
	struct err err;
	bool deny_warnings;
};

static void checking_done(struct checking *c)
{
	policy_context_done(&c->context);
	buf_done(&c->report);
	policy_findings_done(&c->findings);
	policy_reports_free(c->handling, c->n_policies);
	policy_source_free(c->source);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct checking *c = ctx;

	(void)value;
	(void)err;
	c->deny_warnings = id == OPTION_DENY_WARNINGS;
	return 0;
}

static const char *handling_name(enum policy_handling handling)
{
	switch (handling) {
	case POLICY_EXACT:
		return "exact";
	case POLICY_PARTLY_ASKS:
		return "partly evaluated";
	case POLICY_NEVER_APPLIES:
		return "never applies";
	}
	return "?";
}

/* Built-in rules are leash's business. */
static bool is_worth_saying(const struct policy_report *r)
{
	return r->handling != POLICY_EXACT && r->layer != POLICY_LAYER_OWN &&
	       r->layer != POLICY_LAYER_PROFILE;
}

/* ---- For people ----------------------------------------------------------------- */

static void print_handling(const struct checking *c)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_printf(&out, "ok: %zu policies", c->n_policies);
	if (c->n_of[POLICY_PARTLY_ASKS])
		(void)buf_printf(&out, ", %zu partly evaluated", c->n_of[POLICY_PARTLY_ASKS]);
	if (c->n_of[POLICY_NEVER_APPLIES])
		(void)buf_printf(&out, ", %zu that never apply", c->n_of[POLICY_NEVER_APPLIES]);
	(void)buf_append_char(&out, '\n');
	for (size_t i = 0; i < c->n_policies; i++) {
		const struct policy_report *r = &c->handling[i];

		if (!is_worth_saying(r))
			continue;
		(void)buf_printf(&out, "  %s:%zu: ", r->file, r->line);
		append_visible(&out, span_of(r->id));
		(void)buf_printf(&out, " %s: ", handling_name(r->handling));
		append_visible(&out, span_of(r->blame));
		(void)buf_append_char(&out, '\n');
	}
	(void)print_out(&out);
}

static void print_text(const struct checking *c, bool is_good)
{
	if (c->report.len)
		log_text(c->report.data, c->report.len);
	if (c->err.code)
		log_error("%s", c->err.text);
	else if (!is_good)
		log_error("%zu warning%s", c->findings.len, c->findings.len == 1 ? "" : "s");
	else
		print_handling(c);
}

/* ---- For programs --------------------------------------------------------------- */

static void json_handling(struct json_writer *w, const struct policy_report *r)
{
	json_begin_object(w);
	json_key_string(w, "policy", span_of(r->id));
	json_key_string(w, "file", span_of(r->file));
	json_key_uint(w, "line", r->line);
	json_key_string(w, "handling", span_of(handling_name(r->handling)));
	json_key_string_opt(w, "because", span_of(r->blame));
	json_end_object(w);
}

static void print_json(const struct checking *c, bool is_good)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct json_writer w = { .out = &out };

	json_begin_object(&w);
	json_key_bool(&w, "valid", is_good);
	json_key_string_opt(&w, "policy", span_of(c->context.layers.policy_file));
	json_key_uint(&w, "policies", c->n_policies);
	json_key(&w, "findings");
	json_begin_array(&w);
	for (size_t i = 0; i < c->findings.len; i++) {
		json_begin_object(&w);
		policy_json_finding(&w, &c->findings.items[i]);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_key(&w, "handling");
	json_begin_array(&w);
	for (size_t i = 0; i < c->n_policies; i++)
		if (is_worth_saying(&c->handling[i]))
			json_handling(&w, &c->handling[i]);
	json_end_array(&w);
	json_key_string_opt(&w, "error", span_of(c->err.text));
	json_key_string_opt(&w, "report", buf_span(&c->report));
	json_end_object(&w);
	(void)buf_append_char(&out, '\n');
	(void)print_out(&out);
}

/* ---- All ------------------------------------------------------------------------ */

static int check(struct checking *c)
{
	bool color = log_want_color(STDERR_FILENO);
	int r = policy_context_load(&c->context, &c->report, &c->findings, &c->source, &c->err);

	if (r >= 0)
		r = policy_source_report(c->source, &c->handling, &c->n_policies, &c->err);
	if (r >= 0)
		r = policy_source_review(c->source, c->handling, color, &c->report, &c->err);
	for (size_t i = 0; i < c->n_policies; i++)
		c->n_of[c->handling[i].handling]++;
	return r;
}

int policy_check_main(int argc, char **argv)
{
	_cleanup_(checking_done) struct checking c = { .context.on_option = on_option };
	int n_operands, code;
	bool is_good;

	c.context.ctx = &c;
	code = policy_context_parse(&c.context, &policy_check_usage, argc, argv, 1, &n_operands);
	if (code >= 0)
		return code;
	if (n_operands && policy_context_set_file(&c.context, argv[0], &c.err) < 0)
		is_good = false;
	else
		is_good = check(&c) >= 0 && !(c.deny_warnings && c.findings.len);
	if (c.context.want_json)
		print_json(&c, is_good);
	else
		print_text(&c, is_good);
	return is_good ? 0 : 1;
}
