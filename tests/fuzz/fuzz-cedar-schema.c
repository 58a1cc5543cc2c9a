/*
 * Any bytes as a schema, in both forms. What parses is printed in both forms;
 * each print must parse and print the same again, and resolve if the tree did.
 * What does not must have a finding that can be shown.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cedar/cedar-schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int (*parse_fn)(struct span, struct cedar_diagnostics *, struct cedar_schema_tree **);
typedef int (*print_fn)(const struct cedar_schema_tree *, struct buf *);

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

static struct cedar_schema_tree *parse(struct span text, parse_fn fn)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema_tree *tree = NULL;
	int r = fn(text, &diags, &tree);

	show(&diags, text, r < 0);
	require((r < 0) == !tree);
	return tree;
}

/* Everything that a schema points to is in it. */
static void check_schema(const struct cedar_schema *s)
{
	for (size_t i = 0; i < s->n_entities; i++) {
		const struct cedar_entity_type *e = s->entities[i];

		require(e->index == i && cedar_schema_entity(s, e->name) == e);
		require(e->shape && e->shape->kind == CEDAR_TYPE_RECORD);
		for (size_t k = 0; k < e->n_ancestors; k++)
			require(cedar_entity_type_is_in(e, e->ancestors[k]));
		for (size_t k = 0; k < e->shape->n_attributes; k++)
			require(cedar_type_attribute(e->shape, e->shape->attributes[k].name) ==
				&e->shape->attributes[k]);
	}
	for (size_t i = 0; i < s->n_actions; i++) {
		const struct cedar_action_type *a = s->actions[i];

		require(a->index == i && cedar_schema_action(s, a->uid) == a);
		require(a->context && a->context->kind == CEDAR_TYPE_RECORD);
		for (size_t k = 0; k < a->n_ancestors; k++)
			require(a->ancestors[k] != a);
	}
}

static bool resolves(const struct cedar_schema_tree *tree, struct span text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *s = NULL;
	int r = cedar_schema_resolve(tree, &diags, &s);

	show(&diags, text, r < 0);
	if (r == 0)
		check_schema(s);
	cedar_schema_free(s);
	return r == 0;
}

/* Parses and prints what was printed; what can be read must be the same in both. */
static void print_again(struct span printed, bool must_resolve, print_fn print,
			parse_fn parse_again, struct buf *out)
{
	struct cedar_schema_tree *tree = parse(printed, parse_again);

	require(tree && print(tree, out) == 0);
	require(resolves(tree, printed) || !must_resolve);
	cedar_schema_tree_free(tree);
}

/*
 * The first print may hold what only JSON can say (an annotation without a
 * value, an empty namespace without a name), so the next two are compared.
 */
static void round_trip(const struct cedar_schema_tree *tree, bool must_resolve, print_fn print,
		       parse_fn parse_again)
{
	_cleanup_buf_ struct buf first = BUF_INIT(0);
	_cleanup_buf_ struct buf second = BUF_INIT(0);
	_cleanup_buf_ struct buf third = BUF_INIT(0);

	if (print(tree, &first) < 0)
		return;
	print_again(buf_span(&first), must_resolve, print, parse_again, &second);
	print_again(buf_span(&second), must_resolve, print, parse_again, &third);
	require(span_eq(buf_span(&second), buf_span(&third)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const parse_fn parsers[] = { cedar_schema_tree_parse, cedar_schema_tree_parse_json };
	struct span text = span_make(data, size);

	for (size_t i = 0; i < ARRAY_SIZE(parsers); i++) {
		struct cedar_schema_tree *tree = parse(text, parsers[i]);
		bool is_resolved = tree && resolves(tree, text);

		if (!tree)
			continue;
		round_trip(tree, is_resolved, cedar_schema_tree_print_json,
			   cedar_schema_tree_parse_json);
		round_trip(tree, is_resolved, cedar_schema_tree_print, cedar_schema_tree_parse);
		cedar_schema_tree_free(tree);
	}
	return 0;
}
