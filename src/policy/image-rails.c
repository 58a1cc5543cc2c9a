#include "policy/image-formula.h"

struct rails rails_known(struct formula *f, bool value)
{
	struct cover always = cover_always(f);

	return value ? (struct rails){ .is_true = always } : (struct rails){ .is_false = always };
}

struct rails rails_error(struct formula *f)
{
	return (struct rails){ .is_error = cover_always(f) };
}

struct rails rails_maybe(struct formula *f)
{
	struct cover maybe = cover_literal(f, LITERAL_MAYBE);

	return (struct rails){ maybe, maybe, maybe };
}

struct rails rails_atom(struct formula *f, uint32_t atom, uint32_t definer)
{
	struct rails r = { .is_true = cover_literal(f, LITERAL(atom)),
			   .is_false = cover_literal(f, LITERAL_NOT(atom)) };

	if (!definer)
		return r;
	r.is_error = cover_literal(f, LITERAL_NOT(definer));
	r.is_false = cover_and(f, r.is_false, cover_literal(f, LITERAL(definer)));
	return r;
}

struct rails rails_not(struct rails a)
{
	return (struct rails){ a.is_false, a.is_true, a.is_error };
}

/*
 * Where b errs whenever a does, b's rails already exclude a's errors, and the
 * order of evaluation no longer matters. Rails that overlap exclude nothing.
 */
struct rails rails_and(struct formula *f, struct rails a, struct rails b)
{
	bool is_plain =
		f->is_three_valued ? a.is_error.n == 0 : cover_implies(a.is_error, b.is_error);
	struct rails r = { .is_true = cover_and(f, a.is_true, b.is_true) };

	r.is_false = cover_or(f, a.is_false,
			      is_plain ? b.is_false : cover_and(f, a.is_true, b.is_false));
	r.is_error = cover_or(f, a.is_error, cover_and(f, a.is_true, b.is_error));
	return r;
}

struct rails rails_or(struct formula *f, struct rails a, struct rails b)
{
	return rails_not(rails_and(f, rails_not(a), rails_not(b)));
}

static struct cover choose(struct formula *f, struct rails c, struct cover a, struct cover b)
{
	return cover_or(f, cover_and(f, c.is_true, a), cover_and(f, c.is_false, b));
}

struct rails rails_if(struct formula *f, struct rails c, struct rails a, struct rails b)
{
	return (struct rails){
		choose(f, c, a.is_true, b.is_true),
		choose(f, c, a.is_false, b.is_false),
		cover_or(f, c.is_error, choose(f, c, a.is_error, b.is_error)),
	};
}
