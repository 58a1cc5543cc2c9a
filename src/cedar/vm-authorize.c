/* Decisions: the request's entities are looked up, policies selected and run. */
#include <errno.h>

#include "base/alloc.h"
#include "cedar/policy-set.h"
#include "cedar/vm-private.h"

/* ---- Getting ready ----------------------------------------------------------- */

static void fit(struct cedar_machine *m, const struct cedar_program *p)
{
	if (m->registers_cap < p->n_registers) {
		m->registers_cap = p->n_registers;
		m->registers =
			xrealloc_array(m->registers, m->registers_cap, sizeof(*m->registers));
	}
	if (m->memos_cap < p->n_memos) {
		m->memos_cap = p->n_memos;
		m->memos = xrealloc_array(m->memos, m->memos_cap, sizeof(*m->memos));
		m->memo_values =
			xrealloc_array(m->memo_values, m->memos_cap, sizeof(*m->memo_values));
		xfree(m->memo_decisions);
		m->memo_decisions = xnew_array(uint64_t, m->memos_cap);
	}
	if (m->words_cap < p->n_words) {
		m->words_cap = p->n_words;
		m->candidates = xrealloc_array(m->candidates, m->words_cap, sizeof(*m->candidates));
		m->row = xrealloc_array(m->row, m->words_cap, sizeof(*m->row));
	}
}

static void set_subject(struct cedar_machine *m, enum cedar_var var, struct cedar_entity_uid uid)
{
	const struct cedar_store *store = m->store;
	struct subject *s = &m->subjects[var];
	uint32_t ref = symbols_find(&store->uids, uid);

	s->value = (struct cedar_value){ .kind = CEDAR_ENTITY, .uid = uid };
	s->entity = ref == SYMBOL_NONE ? NULL : store->entities[ref];
	s->virtual.is_complete = false;
	if (ref != SYMBOL_NONE)
		s->type = store->uids.items[ref]->type;
	else
		s->type = symbols_find(&m->program->types, symbol_name(uid.type));
	m->registers[var] =
		(struct vm_value){ .kind = CEDAR_ENTITY, .ref = ref, .value = &s->value };
}

static void begin(struct cedar_machine *m, const struct cedar_store *s,
		  const struct cedar_request *r, const struct cedar_hierarchy *hierarchy)
{
	fit(m, s->program);
	m->store = s;
	m->program = s->program;
	m->hierarchy = hierarchy;
	m->decision++;
	m->n_errors = 0;
	m->places[PLACE_REGISTER] = m->registers;
	m->places[PLACE_CONSTANT] = s->program->constants;
	m->places[PLACE_MEMO] = m->memos;
	set_subject(m, CEDAR_PRINCIPAL, r->principal);
	set_subject(m, CEDAR_ACTION, r->action);
	set_subject(m, CEDAR_RESOURCE, r->resource);
	m->context = r->context ? *r->context : (struct cedar_value){ .kind = CEDAR_RECORD };
	m->registers[CEDAR_CONTEXT] =
		(struct vm_value){ .kind = CEDAR_RECORD, .ref = SYMBOL_NONE, .value = &m->context };
}

/* ---- The decision alone -------------------------------------------------------- */

/* Is any candidate among the words [from, to) satisfied? Errors only skip. */
static int any_satisfied(struct cedar_machine *m, uint32_t from, uint32_t to)
{
	uint32_t insn;

	for (uint32_t i = from; i < to; i++) {
		for (uint64_t left = m->candidates[i]; left; left &= left - 1) {
			uint32_t bit = i * 64 + (uint32_t)__builtin_ctzll(left);
			int r = vm_run(m, &m->program->policies[bit], &insn);

			if (r == VM_NO_MEMORY)
				return -ENOMEM;
			if (r > 0)
				return 1;
		}
	}
	return 0;
}

static bool any_selected(const struct cedar_machine *m, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		if (m->candidates[i])
			return true;
	return false;
}

/* A permit must be selected for anything to be allowed. */
static int decide(struct cedar_machine *m, bool *ret_allow)
{
	uint32_t first_permit = m->program->first_permit / 64;
	uint32_t n_words = m->program->n_words;
	int r;

	*ret_allow = false;
	if (!any_selected(m, first_permit, n_words))
		return 0;
	r = any_satisfied(m, 0, first_permit);
	if (r == 0) {
		r = any_satisfied(m, first_permit, n_words);
		*ret_allow = r > 0;
	}
	return r < 0 ? r : 0;
}

int cedar_program_decide(const struct cedar_store *s, const struct cedar_request *r,
			 const struct cedar_hierarchy *hierarchy, struct cedar_machine *m,
			 bool *ret_allow)
{
	begin(m, s, r, hierarchy);
	vm_select(m);
	return decide(m, ret_allow);
}

int cedar_program_decide_by_scan(const struct cedar_store *s, const struct cedar_request *r,
				 const struct cedar_hierarchy *hierarchy, struct cedar_machine *m,
				 bool *ret_allow)
{
	const struct cedar_program *p = s->program;

	begin(m, s, r, hierarchy);
	memset(m->candidates, 0, p->n_words * sizeof(*m->candidates));
	for (uint32_t bit = 0; bit < p->n_bits; bit++)
		if (p->policies[bit].policy && vm_scope_matches(m, &p->policies[bit]))
			m->candidates[bit / 64] |= (uint64_t)1 << bit % 64;
	return decide(m, ret_allow);
}

/* ---- Reasons and errors ---------------------------------------------------------- */

static void add_error(struct cedar_machine *m, uint32_t bit, uint32_t insn)
{
	if (m->n_errors == m->errors_cap) {
		m->errors_cap = m->errors_cap ? m->errors_cap * 2 : 16;
		m->errors = xrealloc_array(m->errors, m->errors_cap, sizeof(*m->errors));
	}
	m->errors[m->n_errors++] = (struct vm_error){ bit, insn, m->code, m->part };
}

/* Runs all candidates; of them remain those that are satisfied. */
static int run_all(struct cedar_machine *m)
{
	for (uint32_t i = 0; i < m->program->n_words; i++) {
		for (uint64_t left = m->candidates[i]; left; left &= left - 1) {
			uint32_t bit = i * 64 + (uint32_t)__builtin_ctzll(left);
			uint32_t insn = 0;
			int r = vm_run(m, &m->program->policies[bit], &insn);

			if (r == VM_NO_MEMORY)
				return -ENOMEM;
			if (r < 0)
				add_error(m, bit, insn);
			if (r <= 0)
				m->candidates[i] &= ~(left & -left);
		}
	}
	return 0;
}

static void give_reasons(struct cedar_machine *m, uint32_t from, uint32_t to,
			 struct cedar_response *ret)
{
	size_t n = 0;

	for (uint32_t i = from; i < to; i++)
		n += (size_t)__builtin_popcountll(m->candidates[i]);
	if (m->reasons_cap < n) {
		m->reasons_cap = n;
		m->reasons = xrealloc_array(m->reasons, n, sizeof(struct cedar_policy *));
	}
	for (uint32_t i = from; i < to; i++)
		for (uint64_t left = m->candidates[i]; left; left &= left - 1)
			m->reasons[ret->n_reasons++] =
				m->program->policies[i * 64 + (uint32_t)__builtin_ctzll(left)]
					.policy;
	ret->reasons = m->reasons;
}

static struct cedar_range part_range(const struct cedar_expr *e, enum vm_part part)
{
	switch (part) {
	case PART_SELF:
		break;
	case PART_LEFT:
		return e->left->range;
	case PART_RIGHT:
		return e->right->range;
	case PART_FIRST:
		return e->items[0]->range;
	case PART_SECOND:
		return e->items[1]->range;
	}
	return e->range;
}

static struct cedar_policy_error explain(const struct cedar_machine *m, const struct vm_error *e)
{
	static const char *const codes[] = {
		[VM_TYPE] = "type",
		[VM_OVERFLOW] = "overflow",
		[VM_EXTENSION] = "extension",
		[VM_MISSING_ATTRIBUTE] = "missing_attribute",
		[VM_MISSING_ENTITY] = "missing_entity",
		[VM_MISSING_TAG] = "missing_tag",
		[VM_UNKNOWN] = "unknown",
	};
	static const char *const messages[] = {
		[VM_TYPE] = "a value has a type that is not expected here",
		[VM_OVERFLOW] = "the result is out of range",
		[VM_EXTENSION] = "the text is not a valid extension value",
		[VM_MISSING_ATTRIBUTE] = "there is no such attribute",
		[VM_MISSING_ENTITY] = "the entity does not exist",
		[VM_MISSING_TAG] = "there is no such tag",
		[VM_UNKNOWN] = "the value is unknown",
	};
	const struct compiled_policy *p = &m->program->policies[e->bit];
	struct cedar_policy_error out = { .policy = p->policy };

	if (e->code == VM_FAULT) {
		const struct vm_fault *fault = &m->program->faults[p->code[e->insn].x];

		out.error = (struct cedar_eval_error){ fault->code, fault->range,
						       "the expression can never be evaluated" };
		return out;
	}
	out.error.code = codes[e->code];
	out.error.message = messages[e->code];
	out.error.range = part_range(p->blame[e->insn], e->part);
	return out;
}

/* Forbids' errors come before permits'; both lists are in set order, and so is the response. */
static void give_errors(struct cedar_machine *m, struct cedar_response *ret)
{
	const struct compiled_policy *policies = m->program->policies;
	size_t n_forbids = 0;
	size_t i = 0;

	if (m->policy_errors_cap < m->n_errors) {
		m->policy_errors_cap = m->errors_cap;
		m->policy_errors = xrealloc_array(m->policy_errors, m->policy_errors_cap,
						  sizeof(*m->policy_errors));
	}
	while (n_forbids < m->n_errors && m->errors[n_forbids].bit < m->program->first_permit)
		n_forbids++;
	for (size_t j = n_forbids; i < n_forbids || j < m->n_errors;) {
		bool is_forbid = j == m->n_errors ||
				 (i < n_forbids && policies[m->errors[i].bit].position <
							   policies[m->errors[j].bit].position);

		m->policy_errors[ret->n_errors++] = explain(m, &m->errors[is_forbid ? i++ : j++]);
	}
	ret->errors = m->policy_errors;
}

int cedar_program_authorize(const struct cedar_store *s, const struct cedar_request *r,
			    const struct cedar_hierarchy *hierarchy, struct cedar_machine *m,
			    struct cedar_response *ret)
{
	uint32_t first_permit = s->program->first_permit / 64;
	uint32_t n_words = s->program->n_words;
	int code;

	*ret = (struct cedar_response){ 0 };
	begin(m, s, r, hierarchy);
	vm_select(m);
	code = run_all(m);
	if (code < 0)
		return code;
	give_reasons(m, 0, first_permit, ret);
	if (ret->n_reasons == 0) {
		give_reasons(m, first_permit, n_words, ret);
		ret->allow = ret->n_reasons > 0;
	}
	give_errors(m, ret);
	return 0;
}
