/* The clauses that a request's facts lead to: which hold, and whose policies they are. */
#include "base/clock.h"
#include "policy/image.h"

#define MS_PER_DAY INT64_C(86400000)

/* ---- Clauses ---------------------------------------------------------------------------- */

static bool check_holds(struct image_run *run, const struct image_check *check)
{
	int64_t time;

	if (!run->has_now) {
		run->now_ms = (int64_t)(clock_real_ns() / NS_PER_MS);
		run->has_now = true;
	}
	time = run->now_ms % MS_PER_DAY;
	if (time < 0)
		time += MS_PER_DAY;
	switch ((enum image_check_kind)check->kind) {
	case IMAGE_NOW_BEFORE:
		return run->now_ms < check->number;
	case IMAGE_NOW_NOT_AFTER:
		return run->now_ms <= check->number;
	case IMAGE_TIME_BEFORE:
		return time < check->number;
	case IMAGE_TIME_NOT_AFTER:
		return time <= check->number;
	case IMAGE_N_CHECKS:
		break;
	}
	return false;
}

static bool literal_holds(struct image_run *run, uint32_t literal)
{
	uint32_t number = literal >> 2;

	if ((literal & 3) >= IMAGE_LITERAL_CHECK)
		return check_holds(run, &run->image->checks[number]) ==
		       ((literal & 3) == IMAGE_LITERAL_CHECK);
	return (run->bits[number / 64] >> number % 64 & 1) == ((literal & 3) == IMAGE_LITERAL_SET);
}

static const struct image_clause *clause_at(const struct image_run *run, uint32_t at)
{
	return (const void *)(run->image->words + at);
}

static const uint32_t *literals_of(const struct image_clause *c)
{
	return (const uint32_t *)(const void *)(c + 1);
}

static const struct image_clause *nth(const uint32_t *const *clauses, size_t i)
{
	return (const struct image_clause *)(const void *)clauses[i];
}

/* Has this round, or the one before it, nothing to learn from the clause? */
static bool is_answered(const struct image_run *run, const struct image_round *round,
			const struct image_clause *c)
{
	if (!round->asked && !round->is_as_directory)
		return false;
	if (c->effect < IMAGE_FORBID)
		return true;
	if (!c->mentions_action && (c->actions & round->asked))
		return true;
	for (size_t i = round->first_forbid; round->is_as_directory && i < run->n_forbids; i++)
		if (nth(run->forbids, i) == c)
			return true;
	return false;
}

static void weigh(struct image_run *run, struct image_round *round, const struct image_clause *c)
{
	if (!(c->actions & round->action) || is_answered(run, round, c))
		return;
	for (uint32_t i = 0; i < c->n_literals; i++)
		if (!literal_holds(run, literals_of(c)[i]))
			return;
	switch ((enum image_effect)c->effect) {
	case IMAGE_PERMIT:
		if (run->n_permits == IMAGE_MAX_CLAUSES)
			round->permit_asks = true;
		else
			run->permits[run->n_permits++] = (const uint32_t *)(const void *)c;
		return;
	case IMAGE_PERMIT_ERRS:
		round->permit_errs = true;
		return;
	case IMAGE_PERMIT_ASK:
		round->permit_asks = true;
		return;
	case IMAGE_FORBID_ERRS:
		round->forbid_errs = true;
		break;
	case IMAGE_FORBID:
		break;
	case IMAGE_FORBID_ASK:
	case IMAGE_N_EFFECTS:
		round->asks = true;
		return;
	}
	round->is_own |= c->is_own;
	if (run->n_forbids == IMAGE_MAX_CLAUSES)
		round->asks = true;
	else
		run->forbids[run->n_forbids++] = (const uint32_t *)(const void *)c;
}

static void weigh_list(struct image_run *run, struct image_round *round, uint32_t list)
{
	const uint32_t *words = run->image->words;

	for (uint32_t i = 0; list && i < words[list] && !round->asks; i++)
		weigh(run, round, clause_at(run, words[list + 1 + i]));
}

static void weigh_found(struct image_run *run, struct image_round *round)
{
	const struct image *image = run->image;

	for (size_t i = 0; i < run->n_found && !round->asks; i++) {
		uint32_t number = IMAGE_ENTRY_NUMBER(run->found[i]);

		if (IMAGE_ENTRY_KIND(run->found[i]) == IMAGE_ENTRY_CLAUSE)
			weigh(run, round, clause_at(run, number));
		else
			weigh_list(run, round, image->words[image->head->atoms + number]);
	}
}

/*
 * A forbid on a directory holds for its name too while nothing, or something
 * else, has that name. So forbids are weighed both ways: one that holds either
 * way holds. Whether one that errs only now had held before cannot be told.
 */
static void weigh_as_directory(struct image_run *run, struct image_round *round)
{
	bool had_errors = round->forbid_errs;
	size_t n_found = run->n_found;

	round->is_as_directory = true;
	round->forbid_errs = false;
	run_add_own_dir(run);
	weigh_found(run, round);
	run_forget_from(run, n_found);
	round->asks |= round->forbid_errs || run->is_overrun;
	round->forbid_errs = had_errors;
	round->is_as_directory = false;
}

void run_weigh(struct image_run *run, struct image_round *round, enum policy_action action)
{
	round->first_forbid = run->n_forbids;
	weigh_list(run, round, run->image->head->actions[action].always);
	weigh_found(run, round);
	if (run->own_dir && !round->asks)
		weigh_as_directory(run, round);
}

/* ---- Reasons -------------------------------------------------------------------------------- */

static void add_reason(struct policy_decision *d, const char *id)
{
	for (size_t i = 0; i < d->n_reasons; i++)
		if (d->reasons[i] == id)
			return;
	if (d->n_reasons < POLICY_MAX_REASONS)
		d->reasons[d->n_reasons++] = id;
	else
		d->n_more_reasons++;
}

/* Puts the rank where it belongs, unless it is there; the list is kept at its max smallest. */
static size_t insert(uint32_t *sorted, size_t n, size_t max, uint32_t rank)
{
	size_t at = n;

	while (at > 0 && sorted[at - 1] > rank)
		at--;
	if ((at > 0 && sorted[at - 1] == rank) || at == max)
		return n;
	n = MIN(n + 1, max);
	memmove(sorted + at + 1, sorted + at, (n - 1 - at) * sizeof(*sorted));
	sorted[at] = rank;
	return n;
}

/* The policies of all clauses, each once, in their order. False: too many to tell. */
bool run_add_reasons(struct image_run *run, const uint32_t *const *clauses, size_t n_clauses,
		     const char *const *ids, struct policy_decision *d)
{
	size_t total = 0, n = 0, max = IMAGE_MAX_SORTED;
	bool is_shared = false;

	if (n_clauses == 1 && !d->n_reasons && nth(clauses, 0)->n_policies == 1) {
		d->reasons[d->n_reasons++] =
			ids[literals_of(nth(clauses, 0))[nth(clauses, 0)->n_literals]];
		return true;
	}
	for (size_t i = 0; i < n_clauses; i++) {
		total += nth(clauses, i)->n_policies;
		is_shared |= nth(clauses, i)->is_shared;
	}
	if (total > IMAGE_MAX_SORTED) {
		/* Only the first have names; the others count, so they must be different ones. */
		if (is_shared || d->n_reasons)
			return false;
		max = POLICY_MAX_REASONS;
	}
	for (size_t i = 0; i < n_clauses; i++) {
		const struct image_clause *c = nth(clauses, i);
		const uint32_t *ranks = literals_of(c) + c->n_literals;

		for (uint32_t j = 0; j < c->n_policies && j < max; j++)
			n = insert(run->sorted, n, max, ranks[j]);
	}
	for (size_t i = 0; i < n; i++)
		add_reason(d, ids[run->sorted[i]]);
	if (total > IMAGE_MAX_SORTED)
		d->n_more_reasons += total - n;
	return true;
}
