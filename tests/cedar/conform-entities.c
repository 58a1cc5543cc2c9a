/*
 * accept_reject.jsonl, the entities: what must be read and what must not, some
 * with a schema.
 */
#include <stdio.h>

#include "cedar/cedar-json.h"
#include "corpus.h"

static struct cedar_schema *parse_schema(const json_t *text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *schema = NULL;

	if (text && cedar_schema_parse(corpus_string(text), &diags, &schema) < 0)
		(void)printf("schema: %s\n", diags.items[0].message);
	cedar_diagnostics_done(&diags);
	return schema;
}

/* What was read is written, read and written again, and must be the same. */
static bool survives(const struct cedar_entities *e, const struct cedar_schema *schema)
{
	_cleanup_buf_ struct buf first = BUF_INIT(0);
	_cleanup_buf_ struct buf second = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_entities *again = NULL;
	bool ok = cedar_entities_print_json(e, &first) == 0 &&
		  cedar_entities_parse_json(buf_span(&first), schema, &diags, &again) == 0 &&
		  cedar_entities_print_json(again, &second) == 0 &&
		  span_eq(buf_span(&first), buf_span(&second));

	cedar_diagnostics_done(&diags);
	cedar_entities_free(again);
	return ok;
}

static bool accepts(struct span text, const struct cedar_schema *schema, char *why, size_t size)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_entities *e = NULL;
	bool ok = cedar_entities_parse_json(text, schema, &diags, &e) == 0;

	(void)snprintf(why, size, "%s", diags.len ? diags.items[0].message : "no finding");
	if (ok != (diags.n_errors == 0) || (ok && !survives(e, schema)))
		(void)printf("%.*s: not consistent\n", SPAN_ARG(text));
	cedar_diagnostics_done(&diags);
	cedar_entities_free(e);
	return ok;
}

static void check_line(json_t *line, void *ctx)
{
	struct span text = corpus_string(json_object_get(line, "input"));
	bool wanted = json_is_true(json_object_get(line, "ok"));
	const json_t *schema_text = json_object_get(line, "schema");
	struct cedar_schema *schema;
	char why[200];

	if (!span_eq(corpus_string(json_object_get(line, "kind")), SPAN("entities")))
		return;
	schema = parse_schema(schema_text);
	(void)tally_check(
		ctx, (schema || !schema_text) && accepts(text, schema, why, sizeof(why)) == wanted,
		"%.*s: must be %s: %s", SPAN_ARG(text), wanted ? "accepted" : "refused", why);
	cedar_schema_free(schema);
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };

	corpus_each_line(corpus_folder(argc, argv), "accept_reject.jsonl.xz", check_line, &t);
	return tally_end(&t);
}
