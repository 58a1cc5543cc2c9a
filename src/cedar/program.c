/* A policy set into a program: numbering, scopes, conditions. */
#include <errno.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/compiler.h"
#include "cedar/policy-set.h"

static void cleanup_compiler(struct compiler *c)
{
	vec_done(&c->constants);
	vec_done(&c->memos);
	vec_done(&c->memo_of);
	vec_done(&c->faults);
	vec_done(&c->name_lists);
	vec_done(&c->code);
	vec_done(&c->blame);
	vec_done(&c->nodes);
}

static void cleanup_program(struct cedar_program **p)
{
	cedar_program_free(*p);
}

void cedar_program_free(struct cedar_program *p)
{
	if (!p)
		return;
	arena_done(&p->arena);
	xfree(p);
}

size_t cedar_program_size(const struct cedar_program *p)
{
	return sizeof(*p) + p->arena.used;
}

uint32_t cedar_program_attribute(const struct cedar_program *p, struct span name)
{
	uint32_t number = symbols_find(&p->names, symbol_name(name));

	return number == SYMBOL_NONE ? CEDAR_NO_ATTRIBUTE : number;
}

/* ---- One policy ---------------------------------------------------------- */

static void compile_scope(struct compiler *c, const struct cedar_scope *s, struct scope_test *ret)
{
	uint32_t *uids = compiler_alloc(c, s->n_uids, sizeof(*uids));

	*ret = (struct scope_test){ .op = s->op, .type = SYMBOL_NONE, .uids = uids };
	if (!uids)
		return;
	if (s->op == CEDAR_SCOPE_IS || s->op == CEDAR_SCOPE_IS_IN)
		ret->type = compiler_type(c, s->type_name);
	for (size_t i = 0; i < s->n_uids; i++)
		uids[ret->n_uids++] = compiler_uid(c, s->uids[i]);
}

static int compile_conditions(struct compiler *c, const struct cedar_policy *p)
{
	struct label no = { 0 };

	for (size_t i = 0; i < p->n_conditions; i++) {
		const struct cedar_condition *condition = &p->conditions[i];
		int r = compiler_measure(c, condition->body);

		if (r < 0)
			return r;
		c->next_register = VM_FIRST_TEMPORARY;
		gen_condition(c, condition->body, 0, condition->body, condition->is_unless, &no);
	}
	(void)emit(c, OP_RETURN, NULL, 1, 0);
	label_bind(c, &no);
	(void)emit(c, OP_RETURN, NULL, 0, 0);
	return c->failure;
}

/* The code moves from the compiler's buffers to the program. */
static void keep_code(struct compiler *c, struct compiled_policy *ret)
{
	size_t n = c->code.len;
	struct vm_insn *code = compiler_alloc(c, n, sizeof(*code));
	const struct cedar_expr **blame = compiler_alloc(c, n, sizeof(struct cedar_expr *));

	if (!code || !blame)
		return;
	memcpy(code, c->code.items, n * sizeof(*code));
	memcpy(blame, c->blame.items, n * sizeof(struct cedar_expr *));
	ret->code = code;
	ret->blame = blame;
}

static int compile_policy(struct compiler *c, const struct cedar_policy *p,
			  struct compiled_policy *ret)
{
	int r;

	ret->policy = p;
	compile_scope(c, &p->principal, &ret->scopes[CEDAR_PRINCIPAL]);
	compile_scope(c, &p->action, &ret->scopes[CEDAR_ACTION]);
	compile_scope(c, &p->resource, &ret->scopes[CEDAR_RESOURCE]);
	c->code.len = 0;
	c->blame.len = 0;
	r = compile_conditions(c, p);
	if (r < 0)
		return r;
	keep_code(c, ret);
	return c->failure;
}

/* ---- All policies -------------------------------------------------------- */

/* Templates, and what else has a slot, never apply. */
static bool can_apply(const struct cedar_policy *p)
{
	return !p->is_template && !p->principal.is_slot && !p->action.is_slot &&
	       !p->resource.is_slot;
}

static size_t count_policies(const struct cedar_policy_set *set, bool is_forbid)
{
	size_t n = 0;

	for (size_t i = 0; i < set->len; i++)
		n += can_apply(set->policies[i]) && set->policies[i]->is_forbid == is_forbid;
	return n;
}

static int number_policies(struct compiler *c)
{
	struct cedar_program *p = c->program;
	size_t n_forbids = count_policies(p->set, /* is_forbid = */ true);
	size_t n_permits = count_policies(p->set, /* is_forbid = */ false);

	if (p->set->len > VM_INDEX_MAX)
		return -ENOMEM;
	p->first_permit = (uint32_t)(n_forbids + 63) / 64 * 64;
	p->n_bits = p->first_permit + (uint32_t)n_permits;
	p->n_words = MAX((p->n_bits + 63) / 64, 1U);
	p->policies = compiler_alloc(c, p->n_bits, sizeof(*p->policies));
	return p->policies ? 0 : -ENOMEM;
}

static int compile_policies(struct compiler *c)
{
	struct cedar_program *p = c->program;
	uint32_t next[2] = { p->first_permit, 0 };

	for (size_t i = 0; i < p->set->len; i++) {
		const struct cedar_policy *policy = p->set->policies[i];
		struct compiled_policy *to;
		int r;

		if (!can_apply(policy))
			continue;
		to = &p->policies[next[policy->is_forbid]++];
		to->position = (uint32_t)i;
		r = compile_policy(c, policy, to);
		if (r < 0)
			return r;
	}
	return 0;
}

static const void *keep(struct compiler *c, const void *items, size_t n, size_t size)
{
	void *copy = compiler_alloc(c, n, size);

	if (copy && n)
		memcpy(copy, items, n * size);
	return copy;
}

static int keep_tables(struct compiler *c)
{
	struct cedar_program *p = c->program;

	p->constants = keep(c, c->constants.items, c->constants.len, sizeof(*p->constants));
	p->memos = keep(c, c->memos.items, c->memos.len, sizeof(*p->memos));
	p->faults = keep(c, c->faults.items, c->faults.len, sizeof(*p->faults));
	p->name_lists = keep(c, c->name_lists.items, c->name_lists.len, sizeof(*p->name_lists));
	p->n_memos = (uint32_t)c->memos.len;
	return c->failure;
}

static int compile(struct compiler *c)
{
	static const struct vm_value truths[] = {
		{ .kind = CEDAR_BOOL, .ref = SYMBOL_NONE, .integer = 0 },
		{ .kind = CEDAR_BOOL, .ref = SYMBOL_NONE, .integer = 1 },
	};
	int r = number_policies(c);

	vec_push(&c->constants, truths[0]);
	vec_push(&c->constants, truths[1]);
	if (r == 0)
		r = compile_policies(c);
	if (r == 0)
		r = keep_tables(c);
	return r < 0 ? r : program_index(c->program);
}

int cedar_program_compile(const struct cedar_policy_set *set, struct cedar_program **ret,
			  struct err *err)
{
	_cleanup_(cleanup_program) struct cedar_program *p = xnew(struct cedar_program);
	_cleanup_(cleanup_compiler) struct compiler c = { .program = p };
	int r;

	p->arena.max = LIMIT_CEDAR_PROGRAM;
	p->set = set;
	p->n_registers = VM_FIRST_TEMPORARY;
	symbols_init(&p->uids);
	symbols_init(&p->types);
	symbols_init(&p->names);
	r = compile(&c);
	if (r == -EMSGSIZE)
		return err_say(err, r, "a policy is nested too deeply");
	if (r < 0)
		return err_say(err, r, "the policies need more memory than is allowed");
	*ret = TAKE_PTR(p);
	return 0;
}
