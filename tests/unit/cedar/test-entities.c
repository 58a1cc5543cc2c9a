#include <errno.h>

#include "cedar-test.h"

static struct cedar_entity_uid node(struct cedar_entities *e, size_t i)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "%zu", i);
	return (struct cedar_entity_uid){ SPAN("N"), span_of(arena_dup(cedar_entities_arena(e),
								       span_of(name))) };
}

static void link_to(struct cedar_entities *e, size_t child, size_t parent)
{
	struct cedar_entity_uid p = node(e, parent);

	assert_int_equal(cedar_entities_add(e, node(e, child), NULL, NULL, &p, 1, NULL), 0);
}

static bool is_in(struct cedar_entities *e, size_t child, size_t parent)
{
	struct cedar_entity_source s = cedar_entities_source(e);

	return s.is_in(s.ctx, node(e, child), node(e, parent));
}

static void test_closure(void **state)
{
	struct cedar_entities *e = cedar_entities_new();
	const struct cedar_entity_uid parents[] = { node(e, 1), node(e, 2), node(e, 1) };

	(void)state;
	assert_int_equal(cedar_entities_add(e, node(e, 0), NULL, NULL, parents, 3, NULL), 0);
	link_to(e, 1, 3);
	link_to(e, 2, 3);
	link_to(e, 3, 99); /* 99 is not in the store, yet an ancestor */
	assert_int_equal(cedar_entities_close(e, NULL), 0);
	assert_true(is_in(e, 0, 1));
	assert_true(is_in(e, 0, 3));
	assert_true(is_in(e, 0, 99));
	assert_false(is_in(e, 3, 0));
	assert_false(is_in(e, 1, 2));
	assert_false(is_in(e, 0, 0));
	assert_false(is_in(e, 99, 3));
	cedar_entities_free(e);
}

static void test_same_id_of_other_type_is_other(void **state)
{
	struct cedar_entities *e = cedar_entities_new();
	struct cedar_entity_source s = cedar_entities_source(e);

	(void)state;
	link_to(e, 0, 1);
	assert_int_equal(cedar_entities_close(e, NULL), 0);
	assert_false(s.is_in(s.ctx, node(e, 0), (struct cedar_entity_uid){ SPAN("M"), SPAN("1") }));
	assert_null(s.attributes(s.ctx, (struct cedar_entity_uid){ SPAN("M"), SPAN("0") }));
	assert_non_null(s.attributes(s.ctx, node(e, 0)));
	assert_null(s.tags(s.ctx, node(e, 0)));
	cedar_entities_free(e);
}

static void test_cycles_are_refused(void **state)
{
	struct err err = { 0 };
	struct cedar_entities *e = cedar_entities_new();

	(void)state;
	for (size_t i = 0; i < 10; i++)
		link_to(e, i, (i + 1) % 10);
	assert_int_equal(cedar_entities_close(e, &err), -ELOOP);
	assert_non_null(strstr(err.text, "is its own ancestor"));
	cedar_entities_free(e);

	e = cedar_entities_new();
	link_to(e, 0, 0);
	assert_int_equal(cedar_entities_close(e, NULL), -ELOOP);
	cedar_entities_free(e);
}

static void test_duplicates(void **state)
{
	struct cedar_entities *e = cedar_entities_new();
	struct arena *a = cedar_entities_arena(e);
	const struct cedar_record_entry x[] = { { SPAN("x"), cedar_value_long(a, 1) } };
	struct err err = { 0 };

	(void)state;
	link_to(e, 0, 1);
	link_to(e, 0, 1);
	assert_int_equal(cedar_entities_add(e, node(e, 0), NULL, NULL, NULL, 0, &err), -EEXIST);
	assert_non_null(strstr(err.text, "N::\"0\""));
	assert_int_equal(
		cedar_entities_add(e, node(e, 5), cedar_value_record(a, x, 1), NULL, NULL, 0, NULL),
		0);
	assert_int_equal(
		cedar_entities_add(e, node(e, 5), cedar_value_record(a, x, 1), NULL, NULL, 0, NULL),
		0);
	assert_int_equal(
		cedar_entities_add(e, node(e, 5), NULL, cedar_value_record(a, x, 1), NULL, 0, NULL),
		-EEXIST);
	cedar_entities_free(e);
}

/* Long chains must not use the stack; each entity keeps all its ancestors. */
static void test_long_chain(void **state)
{
	struct cedar_entities *e = cedar_entities_new();

	(void)state;
	for (size_t i = 0; i < 2000; i++)
		link_to(e, i, i + 1);
	assert_int_equal(cedar_entities_close(e, NULL), 0);
	assert_true(is_in(e, 0, 2000));
	assert_false(is_in(e, 2000, 0));
	cedar_entities_free(e);
}

/* What the memory limit cannot hold is refused, not half done. */
static void test_memory_is_bounded(void **state)
{
	struct cedar_entities *e = cedar_entities_new();

	(void)state;
	for (size_t i = 0; i < 2000; i++)
		link_to(e, i, i + 1);
	cedar_entities_arena(e)->max = cedar_entities_arena(e)->used;
	assert_int_equal(cedar_entities_close(e, NULL), -ENOMEM);
	cedar_entities_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closure),
		cmocka_unit_test(test_same_id_of_other_type_is_other),
		cmocka_unit_test(test_cycles_are_refused),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
