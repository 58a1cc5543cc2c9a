/*
 * Validates what standard input gives as JSON lines {schema, policies, mode}
 * and writes the findings as JSON lines, for comparison with the reference.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cedar/cedar-validate.h"
#include "corpus.h"

static void cleanup_schema(struct cedar_schema **s)
{
	cedar_schema_free(*s);
}

static void cleanup_set(struct cedar_policy_set **s)
{
	cedar_policy_set_free(*s);
}

static json_t *finding(const struct cedar_diagnostic *d)
{
	return json_pack("{s:s, s:s, s:s, s:s*, s:I, s:I, s:s*}", "severity",
			 d->severity == CEDAR_ERROR ? "error" : "warning", "code", d->code, "message",
			 d->message, "help", d->suggestion, "begin", (json_int_t)d->range.begin,
			 "end", (json_int_t)d->range.end, "policy",
			 d->policy ? d->policy->id.p : NULL);
}

static json_t *validate(json_t *line)
{
	_cleanup_(cedar_diagnostics_done) struct cedar_diagnostics diags = { .max = 10000 };
	_cleanup_(cleanup_schema) struct cedar_schema *schema = NULL;
	_cleanup_(cleanup_set) struct cedar_policy_set *set = NULL;
	struct cedar_validate_options options = { 0 };
	json_t *level = json_object_get(line, "level");
	json_t *list = json_array();
	int r;

	if (span_eq_str(corpus_string(json_object_get(line, "mode")), "permissive"))
		options.mode = CEDAR_PERMISSIVE;
	options.has_max_level = level;
	options.max_level = (size_t)json_integer_value(level);
	r = cedar_schema_parse(corpus_string(json_object_get(line, "schema")), &diags, &schema);
	if (r == 0)
		r = cedar_policy_set_parse(corpus_string(json_object_get(line, "policies")), &diags,
					   &set);
	if (r < 0) {
		for (size_t i = 0; i < diags.len; i++)
			(void)json_array_append_new(list, finding(&diags.items[i]));
		return json_pack("{s:b, s:o}", "parses", false, "findings", list);
	}
	r = cedar_validate(set, schema, &options, &diags);
	for (size_t i = 0; i < diags.len; i++)
		(void)json_array_append_new(list, finding(&diags.items[i]));
	return json_pack("{s:b, s:b, s:o}", "parses", true, "valid", r == 0, "findings", list);
}

int main(void)
{
	_cleanup_buf_ struct buf in = BUF_INIT(0);
	char block[65536];
	size_t n;

	while ((n = fread(block, 1, sizeof(block), stdin)) > 0)
		(void)buf_append(&in, block, n);
	for (size_t begin = 0, i = 0; i < in.len; i++) {
		json_t *line, *out;

		if (in.data[i] != '\n')
			continue;
		line = corpus_parse_json(span_make(in.data + begin, i - begin));
		begin = i + 1;
		out = validate(line);
		(void)json_dumpf(out, stdout, JSON_COMPACT);
		(void)printf("\n");
		json_decref(out);
		json_decref(line);
	}
	return 0;
}
