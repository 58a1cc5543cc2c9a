/*
 * Any bytes as a TOML document: a tree whose places lie in the text, or an error
 * with one. Of a tree, a value is set and taken away again: the others stay.
 */
#include <stdint.h>
#include <stdlib.h>

#include "config/toml-edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct toml *t, size_t len)
{
	size_t n = 0;

	if (t->line == 0 || t->column == 0 || t->column > len + 1)
		abort();
	for (const struct toml *item = t->first; item; item = item->next) {
		check(item, len);
		n++;
	}
	if (n != t->n_items)
		abort();
}

static void write_tree(struct arena *a, struct span text, struct buf *out)
{
	struct toml_error error;
	struct toml *root;

	if (toml_parse(a, text, &root, &error) < 0 || toml_append_value(out, root) < 0)
		abort();
}

/* What was written of a tree is read as the same. */
static void check_written(struct arena *a, struct span tree)
{
	_cleanup_buf_ struct buf line = BUF_INIT(0), again = BUF_INIT(0);
	struct toml_error error;
	struct toml *root;

	(void)buf_append_str(&line, "v=");
	(void)buf_append_span(&line, tree);
	if (toml_parse(a, buf_span(&line), &root, &error) < 0 ||
	    toml_append_value(&again, root->first) < 0 || !span_eq(tree, buf_span(&again)))
		abort();
}

/* A new key in the first table, then the same key away. */
static void check_changes(struct arena *a, struct span text, const struct toml *root,
			  struct span tree)
{
	_cleanup_buf_ struct buf with = BUF_INIT(0), without = BUF_INIT(0), after = BUF_INIT(0);
	struct span keys[2] = { root->first ? root->first->key : SPAN("a"), SPAN("new key") };
	struct toml_error error;
	bool is_table = root->first && root->first->type == TOML_TABLE;
	size_t n = is_table ? 2 : 1;

	if (!is_table)
		keys[0] = SPAN("new key");
	if (toml_set(text, keys, n, SPAN("[1]"), &with, &error) < 0)
		return;
	if (toml_unset(buf_span(&with), keys, n, &without, &error) < 0)
		abort();
	write_tree(a, buf_span(&without), &after);
	/* Only where the key was there before, it is missing now. */
	if (!span_eq(tree, buf_span(&after)) && !memmem(text.p, text.len, "new key", 7))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_buf_ struct buf tree = BUF_INIT(0);
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)64 * 1024 * 1024);
	struct toml_error error;
	struct toml *root;

	if (toml_parse(&arena, span_make(data, len), &root, &error) >= 0) {
		check(root, len);
		if (toml_append_value(&tree, root) < 0)
			abort();
		check_written(&arena, buf_span(&tree));
		check_changes(&arena, span_make(data, len), root, buf_span(&tree));
	} else if (!error.message[0] || error.line == 0 || error.column == 0) {
		abort();
	}
	return 0;
}
