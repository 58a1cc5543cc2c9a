/*
 * Answers for validate.mjs what libcedar finds wrong. Reads one case a line from
 * standard input, as JSON, and writes one answer a line:
 *
 *   {"schema": TEXT, "policies": TEXT, "mode": "strict" or "permissive", "level": N}
 *   {"parses": BOOL, "valid": BOOL, "findings": [{severity, code, message, help, begin, end}]}
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/json-writer.h"
#include "base/json.h"
#include "cedar/cedar-validate.h"

static void put_findings(struct json_writer *out, const struct cedar_diagnostics *diags)
{
	json_key(out, "findings");
	json_begin_array(out);
	for (size_t i = 0; i < diags->len; i++) {
		const struct cedar_diagnostic *d = &diags->items[i];

		json_begin_object(out);
		json_key_string(out, "severity",
				d->severity == CEDAR_ERROR ? SPAN("error") : SPAN("warning"));
		json_key_string(out, "code", span_of(d->code));
		json_key_string(out, "message", span_of(d->message));
		if (d->suggestion)
			json_key_string(out, "help", span_of(d->suggestion));
		json_key_uint(out, "begin", d->range.begin);
		json_key_uint(out, "end", d->range.end);
		json_end_object(out);
	}
	json_end_array(out);
}

static void answer(const struct json *line, struct json_writer *out)
{
	struct cedar_diagnostics diags = { .max = 10000 };
	struct cedar_validate_options options = { .mode = CEDAR_STRICT };
	struct cedar_schema *schema = NULL;
	struct cedar_policy_set *set = NULL;
	uint64_t level = 0;
	bool parses;

	if (span_eq(json_get_string(line, "mode"), SPAN("permissive")))
		options.mode = CEDAR_PERMISSIVE;
	options.has_max_level = json_get(line, "level") && json_to_uint(json_get(line, "level"), &level);
	options.max_level = level;
	parses = cedar_schema_parse(json_get_string(line, "schema"), &diags, &schema) == 0 &&
		 cedar_policy_set_parse(json_get_string(line, "policies"), &diags, &set) == 0;
	json_begin_object(out);
	json_key_bool(out, "parses", parses);
	json_key_bool(out, "valid", parses && cedar_validate(set, schema, &options, &diags) == 0);
	put_findings(out, &diags);
	json_end_object(out);
	cedar_policy_set_free(set);
	cedar_schema_free(schema);
	cedar_diagnostics_done(&diags);
}

int main(void)
{
	struct arena arena = { 0 };
	char *text = NULL;
	size_t cap = 0;
	ssize_t len;

	while ((len = getline(&text, &cap, stdin)) > 0) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct json_writer w = { .out = &out };
		struct err err = { 0 };
		struct json *line;

		if (json_parse(&arena, span_make(text, (size_t)len), &line, &err) < 0) {
			(void)fprintf(stderr, "bad case: %s\n", err.text);
			return 1;
		}
		answer(line, &w);
		(void)printf("%.*s\n", (int)out.len, out.data);
		arena_reset(&arena);
	}
	xfree(text);
	arena_done(&arena);
	return 0;
}
