/*
 * The formatter against the reference's output, byte for byte: policies.jsonl
 * has each text at two settings, formatter-tests.tar.xz the reference's own
 * tests. With a second argument, a file of further lines like the first's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cedar/cedar-format.h"
#include "corpus.h"

static void check(struct tally *t, struct span text, size_t width, size_t indent, struct span wanted)
{
	const struct cedar_format_options options = { .width = width, .indent = indent };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	int r = cedar_format(text, &options, &diags, &out);

	(void)tally_check(t, r == 0 && span_eq(buf_span(&out), wanted),
			  "--- %zu/%zu (%d): the text\n%.*s\n--- wanted\n%.*s\n--- got\n%.*s\n---",
			  width, indent, r, SPAN_ARG(text), SPAN_ARG(wanted), SPAN_ARG(buf_span(&out)));
	cedar_diagnostics_done(&diags);
}

static void check_line(json_t *line, void *ctx)
{
	struct span text = corpus_string(json_object_get(line, "text"));

	check(ctx, text, 80, 2, corpus_string(json_object_get(line, "format80")));
	check(ctx, text, 40, 4, corpus_string(json_object_get(line, "format40x4")));
}

/* A line of oracle/format-cases.js. */
static void check_case(json_t *line, void *ctx)
{
	struct tally *t = ctx;

	if (json_is_true(json_object_get(line, "lost")))
		t->skipped++;
	else
		check(t, corpus_string(json_object_get(line, "text")),
		      (size_t)json_integer_value(json_object_get(line, "width")),
		      (size_t)json_integer_value(json_object_get(line, "indent")),
		      corpus_string(json_object_get(line, "formatted")));
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };

	if (argc > 2)
		corpus_each_line(argv[1], argv[2], check_case, &t);
	else
	corpus_each_line(corpus_folder(argc, argv), "policies.jsonl.xz", check_line, &t);
	return tally_end(&t);
}
