/* Prints the TOML document on standard input as JSON with types, for comparison with other readers.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json-writer.h"
#include "config/toml.h"

static void dump(struct json_writer *w, const struct toml *t)
{
	if (t->type == TOML_TABLE || t->type == TOML_ARRAY) {
		bool is_table = t->type == TOML_TABLE;

		is_table ? json_begin_object(w) : json_begin_array(w);
		for (const struct toml *item = t->first; item; item = item->next) {
			if (is_table)
				json_key_span(w, item->key);
			dump(w, item);
		}
		is_table ? json_end_object(w) : json_end_array(w);
		return;
	}
	json_begin_array(w);
	json_string(w, span_of(toml_type_name(t->type)));
	if (t->type == TOML_INTEGER) {
		json_int(w, t->integer);
	} else if (t->type == TOML_BOOLEAN) {
		json_bool(w, t->is_true);
	} else if (t->type == TOML_FLOAT) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%a", t->real);
		json_string(w, span_of(text));
	} else {
		json_string(w, t->text);
	}
	json_end_array(w);
}

int main(void)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct json_writer w = { .out = &out };
	struct toml_error error;
	struct toml *root;

	if (fd_read_all(STDIN_FILENO, &text) < 0)
		return 2;
	if (toml_parse(&arena, buf_span(&text), &root, &error) < 0) {
		(void)fprintf(stderr, "%zu:%zu: %s\n", error.line, error.column, error.message);
		return 1;
	}
	dump(&w, root);
	return printf("%s\n", out.data) < 0;
}
