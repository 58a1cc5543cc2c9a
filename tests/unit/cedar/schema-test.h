/*
 * What the tests of schemas share.
 */
#pragma once

#include <errno.h>

#include "base/alloc.h"
#include "cedar/cedar-schema.h"
#include "unit.h"

static inline bool test_is_json(const char *text)
{
	return text[0] == '{';
}

/* The tree of text, which must parse; JSON if it begins with a brace. */
static inline struct cedar_schema_tree *test_tree(const char *text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema_tree *tree = NULL;
	int r = test_is_json(text) ? cedar_schema_tree_parse_json(span_of(text), &diags, &tree)
				   : cedar_schema_tree_parse(span_of(text), &diags, &tree);

	for (size_t i = 0; i < diags.len; i++)
		print_error("%s: %s\n", text, diags.items[i].message);
	assert_int_equal(r, 0);
	cedar_diagnostics_done(&diags);
	return tree;
}

/* The schema, which must resolve. */
static inline struct cedar_schema *test_schema(const char *text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema_tree *tree = test_tree(text);
	struct cedar_schema *schema = NULL;
	int r = cedar_schema_resolve(tree, &diags, &schema);

	for (size_t i = 0; i < diags.len; i++)
		print_error("%s: %s\n", text, diags.items[i].message);
	assert_int_equal(r, 0);
	cedar_diagnostics_done(&diags);
	cedar_schema_tree_free(tree);
	return schema;
}

/* All findings, "CODE BEGIN-END; ..."; the text must be refused. */
static inline char *test_findings(struct span text)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *schema = NULL;
	int r = text.len && text.p[0] == '{' ? cedar_schema_parse_json(text, &diags, &schema)
					     : cedar_schema_parse(text, &diags, &schema);

	assert_true(r < 0);
	assert_null(schema);
	assert_true(diags.n_errors > 0);
	for (size_t i = 0; i < diags.len; i++) {
		assert_true(diags.items[i].range.begin <= diags.items[i].range.end);
		assert_true(diags.items[i].range.end <= text.len);
		(void)buf_printf(&out, "%s%s %zu-%zu", i ? "; " : "", diags.items[i].code,
				 diags.items[i].range.begin, diags.items[i].range.end);
	}
	cedar_diagnostics_done(&diags);
	return buf_take(&out);
}

static inline void test_refused(const char *text, const char *findings)
{
	_cleanup_free_ char *got = test_findings(span_of(text));

	assert_string_equal(got, findings);
}
