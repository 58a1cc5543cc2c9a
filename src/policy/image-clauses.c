#include "policy/image-clauses.h"

void ranks_of(const struct policy *p, uint32_t *ranks)
{
	uint32_t next = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < p->n_rules; i++)
			if ((p->rules[i].layer == POLICY_LAYER_OWN) == (pass == 0))
				ranks[i] = next++;
}

void clauses_done(struct clauses *set)
{
	for (size_t i = 0; i < set->items.len; i++)
		vec_done(&set->items.items[i].ranks);
	vec_done(&set->items);
	map_done(&set->by_key, NULL);
	arena_done(&set->arena);
}

/* One policy being added. */
struct addition {
	struct clauses *set;
	struct compiler *compiler;
	const struct rule *rule;
	uint32_t rank;
	struct clause_outcome *outcome;
	VEC(uint32_t) clauses; /* those that name the policy */
};

static enum image_effect effect_of(const struct addition *a, bool is_error, bool is_maybe)
{
	if (a->rule->cedar->is_forbid)
		return is_maybe ? IMAGE_FORBID_ASK : is_error ? IMAGE_FORBID_ERRS : IMAGE_FORBID;
	return is_maybe ? IMAGE_PERMIT_ASK : is_error ? IMAGE_PERMIT_ERRS : IMAGE_PERMIT;
}

static bool names_policies(enum image_effect effect)
{
	return effect == IMAGE_PERMIT || effect == IMAGE_FORBID || effect == IMAGE_FORBID_ERRS;
}

static uint32_t literal_of(const struct atoms *atoms, uint32_t literal)
{
	bool is_check =
		atoms->tests.items[atoms->items.items[literal >> 1].tests[0]].kind == TEST_CHECK;
	enum image_literal_kind kind =
		literal & 1 ? (is_check ? IMAGE_LITERAL_NOT_CHECK : IMAGE_LITERAL_CLEAR)
			    : (is_check ? IMAGE_LITERAL_CHECK : IMAGE_LITERAL_SET);

	return IMAGE_LITERAL(kind, literal >> 1);
}

/* The product's literals; those that must be clear become one, that any of them is set. */
static bool literals_of(struct addition *a, const struct cube *cube, uint32_t *ret, uint32_t *ret_n)
{
	struct atoms *atoms = &a->compiler->atoms;
	uint32_t *clear = arena_alloc_array(&a->compiler->scratch, cube->n, sizeof(*clear));
	size_t n_clear = 0;
	uint32_t n = 0, joined;

	if (!clear)
		return false;
	for (size_t i = 0; i < cube->n; i++) {
		uint32_t literal = cube->literals[i];

		if (literal == LITERAL_MAYBE)
			continue;
		if ((literal & 1) && atom_can_join(atoms, literal >> 1))
			clear[n_clear++] = literal >> 1;
		else
			ret[n++] = literal_of(atoms, literal);
	}
	if (n_clear && !atoms_union(atoms, clear, n_clear, &a->compiler->scratch, &joined))
		return false;
	if (n_clear)
		ret[n++] = IMAGE_LITERAL(IMAGE_LITERAL_CLEAR, joined);
	*ret_n = n;
	return true;
}

/* The number of the clause with this head and these literals, added if it is new. */
static bool find_or_add(struct clauses *set, const struct image_clause *head,
			const uint32_t *literals, uint32_t *ret)
{
	size_t len = sizeof(*head) + head->n_literals * sizeof(*literals);
	char *key = arena_alloc(&set->arena, len);
	void *known;

	if (!key)
		return false;
	memcpy(key, head, sizeof(*head));
	memcpy(key + sizeof(*head), literals, head->n_literals * sizeof(*literals));
	known = map_get(&set->by_key, span_make(key, len));
	if (known) {
		*ret = (uint32_t)((uintptr_t)known - 1);
		return true;
	}
	*ret = (uint32_t)set->items.len;
	(void)map_put(&set->by_key, span_make(key, len), (void *)(uintptr_t)(set->items.len + 1));
	vec_push(&set->items, (struct clause){ .head = *head,
					       .literals = (uint32_t *)(void *)(key + sizeof(*head)) });
	return true;
}

static bool add_cube(struct addition *a, const struct cube *cube, uint32_t actions, bool is_error)
{
	enum image_effect effect = effect_of(a, is_error, cube_has_maybe(cube));
	struct image_clause head = {
		.actions = actions & 0xffff,
		.effect = effect & 0xf,
		.is_own = a->rule->layer == POLICY_LAYER_OWN,
		.mentions_action = a->rule->mentions_action,
	};
	uint32_t *literals =
		arena_alloc_array(&a->compiler->scratch, cube->n + 1, sizeof(*literals));
	struct clause *clause;
	uint32_t number;

	a->outcome->asks |= cube_has_maybe(cube);
	a->outcome->can_apply |= effect != IMAGE_PERMIT_ERRS && effect != IMAGE_PERMIT_ASK;
	if (effect == IMAGE_PERMIT_ASK && !is_error)
		a->outcome->can_apply = true;
	if (!literals || !literals_of(a, cube, literals, &head.n_literals) ||
	    !find_or_add(a->set, &head, literals, &number))
		return false;
	if (!names_policies(effect))
		return true;
	clause = &a->set->items.items[number];
	if (clause->ranks.len && clause->ranks.items[clause->ranks.len - 1] == a->rank)
		return true;
	vec_push(&clause->ranks, a->rank);
	vec_push(&a->clauses, number);
	return true;
}

static bool add_under(struct addition *a, enum policy_action action, uint32_t actions)
{
	struct policy_formula formula;

	compiler_start(a->compiler, action);
	formula = compile_policy(a->compiler, a->rule->cedar);
	if (a->compiler->formula.is_out_of_memory)
		return false;
	if (a->compiler->needs_host_name)
		a->outcome->needs_host_name |= actions;
	for (size_t i = 0; i < formula.is_satisfied.n; i++)
		if (!add_cube(a, &formula.is_satisfied.cubes[i], actions, false))
			return false;
	for (size_t i = 0; i < formula.is_error.n; i++)
		if (!add_cube(a, &formula.is_error.cubes[i], actions, true))
			return false;
	if (!a->outcome->dead && !a->compiler->is_scope_dead)
		a->outcome->dead = a->compiler->dead;
	if (a->outcome->asks && !a->outcome->blame) {
		a->outcome->blame = a->compiler->blame;
		a->outcome->is_scope_to_blame = a->compiler->is_scope_to_blame;
	}
	return true;
}

/* Do facts that only one of two like classes has keep the policy from reading alike in both? */
static bool tells_apart(const struct rule *rule, enum request_class a, enum request_class b)
{
	uint32_t keys = 0;

	if (a <= REQUEST_EXEC && b <= REQUEST_EXEC)
		keys = CONTEXT_BIT(CONTEXT_ARGS) | CONTEXT_BIT(CONTEXT_ARGV);
	else if ((a == REQUEST_NETWORK || a == REQUEST_HTTP) &&
		 (b == REQUEST_NETWORK || b == REQUEST_HTTP))
		keys = CONTEXT_HTTP_BITS;
	return !keys || rule->uses_whole_context || (rule->keys & keys);
}

/*
 * Actions under which the policy reads alike: those of one class, running a file
 * like opening one, and a request of HTTP like a connection.
 */
static uint32_t alike(const struct rule *rule, enum policy_action action, uint32_t actions)
{
	enum request_class class = request_class_of(action);
	uint32_t set = 0;

	if (rule->mentions_action)
		return ACTION_BIT(action);
	for (enum policy_action other = 0; other < POLICY_ACTION_MAX; other++) {
		enum request_class c = request_class_of(other);

		if (c == class || !tells_apart(rule, c, class))
			set |= ACTION_BIT(other);
	}
	return set & actions;
}

/* More than one of a policy's clauses may hold at once: its id is then to be named once. */
static void mark_shared(struct addition *a)
{
	for (size_t i = 0; i < a->clauses.len; i++)
		for (size_t j = 0; j < i; j++) {
			struct clause *x = &a->set->items.items[a->clauses.items[i]];
			struct clause *y = &a->set->items.items[a->clauses.items[j]];

			if (x->head.actions & y->head.actions)
				x->head.is_shared = y->head.is_shared = 1;
		}
}

bool clauses_add(struct clauses *set, struct compiler *c, const struct rule *rule, uint32_t rank,
		 struct clause_outcome *ret)
{
	struct addition a = {
		.set = set, .compiler = c, .rule = rule, .rank = rank, .outcome = ret
	};
	uint32_t left = rule->actions;
	bool is_added = true;

	*ret = (struct clause_outcome){ 0 };
	for (enum policy_action action = 0; is_added && action < POLICY_ACTION_MAX; action++) {
		uint32_t actions;

		if (!(left & ACTION_BIT(action)))
			continue;
		actions = alike(rule, action, left);
		is_added = add_under(&a, action, actions);
		left &= ~actions;
	}
	mark_shared(&a);
	vec_done(&a.clauses);
	return is_added;
}

/* ---- What leads to a clause ------------------------------------------------------- */

static bool can_watch(const struct atoms *atoms, uint32_t literal)
{
	return (literal & 3) == IMAGE_LITERAL_SET && atom_can_join(atoms, literal >> 2);
}

static uint32_t rarest(const struct clause *clause, const struct atoms *atoms,
		       const uint32_t *counts)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < clause->head.n_literals; i++) {
		uint32_t atom = clause->literals[i] >> 2;

		if (can_watch(atoms, clause->literals[i]) && (!best || counts[atom] < counts[best]))
			best = atom;
	}
	return best;
}

void clauses_choose_watches(struct clauses *set, const struct atoms *atoms)
{
	uint32_t *counts = xnew_array(uint32_t, atoms->items.len);

	for (size_t i = 0; i < set->items.len; i++) {
		const struct clause *clause = &set->items.items[i];

		for (uint32_t j = 0; j < clause->head.n_literals; j++)
			if (can_watch(atoms, clause->literals[j]))
				counts[clause->literals[j] >> 2]++;
	}
	for (size_t i = 0; i < set->items.len; i++)
		set->items.items[i].watch = rarest(&set->items.items[i], atoms, counts);
	xfree(counts);
}
