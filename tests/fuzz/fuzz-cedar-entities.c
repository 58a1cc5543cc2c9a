/*
 * Any bytes as entities, a value, a context and a request in JSON, with and
 * without a schema. What is read is written, and must be read and written the
 * same again. What is not read must have a finding that can be shown.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cedar/cedar-conform.h"
#include "cedar/cedar-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
	"entity A in [B] { s?: String, l?: Long, b?: Bool, e?: A, ip?: ipaddr, d?: decimal,"
	" t?: datetime, u?: duration, r?: { q: Long, z?: A }, st?: Set<A>, n?: En } tags Long;"
	"entity B in [C] { s: String }; entity C; entity En enum [\"x\", \"y\"];"
	"action g; action a in [g] appliesTo { principal: A, resource: [B, En],"
	" context: { i: ipaddr, s?: Set<decimal> } };";

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void show(struct cedar_diagnostics *diags, struct span text, bool has_failed)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	require(has_failed == (diags->n_errors > 0));
	for (size_t i = 0; i < diags->len; i++) {
		require(diags->items[i].range.begin <= diags->items[i].range.end);
		require(diags->items[i].range.end <= text.len);
		require(cedar_diagnostic_print(&diags->items[i], "fuzz", text, false, &out) == 0);
	}
	cedar_diagnostics_done(diags);
}

static bool print_entities(struct span text, const struct cedar_schema *schema, struct buf *out)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_entities *e = NULL;
	bool ok;
	int r = cedar_entities_parse_json(text, schema, &diags, &e);

	show(&diags, text, r < 0);
	ok = r == 0 && cedar_entities_print_json(e, out) == 0;
	cedar_entities_free(e);
	return ok;
}

static bool print_value(struct span text, const struct cedar_schema *schema, struct buf *out)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)1 << 26);
	const struct cedar_type *type =
		schema ? cedar_schema_entity(schema, SPAN("A"))->shape : NULL;
	struct cedar_diagnostics diags = { 0 };
	const struct cedar_value *v = NULL;
	struct err err;
	int r = cedar_value_parse_json(text, type, &arena, &diags, &v);

	show(&diags, text, r < 0);
	if (r < 0)
		return false;
	require(!type || cedar_value_conform(v, type, &err) <= 0);
	return cedar_value_print_json(v, out) == 0;
}

static bool print_request(struct span text, const struct cedar_schema *schema, struct buf *out)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)1 << 26);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_request request;
	struct err err;
	int r = cedar_request_parse_json(text, schema, &arena, &diags, &request);

	show(&diags, text, r < 0);
	if (r == 0 && schema && cedar_request_conform(schema, &request, &err) < 0)
		require(err.text[0]);
	(void)out;
	return false;
}

static void check(struct span text, const struct cedar_schema *schema)
{
	bool (*const printers[])(struct span, const struct cedar_schema *,
				 struct buf *) = { print_entities, print_value, print_request };

	for (size_t i = 0; i < ARRAY_SIZE(printers); i++) {
		_cleanup_buf_ struct buf first = BUF_INIT(0);
		_cleanup_buf_ struct buf second = BUF_INIT(0);

		if (!printers[i](text, schema, &first))
			continue;
		require(printers[i](buf_span(&first), schema, &second));
		require(span_eq(buf_span(&first), buf_span(&second)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cedar_schema *schema;
	struct cedar_diagnostics diags = { 0 };

	if (!schema)
		require(cedar_schema_parse(span_of(schema_text), &diags, &schema) == 0);
	check(span_make(data, size), NULL);
	check(span_make(data, size), schema);
	return 0;
}
