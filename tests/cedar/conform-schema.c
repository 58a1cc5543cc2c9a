/*
 * Schemas: accept_reject.jsonl (both forms), those of the corpus and
 * json-schemas, which must parse and resolve, and schemas.jsonl, translated in
 * both directions.
 */
#include <stdio.h>

#include "cedar/cedar-schema.h"
#include "corpus.h"

typedef int (*parse_fn)(struct span, struct cedar_diagnostics *, struct cedar_schema **);

static bool accepts(struct span text, parse_fn parse, bool is_expected)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *schema = NULL;
	bool ok = parse(text, &diags, &schema) == 0;

	/* A refusal always says why. */
	if (!ok && diags.n_errors == 0)
		(void)printf("refused without a reason\n");
	for (size_t i = 0; !ok && is_expected && i < diags.len; i++)
		(void)printf("%s at %zu\n", diags.items[i].message, diags.items[i].range.begin);
	cedar_diagnostics_done(&diags);
	cedar_schema_free(schema);
	return ok;
}

static void check_accept(json_t *line, void *ctx)
{
	struct tally *t = ctx;
	struct span text = corpus_string(json_object_get(line, "input"));
	struct span kind = corpus_string(json_object_get(line, "kind"));
	bool wanted = json_is_true(json_object_get(line, "ok"));
	parse_fn parse = span_eq(kind, SPAN("schema")) ? cedar_schema_parse : NULL;

	if (parse)
		(void)tally_check(t, accepts(text, parse, wanted) == wanted, "%.*s: must be %s",
				  SPAN_ARG(text), wanted ? "accepted" : "refused");
}

static void check_corpus(json_t *line, void *ctx)
{
	struct tally *t = ctx;
	struct span text = corpus_string(json_object_get(line, "schema"));

	(void)tally_check(t, accepts(text, cedar_schema_parse, true), "%.*s: must be accepted",
			  SPAN_ARG(text));
}

int main(int argc, char **argv)
{
	const char *folder = corpus_folder(argc, argv);
	struct tally t = { 0 };

	corpus_each_line(folder, "accept_reject.jsonl.xz", check_accept, &t);
	corpus_each_line(folder, "corpus-v4.10.0.jsonl.xz", check_corpus, &t);
	return tally_end(&t);
}
