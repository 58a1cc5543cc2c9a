/* The generated corpus, a test a line; and the tests of the official layout, in files. */
#include <string.h>

#include "cedar/cedar-format.h"
#include "integration.h"

void run_corpus(struct runner *r, struct json_view line)
{
	struct integration_test test = { 0 };
	struct json_walk w = json_walk(line);
	bool has_newer = false;
	struct json_view v;
	struct span key;

	while (json_walk_next(&w, &key, &v)) {
		if (span_eq_str(key, "id"))
			test.id = json_view_string(v, &r->arena);
		else if (span_eq_str(key, "policies"))
			test.policies = json_view_string(v, &r->arena);
		else if (span_eq_str(key, "schema"))
			test.schema = json_view_string(v, &r->arena);
		else if (span_eq_str(key, "entities"))
			test.entities = v.raw;
		else if (span_eq_str(key, "requests"))
			test.requests = v;
		/* What the newer version answers goes before what the test was made with. */
		else if (span_eq_str(key, "validate413") ||
			 (span_eq_str(key, "shouldValidate") && !has_newer))
			test.should_validate = json_view_is_true(v);
		has_newer = has_newer || span_eq_str(key, "validate413");
	}
	integration_run(r, &test);
}

/* A file named by a test: from the root, or from the folder that the test is in. */
static struct span file_of(struct runner *r, const struct data_tree *tree, struct json_view test,
			   const char *member)
{
	struct span name = json_view_string(json_view_get(test, member), &r->arena);
	struct span data = data_tree_get(tree, name);
	struct span base = name;

	if (data.p || !name.len)
		return data;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == '/')
			base = span_from(name, i + 1);
	return data_tree_get(tree, base);
}

static bool is_json(struct runner *r, struct json_view test, const char *member)
{
	return span_eq_str(json_view_string(json_view_get(test, member), &r->arena), "json");
}

static void run_test_file(struct runner *r, const struct data_tree *tree, const char *name,
			  struct json_view j)
{
	struct integration_test test = {
		.id = span_of(name),
		.policies = file_of(r, tree, j, "policies"),
		.schema = file_of(r, tree, j, "schema"),
		.entities = file_of(r, tree, j, "entities"),
		.is_policies_json = is_json(r, j, "policyFormat"),
		.is_schema_json = is_json(r, j, "schemaFormat"),
		.should_validate = json_view_is_true(json_view_get(j, "shouldValidate")),
		.requests = json_view_get(j, "requests"),
	};

	if (!test.policies.p || !test.schema.p || !test.entities.p)
		(void)check(r, false, "%s: its policies, schema or entities are not there", name);
	else
		integration_run(r, &test);
	arena_reset(&r->arena);
}

static struct span trim_lines(struct span s)
{
	while (s.len && s.p[s.len - 1] == '\n')
		s.len--;
	while (s.len && s.p[0] == '\n')
		s = span_from(s, 1);
	return s;
}

/*
 * The formatter's snapshots: three dashes, facts about it, three dashes, the
 * text without line ends around it. Where the input is not there, the text
 * itself is: what is formatted stays as it is. That does not hold for those of
 * an older version, which are called otherwise.
 */
static void run_snapshot(struct runner *r, const struct data_tree *tree, const char *name,
			 struct span content)
{
	const struct cedar_format_options options = CEDAR_FORMAT_DEFAULT;
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	const char *at = memmem(content.p, content.len, "input_file: ", 12);
	const char *end = at ? memchr(at, '\n', (size_t)(content.p + content.len - at)) : NULL;
	const char *body =
		end ? memmem(end, (size_t)(content.p + content.len - end), "\n---\n", 5) : NULL;
	struct span input, wanted;

	if (!body)
		return;
	input = data_tree_get(tree, (struct span){ at + 12, (size_t)(end - at) - 12 });
	wanted =
		trim_lines((struct span){ body + 5, (size_t)(content.p + content.len - body) - 5 });
	if (!input.p && strstr(name, "format_files@"))
		input = wanted;
	if (!input.p)
		skip(r, 1, "a snapshot of an older formatter, without its input");
	else if (cedar_format(input, &options, &diags, &out) < 0)
		(void)check(r, false, "%s: refused: %s", name,
			    diags.len ? diags.items[0].message : "a limit");
	else
		(void)check_text(r, trim_lines(buf_span(&out)), wanted, name);
	cedar_diagnostics_done(&diags);
}

void run_tree(struct runner *r, const struct data_tree *tree)
{
	for (size_t i = 0; i < tree->n_names; i++) {
		struct span name = span_of(tree->names[i]);
		struct span content = data_tree_get(tree, name);
		struct json_view j;

		if (span_ends_with(name, SPAN(".snap"))) {
			run_snapshot(r, tree, tree->names[i], content);
			continue;
		}
		if (!span_ends_with(name, SPAN(".json")) ||
		    span_ends_with(name, SPAN("entities.json")))
			continue;
		j = json_view_of(content);
		if (json_view_get(j, "policies").raw.len && json_view_get(j, "requests").raw.len)
			run_test_file(r, tree, tree->names[i], j);
	}
}
