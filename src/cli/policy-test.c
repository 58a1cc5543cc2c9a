/* `leash policy test`: the cases of a TOML file beside a policy. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json-writer.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/policy-cases.h"
#include "cli/policy-private.h"
#include "policy/json.h"

enum { OPTION_CASES = POLICY_OPTION_OWN, OPTION_VERBOSE };

static const struct option_spec options[] = {
	POLICY_ROWS_LAYERS,
	{ "cases", 0, "FILE", "the cases, in place of those beside the policy", OPTION_CASES, 0 },
	{ "verbose", 'V', NULL, "also show what passes", OPTION_VERBOSE, 0 },
	POLICY_ROWS_COMMON,
};

const struct usage policy_test_usage = {
	.name = "policy test",
	.arguments = "[FLAGS] [FILE]",
	.description =
		"Decides the cases in NAME.test.toml beside the policy FILE, NAME.cedar, or beside "
		"the user's and the\n"
		"project's policies. A case:\n\n"
		"  [[case]]\n"
		"  name = \"keys stay private\"\n"
		"  read = [\"~/.ssh/id_ed25519\", \"~/.aws/credentials\"]   # an operation of "
		"`policy explain`, its objects\n"
		"  expect = \"deny\"\n"
		"  by = \"keys\"            # optional: a policy that must be among those that "
		"decide\n"
		"  exe = \"/usr/bin/cat\"   # optional facts: exe, comm, cwd, ancestors, argv, "
		"host,\n"
		"                          # headers of http = \"GET https://example.com/\"\n\n"
		"Ends with 0 when all pass, 1 when one fails, 2 when a file cannot be used.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash policy test\n"
		    "  leash policy test my.cedar\n",
};

struct testing {
	struct policy_context context;
	const char *cases;
	bool want_verbose;
	struct policy *policy;
	struct policy_decider *decider;
	size_t n_passed, n_failed;
	const char *file; /* of the case */
	struct buf out;
	struct json_writer json;
};

static void testing_done(struct testing *t)
{
	policy_decider_free(t->decider);
	policy_unref(t->policy);
	buf_done(&t->out);
	policy_context_done(&t->context);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct testing *t = ctx;

	(void)err;
	if (id == OPTION_CASES)
		t->cases = value;
	else
		t->want_verbose = true;
	return 0;
}

/* ---- One case ----------------------------------------------------------------------- */

static const char *missing_reason(const struct policy_case *c, const struct policy_decision *d)
{
	for (size_t i = 0; i < c->n_by; i++)
		if (!policy_decision_names(d, c->by[i]))
			return c->by[i];
	return NULL;
}

static void say_json(struct testing *t, const struct policy_case *c,
		     const struct policy_decision *d, bool is_good)
{
	struct json_writer *w = &t->json;

	json_begin_object(w);
	json_key_string(w, "file", span_of(t->file));
	json_key_uint(w, "line", c->line);
	json_key_string_opt(w, "name", span_of(c->name));
	json_key_string(w, "operation", span_of(c->verb));
	json_key_string(w, "object", span_of(c->object));
	json_key_string(w, "expected", c->want_allow ? SPAN("allow") : SPAN("deny"));
	policy_json_decision(w, d);
	json_key_bool(w, "passed", is_good);
	json_end_object(w);
}

static void append_indented(struct buf *out, struct span text)
{
	while (text.len) {
		const char *end = memchr(text.p, '\n', text.len);
		size_t len = end ? (size_t)(end - text.p) : text.len;

		(void)buf_append_str(out, "    ");
		(void)buf_append(out, text.p, len);
		(void)buf_append_char(out, '\n');
		text = span_from(text, len + 1);
	}
}

static void say_text(struct testing *t, const struct policy_case *c,
		     const struct policy_decision *d, bool is_good)
{
	_cleanup_buf_ struct buf why = BUF_INIT(0);
	const char *missing = missing_reason(c, d);

	if (is_good && !t->want_verbose)
		return;
	(void)buf_printf(&t->out, "%s:%zu: %s: ", t->file, c->line, is_good ? "ok" : "failed");
	if (c->name) {
		append_visible(&t->out, span_of(c->name));
		(void)buf_append_str(&t->out, ": ");
	}
	(void)buf_printf(&t->out, "%s ", c->verb);
	append_visible(&t->out, span_of(c->object));
	if (!is_good && (d->verdict == DECISION_ALLOW) != c->want_allow)
		(void)buf_printf(&t->out, " should be %s", c->want_allow ? "allowed" : "denied");
	else if (!is_good && missing) {
		(void)buf_append_str(&t->out, " should be decided by ");
		append_visible(&t->out, span_of(missing));
	}
	(void)buf_append_char(&t->out, '\n');
	if (is_good)
		return;
	(void)policy_explain(t->policy, &c->operation.request, d, log_want_color(STDOUT_FILENO),
			     &why);
	append_indented(&t->out, buf_span(&why));
}

static void on_case(struct policy_case *c, void *ctx)
{
	struct testing *t = ctx;
	struct policy_decision d;
	bool is_good;

	policy_decide(t->decider, t->policy, &c->operation.request, &d);
	is_good = (d.verdict == DECISION_ALLOW) == c->want_allow && !missing_reason(c, &d);
	(*(is_good ? &t->n_passed : &t->n_failed))++;
	if (t->context.want_json)
		say_json(t, c, &d, is_good);
	else
		say_text(t, c, &d, is_good);
}

/* ---- Files -------------------------------------------------------------------------- */

/* "my.cedar" to "my.test.toml". */
static char *cases_beside(const char *policy)
{
	size_t len = strlen(policy);

	if (len > 6 && strcmp(policy + len - 6, ".cedar") == 0)
		len -= 6;
	return xasprintf("%.*s.test.toml", (int)len, policy);
}

static int run_file(struct testing *t, const char *file)
{
	const struct policy_cases_environment env = { t->context.home, t->context.cwd };
	struct err err = { 0 };

	t->file = file;
	if (policy_cases_each(file, &env, on_case, t, &err) >= 0)
		return 0;
	log_error("%s", err.text);
	return -EINVAL;
}

/* The cases beside a layer's file, where there are any. */
static int run_beside(struct testing *t, const char *policy, bool must_be, size_t *n_files)
{
	_cleanup_free_ char *file = policy ? cases_beside(policy) : NULL;

	if (!file || (!must_be && access(file, F_OK) < 0))
		return 0;
	(*n_files)++;
	return run_file(t, file);
}

static int run_all(struct testing *t)
{
	const struct policy_layers *l = &t->context.layers;
	size_t n_files = 0;
	int r;

	if (t->cases)
		return run_file(t, t->cases);
	r = run_beside(t, l->policy_file, /* must_be = */ true, &n_files);
	if (r >= 0 && !l->policy_file)
		r = run_beside(t, l->user_file, /* must_be = */ false, &n_files);
	if (r >= 0)
		r = run_beside(t, l->project_file, /* must_be = */ false, &n_files);
	if (r < 0 || n_files)
		return r;
	log_error("there are no cases: neither beside %s nor beside %s", l->user_file,
		  l->project_file);
	return -ENOENT;
}

static void finish(struct testing *t)
{
	if (t->context.want_json) {
		json_end_array(&t->json);
		json_key_uint(&t->json, "passed", t->n_passed);
		json_key_uint(&t->json, "failed", t->n_failed);
		json_end_object(&t->json);
		(void)buf_append_char(&t->out, '\n');
	} else {
		(void)buf_printf(&t->out, "%zu passed, %zu failed\n", t->n_passed, t->n_failed);
	}
	(void)print_out(&t->out);
}

int policy_test_main(int argc, char **argv)
{
	_cleanup_(testing_done) struct testing t = { .context.on_option = on_option };
	struct err err = { 0 };
	int n_operands, code;

	t.context.ctx = &t;
	t.json.out = &t.out;
	code = policy_context_parse(&t.context, &policy_test_usage, argc, argv, 1, &n_operands);
	if (code >= 0)
		return code;
	if (n_operands && policy_context_set_file(&t.context, argv[0], &err) < 0) {
		log_error("%s", err.text);
		return EXIT_USAGE;
	}
	t.policy = policy_context_open(&t.context);
	if (!t.policy)
		return EXIT_USAGE;
	t.decider = policy_decider_new(0);
	if (t.context.want_json) {
		json_begin_object(&t.json);
		json_key(&t.json, "cases");
		json_begin_array(&t.json);
	}
	if (run_all(&t) < 0)
		return EXIT_USAGE;
	finish(&t);
	return t.n_failed ? 1 : 0;
}
