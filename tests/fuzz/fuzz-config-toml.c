/* Any bytes as a TOML document: a tree whose places lie in the text, or an error with one. */
#include <stdint.h>
#include <stdlib.h>

#include "config/toml.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)64 * 1024 * 1024);
	struct toml_error error;
	struct toml *root;

	if (toml_parse(&arena, span_make(data, len), &root, &error) >= 0)
		check(root, len);
	else if (!error.message[0] || error.line == 0 || error.column == 0)
		abort();
	return 0;
}
