/* Names, types and hierarchies of resolved schemas. */
#include <stdio.h>

#include "base/limits.h"
#include "schema-test.h"

static const struct cedar_type *attribute(const struct cedar_schema *s, const char *entity,
					  const char *name)
{
	const struct cedar_entity_type *e = cedar_schema_entity(s, span_of(entity));
	const struct cedar_attribute_type *a;

	assert_non_null(e);
	a = cedar_type_attribute(e->shape, span_of(name));
	assert_non_null(a);
	return a->type;
}

static void assert_entity_type(const struct cedar_type *type, const char *name)
{
	assert_int_equal(type->kind, CEDAR_TYPE_ENTITY);
	assert_true(span_eq_str(type->entity_name, name));
}

/* First the namespace, then outside; common types before entity types, both before built-in ones.
 */
static void test_look_up(void **state)
{
	struct cedar_schema *s = test_schema(
		"entity Outer; type Common = Long; entity Both; type Both = String;\n"
		"namespace N {\n"
		"  entity Inner; type ipaddr = Bool; entity String;\n"
		"  entity E { o: Outer, i: Inner, f: N::Inner, c: Common, b: Both, ip: ipaddr,\n"
		"    real: __cedar::ipaddr, s: String, d: decimal };\n"
		"}");

	(void)state;
	assert_entity_type(attribute(s, "N::E", "o"), "Outer");
	assert_entity_type(attribute(s, "N::E", "i"), "N::Inner");
	assert_entity_type(attribute(s, "N::E", "f"), "N::Inner");
	assert_int_equal(attribute(s, "N::E", "c")->kind, CEDAR_TYPE_LONG);
	assert_int_equal(attribute(s, "N::E", "b")->kind, CEDAR_TYPE_STRING);
	assert_int_equal(attribute(s, "N::E", "ip")->kind, CEDAR_TYPE_BOOL);
	assert_int_equal(attribute(s, "N::E", "real")->kind, CEDAR_TYPE_IPADDR);
	assert_entity_type(attribute(s, "N::E", "s"), "N::String");
	assert_int_equal(attribute(s, "N::E", "d")->kind, CEDAR_TYPE_DECIMAL);
	assert_null(cedar_schema_entity(s, SPAN("E")));
	cedar_schema_free(s);
}

static void test_shadowing(void **state)
{
	(void)state;
	test_refused("namespace N { entity A; } entity A;", "shadowing 21-22");
	test_refused("namespace N { type A = Long; } entity A;", "shadowing 19-20");
	test_refused("namespace N { action x; } action x;", "shadowing 21-22");
}

/* JSON can say which kind of type a name is. */
static void test_json_kinds(void **state)
{
	struct cedar_schema *s = test_schema(
		"{\"\": {\"entityTypes\": {\"T\": {}, \"E\": {\"shape\": {\"type\": \"Record\","
		"\"attributes\": {\"e\": {\"type\": \"Entity\", \"name\": \"T\"},"
		"\"c\": {\"type\": \"T\"}, \"x\": {\"type\": \"Extension\", \"name\": "
		"\"duration\"},"
		"\"a\": {\"type\": \"EntityOrCommon\", \"name\": \"T\", \"required\": false}}}}},"
		"\"commonTypes\": {\"T\": {\"type\": \"Boolean\"}}, \"actions\": {}}}");
	const struct cedar_entity_type *e = cedar_schema_entity(s, SPAN("E"));

	(void)state;
	assert_entity_type(attribute(s, "E", "e"), "T");
	assert_ptr_equal(attribute(s, "E", "e")->entity, cedar_schema_entity(s, SPAN("T")));
	assert_int_equal(attribute(s, "E", "c")->kind, CEDAR_TYPE_BOOL);
	assert_int_equal(attribute(s, "E", "a")->kind, CEDAR_TYPE_BOOL);
	assert_int_equal(attribute(s, "E", "x")->kind, CEDAR_TYPE_DURATION);
	assert_false(cedar_type_attribute(e->shape, SPAN("a"))->is_required);
	assert_true(cedar_type_attribute(e->shape, SPAN("c"))->is_required);
	cedar_schema_free(s);
}

static void test_unknown_names(void **state)
{
	(void)state;
	test_refused("entity A { x: Foo, y: Set<Bar> } tags Baz; entity B in C;",
		     "unknown_type 14-17; unknown_type 26-29; unknown_type 38-41; "
		     "unknown_entity_type 55-56");
	test_refused(
		"entity U; action a in [b] appliesTo { principal: V, resource: U, context: U };",
		"unknown_action 23-24; unknown_entity_type 49-50; unknown_common_type 74-75");
	test_refused("entity A { x: Action };", "unknown_type 14-20");
	test_refused("entity A in Action; action a;", "unknown_entity_type 12-18");
}

static void assert_suggestion(const char *text, const char *wanted)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *s = NULL;

	assert_int_equal(cedar_schema_parse(span_of(text), &diags, &s), -EINVAL);
	assert_string_equal(diags.items[0].suggestion, wanted);
	cedar_diagnostics_done(&diags);
}

static void test_suggestions(void **state)
{
	(void)state;
	assert_suggestion("entity User; entity A { x: Usr };", "did you mean `User`?");
	assert_suggestion("entity A { x: boolean };", "did you mean `Bool`?");
	assert_suggestion("entity A { x: Lomg };", "did you mean `Long`?");
	assert_suggestion("entity A { x: Photo }; namespace N { entity Photo; }",
			  "did you mean `N::Photo`?");
	assert_suggestion("entity A { x: N::Photi }; namespace N { entity Photo; }",
			  "did you mean `N::Photo`?");
	assert_suggestion("action view; action a in [veiw];", "did you mean \"view\"?");
}

static void test_records_only(void **state)
{
	(void)state;
	test_refused("entity U; type T = Long; "
		     "action a appliesTo { principal: U, resource: U, context: T };",
		     "not_a_record 82-83");
	test_refused("{\"\": {\"entityTypes\": {\"A\": {\"shape\": {\"type\": \"Long\"}}}, "
		     "\"actions\": {}}}",
		     "not_a_record 37-53");
}

static void test_cycles(void **state)
{
	(void)state;
	test_refused("type T = T;", "cycle 5-6");
	test_refused("type A = { x: Set<B> }; type B = C; type C = A; type D = A;", "cycle 5-6");
	test_refused("action a in a;", "cycle 7-8");
	test_refused("action a in b; action b in [c]; action c in a; action d in a;", "cycle 7-8");
}

/* Entity types may be members of themselves, in any number of steps. */
static void test_entity_ancestors(void **state)
{
	struct cedar_schema *s =
		test_schema("entity A in B; entity B in [C, D]; entity C in B; entity D;"
			    "entity Self in Self;");
	const struct cedar_entity_type *a = cedar_schema_entity(s, SPAN("A"));
	const struct cedar_entity_type *b = cedar_schema_entity(s, SPAN("B"));
	const struct cedar_entity_type *d = cedar_schema_entity(s, SPAN("D"));
	const struct cedar_entity_type *self = cedar_schema_entity(s, SPAN("Self"));

	(void)state;
	assert_int_equal(a->n_ancestors, 3);
	for (size_t i = 1; i < a->n_ancestors; i++)
		assert_true(a->ancestors[i - 1]->index < a->ancestors[i]->index);
	assert_true(cedar_entity_type_is_in(a, b) && cedar_entity_type_is_in(a, d));
	assert_true(cedar_entity_type_is_in(b, b) && cedar_entity_type_is_in(self, self));
	assert_false(cedar_entity_type_is_in(a, a) || cedar_entity_type_is_in(d, a) ||
		     cedar_entity_type_is_in(a, self));
	assert_int_equal(d->n_ancestors, 0);
	cedar_schema_free(s);
}

static const struct cedar_action_type *action(const struct cedar_schema *s, const char *type,
					      const char *id)
{
	return cedar_schema_action(s, (struct cedar_entity_uid){ span_of(type), span_of(id) });
}

static void test_actions(void **state)
{
	struct cedar_schema *s = test_schema(
		"namespace N { entity U, R; action view, \"edit it\" in [all, M::Action::\"x\"] "
		"appliesTo {"
		" principal: [U], resource: [R, M::S], context: { n: Long } }; action all in any; }"
		"action any; namespace M { action x; entity S; }");
	const struct cedar_action_type *edit = action(s, "N::Action", "edit it");

	(void)state;
	assert_int_equal(s->n_actions, 5);
	assert_int_equal(edit->n_parents, 2);
	assert_ptr_equal(edit->parents[0], action(s, "N::Action", "all"));
	assert_int_equal(edit->n_ancestors, 3);
	assert_ptr_equal(edit->ancestors[0], action(s, "Action", "any"));
	assert_int_equal(edit->n_principals, 1);
	assert_int_equal(edit->n_resources, 2);
	assert_true(span_eq(edit->resources[1]->name, SPAN("M::S")));
	assert_int_equal(edit->context->n_attributes, 1);
	assert_int_equal(action(s, "Action", "any")->context->kind, CEDAR_TYPE_RECORD);
	assert_int_equal(action(s, "Action", "any")->n_principals, 0);
	assert_null(action(s, "Action", "all"));
	cedar_schema_free(s);
}

static void test_enums(void **state)
{
	struct cedar_schema *s = test_schema("entity E enum [\"b\", \"a\", \"b\"];");
	const struct cedar_entity_type *e = cedar_schema_entity(s, SPAN("E"));

	(void)state;
	assert_true(e->is_enum);
	assert_int_equal(e->n_enum_ids, 2);
	assert_true(span_eq(e->enum_ids[0], SPAN("a")) && span_eq(e->enum_ids[1], SPAN("b")));
	cedar_schema_free(s);
}

static void test_action_type_as_attribute(void **state)
{
	struct cedar_schema *s = test_schema("namespace N { entity A { x: Action }; action a; }");

	(void)state;
	assert_entity_type(attribute(s, "N::A", "x"), "N::Action");
	assert_null(attribute(s, "N::A", "x")->entity);
	cedar_schema_free(s);
}

/* A schema does not refer to its tree or text. */
static void test_outlives_text(void **state)
{
	char *text =
		xstrdup("namespace N { entity A { x: Long } tags String; action \"a\\u{41}\"; }");
	struct cedar_schema *s = test_schema(text);

	(void)state;
	memset(text, 'x', strlen(text));
	xfree(text);
	assert_non_null(action(s, "N::Action", "aA"));
	assert_int_equal(attribute(s, "N::A", "x")->kind, CEDAR_TYPE_LONG);
	cedar_schema_free(s);
}

/* ---- Size --------------------------------------------------------------- */

typedef void (*print_fn)(struct buf *out, size_t i);

static int resolve_many(size_t n, print_fn print, const char *end)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *s = NULL;
	int r;

	for (size_t i = 0; i < n; i++)
		print(&text, i);
	(void)buf_append_str(&text, end);
	r = cedar_schema_parse(buf_span(&text), &diags, &s);
	assert_true((r < 0) == (diags.n_errors > 0));
	cedar_diagnostics_done(&diags);
	cedar_schema_free(s);
	return r;
}

static void print_flat(struct buf *out, size_t i)
{
	(void)buf_printf(out, "entity E%zu in [E%zu] { a: Long, b?: Set<E%zu> } tags String;", i,
			 i / 2, i * 3 % 10000);
	(void)buf_printf(out, "action a%zu appliesTo { principal: E%zu, resource: E%zu };", i, i,
			 i);
}

static void print_entity_chain(struct buf *out, size_t i)
{
	(void)buf_printf(out, "entity E%zu in E%zu;", i, i + 1);
}

static void print_type_chain(struct buf *out, size_t i)
{
	(void)buf_printf(out, "type T%zu = T%zu;", i, i + 1);
}

static void print_set_chain(struct buf *out, size_t i)
{
	(void)buf_printf(out, "type T%zu = Set<T%zu>;", i, i + 1);
}

/* Each type holds the next one twice. */
static void print_doubling(struct buf *out, size_t i)
{
	(void)buf_printf(out, "type T%zu = { a: T%zu, b: T%zu };", i, i + 1, i + 1);
}

static void test_many(void **state)
{
	(void)state;
	assert_int_equal(resolve_many(10000, print_flat, ""), 0);
	assert_int_equal(resolve_many(3000, print_entity_chain, "entity E3000;"), 0);
	assert_int_equal(resolve_many(20000, print_entity_chain, "entity E20000;"), -EMSGSIZE);
	assert_int_equal(resolve_many(100000, print_type_chain, "type T100000 = Long;"), 0);
	assert_int_equal(resolve_many(100000, print_type_chain, "type T100000 = T0;"), -EINVAL);
	assert_int_equal(resolve_many(100000, print_set_chain, "type T100000 = Long;"), -EMSGSIZE);
	assert_int_equal(resolve_many(100, print_doubling, "type T100 = Long;"), -EMSGSIZE);
	assert_int_equal(resolve_many(10, print_doubling, "type T10 = Long;"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_up),
		cmocka_unit_test(test_shadowing),
		cmocka_unit_test(test_json_kinds),
		cmocka_unit_test(test_unknown_names),
		cmocka_unit_test(test_suggestions),
		cmocka_unit_test(test_records_only),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_entity_ancestors),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_enums),
		cmocka_unit_test(test_action_type_as_attribute),
		cmocka_unit_test(test_outlives_text),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
