/* Methods and functions: sets, tags, extension types. */
#include "cedar/cedar.h"
#include "cedar/diagnostics.h"
#include "cedar/typecheck.h"

/* ---- Sets --------------------------------------------------------------------- */

static struct typed check_contains(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed set = typecheck_kind(t, e->items[0], CEDAR_TYPE_SET);
	struct typed x = typecheck_value(t, e->items[1]);
	bool is_ok = set.is_ok && x.is_ok;

	if (t->types->mode == CEDAR_STRICT && set.type && set.type->kind == CEDAR_TYPE_SET &&
	    x.type &&
	    !typecheck_join(t, e, "the elements of the set and the one looked for",
			    set.type->element, x.type))
		is_ok = false;
	return typed_basic(t, CEDAR_TYPE_BOOL, is_ok);
}

static struct typed check_two_sets(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed a = typecheck_kind(t, e->items[0], CEDAR_TYPE_SET);
	struct typed b = typecheck_kind(t, e->items[1], CEDAR_TYPE_SET);
	bool is_ok = a.is_ok && b.is_ok;

	if (t->types->mode == CEDAR_STRICT && a.type && b.type && a.type->kind == CEDAR_TYPE_SET &&
	    b.type->kind == CEDAR_TYPE_SET &&
	    !typecheck_join(t, e, "the elements of both sets", a.type, b.type))
		is_ok = false;
	return typed_basic(t, CEDAR_TYPE_BOOL, is_ok);
}

static struct typed check_is_empty(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed set = typecheck_kind(t, e->items[0], CEDAR_TYPE_SET);

	return typed_basic(t, CEDAR_TYPE_BOOL, set.is_ok);
}

/* ---- Tags --------------------------------------------------------------------- */

/* What all tags of these entities are; NULL where none has tags. */
static const struct cedar_type *tags_of(struct typecheck *t, const struct cedar_type *type)
{
	const struct cedar_type *tags = NULL;
	const struct span *names;
	size_t n;

	if (type->kind == CEDAR_TYPE_ENTITY)
		return type->entity ? type_tags(t->types, type->entity) : NULL;
	n = type_entity_names(type, &names);
	for (size_t i = 0; i < n; i++) {
		const struct cedar_entity_type *e = cedar_schema_entity(t->types->schema, names[i]);
		const struct cedar_type *one = e ? type_tags(t->types, e) : NULL;

		if (one)
			tags = tags ? type_join(t->types, tags, one) : one;
		if (one && !tags)
			return NULL;
	}
	return tags;
}

static uint32_t tag_place(struct typecheck *t, const struct cedar_expr *e)
{
	return place_tag(&t->capabilities, place_of(&t->capabilities, e->items[0]), e->items[1]);
}

static struct typed check_has_tag(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed x = typecheck_entity(t, e->items[0], TYPECHECK_ENTITY);
	struct typed key = typecheck_kind(t, e->items[1], CEDAR_TYPE_STRING);
	bool is_ok = x.is_ok && key.is_ok, is_known;
	uint32_t place;

	if (!x.type || !type_is_entity(x.type))
		return (struct typed){ NULL, false };
	if (!tags_of(t, x.type))
		return typed_basic(t, CEDAR_TYPE_FALSE, is_ok);
	place = tag_place(t, e);
	is_known = capability_is_known(&t->capabilities, place);
	if (is_ok)
		capability_learn(&t->capabilities, place);
	return typed_basic(t, is_known ? CEDAR_TYPE_TRUE : CEDAR_TYPE_BOOL, is_ok);
}

static _cold_ void report_tag(struct typecheck *t, const struct cedar_expr *e,
			      const struct cedar_type *type, bool has_tags)
{
	char text[TYPE_TEXT_MAX];

	if (finding_is_new(t->findings, "unsafe_tag", e->range, type, NULL))
		finding_add(t->findings, CEDAR_ERROR, "unsafe_tag", e->range,
			    has_tags ? "test for it before: e.hasTag(...) && ..." : NULL,
			    has_tags ? "the tag of %s may be missing" : "%s has no tags",
			    type_text(type, text));
}

static struct typed check_get_tag(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed x = typecheck_entity(t, e->items[0], TYPECHECK_ENTITY);
	struct typed key = typecheck_kind(t, e->items[1], CEDAR_TYPE_STRING);
	const struct cedar_type *tags;

	if (!x.type || !type_is_entity(x.type))
		return (struct typed){ NULL, false };
	tags = tags_of(t, x.type);
	if (tags && capability_is_known(&t->capabilities, tag_place(t, e)))
		return (struct typed){ tags, x.is_ok && key.is_ok };
	report_tag(t, e, x.type, tags);
	return (struct typed){ NULL, false };
}

/* ---- Extension types ------------------------------------------------------------ */

struct signature {
	struct span name;
	unsigned char n_args;
	enum cedar_type_kind args[2], result;
};

#define NAME(name)                                                                                 \
	{                                                                                          \
		(name), sizeof(name) - 1                                                           \
	}

static const struct signature signatures[] = {
	{ NAME("ip"), 1, { CEDAR_TYPE_STRING }, CEDAR_TYPE_IPADDR },
	{ NAME("decimal"), 1, { CEDAR_TYPE_STRING }, CEDAR_TYPE_DECIMAL },
	{ NAME("datetime"), 1, { CEDAR_TYPE_STRING }, CEDAR_TYPE_DATETIME },
	{ NAME("duration"), 1, { CEDAR_TYPE_STRING }, CEDAR_TYPE_DURATION },
	{ NAME("lessThan"), 2, { CEDAR_TYPE_DECIMAL, CEDAR_TYPE_DECIMAL }, CEDAR_TYPE_BOOL },
	{ NAME("lessThanOrEqual"), 2, { CEDAR_TYPE_DECIMAL, CEDAR_TYPE_DECIMAL }, CEDAR_TYPE_BOOL },
	{ NAME("greaterThan"), 2, { CEDAR_TYPE_DECIMAL, CEDAR_TYPE_DECIMAL }, CEDAR_TYPE_BOOL },
	{ NAME("greaterThanOrEqual"),
	  2,
	  { CEDAR_TYPE_DECIMAL, CEDAR_TYPE_DECIMAL },
	  CEDAR_TYPE_BOOL },
	{ NAME("isIpv4"), 1, { CEDAR_TYPE_IPADDR }, CEDAR_TYPE_BOOL },
	{ NAME("isIpv6"), 1, { CEDAR_TYPE_IPADDR }, CEDAR_TYPE_BOOL },
	{ NAME("isLoopback"), 1, { CEDAR_TYPE_IPADDR }, CEDAR_TYPE_BOOL },
	{ NAME("isMulticast"), 1, { CEDAR_TYPE_IPADDR }, CEDAR_TYPE_BOOL },
	{ NAME("isInRange"), 2, { CEDAR_TYPE_IPADDR, CEDAR_TYPE_IPADDR }, CEDAR_TYPE_BOOL },
	{ NAME("offset"), 2, { CEDAR_TYPE_DATETIME, CEDAR_TYPE_DURATION }, CEDAR_TYPE_DATETIME },
	{ NAME("durationSince"),
	  2,
	  { CEDAR_TYPE_DATETIME, CEDAR_TYPE_DATETIME },
	  CEDAR_TYPE_DURATION },
	{ NAME("toDate"), 1, { CEDAR_TYPE_DATETIME }, CEDAR_TYPE_DATETIME },
	{ NAME("toTime"), 1, { CEDAR_TYPE_DATETIME }, CEDAR_TYPE_DURATION },
	{ NAME("toMilliseconds"), 1, { CEDAR_TYPE_DURATION }, CEDAR_TYPE_LONG },
	{ NAME("toSeconds"), 1, { CEDAR_TYPE_DURATION }, CEDAR_TYPE_LONG },
	{ NAME("toMinutes"), 1, { CEDAR_TYPE_DURATION }, CEDAR_TYPE_LONG },
	{ NAME("toHours"), 1, { CEDAR_TYPE_DURATION }, CEDAR_TYPE_LONG },
	{ NAME("toDays"), 1, { CEDAR_TYPE_DURATION }, CEDAR_TYPE_LONG },
};

static const struct signature *find_signature(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (span_eq(name, signatures[i].name))
			return &signatures[i];
	return NULL;
}

static bool is_constructor(const struct signature *s)
{
	return s->args[0] == CEDAR_TYPE_STRING;
}

static const char *literal_help(enum cedar_type_kind kind)
{
	if (kind == CEDAR_TYPE_IPADDR)
		return "write an address or a range like 10.0.0.0/8 or fe80::/10";
	if (kind == CEDAR_TYPE_DECIMAL)
		return "write a number with one to four digits after the point, like 1.5";
	if (kind == CEDAR_TYPE_DATETIME)
		return "write a date like 2026-01-31, or a time like 2026-01-31T12:00:00Z";
	return "write a duration like 1d2h30m, in this order of units";
}

static bool parses(enum cedar_type_kind kind, struct span text)
{
	struct cedar_ipaddr ip;
	int64_t n;

	if (kind == CEDAR_TYPE_IPADDR)
		return cedar_ipaddr_parse(text, &ip) == 0;
	if (kind == CEDAR_TYPE_DECIMAL)
		return cedar_decimal_parse(text, &n) == 0;
	if (kind == CEDAR_TYPE_DATETIME)
		return cedar_datetime_parse(text, &n) == 0;
	return cedar_duration_parse(text, &n) == 0;
}

static bool check_constructor(struct typecheck *t, const struct cedar_expr *e,
			      const struct signature *s)
{
	const struct cedar_expr *arg = e->items[0];

	if (arg->kind != CEDAR_EXPR_STRING) {
		if (t->types->mode == CEDAR_PERMISSIVE)
			return true;
		if (finding_is_new(t->findings, "non_literal_constructor", e->range, NULL, NULL))
			finding_add(t->findings, CEDAR_ERROR, "non_literal_constructor", e->range,
				    "give the attribute this type in the schema",
				    "`%s` takes a literal string, so that it cannot fail",
				    s->name.p);
		return false;
	}
	if (parses(s->result, arg->string))
		return true;
	if (finding_is_new(t->findings, "invalid_literal", e->range, NULL, NULL))
		finding_add(t->findings, CEDAR_ERROR, "invalid_literal", e->range,
			    literal_help(s->result), "`%.*s` is not a valid %s",
			    SPAN_ARG(diagnostic_quote(arg->string)), s->name.p);
	return false;
}

static struct typed check_extension(struct typecheck *t, const struct cedar_expr *e,
				    const struct signature *s)
{
	struct typed result = typed_basic(t, s->result, true);

	if (e->n_items != s->n_args) {
		if (finding_is_new(t->findings, "wrong_arity", e->range, NULL, NULL))
			finding_add(t->findings, CEDAR_ERROR, "wrong_arity", e->range, NULL,
				    "`%s` takes %d argument%s, but is given %zu", s->name.p,
				    s->n_args - e->is_method,
				    s->n_args - e->is_method == 1 ? "" : "s",
				    e->n_items - e->is_method);
		result.is_ok = false;
	}
	for (size_t i = 0; i < e->n_items; i++) {
		struct typed x = typecheck_value(t, e->items[i]);

		if (e->n_items == s->n_args)
			x = typecheck_expect(t, e->items[i], x, s->args[i]);

		result.is_ok = result.is_ok && x.is_ok;
	}
	if (is_constructor(s) && e->n_items == 1 && !check_constructor(t, e, s))
		result.is_ok = false;
	return result;
}

static const struct {
	struct span name;
	struct typed (*check)(struct typecheck *t, const struct cedar_expr *e);
} builtins[] = {
	{ NAME("contains"), check_contains },	 { NAME("containsAll"), check_two_sets },
	{ NAME("containsAny"), check_two_sets }, { NAME("isEmpty"), check_is_empty },
	{ NAME("hasTag"), check_has_tag },	 { NAME("getTag"), check_get_tag },
};

struct typed typecheck_call(struct typecheck *t, const struct cedar_expr *e)
{
	const struct signature *s;

	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		if (span_eq(e->string, builtins[i].name))
			return builtins[i].check(t, e);
	s = find_signature(e->string);
	if (!s) /* the parser refused it */
		return (struct typed){ NULL, false };
	return check_extension(t, e, s);
}
