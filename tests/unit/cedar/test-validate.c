/* The validator: codes and places, levels, types of expressions, limits. */
#include <errno.h>

#include "cedar-test.h"
#include "cedar/cedar-validate.h"

#define SCHEMA                                                                                     \
	"entity Group;\n"                                                                          \
	"entity User in [Group] = { name: String, age?: Long, friend?: User } tags String;\n"      \
	"entity Colour enum [\"red\", \"blue\"];\n"                                                \
	"entity File in [File] = { owner: User, colour: Colour, meta: { size: Long, kind?: "       \
	"String } };\n"                                                                            \
	"action all;\n"                                                                            \
	"action view in [all] appliesTo { principal: User, resource: File, context: { at?: "       \
	"datetime } };\n"                                                                          \
	"action edit appliesTo { principal: User, resource: File, context: {} };\n"

struct fixture {
	struct cedar_diagnostics diags;
	struct cedar_schema *schema;
	struct cedar_policy_set *set;
	int result;
};

static void validate(struct fixture *f, const char *text, const struct cedar_validate_options *o)
{
	*f = (struct fixture){ .result = 0 };
	assert_int_equal(cedar_schema_parse(SPAN(SCHEMA), &f->diags, &f->schema), 0);
	f->set = test_parse(text);
	f->result = cedar_validate(f->set, f->schema, o, &f->diags);
}

static void done(struct fixture *f)
{
	cedar_policy_set_free(f->set);
	cedar_schema_free(f->schema);
	cedar_diagnostics_done(&f->diags);
}

/* Each finding as "code:text it points at", in one string. */
static void check(const char *text, enum cedar_validation_mode mode, const char *wanted)
{
	struct cedar_validate_options options = { .mode = mode };
	_cleanup_buf_ struct buf got = BUF_INIT(0);
	struct fixture f;

	validate(&f, text, &options);
	(void)buf_append_str(&got, "");
	for (size_t i = 0; i < f.diags.len; i++) {
		const struct cedar_diagnostic *d = &f.diags.items[i];

		(void)buf_printf(&got, "%s%s", i ? " | " : "", d->code);
		if (d->range.begin > 0)
			(void)buf_printf(&got, " %.*s", (int)(d->range.end - d->range.begin),
					 text + d->range.begin);
		assert_non_null(d->policy);
	}
	if (strcmp(got.data ? got.data : "", wanted) != 0)
		fail_msg("%s\n  found:  %s\n  wanted: %s", text, got.data ? got.data : "", wanted);
	assert_int_equal(f.result, f.diags.n_errors ? -EINVAL : 0);
	done(&f);
}

static void check_when(const char *condition, const char *wanted)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	(void)buf_printf(&text,
			 "permit(principal, action == Action::\"view\", resource) when { %s };",
			 condition);
	check(text.data, CEDAR_STRICT, wanted);
}

static void test_types(void **state)
{
	(void)state;
	check_when("principal.name == \"a\"", "");
	check_when("principal.nam == \"a\"", "unknown_attribute principal.nam");
	check_when("principal.age > 1", "optional_attribute principal.age");
	check_when("1 + principal.name == 2", "unexpected_type principal.name");
	check_when("principal.name < 1", "unexpected_type principal.name");
	check_when("principal.name == 1", "incompatible_types principal.name == 1");
	check_when("[1, \"a\"].contains(1)", "incompatible_types [1, \"a\"]");
	check_when("[].isEmpty()", "empty_set []");
	check_when("ip(\"x\").isIpv4()", "invalid_literal ip(\"x\")");
	check_when("ip(principal.name).isIpv4()", "non_literal_constructor ip(principal.name)");
	check_when("decimal(\"1.0\", 2) == decimal(\"1.0\")", "wrong_arity decimal(\"1.0\", 2)");
	check_when("principal == resource", "impossible_policy");
	check_when("resource.colour == Colour::\"red\"", "");
	check_when("resource.colour == Colour::\"green\"", "invalid_enum_id Colour::\"green\"");
	check_when("resource.owner is Usr", "impossible_policy | unknown_entity_type Usr");
	check_when("action == Action::\"vew\"",
		   "impossible_policy | unknown_action Action::\"vew\"");
	check_when("principal.getTag(\"a\") == \"b\"", "unsafe_tag principal.getTag(\"a\")");
}

static void test_capabilities(void **state)
{
	(void)state;
	check_when("principal has age && principal.age > 1", "");
	check_when("principal has friend.age && principal.friend.age > 1", "");
	check_when("principal has age || principal.age > 1", "optional_attribute principal.age");
	check_when("!(principal has age) || principal.age > 1", "optional_attribute principal.age");
	check_when(
		"(principal has age && context has at || principal has age) && principal.age > 1",
		"");
	check_when("(if context has at then principal has age else principal has age) && "
		   "principal.age > 1",
		   "");
	check_when("(if context has at then principal has age else false) && principal.age > 1",
		   "optional_attribute principal.age");
	check_when("principal.hasTag(\"a\") && principal.getTag(\"a\") == \"b\"", "");
	check_when("principal.hasTag(\"a\") && principal.getTag(\"b\") == \"b\"",
		   "unsafe_tag principal.getTag(\"b\")");
	check_when("(if principal.name != \"a\" then principal else principal.friend) has age",
		   "optional_attribute principal.friend");
	check("permit(principal, action, resource) when { principal has age } when { principal.age "
	      "> 1 };",
	      CEDAR_STRICT, "");
	check("permit(principal, action, resource) unless { principal has age && principal.age > 1 "
	      "};",
	      CEDAR_STRICT, "");
}

static void test_scopes(void **state)
{
	(void)state;
	check("permit(principal == Group::\"g\", action, resource);", CEDAR_STRICT,
	      "no_applicable_action | impossible_policy");
	check("permit(principal in Group::\"g\", action in Action::\"all\", resource);",
	      CEDAR_STRICT, "");
	check("permit(principal, action == Action::\"all\", resource);", CEDAR_STRICT,
	      "no_applicable_action | impossible_policy");
	check("permit(principal, action in [], resource);", CEDAR_STRICT,
	      "no_applicable_action | empty_set action in []");
	check("permit(principal is Usr, action, resource);", CEDAR_STRICT,
	      "no_applicable_action | impossible_policy | unknown_entity_type Usr");
	check("permit(principal in ?principal, action, resource == ?resource);", CEDAR_STRICT, "");
}

static void test_permissive(void **state)
{
	static const char text[] =
		"permit(principal, action, resource) when { [principal, resource].contains(1) || "
		"{a: 1, b: 2} == {a: \"x\"} || [].isEmpty() || principal.name == 1 };";

	(void)state;
	check(text, CEDAR_PERMISSIVE, "");
	check("permit(principal, action, resource) when { [principal, resource].contains(1) };",
	      CEDAR_STRICT, "incompatible_types [principal, resource]");
	check("permit(principal, action, resource) when { (if principal.name == \"a\" then "
	      "principal "
	      "else resource).name == \"x\" };",
	      CEDAR_PERMISSIVE,
	      "unknown_attribute (if principal.name == \"a\" then principal else resource).name");
}

static void test_deceiving_text(void **state)
{
	(void)state;
	check_when("principal.name == \"p\\u{430}ypal\"", "mixed_scripts \"p\\u{430}ypal\"");
	check_when("principal.name == \"\\u{202e}\"", "bidi_characters \"\\u{202e}\"");
	check_when("principal has \"\\u{2460}\"",
		   "impossible_policy | confusable_identifier principal has \"\\u{2460}\"");
	check_when("principal.name == \"na\\u{ef}ve\"", "");
}

static void check_level(const char *condition, size_t level)
{
	for (size_t max = 0; max <= level; max++) {
		struct cedar_validate_options options = { .has_max_level = true, .max_level = max };
		_cleanup_buf_ struct buf text = BUF_INIT(0);
		struct fixture f;

		(void)buf_printf(
			&text,
			"permit(principal, action == Action::\"view\", resource) when { %s };",
			condition);
		validate(&f, text.data, &options);
		if ((f.result == 0) != (max == level))
			fail_msg("%s at level %zu: %d", condition, max, f.result);
		if (f.result < 0)
			assert_string_equal(f.diags.items[0].code, "level_exceeded");
		done(&f);
	}
}

static void test_levels(void **state)
{
	(void)state;
	check_level("principal == User::\"a\"", 0);
	check_level("context has at && context.at > datetime(\"2026-01-01\")", 0);
	check_level("principal.name == \"a\"", 1);
	check_level("principal has age", 1);
	check_level("principal in Group::\"g\"", 1);
	check_level("principal.hasTag(\"a\")", 1);
	check_level("resource.owner == principal", 1);
	check_level("resource.owner.name == \"a\"", 2);
	check_level("resource.meta.size > 1", 1);
	check_level("resource.owner has friend.age && resource.owner.friend.age > 1", 3);
	check_level("{a: resource.owner, b: principal}.b.name == \"a\"", 1);
	check_level("(if principal.name == \"x\" then principal else resource.owner).name == \"a\"",
		    2);
	check_level("false && resource.owner.name == \"a\"", 0);
}

static void test_typing(void **state)
{
	struct cedar_request_env env;
	struct cedar_typing *typing = NULL;
	const struct cedar_expr *e;
	struct fixture f;

	(void)state;
	validate(&f,
		 "permit(principal, action, resource) when { principal has age && principal.age > "
		 "1 };",
		 NULL);
	env.principal = cedar_schema_entity(f.schema, SPAN("User"));
	env.resource = cedar_schema_entity(f.schema, SPAN("File"));
	env.action = f.schema->actions[2];
	assert_int_equal(cedar_typecheck(f.schema, CEDAR_STRICT, cedar_policy_set_at(f.set, 0),
					 &env, &typing),
			 0);
	e = cedar_policy_set_at(f.set, 0)->conditions[0].body;
	assert_int_equal(cedar_typing_of(typing, e)->kind, CEDAR_TYPE_BOOL);
	assert_int_equal(cedar_typing_of(typing, e->right->left)->kind, CEDAR_TYPE_LONG);
	assert_ptr_equal(cedar_typing_of(typing, e->left->left)->entity, env.principal);
	cedar_typing_free(typing);
	done(&f);
}

/* Each `has` of 900 in a row adds to what is known; each access looks all of it up. */
static void test_long_chain(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct fixture f;

	(void)state;
	(void)buf_append_str(&text, "permit(principal, action, resource) when { principal has age");
	for (size_t i = 0; i < 900; i++)
		(void)buf_printf(&text, " && (principal has \"a%zu\" || principal.age > %zu)", i,
				 i);
	(void)buf_append_str(&text, " };");
	validate(&f, text.data, NULL);
	assert_int_equal(f.result, 0);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),	       cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_scopes),	       cmocka_unit_test(test_permissive),
		cmocka_unit_test(test_deceiving_text), cmocka_unit_test(test_levels),
		cmocka_unit_test(test_typing),	       cmocka_unit_test(test_long_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
