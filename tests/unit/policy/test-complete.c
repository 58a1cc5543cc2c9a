#include "unit.h"

#include <stdio.h>

#include "cedar/cedar.h"
#include "policy/complete.h"
#include "policy/policy.h"

static const struct span paths[] = { SPAN("/w/a.c"), SPAN("/w/quote\"d"), SPAN("/w/sub/b.c") };
static const struct span hosts[] = { SPAN("example.com:443") };
static const struct span programs[] = { SPAN("/usr/bin/git") };
static const struct completion_seen seen = { .paths = paths,
					     .n_paths = ARRAY_SIZE(paths),
					     .hosts = hosts,
					     .n_hosts = ARRAY_SIZE(hosts),
					     .programs = programs,
					     .n_programs = ARRAY_SIZE(programs),
					     .agent = SPAN("sh") };

/* The cursor is at the bar. */
static void complete(const char *marked, struct arena *arena, struct buf *text,
		     struct completions *ret)
{
	const char *bar = strchr(marked, '|');

	assert_non_null(bar);
	(void)buf_append(text, marked, (size_t)(bar - marked));
	(void)buf_append_str(text, bar + 1);
	assert_int_equal(
		policy_complete(buf_span(text), (size_t)(bar - marked), &seen, 500, arena, ret), 0);
}

static bool has(const struct completions *c, const char *label)
{
	for (size_t i = 0; i < c->n; i++)
		if (span_eq_str(c->items[i].label, label))
			return true;
	return false;
}

/* Labels, separated by a blank; "!x": x is not among them. */
static void check(const char *marked, const char *wanted)
{
	struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct completions found;
	char copy[400], *rest = copy;

	complete(marked, &arena, &text, &found);
	(void)snprintf(copy, sizeof(copy), "%s", wanted);
	if (!*wanted && found.n)
		fail_msg("%s: offers %.*s", marked, SPAN_ARG(found.items[0].label));
	for (char *label; (label = strsep(&rest, " ")) && *label;)
		if (has(&found, label + (*label == '!')) == (*label == '!'))
			fail_msg("%s: %s", marked, label);
	arena_done(&arena);
}

static void test_places(void **state)
{
	(void)state;
	check("|", "permit forbid @id !when !context");
	check("per|", "permit !forbid");
	check("permit (principal, action, resource);\n|", "permit forbid");
	check("permit (principal, action, resource); f|", "forbid !permit");
	check("@|", "id tls");
	check("@id(\"x\") |", "permit forbid");
	check("permit (|", "principal !resource");
	check("permit (principal, |", "action !resource");
	check("permit (principal, action |", "== in !is");
	check("permit (principal, action == |", "Action::\"FileCreate\" !Action::\"FileOpen\"");
	check("permit (principal, action in |", "Action::\"FileOpen\" Action::\"FileCreate\"");
	check("permit (principal, action in [Action::\"FileCreate\", |", "Action::\"FileDelete\"");
	check("permit (principal, action == Action::|", "FileCreate");
	check("permit (principal, action == Action::\"File|\", resource);",
	      "FileCreate !ProcessExec");
	check("permit (principal, action, |", "resource");
	check("permit (principal, action == Action::\"FileCreate\", resource == |",
	      "File::\"/w/a.c\" !Host::\"example.com:443\" !Dir::\"/w/\"");
	check("permit (principal, action == Action::\"FileCreate\", resource in |",
	      "Dir::\"/w/\" Dir::\"/w/sub/\"");
	check("permit (principal, action == Action::\"NetworkConnect\", resource == |",
	      "Host::\"example.com:443\" !File::\"/w/a.c\"");
	check("permit (principal, action, resource == File::\"/w/s|", "/w/sub/b.c !/w/a.c");
	check("permit (principal, action, resource) |", "when unless ;");
	check("permit (principal, action, resource) when { |", "context resource action ip");
	check("permit (principal, action, resource) when { context.|", "exe comm !argv !port");
	check("permit (principal, action == Action::\"ProcessExec\", resource) when { context.|",
	      "exe argv !port");
	check("permit (principal, action == Action::\"NetworkConnect\", resource) when { context.|",
	      "port ip hostname !argv !method");
	check("permit (principal, action == Action::\"HttpRequest\", resource) when { context.|",
	      "method path !argv");
	check("permit (principal, action == Action::\"NetworkConnect\", resource) when { context "
	      "has |",
	      "hostname !port");
	check("permit (principal, action == Action::\"NetworkConnect\", resource) when { "
	      "context.ip.|",
	      "isInRange");
	check("permit (principal, action, resource) when { context.ancestors.|", "contains");
	check("permit (principal, action, resource) when { context.exe == \"|", "/usr/bin/git");
	check("permit (principal, action, resource) when { context.exe |", "== like && !permit");
	check("permit (principal, action == Action::\"HttpRequest\", resource) when { "
	      "context.method == \"P|\" }",
	      "POST PUT !GET");
	check("permit (principal, action, resource) when { resource in |", "Dir::\"/w/\"");
	check("permit (principal, action, resource) when { resource.|", "path");
	check("permit (principal, action, resource) when { true } |", "when unless ;");
	/* Nothing at all where nothing of use can stand. */
	check("// per|", "");
	check("permit (principal, action, resource); // per|", "");
	check("permit (principal, action, resource) when { \"per|\" }", "");
	check("nonsense |", "");
	check("permit nonsense |", "");
	check("permit (principal, action, resource) nonsense |", "");
}

/* Whatever is offered reads on as Cedar: no error is found before its end. */
static void check_valid(const char *marked)
{
	struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct completions found;

	complete(marked, &arena, &text, &found);
	for (size_t i = 0; i < found.n; i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct cedar_diagnostics errors = { 0 };
		struct cedar_policy_set *set = NULL;
		struct span rest = found.items[i].insert;
		size_t end;

		(void)buf_append(&out, text.data, found.begin);
		/* Places to fill in are filled in. */
		while (found.items[i].is_snippet && rest.len) {
			const char *place = memmem(rest.p, rest.len, "${", 2);
			size_t len = place ? (size_t)(place - rest.p) : rest.len;
			const char *close = place ? memchr(place, '}', rest.len - len) : NULL;

			(void)buf_append(&out, rest.p, len);
			if (close)
				(void)buf_append(&out, place + 4, (size_t)(close - place) - 4);
			rest = span_from(rest, close ? (size_t)(close - rest.p) + 1 : len);
		}
		(void)buf_append_span(&out, rest);
		end = out.len;
		if (cedar_policy_set_parse(buf_span(&out), &errors, &set) < 0)
			for (size_t k = 0; k < errors.len; k++)
				/* What is still missing is missing at the end. */
				if (errors.items[k].severity == CEDAR_ERROR &&
				    errors.items[k].range.begin < end &&
				    errors.items[k].range.end <= end &&
				    strcmp(errors.items[k].code, "unexpected_end") != 0)
					fail_msg("%s: %s: %s", out.data, errors.items[k].code,
						 errors.items[k].message);
		cedar_policy_set_free(set);
		cedar_diagnostics_done(&errors);
	}
	arena_done(&arena);
}

static void test_only_cedar_is_offered(void **state)
{
	static const char *const places[] = {
		"|",
		"permit |",
		"permit (|",
		"permit (principal |",
		"permit (principal == |",
		"permit (principal is |",
		"permit (principal, action == |",
		"permit (principal, action in |",
		"permit (principal, action in [|",
		"permit (principal, action == Action::|",
		"permit (principal, action == Action::\"|",
		"permit (principal, action, resource == |",
		"permit (principal, action, resource in |",
		"permit (principal, action, resource is |",
		"permit (principal, action, resource == File::|",
		"permit (principal, action, resource == File::\"|",
		"permit (principal, action, resource) |",
		"permit (principal, action, resource) when |",
		"permit (principal, action, resource) when { |",
		"permit (principal, action, resource) when { context.|",
		"permit (principal, action, resource) when { context has |",
		"permit (principal, action, resource) when { context.ip.|",
		"permit (principal, action, resource) when { context.exe == |",
		"permit (principal, action, resource) when { context.exe like |",
		"permit (principal, action, resource) when { resource in |",
		"permit (principal, action, resource) when { action == |",
		"permit (principal, action, resource) when { context.exe |",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		check_valid(places[i]);
}

/* Every prefix of a policy, wherever the cursor is. */
static void test_any_cursor_is_survived(void **state)
{
	static const char text[] = "@id(\"x\") permit (principal, action in "
				   "[Action::\"FileOpen\"], resource is File) when "
				   "{ context.exe like \"/usr/*\" && (resource.path == "
				   "\"/w/\\\"x\" || !context has hostname) } "
				   "unless { context.argv.contains(\"\xc3\xa9\") }; // end \xff\n";

	(void)state;
	for (size_t len = 0; len <= sizeof(text) - 1; len++) {
		for (size_t at = 0; at <= len + 1; at++) {
			struct arena arena = ARENA_INIT(0);
			struct completions found;

			assert_int_equal(policy_complete(span_make(text, len), at, &seen, 20,
							 &arena, &found),
					 0);
			assert_true(found.begin <= found.end && found.end <= len);
			arena_done(&arena);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_only_cedar_is_offered),
		cmocka_unit_test(test_any_cursor_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
