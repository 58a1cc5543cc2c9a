#include "cedar-json.h"

#include <stdio.h>
#include <stdlib.h>

#include "corpus.h"

/* Prints the first finding, if there is one. */
static void done(struct cedar_diagnostics *diags, const char *text)
{
	if (diags->len)
		(void)printf("%s: %s at %zu\n", text, diags->items[0].message,
			     diags->items[0].range.begin);
	cedar_diagnostics_done(diags);
}

static char *text_of(const json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text)
		abort();
	return text;
}

struct cedar_entities *cedar_json_entities(const json_t *list, const struct cedar_schema *schema)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_entities *e = NULL;
	char *text = text_of(list);

	if (cedar_entities_parse_json(span_of(text), schema, &diags, &e) < 0)
		e = NULL;
	done(&diags, text);
	free(text);
	return e;
}

bool cedar_json_request(const json_t *j, const struct cedar_schema *schema, struct arena *arena,
			struct cedar_request *r)
{
	struct cedar_diagnostics diags = { 0 };
	char *text = text_of(j);
	int code = cedar_request_parse_json(span_of(text), schema, arena, &diags, r);

	done(&diags, text);
	free(text);
	return code == 0;
}

const struct cedar_value *cedar_json_value(const json_t *j, struct arena *arena)
{
	struct cedar_diagnostics diags = { 0 };
	const struct cedar_value *v = NULL;
	char *text = text_of(j);

	if (cedar_value_parse_json(span_of(text), NULL, arena, &diags, &v) < 0)
		v = NULL;
	done(&diags, text);
	free(text);
	return v;
}

bool cedar_json_uid(const json_t *j, struct cedar_entity_uid *ret)
{
	const json_t *type = json_object_get(j, "type");
	const json_t *id = json_object_get(j, "id");

	if (!json_is_string(type) || !json_is_string(id))
		return false;
	*ret = (struct cedar_entity_uid){ corpus_string(type), corpus_string(id) };
	return true;
}

struct cedar_schema *cedar_json_schema(struct span text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *schema = NULL;

	if (cedar_schema_parse(text, &diags, &schema) < 0)
		schema = NULL;
	done(&diags, "schema");
	return schema;
}
