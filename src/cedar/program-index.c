/*
 * The index over scopes. Every posting takes memory in proportion to the scopes
 * that made it: a list while that is the shorter form, else a bitset.
 */
#include <errno.h>

#include "base/alloc.h"
#include "cedar/program-private.h"

/* All postings of a dimension in one array: any, any type, by uid twice, by type. */
struct builder {
	struct cedar_program *program;
	struct posting *postings;
	uint32_t *filled;
	size_t n;
	uint32_t *lists;
	uint64_t *words;
};

typedef void (*note_fn)(struct builder *b, size_t posting, uint32_t bit);

#define ANY ((size_t)0)
#define ANY_TYPE ((size_t)1)
#define EQUAL ((size_t)2)

static void note_policy(struct builder *b, const struct scope_test *t, uint32_t bit, note_fn note)
{
	size_t in = EQUAL + b->program->uids.len;
	size_t is = in + b->program->uids.len;

	if (t->op == CEDAR_SCOPE_ANY || t->op == CEDAR_SCOPE_IS)
		note(b, ANY, bit);
	else if (t->op == CEDAR_SCOPE_EQ && t->n_uids)
		note(b, EQUAL + t->uids[0], bit);
	else
		for (uint32_t i = 0; i < t->n_uids; i++)
			note(b, in + t->uids[i], bit);
	if (t->op == CEDAR_SCOPE_IS || t->op == CEDAR_SCOPE_IS_IN)
		note(b, is + t->type, bit);
	else
		note(b, ANY_TYPE, bit);
}

static void note_all(struct builder *b, enum cedar_var var, note_fn note)
{
	const struct cedar_program *p = b->program;

	for (uint32_t bit = 0; bit < p->n_bits; bit++)
		if (p->policies[bit].policy)
			note_policy(b, &p->policies[bit].scopes[var], bit, note);
}

static void count(struct builder *b, size_t posting, uint32_t bit)
{
	(void)bit;
	b->postings[posting].n++;
}

static void fill(struct builder *b, size_t posting, uint32_t bit)
{
	const struct posting *to = &b->postings[posting];

	if (posting_is_list(b->program, *to))
		b->lists[to->at + b->filled[posting]++] = bit;
	else
		b->words[to->at + bit / 64] |= (uint64_t)1 << bit % 64;
}

static int allocate(struct builder *b)
{
	struct cedar_program *p = b->program;
	size_t n_lists = 0;
	size_t n_words = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct posting *posting = &b->postings[i];

		if (posting_is_list(p, *posting)) {
			posting->at = (uint32_t)n_lists;
			n_lists += posting->n;
		} else {
			posting->at = (uint32_t)n_words;
			n_words += p->n_words;
		}
	}
	if (n_lists > UINT32_MAX || n_words > UINT32_MAX)
		return -ENOMEM;
	b->lists = arena_alloc_array(&p->arena, n_lists, sizeof(*b->lists));
	b->words = arena_alloc_array(&p->arena, n_words, sizeof(*b->words));
	return b->lists && b->words ? 0 : -ENOMEM;
}

/* The posting as a set of policies, whatever its form. */
static const uint64_t *make_row(const struct builder *b, size_t posting)
{
	const struct posting *from = &b->postings[posting];
	uint32_t n_words = b->program->n_words;
	uint64_t *row;

	if (!posting_is_list(b->program, *from))
		return b->words + from->at;
	row = arena_alloc_array(&b->program->arena, n_words, sizeof(*row));
	for (uint32_t i = 0; row && i < from->n; i++)
		row[b->lists[from->at + i] / 64] |= (uint64_t)1 << b->lists[from->at + i] % 64;
	return row;
}

static bool any_used(const struct posting *postings, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (postings[i].n)
			return true;
	return false;
}

static int build(struct builder *b, enum cedar_var var)
{
	struct cedar_program *p = b->program;
	_cleanup_free_ uint32_t *filled = xnew_array(uint32_t, b->n);
	struct dimension *d = &p->dimensions[var];
	int r;

	b->postings = arena_alloc_array(&p->arena, b->n, sizeof(*b->postings));
	if (!b->postings)
		return -ENOMEM;
	b->filled = filled;
	note_all(b, var, count);
	r = allocate(b);
	if (r < 0)
		return r;
	note_all(b, var, fill);
	d->any = b->postings[ANY];
	d->any_row = make_row(b, ANY);
	d->any_type_row = make_row(b, ANY_TYPE);
	d->equal = b->postings + EQUAL;
	d->in = d->equal + p->uids.len;
	d->is = d->in + p->uids.len;
	d->has_in = any_used(d->in, p->uids.len);
	/* `in []` asks, and matches nothing. */
	d->has_uids = d->any.n < p->n_policies;
	d->has_types = b->postings[ANY_TYPE].n < p->n_policies;
	d->lists = b->lists;
	d->words = b->words;
	return d->any_row && d->any_type_row ? 0 : -ENOMEM;
}

int program_index(struct cedar_program *p)
{
	size_t n = EQUAL + 2 * (size_t)p->uids.len + p->types.len;
	uint64_t *all = arena_alloc_array(&p->arena, p->n_words, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (uint32_t bit = 0; bit < p->n_bits; bit++) {
		if (!p->policies[bit].policy)
			continue;
		all[bit / 64] |= (uint64_t)1 << bit % 64;
		p->n_policies++;
	}
	p->all = all;

	for (int var = CEDAR_PRINCIPAL; var <= CEDAR_RESOURCE; var++) {
		struct builder b = { .program = p, .n = n };
		int r = build(&b, (enum cedar_var)var);

		if (r < 0)
			return r;
	}
	return 0;
}
