/* What one policy makes of another: found by looking at the whole set. */
#include <errno.h>

#include "base/limits.h"
#include "policy/entities.h"
#include "policy/names.h"
#include "policy/shape.h"
#include "policy/source.h"

/* Policies looked at under one key: hostile sets have thousands alike, and the first ones suffice.
 */
#define MAX_ALIKE 16
/* Conditions of one policy by which others are looked for. */
#define MAX_CONDITIONS 32

typedef VEC(size_t) numbers;

struct review {
	const struct policy_source *source;
	const struct policy_report *reports; /* of each policy, or NULL */
	struct shape *shapes; /* of each policy */
	struct map index;     /* effect, place and first condition to numbers */
	struct arena arena;
	bool forbids_tools; /* some forbid is about tool calls alone */
	size_t wider; /* the first permit under which tools can be called that it does not name */
	struct lint lint;
};

static bool is_by_a_person(const struct source_policy *p)
{
	return p->layer == POLICY_LAYER_USER || p->layer == POLICY_LAYER_PROJECT ||
	       p->layer == POLICY_LAYER_FILE;
}

/* ---- Finding policies that may cover another --------------------------------------- */

static void index_key(bool is_forbid, struct span place, struct span condition, struct buf *out)
{
	(void)buf_append_char(out, is_forbid ? 'f' : 'p');
	(void)buf_append_span(out, place);
	(void)buf_append(out, "\0\0", 2);
	(void)buf_append_span(out, condition);
}

static void index_one(struct review *r, size_t number, struct span place)
{
	const struct shape *s = &r->shapes[number];
	_cleanup_buf_ struct buf key = BUF_INIT(0);
	numbers *list;

	index_key(s->policy->is_forbid, place,
		  s->conditions.len ? s->conditions.items[0] : (struct span){ 0 }, &key);
	list = map_get(&r->index, buf_span(&key));
	if (!list) {
		list = xnew(numbers);
		(void)map_put(&r->index, buf_span(&key), list);
	}
	if (list->len < MAX_ALIKE)
		vec_push(list, number);
}

static void index_shape(struct review *r, size_t number)
{
	const places *all = &r->shapes[number].places;

	if (!all->len)
		index_one(r, number, (struct span){ 0 });
	for (size_t i = 0; i < all->len; i++) {
		_cleanup_buf_ struct buf key = BUF_INIT(0);

		place_key(&all->items[i], &key);
		index_one(r, number, buf_span(&key));
	}
}

static void free_numbers(void *list)
{
	numbers *n = list;

	vec_done(n);
	xfree(n);
}

struct search {
	const struct review *review;
	size_t number;	/* of the policy that others may cover */
	bool is_forbid; /* look among forbids, or permits */
	size_t found;	/* the first that covers it, or SIZE_MAX */
};

static void look_at(struct search *s, struct span place, struct span condition)
{
	const struct shape *shapes = s->review->shapes;
	_cleanup_buf_ struct buf key = BUF_INIT(0);
	const numbers *list;

	index_key(s->is_forbid, place, condition, &key);
	list = map_get(&s->review->index, buf_span(&key));
	for (size_t i = 0; list && i < list->len; i++) {
		size_t other = list->items[i];

		if (other == s->number || other >= s->found ||
		    !shape_covers(&shapes[other], &shapes[s->number]))
			continue;
		/* Of two that say the same, the later is the one too many. */
		if (other > s->number && shape_covers(&shapes[s->number], &shapes[other]) &&
		    s->is_forbid == shapes[s->number].policy->is_forbid)
			continue;
		s->found = other;
	}
}

static void look_in(struct span place, void *ctx)
{
	struct search *s = ctx;
	const struct shape *shape = &s->review->shapes[s->number];

	look_at(s, place, (struct span){ 0 });
	for (size_t i = 0; i < shape->conditions.len && i < MAX_CONDITIONS; i++)
		look_at(s, place, shape->conditions.items[i]);
}

static size_t find_cover(const struct review *r, size_t number, bool is_forbid)
{
	struct search s = { r, number, is_forbid, SIZE_MAX };
	const places *all = &r->shapes[number].places;

	look_in((struct span){ 0 }, &s);
	if (all->len)
		place_each_above(&all->items[0], look_in, &s);
	return s.found;
}

/* ---- Findings -------------------------------------------------------------------- */

static const char *where(struct review *r, size_t number)
{
	const struct source_policy *p = &r->source->policies.items[number];

	return lint_text(&r->lint, "%s (line %zu of %s)", p->id, p->line, p->file);
}

/* Some never apply for reasons that are no mistake, or that people were told already. */
static bool is_known_reason(const char *blame, bool is_http)
{
	static const struct span context = SPAN("context.");
	struct span rest = span_of(blame), key;

	if (strstr(blame, "principal") || span_starts_with(rest, SPAN("action")))
		return true;
	for (; rest.len; rest = span_from(rest, 1)) {
		size_t len = context.len;

		if (!span_starts_with(rest, context))
			continue;
		while (len < rest.len &&
		       ((rest.p[len] | 0x20) >= 'a' && (rest.p[len] | 0x20) <= 'z'))
			len++;
		key = span_make(rest.p + context.len, len - context.len);
		if (context_key_is_planned(key) || (!is_http && context_key_is_of_http(key)))
			return true;
	}
	return false;
}

/* Says so, once. */
static bool never_applies(struct review *r, size_t number)
{
	const struct source_policy *p = &r->source->policies.items[number];
	const struct policy_report *report = r->reports ? &r->reports[number] : NULL;
	const char *blame = NULL;

	if (p->is_impossible)
		return true;
	if (r->shapes[number].contradiction.len)
		blame = r->shapes[number].contradiction.p;
	else if (!report || report->handling != POLICY_NEVER_APPLIES)
		return false;
	else
		blame = report->blame;
	if (!blame ||
	    !is_known_reason(blame, r->shapes[number].actions & ACTION_BIT(POLICY_HTTP_REQUEST)))
		lint_add(&r->lint, CEDAR_WARNING, "impossible_policy", p->cedar->range, NULL,
			 "this policy can never apply here%s%s",
			 blame ? ": what never holds is " : "", blame ? blame : "");
	return true;
}

#define MCP_BIT ACTION_BIT(POLICY_MCP_CALL)

static bool is_about_named_tools(const struct shape *s)
{
	if (s->actions != MCP_BIT || !s->places.len)
		return false;
	for (size_t i = 0; i < s->places.len; i++)
		if (s->places.items[i].op == CEDAR_SCOPE_IS ||
		    (!span_eq(s->places.items[i].uid.type, TYPE_MCP_TOOL) &&
		     !span_eq(s->places.items[i].uid.type, TYPE_MCP_SERVER)))
			return false;
	return true;
}

static bool is_wider_permit(const struct shape *s)
{
	return !s->policy->is_forbid && (s->actions & MCP_BIT) && !is_about_named_tools(s);
}

static const char *tool_forbid(struct review *r, const struct shape *s)
{
	struct cedar_entity_uid uid = s->places.items[0].uid;

	if (span_eq(uid.type, TYPE_MCP_SERVER))
		return lint_text(&r->lint,
				 "to allow only these, write: forbid (principal, action == "
				 "Action::\"McpCall\", resource) unless { resource in "
				 "MCP::Server::\"%.*s\" };",
				 SPAN_ARG(uid.id));
	return lint_text(&r->lint,
			 "to allow only these, write: forbid (principal, action == "
			 "Action::\"McpCall\", resource in MCP::Server::\"...\") unless { resource "
			 "== MCP::Tool::\"%.*s\" };",
			 SPAN_ARG(uid.id));
}

static bool takes_no_tool_away(struct review *r, size_t number)
{
	const struct shape *s = &r->shapes[number];

	if (s->policy->is_forbid || r->forbids_tools || r->wider == SIZE_MAX ||
	    !is_about_named_tools(s))
		return false;
	lint_add(&r->lint, CEDAR_WARNING, "mcp_permit_redundant", s->policy->range,
		 tool_forbid(r, s), "this permit takes no other tool away: %s allows them",
		 where(r, r->wider));
	return true;
}

static void look_for_cover(struct review *r, size_t number)
{
	const struct shape *s = &r->shapes[number];
	bool is_forbid = s->policy->is_forbid;
	size_t other = is_forbid ? SIZE_MAX : find_cover(r, number, /* is_forbid = */ true);

	if (other != SIZE_MAX) {
		lint_add(&r->lint, CEDAR_WARNING, "swallowed_permit", s->policy->range,
			 "exclude something from the forbid with unless, or delete the permit",
			 "this permit allows nothing: %s forbids all of it", where(r, other));
		return;
	}
	/* One with @tls says something else besides. */
	if (r->source->policies.items[number].passes_tls)
		return;
	other = find_cover(r, number, is_forbid);
	if (other == SIZE_MAX)
		return;
	if (shape_covers(s, &r->shapes[other]))
		lint_add(&r->lint, CEDAR_WARNING, "duplicate_policy", s->policy->range, NULL,
			 "this policy says the same as %s", where(r, other));
	else
		lint_add(&r->lint, CEDAR_WARNING, "shadowed_policy", s->policy->range,
			 is_forbid ? NULL : "to narrow what is allowed, write a forbid",
			 "this policy changes nothing: %s %s all of it", where(r, other),
			 is_forbid ? "forbids" : "permits");
}

static void review_policy(struct review *r, size_t number)
{
	const struct source_policy *p = &r->source->policies.items[number];

	r->lint.policy = p->cedar;
	if (!is_by_a_person(p) || never_applies(r, number) || takes_no_tool_away(r, number))
		return;
	look_for_cover(r, number);
}

/* ---- All ------------------------------------------------------------------------- */

static int prepare(struct review *r)
{
	const size_t n = r->source->policies.len;

	for (size_t i = 0; i < n; i++) {
		const struct source_policy *p = &r->source->policies.items[i];

		if (!shape_make(p->cedar, &r->arena, &r->shapes[i]))
			return -ENOMEM;
		if (r->wider == SIZE_MAX && is_wider_permit(&r->shapes[i]))
			r->wider = i;
		r->forbids_tools |= p->cedar->is_forbid && r->shapes[i].actions == MCP_BIT;
	}
	for (size_t i = 0; i < n; i++)
		if (!r->source->policies.items[i].is_impossible)
			index_shape(r, i);
	return 0;
}

static int print(struct review *r, size_t text, bool color, struct buf *report)
{
	const struct source_text *t = &r->source->texts.items[text];
	struct cedar_positions positions = { .text = span_of(t->text) };
	const struct lint_sink sink = { t->file, &positions, color, report, r->source->findings };
	int code = lint_print(&r->lint, &sink);

	r->lint.n_warnings = 0;
	cedar_positions_done(&positions);
	return code;
}

static int review_all(struct review *r, bool color, struct buf *report)
{
	const struct policy_source *s = r->source;
	int code = 0;

	for (size_t i = 0; code >= 0 && i < s->policies.len; i++) {
		review_policy(r, i);
		if (i + 1 == s->policies.len ||
		    s->policies.items[i + 1].text_index != s->policies.items[i].text_index)
			code = print(r, s->policies.items[i].text_index, color, report);
	}
	return code;
}

int policy_source_review(struct policy_source *s, const struct policy_report *reports, bool color,
			 struct buf *report, struct err *err)
{
	struct review r = {
		.source = s,
		.reports = reports,
		.shapes = xnew_array(struct shape, s->policies.len + 1),
		.wider = SIZE_MAX,
		.arena = { .max = LIMIT_CEDAR_ARENA },
	};
	int code;

	r.lint.arena = &r.arena;
	code = prepare(&r);
	if (code >= 0)
		code = review_all(&r, color, report);
	for (size_t i = 0; i < s->policies.len; i++)
		shape_done(&r.shapes[i]);
	xfree(r.shapes);
	map_done(&r.index, free_numbers);
	lint_done(&r.lint);
	arena_done(&r.arena);
	return code < 0 ? err_set(err, code, "look through the policies") : 0;
}
