#include "cedar/function.h"

#include <errno.h>

#include "cedar/diagnostics.h"
#include "cedar/evaluate-private.h"
#include "cedar/ipaddr.h"
#include "cedar/value-private.h"

#define MS_PER_DAY INT64_C(86400000)

static int want(struct evaluation *ev, const struct cedar_expr *e, const struct cedar_value *v,
		enum cedar_value_kind kind)
{
	if (v->kind == kind)
		return 0;
	if (kind == CEDAR_ENTITY)
		return evaluation_type_error(ev, e, ENTITY_WANTED, v);
	return evaluation_type_error(ev, e, value_kind_name(kind), v);
}

static int want_both(struct evaluation *ev, const struct cedar_expr *e,
		     const struct cedar_value *args, enum cedar_value_kind kind)
{
	int r = want(ev, e->items[0], &args[0], kind);

	return r < 0 ? r : want(ev, e->items[1], &args[1], kind);
}

/* ---- Sets and tags ------------------------------------------------------ */

static int call_contains(struct evaluation *ev, const struct cedar_expr *e,
			 const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want(ev, e->items[0], &args[0], CEDAR_SET);

	return r < 0 ? r : give_bool(ret, value_set_contains(&args[0], &args[1]));
}

static int call_contains_all(struct evaluation *ev, const struct cedar_expr *e,
			     const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want_both(ev, e, args, CEDAR_SET);

	return r < 0 ? r : give_bool(ret, value_set_contains_all(&args[0], &args[1]));
}

static int call_contains_any(struct evaluation *ev, const struct cedar_expr *e,
			     const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want_both(ev, e, args, CEDAR_SET);

	return r < 0 ? r : give_bool(ret, value_set_contains_any(&args[0], &args[1]));
}

static int call_is_empty(struct evaluation *ev, const struct cedar_expr *e,
			 const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want(ev, e->items[0], &args[0], CEDAR_SET);

	return r < 0 ? r : give_bool(ret, args[0].set.len == 0);
}

/* *ret is NULL where there is no such tag. */
static int find_tag(struct evaluation *ev, const struct cedar_expr *e,
		    const struct cedar_value *args, const struct cedar_value **ret)
{
	const struct cedar_value *tags;
	int r = want(ev, e->items[0], &args[0], CEDAR_ENTITY);

	if (r == 0)
		r = want(ev, e->items[1], &args[1], CEDAR_STRING);
	if (r < 0)
		return r;
	tags = source_tags(ev->entities, args[0].uid);
	*ret = tags ? value_find(tags, args[1].string) : NULL;
	return 0;
}

static int call_has_tag(struct evaluation *ev, const struct cedar_expr *e,
			const struct cedar_value *args, struct cedar_value *ret)
{
	const struct cedar_value *tag;
	int r = find_tag(ev, e, args, &tag);

	return r < 0 ? r : give_bool(ret, tag != NULL);
}

static int call_get_tag(struct evaluation *ev, const struct cedar_expr *e,
			const struct cedar_value *args, struct cedar_value *ret)
{
	const struct cedar_value *tag;
	struct span type, id;
	int r = find_tag(ev, e, args, &tag);

	if (r < 0)
		return r;
	if (tag)
		return evaluation_give(ev, e, tag, ret);
	type = diagnostic_quote(args[0].uid.type);
	id = diagnostic_quote(args[0].uid.id);
	if (!source_attributes(ev->entities, args[0].uid))
		return evaluation_fail(ev, e, "missing_entity",
				       "entity `%.*s::\"%.*s\"` does not exist", SPAN_ARG(type),
				       SPAN_ARG(id));
	return evaluation_fail(ev, e, "missing_tag",
			       "`%.*s::\"%.*s\"` does not have the tag `%.*s`", SPAN_ARG(type),
			       SPAN_ARG(id), SPAN_ARG(diagnostic_quote(args[1].string)));
}

/* ---- Constructors ------------------------------------------------------- */

static int bad_text(struct evaluation *ev, const struct cedar_expr *e, struct span text)
{
	return evaluation_fail(ev, e, "extension", "`%.*s` is not a valid %.*s",
			       SPAN_ARG(diagnostic_quote(text)), SPAN_ARG(e->string));
}

static int call_ip(struct evaluation *ev, const struct cedar_expr *e,
		   const struct cedar_value *args, struct cedar_value *ret)
{
	struct cedar_ipaddr ip;
	int r = want(ev, e->items[0], &args[0], CEDAR_STRING);

	if (r < 0)
		return r;
	if (cedar_ipaddr_parse(args[0].string, &ip) < 0)
		return bad_text(ev, e, args[0].string);
	*ret = (struct cedar_value){ .kind = CEDAR_IPADDR, .ip = ip };
	return 0;
}

static int construct(struct evaluation *ev, const struct cedar_expr *e,
		     const struct cedar_value *arg, int (*parse)(struct span, int64_t *),
		     enum cedar_value_kind kind, struct cedar_value *ret)
{
	int64_t n;
	int r = want(ev, e->items[0], arg, CEDAR_STRING);

	if (r < 0)
		return r;
	if (parse(arg->string, &n) < 0)
		return bad_text(ev, e, arg->string);
	return give_integer(ret, kind, n);
}

static int call_decimal(struct evaluation *ev, const struct cedar_expr *e,
			const struct cedar_value *args, struct cedar_value *ret)
{
	return construct(ev, e, args, cedar_decimal_parse, CEDAR_DECIMAL, ret);
}

static int call_datetime(struct evaluation *ev, const struct cedar_expr *e,
			 const struct cedar_value *args, struct cedar_value *ret)
{
	return construct(ev, e, args, cedar_datetime_parse, CEDAR_DATETIME, ret);
}

static int call_duration(struct evaluation *ev, const struct cedar_expr *e,
			 const struct cedar_value *args, struct cedar_value *ret)
{
	return construct(ev, e, args, cedar_duration_parse, CEDAR_DURATION, ret);
}

/* ---- decimal ------------------------------------------------------------ */

static int call_less(struct evaluation *ev, const struct cedar_expr *e,
		     const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want_both(ev, e, args, CEDAR_DECIMAL);

	return r < 0 ? r : give_bool(ret, args[0].integer < args[1].integer);
}

static int call_less_equal(struct evaluation *ev, const struct cedar_expr *e,
			   const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want_both(ev, e, args, CEDAR_DECIMAL);

	return r < 0 ? r : give_bool(ret, args[0].integer <= args[1].integer);
}

static int call_greater(struct evaluation *ev, const struct cedar_expr *e,
			const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want_both(ev, e, args, CEDAR_DECIMAL);

	return r < 0 ? r : give_bool(ret, args[0].integer > args[1].integer);
}

static int call_greater_equal(struct evaluation *ev, const struct cedar_expr *e,
			      const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want_both(ev, e, args, CEDAR_DECIMAL);

	return r < 0 ? r : give_bool(ret, args[0].integer >= args[1].integer);
}

/* ---- ipaddr ------------------------------------------------------------- */

static int call_is_ipv4(struct evaluation *ev, const struct cedar_expr *e,
			const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want(ev, e->items[0], &args[0], CEDAR_IPADDR);

	return r < 0 ? r : give_bool(ret, !args[0].ip.is_v6);
}

static int call_is_ipv6(struct evaluation *ev, const struct cedar_expr *e,
			const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want(ev, e->items[0], &args[0], CEDAR_IPADDR);

	return r < 0 ? r : give_bool(ret, args[0].ip.is_v6);
}

static int call_is_loopback(struct evaluation *ev, const struct cedar_expr *e,
			    const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want(ev, e->items[0], &args[0], CEDAR_IPADDR);

	return r < 0 ? r : give_bool(ret, ipaddr_is_loopback(&args[0].ip));
}

static int call_is_multicast(struct evaluation *ev, const struct cedar_expr *e,
			     const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want(ev, e->items[0], &args[0], CEDAR_IPADDR);

	return r < 0 ? r : give_bool(ret, ipaddr_is_multicast(&args[0].ip));
}

static int call_is_in_range(struct evaluation *ev, const struct cedar_expr *e,
			    const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want_both(ev, e, args, CEDAR_IPADDR);

	return r < 0 ? r : give_bool(ret, ipaddr_is_in_range(&args[0].ip, &args[1].ip));
}

/* ---- datetime and duration ---------------------------------------------- */

static int call_offset(struct evaluation *ev, const struct cedar_expr *e,
		       const struct cedar_value *args, struct cedar_value *ret)
{
	int64_t n;
	int r = want(ev, e->items[0], &args[0], CEDAR_DATETIME);

	if (r == 0)
		r = want(ev, e->items[1], &args[1], CEDAR_DURATION);
	if (r < 0)
		return r;
	if (__builtin_add_overflow(args[0].integer, args[1].integer, &n))
		return evaluation_fail(ev, e, "overflow", "the datetime overflows");
	return give_integer(ret, CEDAR_DATETIME, n);
}

static int call_duration_since(struct evaluation *ev, const struct cedar_expr *e,
			       const struct cedar_value *args, struct cedar_value *ret)
{
	int64_t n;
	int r = want_both(ev, e, args, CEDAR_DATETIME);

	if (r < 0)
		return r;
	if (__builtin_sub_overflow(args[0].integer, args[1].integer, &n))
		return evaluation_fail(ev, e, "overflow", "the duration overflows");
	return give_integer(ret, CEDAR_DURATION, n);
}

/* Milliseconds since the day began, also before 1970. */
static int64_t time_of_day(int64_t ms)
{
	int64_t rest = ms % MS_PER_DAY;

	return rest < 0 ? rest + MS_PER_DAY : rest;
}

static int call_to_date(struct evaluation *ev, const struct cedar_expr *e,
			const struct cedar_value *args, struct cedar_value *ret)
{
	int64_t n;
	int r = want(ev, e->items[0], &args[0], CEDAR_DATETIME);

	if (r < 0)
		return r;
	if (__builtin_sub_overflow(args[0].integer, time_of_day(args[0].integer), &n))
		return evaluation_fail(ev, e, "overflow", "the date overflows");
	return give_integer(ret, CEDAR_DATETIME, n);
}

static int call_to_time(struct evaluation *ev, const struct cedar_expr *e,
			const struct cedar_value *args, struct cedar_value *ret)
{
	int r = want(ev, e->items[0], &args[0], CEDAR_DATETIME);

	return r < 0 ? r : give_integer(ret, CEDAR_DURATION, time_of_day(args[0].integer));
}

/* C's division truncates toward zero, as Cedar's conversions do. */
static int convert(struct evaluation *ev, const struct cedar_expr *e, const struct cedar_value *arg,
		   int64_t unit_ms, struct cedar_value *ret)
{
	int r = want(ev, e->items[0], arg, CEDAR_DURATION);

	return r < 0 ? r : give_integer(ret, CEDAR_LONG, arg->integer / unit_ms);
}

static int call_to_milliseconds(struct evaluation *ev, const struct cedar_expr *e,
				const struct cedar_value *args, struct cedar_value *ret)
{
	return convert(ev, e, args, 1, ret);
}

static int call_to_seconds(struct evaluation *ev, const struct cedar_expr *e,
			   const struct cedar_value *args, struct cedar_value *ret)
{
	return convert(ev, e, args, 1000, ret);
}

static int call_to_minutes(struct evaluation *ev, const struct cedar_expr *e,
			   const struct cedar_value *args, struct cedar_value *ret)
{
	return convert(ev, e, args, 60000, ret);
}

static int call_to_hours(struct evaluation *ev, const struct cedar_expr *e,
			 const struct cedar_value *args, struct cedar_value *ret)
{
	return convert(ev, e, args, 3600000, ret);
}

static int call_to_days(struct evaluation *ev, const struct cedar_expr *e,
			const struct cedar_value *args, struct cedar_value *ret)
{
	return convert(ev, e, args, MS_PER_DAY, ret);
}

#define BUILTIN(name_, n, fn)                                                                      \
	{                                                                                          \
		.name = (name_), .is_method = true, .is_builtin = true, .n_args = (n),             \
		.call = (fn)                                                                       \
	}
#define METHOD(name_, n, fn)                                                                       \
	{                                                                                          \
		.name = (name_), .is_method = true, .n_args = (n), .call = (fn)                    \
	}
#define FUNCTION(name_, fn)                                                                        \
	{                                                                                          \
		.name = (name_), .n_args = 1, .call = (fn)                                         \
	}

static const struct function functions[] = {
	BUILTIN("contains", 2, call_contains),
	BUILTIN("containsAll", 2, call_contains_all),
	BUILTIN("containsAny", 2, call_contains_any),
	BUILTIN("isEmpty", 1, call_is_empty),
	BUILTIN("hasTag", 2, call_has_tag),
	BUILTIN("getTag", 2, call_get_tag),
	FUNCTION("ip", call_ip),
	FUNCTION("decimal", call_decimal),
	FUNCTION("datetime", call_datetime),
	FUNCTION("duration", call_duration),
	METHOD("lessThan", 2, call_less),
	METHOD("lessThanOrEqual", 2, call_less_equal),
	METHOD("greaterThan", 2, call_greater),
	METHOD("greaterThanOrEqual", 2, call_greater_equal),
	METHOD("isIpv4", 1, call_is_ipv4),
	METHOD("isIpv6", 1, call_is_ipv6),
	METHOD("isLoopback", 1, call_is_loopback),
	METHOD("isMulticast", 1, call_is_multicast),
	METHOD("isInRange", 2, call_is_in_range),
	METHOD("offset", 2, call_offset),
	METHOD("durationSince", 2, call_duration_since),
	METHOD("toDate", 1, call_to_date),
	METHOD("toTime", 1, call_to_time),
	METHOD("toMilliseconds", 1, call_to_milliseconds),
	METHOD("toSeconds", 1, call_to_seconds),
	METHOD("toMinutes", 1, call_to_minutes),
	METHOD("toHours", 1, call_to_hours),
	METHOD("toDays", 1, call_to_days),
};

const struct function *function_find(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (span_eq_str(name, functions[i].name))
			return &functions[i];
	return NULL;
}

const struct function *function_at(size_t i)
{
	return i < ARRAY_SIZE(functions) ? &functions[i] : NULL;
}
