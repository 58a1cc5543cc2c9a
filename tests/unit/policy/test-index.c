/* Decisions through the index of places equal those that ask every rule. */
#include "fixture.h"

#include <stdlib.h>

#include "policy/request.h"

static const char *pick(const char *const *list, size_t n)
{
	return list[(size_t)random() % n];
}

static void append_term(struct buf *out, int depth)
{
	static const char *const terms[] = {
		"resource in Dir::\"/a\"",
		"resource in [Dir::\"/a/b/\", File::\"/c\"]",
		"resource == File::\"/a/b/c\"",
		"resource.path == \"/a\"",
		"resource.path like \"/a/*\"",
		"resource.path like \"/a/b*\"",
		"resource.path like \"*/c\"",
		"resource in Host::\"*\"",
		"resource is File",
		"resource.path < 1",
		"resource in Dir::\"/\"",
		"context.method == \"x\"",
		"[File::\"/a\"].contains(resource)",
		"action == Action::\"FileCreate\"",
		"resource is File in Dir::\"/a/b\"",
		"resource != File::\"/a/b\"",
	};
	long kind = depth > 0 ? random() % 6 : 0;

	if (kind < 3) {
		(void)buf_append_str(out, pick(terms, ARRAY_SIZE(terms)));
		return;
	}
	(void)buf_append_str(out, kind == 3 ? "!(" : "(");
	append_term(out, depth - 1);
	if (kind > 3) {
		(void)buf_append_str(out, kind == 4 ? " && " : " || ");
		append_term(out, depth - 1);
	}
	(void)buf_append_char(out, ')');
}

static void append_policy(struct buf *out)
{
	static const char *const actions[] = {
		"action", "action == Action::\"FileOpenReadOnly\"",
		"action in Action::\"FileOpenReadWrite\"",
		"action in [Action::\"FileOpen\", Action::\"ProcessExec\"]"
	};
	static const char *const scopes[] = { "resource", "resource", "resource in Dir::\"/a/b\"",
					      "resource == File::\"/a\"", "resource is File" };

	(void)buf_printf(out, "%s (principal, %s, %s)", random() & 1 ? "permit" : "forbid",
			 pick(actions, ARRAY_SIZE(actions)), pick(scopes, ARRAY_SIZE(scopes)));
	for (long i = random() % 3; i > 0; i--) {
		(void)buf_append_str(out, random() % 3 ? " when { " : " unless { ");
		append_term(out, 3);
		(void)buf_append_str(out, " }");
	}
	(void)buf_append_str(out, ";\n");
}

/* What one rule says, asked as leash asks forbids: both ways about the bare name. */
static enum cedar_effect_result ask(struct question *q, const struct rule *rule, bool is_directory,
				    struct arena *arena)
{
	struct cedar_eval_error error = { 0 };
	enum cedar_effect_result result;

	q->graph.is_directory = is_directory;
	result = cedar_policy_eval(rule->cedar, &q->cedar, &q->entities, arena, &error);
	if (!rule->cedar->is_forbid || result != CEDAR_NOT_SATISFIED)
		return result;
	q->graph.is_directory = true;
	return cedar_policy_eval(rule->cedar, &q->cedar, &q->entities, arena, &error);
}

static enum decision plainly(const struct policy *p, const struct policy_request *r)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	enum decision verdict = DECISION_DENY;
	struct facts facts = { 0 };
	struct question q;

	assert_true(policy_prepare(p));
	for (size_t round = 0; round < 1U + r->also_reads; round++) {
		assert_int_equal(question_make(&q, p, r, 0, &facts, &arena), 0);
		if (round == 1)
			assert_int_equal(question_set_action(&q, READ), 0);
		for (size_t i = 0; i < p->n_rules; i++) {
			enum cedar_effect_result result =
				ask(&q, &p->rules[i], r->is_directory, &arena);

			if (p->rules[i].cedar->is_forbid && result != CEDAR_NOT_SATISFIED)
				return DECISION_DENY;
			if (!p->rules[i].cedar->is_forbid && result == CEDAR_SATISFIED &&
			    round == 0)
				verdict = DECISION_ALLOW;
		}
	}
	return verdict;
}

static void the_index_changes_no_answer(void **state)
{
	static const char *const paths[] = { "/",   "/a", "/a/b", "/a/b/c", "/a/bc",
					     "/ab", "/c", "/c/c", "/a/c",   "memfd:" };
	static const enum policy_action actions[] = { READ, WRITE, CREATE, POLICY_PROCESS_EXEC };
	struct fixture *f = *state;
	size_t n_allowed = 0, n = 0;

	for (unsigned int seed = 0; seed < 3000; seed++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		srandom(seed);
		(void)buf_append_str(&text, "permit (principal, action, resource);\n");
		for (long i = 1 + random() % 4; i > 0; i--)
			append_policy(&text);
		use_odd_text(f, text.data);
		for (size_t i = 0; i < ARRAY_SIZE(paths) * ARRAY_SIZE(actions) * 2; i++, n++) {
			struct policy_request r = {
				.path = span_of(paths[i % ARRAY_SIZE(paths)]),
				.action = actions[i / ARRAY_SIZE(paths) % ARRAY_SIZE(actions)],
				.is_directory = i >= ARRAY_SIZE(paths) * ARRAY_SIZE(actions),
			};
			enum decision verdict;

			r.also_reads = r.action == WRITE && (seed & 1);
			verdict = decide(f, &r).verdict;
			n_allowed += verdict == DECISION_ALLOW;
			if (verdict != plainly(f->policy, &r))
				fail_msg("seed %u: %s %s\n%s", seed, policy_action_name(r.action),
					 r.path.p, text.data);
		}
	}
	assert_in_range(n_allowed, n / 10, n * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_index_changes_no_answer, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
