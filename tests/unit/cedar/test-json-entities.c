/* Values, entities, contexts and requests in JSON. */
#include <errno.h>

#include "cedar-test.h"
#include "cedar/cedar-conform.h"
#include "cedar/cedar-json.h"

static const char schema_text[] =
	"entity A in [B] { s?: String, e?: A, ip?: ipaddr, t?: datetime, r?: { q: Long }, "
	"st?: Set<A>, n?: En } tags Long;"
	"entity B in [C]; entity C; entity En enum [\"x\", \"y\"];"
	"action top; action g in [top]; action a in [g] appliesTo { principal: [A, En], resource: "
	"B, "
	"context: { i: ipaddr } };";

static int setup(void **state)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *schema = NULL;

	assert_int_equal(cedar_schema_parse(span_of(schema_text), &diags, &schema), 0);
	cedar_diagnostics_done(&diags);
	*state = schema;
	return 0;
}

static int teardown(void **state)
{
	cedar_schema_free(*state);
	return 0;
}

/* The value as Cedar text, or the code of the first finding. */
static void assert_value(const char *json, const struct cedar_type *type, const char *wanted)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	const struct cedar_value *v = NULL;

	if (cedar_value_parse_json(span_of(json), type, &arena, &diags, &v) < 0)
		(void)buf_append_str(&out, diags.items[0].code);
	else
		assert_int_equal(cedar_value_print(v, &out), 0);
	assert_string_equal(out.data, wanted);
	cedar_diagnostics_done(&diags);
}

static void values_are_read(void **state)
{
	(void)state;
	assert_value("[1, -9223372036854775808, \"a\", true, 1]", NULL,
		     "[true, -9223372036854775808, 1, \"a\"]");
	assert_value("{\"a\":{\"__entity\":{\"type\":\"A\",\"id\":\"b\"}}}", NULL,
		     "{\"a\": A::\"b\"}");
	assert_value("{\"type\":\"A\",\"id\":\"b\"}", NULL, "{\"id\": \"b\", \"type\": \"A\"}");
	assert_value("{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.0/8\"}}", NULL,
		     "ip(\"10.0.0.0/8\")");
	assert_value("{\"__extn\":{\"fn\":\"toDays\",\"args\":[{\"__extn\":{\"fn\":\"duration\","
		     "\"arg\":\"49h\"}}]}}",
		     NULL, "2");
	assert_value("{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"}}", NULL, "invalid_extension");
	assert_value("{\"__extn\":{\"fn\":\"ip\",\"args\":[\"::1\",\"::1\"]}}", NULL,
		     "wrong_arity");
	assert_value("{\"__extn\":{\"fn\":\"contains\",\"args\":[[1],1]}}", NULL,
		     "unknown_function");
	assert_value("{\"__expr\":\"1\"}", NULL, "expr_escape");
	assert_value("null", NULL, "null");
	assert_value("-0", NULL, "invalid_number");
	assert_value("1e3", NULL, "invalid_number");
	assert_value("\"\\ud800\"", NULL, "invalid_json");
	assert_value("{\"a\":1,\"a\":1}", NULL, "invalid_json");
}

static const struct cedar_type *type_of(const struct cedar_schema *s, const char *attribute)
{
	return cedar_type_attribute(cedar_schema_entity(s, SPAN("A"))->shape, span_of(attribute))
		->type;
}

static void types_allow_shorter_forms(void **state)
{
	const struct cedar_schema *s = *state;

	assert_value("{\"type\":\"A\",\"id\":\"b\"}", type_of(s, "e"), "A::\"b\"");
	assert_value("{\"type\":\"B\",\"id\":\"b\"}", type_of(s, "e"), "type_mismatch");
	assert_value("\"A::\\\"b\\\"\"", type_of(s, "e"), "invalid_entity");
	assert_value("\"::1\"", type_of(s, "ip"), "ip(\"::1\")");
	assert_value("{\"fn\":\"ip\",\"arg\":\"::1\"}", type_of(s, "ip"), "ip(\"::1\")");
	assert_value("{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}", type_of(s, "ip"),
		     "type_mismatch");
	assert_value("1", type_of(s, "ip"), "invalid_extension");
	assert_value("{\"fn\":\"offset\",\"args\":[\"1970-01-01\",\"1ms\"]}", type_of(s, "t"),
		     "datetime(\"1970-01-01\").offset(duration(\"1ms\"))");
	assert_value("[{\"type\":\"A\",\"id\":\"b\"}]", type_of(s, "st"), "[A::\"b\"]");
	assert_value("{}", type_of(s, "st"), "type_mismatch");
	assert_value("{\"q\":1}", type_of(s, "r"), "{\"q\": 1}");
	assert_value("{}", type_of(s, "r"), "missing_attribute");
	assert_value("{\"q\":1,\"z\":1}", type_of(s, "r"), "unexpected_attribute");
	assert_value("{\"type\":\"En\",\"id\":\"z\"}", type_of(s, "n"), "type_mismatch");
}

/* Each value, read, written and read again. */
static void values_survive(void **state)
{
	static const char *const texts[] = {
		"{\"a\":[1,\"x\"],\"b\":{\"__entity\":{\"type\":\"A\",\"id\":\"\\\"\"}}}",
		"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"-0.0001\"}}",
		"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4/5\"}}",
		"{\"__extn\":{\"fn\":\"duration\",\"arg\":\"-9223372036854775808ms\"}}",
		"{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"0000-01-01\"}}",
		"{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"9999-12-31T23:59:59.999Z\"}}",
		"{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1969-12-31T23:59:59.999Z\"}}",
		"{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-02-29\"}}",
		"{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":\"datetime\",\"arg\":"
		"\"1970-01-01\"}},{\"__extn\":{\"fn\":\"duration\",\"arg\":\"253402300800000ms\"}}]"
		"}}",
		"{\"__extn\":{\"fn\":\"unknown\",\"arg\":\"u\"}}",
	};
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_diagnostics diags = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		const struct cedar_value *v;

		assert_int_equal(
			cedar_value_parse_json(span_of(texts[i]), NULL, &arena, &diags, &v), 0);
		assert_int_equal(cedar_value_print_json(v, &out), 0);
		assert_string_equal(out.data, texts[i]);
	}
	cedar_diagnostics_done(&diags);
}

/* Every day of 400 years and the days around the limits. */
static void dates_are_written_as_they_are_read(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	int64_t first, ms;

	(void)state;
	assert_int_equal(cedar_datetime_parse(SPAN("1599-12-30"), &first), 0);
	for (int day = 0; day < 146100; day++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		int64_t wanted = first + day * INT64_C(86400000);
		struct span text;

		assert_int_equal(cedar_value_print_json(cedar_value_datetime(&arena, wanted), &out),
				 0);
		text = span_from(buf_span(&out),
				 strlen("{\"__extn\":{\"fn\":\"datetime\",\"arg\":\""));
		text.len -= strlen("\"}}");
		assert_int_equal(cedar_datetime_parse(text, &ms), 0);
		assert_int_equal(ms, wanted);
		arena_reset(&arena);
	}
}

/* What would be read as something else cannot be written. */
static void records_like_escapes_are_not_written(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	const struct cedar_value *x = cedar_value_string(&arena, SPAN("x"));
	const struct cedar_record_entry inner[] = { { SPAN("type"), x }, { SPAN("id"), x } };
	const struct cedar_record_entry outer[] = {
		{ SPAN("__entity"), cedar_value_record(&arena, inner, 2) }, { SPAN("a"), x }
	};
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(cedar_value_print_json(cedar_value_record(&arena, outer, 1), &out),
			 -EINVAL);
	assert_int_equal(cedar_value_print_json(cedar_value_record(&arena, outer, 2), &out), 0);
}

static const char *entities_finding(const char *json, const struct cedar_schema *s, const char *at)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_entities *e = NULL;
	const char *code = "";

	if (cedar_entities_parse_json(span_of(json), s, &diags, &e) < 0) {
		struct cedar_range range = diags.items[0].range;

		code = diags.items[0].code;
		assert_int_equal(range.end - range.begin, strlen(at));
		assert_memory_equal(json + range.begin, at, strlen(at));
	}
	cedar_diagnostics_done(&diags);
	cedar_entities_free(e);
	return code;
}

#define UID(type, id) "{\"type\":\"" type "\",\"id\":\"" id "\"}"
#define ENTITY(uid, attrs, parents)                                                                \
	"{\"uid\":" uid ",\"attrs\":{" attrs "},\"parents\":[" parents "]}"

static void mistakes_are_found_where_they_are(void **state)
{
	const struct cedar_schema *s = *state;

	assert_string_equal(entities_finding("{}", NULL, "{}"), "wrong_type");
	assert_string_equal(entities_finding("[{\"uid\":1}]", NULL, "{\"uid\":1}"),
			    "missing_member");
	assert_string_equal(
		entities_finding("[" ENTITY(UID("A", "a"), "\"x\":null", "") "]", NULL, "null"),
		"null");
	assert_string_equal(
		entities_finding("[" ENTITY(UID("A", "a"), "",
					    UID("B", "b")) "," ENTITY(UID("A", "a"), "", "") "]",
				 NULL, UID("A", "a")),
		"duplicate_entity");
	assert_string_equal(
		entities_finding("[" ENTITY(UID("C", "c"), "", UID("A", "a")) "," ENTITY(
					 UID("A", "a"), "", UID("A", "a")) "]",
				 NULL, UID("A", "a")),
		"cycle");
	assert_string_equal(entities_finding("[" ENTITY(UID("Action", "a"), "", UID("B", "b")) "]",
					     NULL, UID("B", "b")),
			    "invalid_parent");
	assert_string_equal(
		entities_finding("[" ENTITY(UID("A", "a"), "\"zz\":1", "") "]", s, "\"zz\""),
		"unexpected_attribute");
	assert_string_equal(
		entities_finding("[" ENTITY(UID("Z", "a"), "", "") "]", s, UID("Z", "a")),
		"undeclared_type");
	assert_string_equal(
		entities_finding("[" ENTITY(UID("En", "z"), "", "") "]", s, UID("En", "z")),
		"invalid_enum_id");
	assert_string_equal(entities_finding("[" ENTITY(UID("B", "b"), "", UID("A", "a")) "]", s,
					     "[" UID("A", "a") "]"),
			    "invalid_ancestor");
	assert_string_equal(
		entities_finding("[" ENTITY(UID("Action", "q"), "", "") "]", s, UID("Action", "q")),
		"undeclared_action");
	assert_string_equal(
		entities_finding("[" ENTITY(UID("Action", "a"), "", UID("Action", "g")) "]", s,
				 "[" UID("Action", "g") "]"),
		"action_mismatch");
}

static void actions_come_from_the_schema(void **state)
{
	const struct cedar_schema *s = *state;
	struct cedar_diagnostics diags = { 0 };
	struct cedar_entities *e = NULL;
	struct cedar_entity_uid a = { SPAN("Action"), SPAN("a") };
	struct cedar_entity_uid top = { SPAN("Action"), SPAN("top") };
	struct cedar_entity_source source;

	assert_string_equal(
		entities_finding("[" ENTITY(UID("Action", "a"), "",
					    UID("Action", "top") "," UID("Action", "g")) "]",
				 s, ""),
		"");
	assert_int_equal(cedar_entities_parse_json(SPAN("[]"), s, &diags, &e), 0);
	source = cedar_entities_source(e);
	assert_true(source.is_in(source.ctx, a, top));
	assert_false(source.is_in(source.ctx, top, a));
	cedar_diagnostics_done(&diags);
	cedar_entities_free(e);
}

/* An unknown exists, but whoever uses it fails. */
static void unknown_values_err(void **state)
{
	static const char json[] =
		"[" ENTITY(UID("User", "alice"),
			   "\"u\":{\"__extn\":{\"fn\":\"unknown\",\"arg\":\"u\"}},"
			   "\"r\":{\"u\":{\"__extn\":{\"fn\":\"unknown\",\"arg\":\"u\"}},\"k\":1}",
			   "") "]";
	static const struct {
		const char *text;
		bool is_known;
	} cases[] = {
		{ "principal has u", true },	  { "principal.u", false },
		{ "principal.r.k == 1", true },	  { "principal.r has u", true },
		{ "principal.r.u == 1", false },  { "principal.r == {u: 1, k: 1}", false },
		{ "principal.u || true", false },
	};
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_entities *e = NULL;
	struct cedar_entity_source source;

	(void)state;
	assert_int_equal(cedar_entities_parse_json(span_of(json), NULL, &diags, &e), 0);
	source = cedar_entities_source(e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cedar_eval_error error = { 0 };
		const struct cedar_value *v;
		int r = cedar_eval(test_expr(cases[i].text, &arena), &test_request, &source, &arena,
				   &v, &error);

		assert_int_equal(r, cases[i].is_known ? 0 : -EINVAL);
		if (r < 0)
			assert_string_equal(error.code, "unknown");
	}
	cedar_diagnostics_done(&diags);
	cedar_entities_free(e);
}

/* "" if it is read and conforms, else why not. */
static void assert_request(const char *json, const struct cedar_schema *s, const char *why)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_request r = { 0 };
	struct err err = { 0 };

	if (cedar_request_parse_json(span_of(json), s, &arena, &diags, &r) < 0)
		(void)err_say(&err, -EINVAL, "%s", diags.items[0].message);
	else if (s && cedar_request_conform(s, &r, &err) == 0)
		assert_int_equal(err.code, 0);
	if (!strstr(err.text, why) || (!why[0] && err.text[0]))
		fail_msg("%s: \"%s\" is not \"%s\"", json, err.text, why);
	cedar_diagnostics_done(&diags);
}

#define REQUEST(principal, action, resource, context)                                              \
	"{\"principal\":" principal ",\"action\":" action ",\"resource\":" resource                \
	",\"context\":" context "}"
#define ACTION UID("Action", "a")

static void requests_conform(void **state)
{
	const struct cedar_schema *s = *state;

	assert_request(REQUEST(UID("A", "a"), ACTION, UID("B", "b"), "{\"i\":\"::1\"}"), s, "");
	assert_request(REQUEST("\"A::\\\"a\\\"\"", "\"Action::\\\"a\\\"\"", UID("B", "b"),
			       "{\"i\":\"::1\"}"),
		       s, "");
	assert_request(REQUEST("\"A\"", ACTION, UID("B", "b"), "{}"), NULL, "not an entity");
	assert_request("{\"principal\":" UID("A", "a") ",\"action\":" ACTION
						       ",\"resource\":" UID("B", "b") "}",
		       s, "the attribute `i` is missing");
	assert_request(REQUEST(UID("A", "a"), ACTION, UID("B", "b"), "{\"i\":\"::1\",\"z\":1}"), s,
		       "`z` is not in the schema");
	assert_request(REQUEST(UID("B", "a"), ACTION, UID("B", "b"), "{\"i\":\"::1\"}"), s,
		       "does not apply to a principal of type `B`");
	assert_request(REQUEST(UID("A", "a"), ACTION, UID("A", "b"), "{\"i\":\"::1\"}"), s,
		       "does not apply to a resource of type `A`");
	assert_request(REQUEST(UID("Z", "a"), ACTION, UID("B", "b"), "{\"i\":\"::1\"}"), s,
		       "type `Z` is not in the schema");
	assert_request(REQUEST(UID("En", "z"), ACTION, UID("B", "b"), "{\"i\":\"::1\"}"), s,
		       "an enumeration without the id `z`");
	assert_request(REQUEST(UID("A", "a"), UID("Action", "q"), UID("B", "b"), "{}"), s,
		       "the action `Action::\"q\"` is not in the schema");
	assert_request(REQUEST(UID("A", "a"), UID("Action", "g"), UID("B", "b"), "{}"), s,
		       "does not apply to a principal of type `A`");
	assert_request(REQUEST(UID("A", "a"), ACTION, UID("B", "b"),
			       "{\"__entity\":{\"type\":\"A\",\"id\":\"a\"}}"),
		       NULL, "expected a context");
	assert_request(REQUEST(UID("A", "a"), ACTION, UID("B", "b"),
			       "{\"i\":{\"__extn\":{\"fn\":\"unknown\",\"arg\":\"i\"}}}"),
		       s, "expected an ipaddr, found unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(types_allow_shorter_forms),
		cmocka_unit_test(values_survive),
		cmocka_unit_test(dates_are_written_as_they_are_read),
		cmocka_unit_test(records_like_escapes_are_not_written),
		cmocka_unit_test(mistakes_are_found_where_they_are),
		cmocka_unit_test(actions_come_from_the_schema),
		cmocka_unit_test(unknown_values_err),
		cmocka_unit_test(requests_conform),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
