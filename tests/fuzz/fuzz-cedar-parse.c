/*
 * Any bytes into the parser, as policies and as an expression. What parses is
 * printed; the print must parse and print the same again, and evaluating it
 * must end. Policies that are compiled must decide as the tree does. What does
 * not parse must have a finding that can be shown.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cedar/cedar-program.h"

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

/* The compiled policies say what the tree says. */
static void run(const struct cedar_policy_set *set, const struct cedar_request *request,
		const struct cedar_response *wanted)
{
	struct cedar_machine *machine = cedar_machine_new((size_t)1 << 26);
	struct cedar_program *program;
	struct cedar_response response;
	struct cedar_store *store;

	require(cedar_program_compile(set, &program, NULL) == 0);
	require(cedar_store_new(program, NULL, &store, NULL) == 0);
	require(cedar_program_authorize(store, request, NULL, machine, &response) == 0);
	require(response.allow == wanted->allow && response.n_reasons == wanted->n_reasons &&
		response.n_errors == wanted->n_errors);
	for (size_t i = 0; i < response.n_errors; i++)
		require(response.errors[i].policy == wanted->errors[i].policy &&
			response.errors[i].error.range.begin ==
				wanted->errors[i].error.range.begin &&
			response.errors[i].error.range.end == wanted->errors[i].error.range.end);
	cedar_store_free(store);
	cedar_program_free(program);
	cedar_machine_free(machine);
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
	if (r == 0)
		run(set, &request, &response);
}

/* Prints all policies into out; returns whether text parsed. */
static bool print_set(struct span text, struct buf *out)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	int r = cedar_policy_set_parse(text, &diags, &set);

	show(&diags, text, r < 0);
	if (r < 0)
		return false;
	for (size_t i = 0; i < cedar_policy_set_len(set); i++)
		require(cedar_policy_print(cedar_policy_set_at(set, i), out) == 0);
	authorize(set);
	cedar_policy_set_free(set);
	return true;
}

static void evaluate(const struct cedar_expr *e, struct arena *arena)
{
	static const struct cedar_request request = { 0 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_eval_error error = { 0 };
	const struct cedar_value *v = NULL;

	if (cedar_eval(e, &request, NULL, arena, &v, &error) == 0)
		require(cedar_value_print(v, &out) == 0 && cedar_value_eq(v, v));
	else
		require(error.code && error.message);
}

static bool print_expr(struct span text, struct buf *out)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)1 << 26);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e;
	int r = cedar_expr_parse(text, &arena, &diags, &e);

	show(&diags, text, r < 0);
	if (r < 0)
		return false;
	require(cedar_expr_print(e, out) == 0);
	evaluate(e, &arena);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool (*const printers[])(struct span, struct buf *) = { print_set, print_expr };

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
