/*
 * The validator against the generated corpus: what version 4.13 of the reference
 * answers in strict mode, and what the Go implementation answers per policy in
 * both modes.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/map.h"
#include "cedar/cedar-validate.h"
#include "corpus.h"

struct conformance {
	struct tally tally;
	struct map go; /* id -> json_t * */
};

static void cleanup_schema(struct cedar_schema **s)
{
	cedar_schema_free(*s);
}

static void cleanup_set(struct cedar_policy_set **s)
{
	cedar_policy_set_free(*s);
}

static bool has_code(const struct cedar_diagnostics *d, const char *code)
{
	for (size_t i = 0; i < d->len; i++)
		if (strcmp(d->items[i].code, code) == 0)
			return true;
	return false;
}

static void check_mode(struct conformance *c, struct span id, const struct cedar_policy_set *set,
		       const struct cedar_schema *schema, enum cedar_validation_mode mode,
		       bool is_go, bool wanted)
{
	_cleanup_(cedar_diagnostics_done) struct cedar_diagnostics diags = { 0 };
	struct cedar_validate_options options = { .mode = mode };
	bool is_valid = cedar_validate(set, schema, &options, &diags) == 0;

	/* An error until version 4.12 of the language's reference, a warning since. */
	if (is_go && has_code(&diags, "no_applicable_action"))
		is_valid = false;
	(void)tally_check(&c->tally, is_valid == wanted, "%.*s: %s %s: must %sbe valid, first %s",
			  SPAN_ARG(id), is_go ? "go" : "reference",
			  mode == CEDAR_STRICT ? "strict" : "permissive", wanted ? "" : "not ",
			  diags.len ? diags.items[0].code : "none");
}

static void check_line(json_t *line, void *ctx)
{
	_cleanup_(cedar_diagnostics_done) struct cedar_diagnostics diags = { 0 };
	_cleanup_(cleanup_schema) struct cedar_schema *schema = NULL;
	_cleanup_(cleanup_set) struct cedar_policy_set *set = NULL;
	struct conformance *c = ctx;
	struct span id = corpus_string(json_object_get(line, "id"));
	json_t *go = map_get(&c->go, id);

	if (cedar_schema_parse(corpus_string(json_object_get(line, "schema")), &diags, &schema) <
		    0 ||
	    cedar_policy_set_parse(corpus_string(json_object_get(line, "policies")), &diags, &set) <
		    0) {
		(void)tally_check(&c->tally, false, "%.*s does not parse: %s", SPAN_ARG(id),
				  diags.len ? diags.items[0].message : "");
		return;
	}
	check_mode(c, id, set, schema, CEDAR_STRICT, /* is_go = */ false,
		   json_is_true(json_object_get(line, "validate413")));
	if (!go)
		return;
	go = json_object_get(json_object_get(go, "perPolicy"), "policy0");
	check_mode(c, id, set, schema, CEDAR_STRICT, /* is_go = */ true,
		   json_is_true(json_object_get(go, "strict")));
	check_mode(c, id, set, schema, CEDAR_PERMISSIVE, /* is_go = */ true,
		   json_is_true(json_object_get(go, "permissive")));
}

static void keep_line(json_t *line, void *ctx)
{
	struct conformance *c = ctx;

	(void)map_put(&c->go, corpus_string(json_object_get(line, "id")), json_incref(line));
}

static void free_line(void *line)
{
	json_decref(line);
}

int main(int argc, char **argv)
{
	const char *folder = corpus_folder(argc, argv);
	struct conformance c = { 0 };

	corpus_each_line(folder, "go-validation-v4.10.0.jsonl.xz", keep_line, &c);
	corpus_each_line(folder, "corpus-v4.10.0.jsonl.xz", check_line, &c);
	map_done(&c.go, free_line);
	return tally_end(&c.tally);
}
