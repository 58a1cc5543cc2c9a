/*
 * Any bytes as policies in JSON: one policy, a set, an expression. What is read
 * is written, and must be read and written the same again; evaluating it must
 * end. What is not read must have a finding that can be shown.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cedar/cedar-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void show(struct cedar_diagnostics *diags, struct span text, bool has_failed)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	require(has_failed == (diags->n_errors > 0));
	for (size_t i = 0; i < diags->len; i++) {
		require(diags->items[i].range.begin <= diags->items[i].range.end);
		require(diags->items[i].range.end <= text.len);
		require(cedar_diagnostic_print(&diags->items[i], "fuzz", text, false, &out) == 0);
	}
	cedar_diagnostics_done(diags);
}

static void authorize(const struct cedar_policy_set *set)
{
	static const struct cedar_request request = {
		.principal = { SPAN("U"), SPAN("u") },
		.action = { SPAN("Action"), SPAN("a") },
		.resource = { SPAN("R"), SPAN("r") },
	};
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)1 << 26);
	struct cedar_response response;
	int r = cedar_authorize(set, &request, NULL, &arena, &response);

	require(r == 0 || !response.allow);
}

/* As text a policy may be too long, or call what does not exist; else it is read back. */
static void print_text(const struct cedar_policy *p)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	if (cedar_policy_print(p, &out) == 0 &&
	    cedar_policy_set_parse(buf_span(&out), &diags, &set) == 0)
		require(cedar_policy_set_len(set) == 1);
	cedar_diagnostics_done(&diags);
	cedar_policy_set_free(set);
}

static bool print_policy(struct span text, struct buf *out)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	int r = cedar_policy_parse_json(text, &diags, &set);

	show(&diags, text, r < 0);
	if (r < 0)
		return false;
	require(cedar_policy_print_json(cedar_policy_set_at(set, 0), out) == 0);
	print_text(cedar_policy_set_at(set, 0));
	authorize(set);
	cedar_policy_set_free(set);
	return true;
}

static bool print_set(struct span text, struct buf *out)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	int r = cedar_policy_set_parse_json(text, &diags, &set);

	show(&diags, text, r < 0);
	if (r < 0)
		return false;
	require(cedar_policy_set_print_json(set, out) == 0);
	authorize(set);
	cedar_policy_set_free(set);
	return true;
}

static bool print_expr(struct span text, struct buf *out)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)1 << 26);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e;
	int r = cedar_expr_parse_json(text, &arena, &diags, &e);

	show(&diags, text, r < 0);
	if (r == 0)
		require(cedar_expr_print_json(e, out) == 0);
	return r == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool (*const printers[])(struct span, struct buf *) = { print_policy, print_set,
								print_expr };

	for (size_t i = 0; i < ARRAY_SIZE(printers); i++) {
		_cleanup_buf_ struct buf first = BUF_INIT(0);
		_cleanup_buf_ struct buf second = BUF_INIT(0);

		if (!printers[i](span_make(data, size), &first))
			continue;
		require(printers[i](buf_span(&first), &second));
		require(span_eq(buf_span(&first), buf_span(&second)));
	}
	return 0;
}
