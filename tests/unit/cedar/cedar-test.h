/*
 * What the tests of this room share: short ways to parse and evaluate.
 */
#pragma once

#include <stdio.h>

#include "cedar/cedar.h"
#include "unit.h"

static const struct cedar_request test_request = {
	.principal = { SPAN("User"), SPAN("alice") },
	.action = { SPAN("Action"), SPAN("view") },
	.resource = { SPAN("File"), SPAN("/etc/passwd") },
};

/* The set, which must parse. */
static inline struct cedar_policy_set *test_parse(const char *text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	int r = cedar_policy_set_parse(span_of(text), &diags, &set);

	for (size_t i = 0; i < diags.len; i++)
		print_error("%s: %s\n", text, diags.items[i].message);
	assert_int_equal(r, 0);
	assert_int_equal(diags.len, 0);
	cedar_diagnostics_done(&diags);
	return set;
}

static inline struct cedar_expr *test_expr(const char *text, struct arena *arena)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e = NULL;
	int r = cedar_expr_parse(span_of(text), arena, &diags, &e);

	for (size_t i = 0; i < diags.len; i++)
		print_error("%s: %s\n", text, diags.items[i].message);
	assert_int_equal(r, 0);
	cedar_diagnostics_done(&diags);
	return e;
}

/* The code of the first finding for text, which must not parse; "" if it does. */
static inline const char *test_refusal(const char *text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	const char *code = "";

	if (cedar_policy_set_parse(span_of(text), &diags, &set) < 0) {
		assert_true(diags.len > 0);
		assert_true(diags.n_errors > 0);
		code = diags.items[0].code;
	}
	cedar_policy_set_free(set);
	cedar_diagnostics_done(&diags);
	return code;
}
