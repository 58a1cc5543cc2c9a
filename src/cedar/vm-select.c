/*
 * Which policies' scopes match. Where one of principal, action and resource
 * leaves few, its lists are walked and the rest of each scope is looked at;
 * else whole sets are united and intersected.
 */
#include "cedar/vm-private.h"

/* Sets of so few words are not worth the counting. */
#define FEW_WORDS 4

/* ---- One scope after the other ---------------------------------------------- */

static bool uid_matches(const struct cedar_machine *m, enum cedar_var var, uint32_t uid,
			const uint32_t *ancestors, uint32_t n)
{
	return m->registers[var].ref == uid || refs_contain(ancestors, n, uid);
}

static bool test_matches(struct cedar_machine *m, enum cedar_var var, const struct scope_test *t)
{
	struct subject *s = &m->subjects[var];
	const uint32_t *ancestors;
	uint32_t n;

	if (t->op == CEDAR_SCOPE_ANY)
		return true;
	if (t->op == CEDAR_SCOPE_EQ)
		return t->n_uids && m->registers[var].ref == t->uids[0];
	if (t->op != CEDAR_SCOPE_IN && s->type != t->type)
		return false;
	if (t->op == CEDAR_SCOPE_IS)
		return true;
	vm_ancestors(m, s, &ancestors, &n);
	for (uint32_t i = 0; i < t->n_uids; i++)
		if (uid_matches(m, var, t->uids[i], ancestors, n))
			return true;
	return false;
}

bool vm_scope_matches(struct cedar_machine *m, const struct compiled_policy *p)
{
	return test_matches(m, CEDAR_ACTION, &p->scopes[CEDAR_ACTION]) &&
	       test_matches(m, CEDAR_PRINCIPAL, &p->scopes[CEDAR_PRINCIPAL]) &&
	       test_matches(m, CEDAR_RESOURCE, &p->scopes[CEDAR_RESOURCE]);
}

/* ---- By the index ------------------------------------------------------------ */

typedef void (*posting_fn)(struct cedar_machine *m, const struct dimension *d,
			   struct posting posting);

/* Calls fn for the postings of the subject's uid and its ancestors. */
static inline __attribute__((always_inline)) void each_posting(struct cedar_machine *m,
							       enum cedar_var var, posting_fn fn)
{
	const struct dimension *d = &m->program->dimensions[var];
	uint32_t self = m->registers[var].ref;
	uint32_t n_uids = m->program->uids.len;
	const uint32_t *ancestors;
	uint32_t n;

	if (self < n_uids)
		fn(m, d, d->equal[self]);
	if (!d->has_in)
		return;
	if (self < n_uids)
		fn(m, d, d->in[self]);
	vm_ancestors(m, &m->subjects[var], &ancestors, &n);
	for (uint32_t i = 0; i < n && ancestors[i] < n_uids; i++)
		if (ancestors[i] != self)
			fn(m, d, d->in[ancestors[i]]);
}

static inline void count(struct cedar_machine *m, const struct dimension *d, struct posting posting)
{
	(void)d;
	m->n_counted += posting.n;
}

static inline void set_bit(uint64_t *words, uint32_t bit)
{
	words[bit / 64] |= (uint64_t)1 << bit % 64;
}

/* Into the candidates go those of the list whose whole scope matches. */
static inline void select_listed(struct cedar_machine *m, const struct dimension *d,
				 struct posting posting)
{
	for (uint32_t i = 0; i < posting.n; i++) {
		uint32_t bit = d->lists[posting.at + i];

		if (vm_scope_matches(m, &m->program->policies[bit]))
			set_bit(m->candidates, bit);
	}
}

static inline void add_to_row(struct cedar_machine *m, const struct dimension *d,
			      struct posting posting)
{
	uint32_t n_words = m->program->n_words;
	uint64_t *row = m->row;

	if (posting_is_list(m->program, posting)) {
		for (uint32_t i = 0; i < posting.n; i++)
			set_bit(row, d->lists[posting.at + i]);
		return;
	}
	for (uint32_t i = 0; i < n_words; i++)
		row[i] |= d->words[posting.at + i];
}

static void begin_row(struct cedar_machine *m, const uint64_t *from)
{
	for (uint32_t i = 0; i < m->program->n_words; i++)
		m->row[i] = from[i];
}

static void intersect_row(struct cedar_machine *m)
{
	for (uint32_t i = 0; i < m->program->n_words; i++)
		m->candidates[i] &= m->row[i];
}

static void intersect(struct cedar_machine *m, enum cedar_var var)
{
	const struct dimension *d = &m->program->dimensions[var];
	uint32_t type = m->subjects[var].type;

	if (d->has_uids) {
		begin_row(m, d->any_row);
		each_posting(m, var, add_to_row);
		intersect_row(m);
	}
	if (d->has_types) {
		begin_row(m, d->any_type_row);
		if (type != SYMBOL_NONE)
			add_to_row(m, d, d->is[type]);
		intersect_row(m);
	}
}

/* How many policies the variable's uid leaves; may count some twice. */
static size_t count_left(struct cedar_machine *m, enum cedar_var var)
{
	m->n_counted = m->program->dimensions[var].any.n;
	each_posting(m, var, count);
	return m->n_counted;
}

static void select_from(struct cedar_machine *m, enum cedar_var var)
{
	memset(m->candidates, 0, m->program->n_words * sizeof(*m->candidates));
	select_listed(m, &m->program->dimensions[var], m->program->dimensions[var].any);
	each_posting(m, var, select_listed);
}

/* Walks lists where they are fewer than there are words in a set; true when it did. */
static bool select_few(struct cedar_machine *m)
{
	static const enum cedar_var order[] = { CEDAR_PRINCIPAL, CEDAR_RESOURCE, CEDAR_ACTION };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (count_left(m, order[i]) < m->program->n_words) {
			select_from(m, order[i]);
			return true;
		}
	}
	return false;
}

void vm_select(struct cedar_machine *m)
{
	uint32_t n_words = m->program->n_words;

	if (n_words > FEW_WORDS && select_few(m))
		return;
	for (uint32_t i = 0; i < n_words; i++)
		m->candidates[i] = m->program->all[i];
	intersect(m, CEDAR_ACTION);
	intersect(m, CEDAR_PRINCIPAL);
	intersect(m, CEDAR_RESOURCE);
}
