#include "policy/image-formula.h"

/* A sum of more products, or a product of more literals, is widened. */
#define MAX_CUBES 512
#define MAX_LITERALS 1024
/* Comparing each product with each pays off only for short sums. */
#define MAX_COMPARED 64

static struct cube *new_cubes(struct formula *f, size_t n)
{
	struct cube *cubes = arena_alloc_array(f->arena, n, sizeof(*cubes));

	if (!cubes)
		f->is_out_of_memory = true;
	return cubes;
}

struct cover cover_never(void)
{
	return (struct cover){ 0 };
}

static struct cover cover_of(struct formula *f, const uint32_t *literals, size_t n)
{
	struct cover c = { .cubes = new_cubes(f, 1) };
	uint32_t *copy = arena_alloc_array(f->arena, n, sizeof(*copy));

	if (!c.cubes || !copy) {
		f->is_out_of_memory = true;
		return cover_never();
	}
	if (n)
		memcpy(copy, literals, n * sizeof(*copy));
	c.cubes[0] = (struct cube){ n, copy };
	c.n = 1;
	return c;
}

struct cover cover_always(struct formula *f)
{
	return cover_of(f, NULL, 0);
}

struct cover cover_literal(struct formula *f, uint32_t literal)
{
	return cover_of(f, &literal, 1);
}

bool cube_has_maybe(const struct cube *c)
{
	return c->n && c->literals[0] == LITERAL_MAYBE;
}

bool cover_has_maybe(struct cover a)
{
	for (size_t i = 0; i < a.n; i++)
		if (cube_has_maybe(&a.cubes[i]))
			return true;
	return false;
}

bool cover_is_always(struct cover a)
{
	for (size_t i = 0; i < a.n; i++)
		if (a.cubes[i].n == 0)
			return true;
	return false;
}

/* Are all of a's literals among b's? Then a holds wherever b does. */
static bool is_subset(const struct cube *a, const struct cube *b)
{
	size_t at = 0;

	if (a->n > b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		while (at < b->n && b->literals[at] < a->literals[i])
			at++;
		if (at == b->n || b->literals[at] != a->literals[i])
			return false;
		at++;
	}
	return true;
}

static bool is_absorbed(const struct cover *c, size_t i)
{
	for (size_t j = 0; j < c->n; j++)
		if (j != i && is_subset(&c->cubes[j], &c->cubes[i]) &&
		    (j < i || !is_subset(&c->cubes[i], &c->cubes[j])))
			return true;
	return false;
}

static struct cover absorb(struct cover c)
{
	bool is_gone[MAX_COMPARED];
	size_t n = 0;

	if (c.n > MAX_COMPARED)
		return c;
	for (size_t i = 0; i < c.n; i++)
		is_gone[i] = is_absorbed(&c, i);
	for (size_t i = 0; i < c.n; i++)
		if (!is_gone[i])
			c.cubes[n++] = c.cubes[i];
	c.n = n;
	return c;
}

bool cover_implies(struct cover a, struct cover b)
{
	if (a.n > MAX_COMPARED || b.n > MAX_COMPARED || cover_has_maybe(a))
		return false;
	for (size_t i = 0; i < a.n; i++) {
		bool found = false;

		for (size_t j = 0; !found && j < b.n; j++)
			found = is_subset(&b.cubes[j], &a.cubes[i]);
		if (!found)
			return false;
	}
	return true;
}

struct cover cover_or(struct formula *f, struct cover a, struct cover b)
{
	struct cover c = { 0 };

	if (a.n == 0)
		return b;
	if (b.n == 0)
		return a;
	if (a.n + b.n > MAX_CUBES)
		a = cover_compact(f, a);
	if (a.n + b.n > MAX_CUBES)
		return cover_literal(f, LITERAL_MAYBE);
	c.cubes = new_cubes(f, a.n + b.n);
	if (!c.cubes)
		return c;
	memcpy(c.cubes, a.cubes, a.n * sizeof(*c.cubes));
	memcpy(c.cubes + a.n, b.cubes, b.n * sizeof(*c.cubes));
	c.n = a.n + b.n;
	return absorb(c);
}

static size_t merge_literals(const struct cube *a, const struct cube *b, uint32_t *out)
{
	size_t i = 0, j = 0, n = 0;

	while (i < a->n || j < b->n) {
		if (j == b->n || (i < a->n && a->literals[i] < b->literals[j])) {
			out[n++] = a->literals[i++];
		} else {
			i += i < a->n && a->literals[i] == b->literals[j];
			out[n++] = b->literals[j++];
		}
	}
	return n;
}

static bool has_literal(const uint32_t *literals, size_t n, uint32_t literal)
{
	for (size_t i = 0; i < n; i++)
		if (literals[i] == literal)
			return true;
	return false;
}

/* Drops flags that another literal implies. False: the product can never hold. */
static bool simplify(const struct formula *f, uint32_t *literals, size_t *n)
{
	size_t n_kept = 0;

	for (size_t i = 0; i + 1 < *n; i++)
		if ((literals[i] ^ 1) == literals[i + 1])
			return false;
	for (size_t i = 0; i < *n; i++) {
		uint32_t definer = f->atoms->items.items[literals[i] >> 1].definer;

		if (definer && !(literals[i] & 1) &&
		    has_literal(literals, *n, LITERAL_NOT(definer)))
			return false;
	}
	for (size_t i = 0; i < *n; i++) {
		bool is_implied = false;

		for (size_t j = 0; j < *n && !(literals[i] & 1); j++)
			is_implied |= !(literals[j] & 1) && literals[i] >> 1 &&
				      f->atoms->items.items[literals[j] >> 1].definer ==
					      literals[i] >> 1;
		if (!is_implied)
			literals[n_kept++] = literals[i];
	}
	*n = n_kept;
	return true;
}

static bool add_product(struct formula *f, const struct cube *a, const struct cube *b,
			struct cover *out)
{
	uint32_t *literals = arena_alloc_array(f->arena, a->n + b->n, sizeof(*literals));
	size_t n;

	if (!literals) {
		f->is_out_of_memory = true;
		return false;
	}
	n = merge_literals(a, b, literals);
	if (!simplify(f, literals, &n))
		return true;
	out->cubes[out->n++] = (struct cube){ n, literals };
	return true;
}

static bool is_within_budget(struct cover a, struct cover b)
{
	size_t n_a = 0, n_b = 0;

	if (a.n * b.n > MAX_CUBES)
		return false;
	for (size_t i = 0; i < a.n; i++)
		n_a = MAX(n_a, a.cubes[i].n);
	for (size_t i = 0; i < b.n; i++)
		n_b = MAX(n_b, b.cubes[i].n);
	return (n_a + n_b) * a.n * b.n <= 16 * MAX_CUBES || (n_a + n_b <= MAX_LITERALS && a.n * b.n <= 16);
}

struct cover cover_and(struct formula *f, struct cover a, struct cover b)
{
	struct cover c = { 0 };

	if (a.n == 0 || b.n == 0)
		return c;
	if (cover_is_always(a))
		return b;
	if (cover_is_always(b))
		return a;
	if (!is_within_budget(a, b)) {
		a = cover_compact(f, a);
		b = cover_compact(f, b);
	}
	if (!is_within_budget(a, b)) {
		/* Either alone is an upper bound. */
		if (a.n > b.n)
			a = b;
		if (a.n > 16)
			return cover_literal(f, LITERAL_MAYBE);
		b = cover_literal(f, LITERAL_MAYBE);
	}
	c.cubes = new_cubes(f, a.n * b.n);
	for (size_t i = 0; c.cubes && i < a.n; i++)
		for (size_t j = 0; j < b.n; j++)
			if (!add_product(f, &a.cubes[i], &b.cubes[j], &c))
				return c;
	return absorb(c);
}

struct cover cover_not(struct formula *f, struct cover a)
{
	struct cover all = cover_always(f);

	for (size_t i = 0; i < a.n; i++) {
		struct cover any = cover_never();

		/* What may hold may also not hold. */
		for (size_t j = 0; j < a.cubes[i].n; j++) {
			uint32_t literal = a.cubes[i].literals[j];

			any = cover_or(f, any,
				       cover_literal(f, literal == LITERAL_MAYBE ? literal
										 : literal ^ 1));
		}
		all = cover_and(f, all, any);
	}
	return all;
}

/* Do they differ in exactly one positive atom each? */
static bool differ_in_one(const struct formula *f, const struct cube *a, const struct cube *b,
			  uint32_t *ret_a, uint32_t *ret_b)
{
	size_t i = 0, j = 0, n_a = 0, n_b = 0;

	if (a->n != b->n)
		return false;
	while (i < a->n || j < b->n) {
		if (i < a->n && j < b->n && a->literals[i] == b->literals[j]) {
			i++;
			j++;
		} else if (j == b->n || (i < a->n && a->literals[i] < b->literals[j])) {
			*ret_a = a->literals[i++];
			n_a++;
		} else {
			*ret_b = b->literals[j++];
			n_b++;
		}
		if (n_a > 1 || n_b > 1)
			return false;
	}
	return n_a == 1 && n_b == 1 && !(*ret_a & 1) && !(*ret_b & 1) &&
	       atom_can_join(f->atoms, *ret_a >> 1) && atom_can_join(f->atoms, *ret_b >> 1);
}

static int insert_literal(struct formula *f, const struct cube *from, uint32_t without, uint32_t with,
			  struct cube *ret)
{
	uint32_t *literals = arena_alloc_array(f->arena, from->n, sizeof(*literals));
	size_t n = 0;
	bool is_in = false;

	if (!literals) {
		f->is_out_of_memory = true;
		return -1;
	}
	for (size_t i = 0; i < from->n; i++) {
		if (from->literals[i] == without)
			continue;
		if (!is_in && from->literals[i] > with) {
			literals[n++] = with;
			is_in = true;
		}
		literals[n++] = from->literals[i];
	}
	if (!is_in)
		literals[n++] = with;
	*ret = (struct cube){ n, literals };
	return 0;
}

static bool join_pair(struct formula *f, struct cover *c, size_t i, size_t j)
{
	uint32_t a = 0, b = 0, atom;

	if (!differ_in_one(f, &c->cubes[i], &c->cubes[j], &a, &b))
		return false;
	if (!atoms_union(f->atoms, (uint32_t[]){ a >> 1, b >> 1 }, 2, f->arena, &atom)) {
		f->is_out_of_memory = true;
		return false;
	}
	if (insert_literal(f, &c->cubes[i], a, LITERAL(atom), &c->cubes[i]) < 0)
		return false;
	c->cubes[j] = c->cubes[--c->n];
	return true;
}

static bool is_single(const struct formula *f, const struct cube *c)
{
	return c->n == 1 && !(c->literals[0] & 1) && atom_can_join(f->atoms, c->literals[0] >> 1);
}

/* All products of one positive atom at once: a long list of names is one atom. */
static void join_singles(struct formula *f, struct cover *c)
{
	uint32_t *atoms = arena_alloc_array(f->arena, c->n, sizeof(*atoms));
	size_t n_atoms = 0, n = 0;
	uint32_t atom;

	for (size_t i = 0; atoms && i < c->n; i++)
		if (is_single(f, &c->cubes[i]))
			atoms[n_atoms++] = c->cubes[i].literals[0] >> 1;
	if (n_atoms < 2)
		return;
	if (!atoms_union(f->atoms, atoms, n_atoms, f->arena, &atom)) {
		f->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < c->n; i++)
		if (!is_single(f, &c->cubes[i]))
			c->cubes[n++] = c->cubes[i];
	atoms[0] = LITERAL(atom);
	c->cubes[n++] = (struct cube){ 1, atoms };
	c->n = n;
}

struct cover cover_compact(struct formula *f, struct cover a)
{
	struct cover c = { .cubes = new_cubes(f, a.n), .n = a.n };
	bool is_changed = true;

	if (!c.cubes || a.n < 2)
		return a;
	memcpy(c.cubes, a.cubes, a.n * sizeof(*c.cubes));
	join_singles(f, &c);
	while (is_changed && c.n <= MAX_COMPARED) {
		is_changed = false;
		for (size_t i = 0; i < c.n; i++)
			for (size_t j = i + 1; j < c.n; j++)
				if (join_pair(f, &c, i, j)) {
					is_changed = true;
					j--;
				}
	}
	return absorb(c);
}
