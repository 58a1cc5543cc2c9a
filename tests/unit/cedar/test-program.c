/* Compiled policies must be the tree evaluator, faster. */
#include <errno.h>
#include <stdlib.h>

#include "cedar-test.h"
#include "cedar/cedar-program.h"
#include "random-policy.h"

#define N_SETS 4000
#define N_REQUESTS 30

/* ---- Allocations, counted by the linker's --wrap ------------------------------ */

static size_t n_allocations;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_xcalloc(size_t n, size_t size);
void *__wrap_xcalloc(size_t n, size_t size);
void *__real_xrealloc_array(void *p, size_t n, size_t size);
void *__wrap_xrealloc_array(void *p, size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	n_allocations++;
	return __real_calloc(n, size);
}

void *__wrap_xcalloc(size_t n, size_t size)
{
	n_allocations++;
	return __real_xcalloc(n, size);
}

void *__wrap_xrealloc_array(void *p, size_t n, size_t size)
{
	n_allocations++;
	return __real_xrealloc_array(p, n, size);
}

/* ---- A hierarchy that follows from paths, for both evaluators ----------------- */

struct world {
	struct cedar_entity_source stored;
	struct arena *arena;
};

static bool is_stored(const struct world *w, struct cedar_entity_uid uid)
{
	return w->stored.attributes(w->stored.ctx, uid) != NULL;
}

static bool is_path(struct cedar_entity_uid uid)
{
	return span_eq(uid.type, SPAN("File")) || span_eq(uid.type, SPAN("Dir"));
}

static bool exists(struct cedar_entity_uid uid)
{
	return is_path(uid) && !span_starts_with(uid.id, SPAN("/missing"));
}

static bool is_below(struct cedar_entity_uid child, struct cedar_entity_uid parent)
{
	bool is_root = span_eq(parent.id, SPAN("/"));

	return is_path(child) && span_eq(parent.type, SPAN("Dir")) &&
	       child.id.len > parent.id.len && span_starts_with(child.id, parent.id) &&
	       (is_root || child.id.p[parent.id.len] == '/');
}

static bool source_is_in(void *ctx, struct cedar_entity_uid child, struct cedar_entity_uid parent)
{
	const struct world *w = ctx;

	return is_stored(w, child) ? w->stored.is_in(w->stored.ctx, child, parent)
				   : is_below(child, parent);
}

static const struct cedar_value *source_attributes(void *ctx, struct cedar_entity_uid uid)
{
	const struct world *w = ctx;
	struct cedar_record_entry entry = { .key = SPAN("path") };

	if (is_stored(w, uid))
		return w->stored.attributes(w->stored.ctx, uid);
	if (!exists(uid))
		return NULL;
	entry.value = cedar_value_string(w->arena, uid.id);
	return cedar_value_record(w->arena, &entry, 1);
}

static const struct cedar_value *source_tags(void *ctx, struct cedar_entity_uid uid)
{
	const struct world *w = ctx;
	struct cedar_record_entry entry = { .key = SPAN("t") };

	if (is_stored(w, uid))
		return w->stored.tags(w->stored.ctx, uid);
	if (!exists(uid))
		return NULL;
	entry.value = cedar_value_string(w->arena, uid.type);
	return cedar_value_record(w->arena, &entry, 1);
}

static void path_ancestors(void *ctx, struct cedar_entity_uid uid, struct cedar_ancestors *to)
{
	(void)ctx;
	if (!is_path(uid) || uid.id.len < 2 || uid.id.p[0] != '/')
		return;
	for (size_t i = uid.id.len - 1; i > 0; i--)
		if (uid.id.p[i] == '/')
			cedar_ancestors_add(
				to, (struct cedar_entity_uid){ SPAN("Dir"), { uid.id.p, i } });
	cedar_ancestors_add(to, (struct cedar_entity_uid){ SPAN("Dir"), SPAN("/") });
}

static bool path_is_in(void *ctx, struct cedar_entity_uid child, struct cedar_entity_uid parent)
{
	(void)ctx;
	return is_below(child, parent);
}

static int path_attribute(void *ctx, struct cedar_entity_uid uid, uint32_t attribute,
			  struct span name, struct cedar_value *ret)
{
	(void)ctx;
	(void)attribute;
	if (!exists(uid))
		return -ENOENT;
	if (!span_eq(name, SPAN("path")))
		return 0;
	*ret = (struct cedar_value){ .kind = CEDAR_STRING, .string = uid.id };
	return 1;
}

static int path_tag(void *ctx, struct cedar_entity_uid uid, struct span name,
		    struct cedar_value *ret)
{
	(void)ctx;
	if (!exists(uid))
		return -ENOENT;
	if (!span_eq(name, SPAN("t")))
		return 0;
	*ret = (struct cedar_value){ .kind = CEDAR_STRING, .string = uid.type };
	return 1;
}

static const struct cedar_hierarchy path_hierarchy = {
	.ancestors = path_ancestors,
	.is_in = path_is_in,
	.attribute = path_attribute,
	.tag = path_tag,
};

/* ---- Comparison ----------------------------------------------------------------- */

static void assert_same(const struct cedar_response *a, const struct cedar_response *b,
			const char *policies)
{
	bool same =
		a->allow == b->allow && a->n_reasons == b->n_reasons && a->n_errors == b->n_errors;

	for (size_t i = 0; same && i < a->n_reasons; i++)
		same = a->reasons[i] == b->reasons[i];
	for (size_t i = 0; same && i < a->n_errors; i++) {
		const struct cedar_policy_error *x = &a->errors[i];
		const struct cedar_policy_error *y = &b->errors[i];

		same = x->policy == y->policy && x->error.range.begin == y->error.range.begin &&
		       x->error.range.end == y->error.range.end &&
		       strcmp(x->error.code, y->error.code) == 0;
		if (!same)
			print_error("%.*s: %s at %zu-%zu, not %s at %zu-%zu: %s\n",
				    SPAN_ARG(x->policy->id), y->error.code, y->error.range.begin,
				    y->error.range.end, x->error.code, x->error.range.begin,
				    x->error.range.end, x->error.message);
	}
	if (!same)
		print_error("allow %d/%d, reasons %zu/%zu, errors %zu/%zu\n%s\n", a->allow,
			    b->allow, a->n_reasons, b->n_reasons, a->n_errors, b->n_errors,
			    policies);
	assert_true(same);
}

struct counts {
	size_t pairs, allowed, with_reasons, with_errors;
};

struct pair {
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct cedar_store *store;
	struct cedar_machine *machine;
	const char *text;
	bool is_virtual;
};

static void compare(const struct pair *p, const struct cedar_request *q, struct arena *arena,
		    struct counts *counts)
{
	struct world w = { cedar_entities_source(p->entities), arena };
	const struct cedar_entity_source both = { &w, source_is_in, source_attributes,
						  source_tags };
	const struct cedar_hierarchy *h = p->is_virtual ? &path_hierarchy : NULL;
	struct cedar_response tree, program;
	size_t n_before;
	bool allow;

	assert_int_equal(
		cedar_authorize(p->set, q, p->is_virtual ? &both : &w.stored, arena, &tree), 0);
	assert_int_equal(cedar_program_authorize(p->store, q, h, p->machine, &program), 0);
	assert_same(&tree, &program, p->text);
	assert_int_equal(cedar_program_decide(p->store, q, h, p->machine, &allow), 0);
	assert_int_equal(allow, tree.allow);
	assert_int_equal(cedar_program_decide_by_scan(p->store, q, h, p->machine, &allow), 0);
	assert_int_equal(allow, tree.allow);
	/* The machine has seen all of this: it needs nothing more. */
	n_before = n_allocations;
	assert_int_equal(cedar_program_authorize(p->store, q, h, p->machine, &program), 0);
	assert_int_equal(cedar_program_decide(p->store, q, h, p->machine, &allow), 0);
	assert_int_equal(n_allocations, n_before);
	counts->pairs++;
	counts->allowed += tree.allow;
	counts->with_reasons += tree.n_reasons > 0;
	counts->with_errors += tree.n_errors > 0;
}

static void compare_set(struct random *r, size_t n_policies, size_t n_requests,
			struct cedar_machine *machine, struct counts *counts)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct pair p = { .machine = machine, .is_virtual = random_chance(r, 50) };
	struct cedar_program *program = NULL;
	struct err err = { 0 };

	random_policies(r, n_policies, &text);
	p.text = text.data;
	p.set = test_parse(text.data);
	p.entities = random_entities(r);
	assert_int_equal(cedar_program_compile(p.set, &program, &err), 0);
	assert_int_equal(cedar_store_new(program, p.entities, &p.store, &err), 0);
	for (size_t i = 0; i < n_requests; i++) {
		struct cedar_request q = random_request(r, &arena);

		compare(&p, &q, &arena, counts);
		arena_reset(&arena);
	}
	cedar_store_free(p.store);
	cedar_program_free(program);
	cedar_entities_free(p.entities);
	cedar_policy_set_free(p.set);
}

static uint64_t seed(void)
{
	const char *text = secure_getenv("LEASH_CEDAR_SEED");

	return text ? strtoull(text, NULL, 10) : 413;
}

static void equals_the_tree(void **state)
{
	struct cedar_machine *machine = cedar_machine_new(0);
	struct random r = { seed() };
	struct counts counts = { 0 };

	(void)state;
	for (size_t i = 0; i < N_SETS; i++)
		compare_set(&r, 1 + random_below(&r, 8), N_REQUESTS, machine, &counts);
	print_message("# %zu pairs: %zu allowed, %zu with reasons, %zu with errors\n", counts.pairs,
		      counts.allowed, counts.with_reasons, counts.with_errors);
	assert_true(counts.pairs >= 100000);
	assert_true(counts.allowed > counts.pairs / 50);
	assert_true(counts.with_errors > counts.pairs / 50);
	cedar_machine_free(machine);
}

/* Several words of policies, lists and sets in the index. */
static void equals_the_tree_on_large_sets(void **state)
{
	struct cedar_machine *machine = cedar_machine_new(0);
	struct random r = { seed() + 1 };
	struct counts counts = { 0 };

	(void)state;
	for (size_t i = 0; i < 30; i++)
		compare_set(&r, 60 + random_below(&r, 1000), 40, machine, &counts);
	cedar_machine_free(machine);
}

/* ---- Limits ------------------------------------------------------------------------ */

static const struct cedar_request no_context = {
	.principal = { SPAN("User"), SPAN("alice") },
	.action = { SPAN("Action"), SPAN("view") },
	.resource = { SPAN("File"), SPAN("/etc/passwd") },
};

/* To run out of memory is not to skip a forbid. */
static void refuses_without_memory(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct cedar_machine *machine = cedar_machine_new(4096);
	struct cedar_response response = { .allow = true };
	struct cedar_program *program;
	struct cedar_policy_set *set;
	struct cedar_store *store;
	bool allow = true;

	(void)state;
	(void)buf_append_str(&text, "permit(principal, action, resource);"
				    "forbid(principal, action, resource) when { [principal");
	for (int i = 0; i < 2000; i++)
		(void)buf_append_str(&text, ", principal");
	(void)buf_append_str(&text, "].isEmpty() };");
	set = test_parse(text.data);
	assert_int_equal(cedar_program_compile(set, &program, NULL), 0);
	assert_int_equal(cedar_store_new(program, NULL, &store, NULL), 0);
	assert_int_equal(cedar_program_authorize(store, &no_context, NULL, machine, &response),
			 -ENOMEM);
	assert_false(response.allow);
	assert_int_equal(cedar_program_decide(store, &no_context, NULL, machine, &allow), -ENOMEM);
	assert_false(allow);
	cedar_store_free(store);
	cedar_program_free(program);
	cedar_policy_set_free(set);
	cedar_machine_free(machine);
}

static void refuses_what_is_too_deep(void **state)
{
	struct cedar_expr e = { .kind = CEDAR_EXPR_NOT };
	struct cedar_program *program = NULL;
	struct cedar_policy_set *set;
	struct err err = { 0 };

	(void)state;
	set = test_parse("permit(principal, action, resource) when { true };");
	/* A tree that never ends; no text makes one. */
	e.left = &e;
	cedar_policy_set_at(set, 0)->conditions[0].body = &e;
	assert_int_equal(cedar_program_compile(set, &program, &err), -EMSGSIZE);
	assert_null(program);
	cedar_policy_set_free(set);
}

static size_t size_of(const char *policy, size_t n)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct cedar_program *program;
	struct cedar_policy_set *set;
	size_t size;

	for (size_t i = 0; i < n; i++)
		(void)buf_printf(&text,
				 "permit(principal == User::\"u%zu\", action in "
				 "[Action::\"a%zu\", Action::\"b%zu\"], resource is T%zu in "
				 "Dir::\"d%zu\") when { %s };\n",
				 i, i, i, i, i, policy);
	set = test_parse(text.data);
	assert_int_equal(cedar_program_compile(set, &program, NULL), 0);
	size = cedar_program_size(program);
	cedar_program_free(program);
	cedar_policy_set_free(set);
	return size;
}

/* Twice the policies, all with names of their own, need about twice the memory. */
static void grows_linearly(void **state)
{
	size_t small = size_of("context.x in [User::\"a\", principal.y]", 2000);
	size_t large = size_of("context.x in [User::\"a\", principal.y]", 8000);

	(void)state;
	assert_true(large < 6 * small);
}

static void knows_attributes(void **state)
{
	struct cedar_program *program;
	struct cedar_policy_set *set;

	(void)state;
	set = test_parse("permit(principal, action, resource) when { resource.path like \"/*\" };");
	assert_int_equal(cedar_program_compile(set, &program, NULL), 0);
	assert_int_not_equal(cedar_program_attribute(program, SPAN("path")), CEDAR_NO_ATTRIBUTE);
	assert_int_equal(cedar_program_attribute(program, SPAN("size")), CEDAR_NO_ATTRIBUTE);
	cedar_program_free(program);
	cedar_policy_set_free(set);
}

/* No policies, no entities: all is denied. */
static void denies_with_nothing(void **state)
{
	struct cedar_machine *machine = cedar_machine_new(0);
	struct cedar_policy_set *set = test_parse("");
	struct cedar_program *program;
	struct cedar_store *store;
	bool allow = true;

	(void)state;
	assert_int_equal(cedar_program_compile(set, &program, NULL), 0);
	assert_int_equal(cedar_store_new(program, NULL, &store, NULL), 0);
	assert_int_equal(cedar_program_decide(store, &no_context, NULL, machine, &allow), 0);
	assert_false(allow);
	cedar_store_free(store);
	cedar_program_free(program);
	cedar_policy_set_free(set);
	cedar_machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_tree),
		cmocka_unit_test(equals_the_tree_on_large_sets),
		cmocka_unit_test(refuses_without_memory),
		cmocka_unit_test(refuses_what_is_too_deep),
		cmocka_unit_test(grows_linearly),
		cmocka_unit_test(knows_attributes),
		cmocka_unit_test(denies_with_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
