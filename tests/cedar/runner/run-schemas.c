/*
 * Schemas in both forms. schemas: Cedar's syntax, its JSON form, and the syntax
 * that comes back from that. json-schemas: the JSON forms of the corpus' schemas.
 */
#include <string.h>

#include "cedar/cedar-schema.h"
#include "runner.h"

static const char *said(const struct cedar_diagnostics *diags, int result)
{
	return diags->len ? diags->items[0].message : strerror(-result);
}

/* The tree's JSON form must be the wanted value. */
static void check_json(struct runner *r, const struct cedar_schema_tree *tree,
		       struct json_view wanted)
{
	_cleanup_buf_ struct buf json = BUF_INIT(0);

	if (cedar_schema_tree_print_json(tree, &json) < 0)
		(void)check(r, false, "its JSON form is too long");
	else if (json_view_eq(json_view_of(buf_span(&json)), wanted, &r->arena))
		(void)check(r, true, " ");
	else
		(void)check_text(r, buf_span(&json), wanted.raw, "JSON form");
}

/* The syntax that a tree read from JSON prints as; empty text wanted: what it prints must read back
 * as the same. */
static void check_back(struct runner *r, struct json_view json, struct span wanted)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema_tree *tree = NULL;
	struct cedar_schema_tree *again = NULL;
	int result = cedar_schema_tree_parse_json(json.raw, &diags, &tree);

	if (result == 0)
		result = cedar_schema_tree_print(tree, &text);
	if (result < 0)
		(void)check(r, false, "from JSON: %s", said(&diags, result));
	else if (wanted.p)
		(void)check_text(r, buf_span(&text), wanted, "syntax from JSON");
	else if (cedar_schema_tree_parse(buf_span(&text), &diags, &again) < 0)
		(void)check(r, false, "what it prints cannot be read: %s: %.*s", said(&diags, -1),
			    SPAN_ARG(buf_span(&text)));
	else
		check_json(r, again, json);
	cedar_schema_tree_free(again);
	cedar_schema_tree_free(tree);
	cedar_diagnostics_done(&diags);
}

/* The names resolve, from either form. */
static void check_resolves(struct runner *r, struct span text, bool is_json)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *schema = NULL;
	int result = is_json ? cedar_schema_parse_json(text, &diags, &schema)
			     : cedar_schema_parse(text, &diags, &schema);

	(void)check(r, result == 0, "does not resolve: %s", said(&diags, result));
	cedar_schema_free(schema);
	cedar_diagnostics_done(&diags);
}

void run_schemas(struct runner *r, struct json_view line)
{
	struct span text = json_view_string(json_view_get(line, "text"), &r->arena);
	struct json_view json = json_view_get(json_view_get(line, "toJson"), "json");
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema_tree *tree = NULL;
	int result = cedar_schema_tree_parse(text, &diags, &tree);

	if (result < 0)
		(void)check(r, false, "refused: %s", said(&diags, result));
	else
		check_json(r, tree, json);
	check_back(r, json, json_view_string(json_view_get(line, "backToText"), &r->arena));
	check_resolves(r, text, false);
	cedar_schema_tree_free(tree);
	cedar_diagnostics_done(&diags);
}

void run_json_schemas(struct runner *r, struct json_view line)
{
	struct json_view json = json_view_get(line, "schema");
	struct span id = json_view_string(json_view_get(line, "id"), &r->arena);
	struct span text = json_view_string(json_view_get(corpus_line(r, id), "schema"), &r->arena);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema_tree *tree = NULL;

	check_resolves(r, json.raw, true);
	check_back(r, json, (struct span){ 0 });
	if (text.len == 0)
		skip(r, 1, "the corpus is not beside this pack");
	else if (cedar_schema_tree_parse(text, &diags, &tree) < 0)
		(void)check(r, false, "the corpus' schema is refused: %s", said(&diags, -1));
	else
		check_json(r, tree, json);
	cedar_schema_tree_free(tree);
	cedar_diagnostics_done(&diags);
}
