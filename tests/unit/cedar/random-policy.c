#include "random-policy.h"

#include <stdio.h>

uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

size_t random_below(struct random *r, size_t n)
{
	return random_next(r) % n;
}

bool random_chance(struct random *r, size_t percent)
{
	return random_below(r, 100) < percent;
}

#define PICK(r, array) ((array)[random_below((r), ARRAY_SIZE(array))])

/* ---- Names ---------------------------------------------------------------- */

static const char *const types[] = { "User", "Group", "Doc", "A::B", "Action", "File", "Dir" };
static const char *const ids[] = { "a", "b", "c", "d", "" };
static const char *const paths[] = { "/",	 "/usr",      "/usr/lib",     "/usr/lib/x.so",
				     "/usr/bin", "/home/u",   "/home/u/.ssh", "/home/u/.ssh/key",
				     "/missing", "/missing/f" };
/* By kind of value, so that expressions find what they want. */
static const char *const attributes[] = {
	[CEDAR_BOOL] = "b",	  [CEDAR_LONG] = "n",	 [CEDAR_STRING] = "s",
	[CEDAR_ENTITY] = "e",	  [CEDAR_SET] = "set",	 [CEDAR_RECORD] = "r",
	[CEDAR_DECIMAL] = "dec",  [CEDAR_IPADDR] = "ip", [CEDAR_DATETIME] = "dt",
	[CEDAR_DURATION] = "dur",
};
static const char *const strings[] = { "",	   "a",	  "b",	 "abc",	  "/usr/lib/x.so",
				       "10.0.0.1", "1.5", "12h", "aXbXc", "2024-02-29",
				       "*",	   "a*b" };
static const int64_t longs[] = { 0, 1, 2, -1, 7, 1000, INT64_MAX, INT64_MIN, INT64_MIN + 1 };

struct cedar_entity_uid random_uid(struct random *r)
{
	struct span type = span_of(PICK(r, types));
	bool is_path = span_eq(type, SPAN("File")) || span_eq(type, SPAN("Dir"));

	return (struct cedar_entity_uid){ type, span_of(is_path ? PICK(r, paths) : PICK(r, ids)) };
}

static enum cedar_value_kind random_kind(struct random *r)
{
	return (enum cedar_value_kind)random_below(r, CEDAR_DURATION + 1);
}

/* ---- Expressions ------------------------------------------------------------ */

static void expr(struct random *r, enum cedar_value_kind kind, size_t depth, struct buf *out);

/* Writes a text whose %b, %n ... are expressions of a kind. */
static void form(struct random *r, const char *text, size_t depth, struct buf *out)
{
	static const char letters[] = "bnseSRdipu";
	/* d: decimal, i: ipaddr, p: datetime (point), u: duration */
	static const enum cedar_value_kind kinds[] = {
		CEDAR_BOOL,   CEDAR_LONG,    CEDAR_STRING, CEDAR_ENTITY,   CEDAR_SET,
		CEDAR_RECORD, CEDAR_DECIMAL, CEDAR_IPADDR, CEDAR_DATETIME, CEDAR_DURATION,
	};

	for (; *text; text++) {
		if (*text != '%') {
			(void)buf_append_char(out, *text);
			continue;
		}
		text++;
		if (*text == '*')
			expr(r, random_kind(r), depth, out);
		else
			expr(r, kinds[strchr(letters, *text) - letters], depth, out);
	}
}

static void uid_text(struct random *r, struct buf *out)
{
	struct cedar_entity_uid uid = random_uid(r);

	(void)buf_printf(out, "%.*s::\"%.*s\"", SPAN_ARG(uid.type), SPAN_ARG(uid.id));
}

static void literal(struct random *r, enum cedar_value_kind kind, struct buf *out)
{
	static const char *const decimals[] = { "1.5", "0.0", "-1.25", "922337203685477.5807",
						"x" };
	static const char *const ips[] = { "10.0.0.1", "10.0.0.0/8", "127.0.0.1",
					   "::1",      "ff00::/8",   "1.2.3" };
	static const char *const dates[] = { "2024-02-29", "1969-12-31T23:59:59Z", "1970-01-01",
					     "2024-02-30" };
	static const char *const durations[] = {
		"1d", "-3h5m", "10ms", "9223372036854775807ms", "-9223372036854775808ms", "1x"
	};

	switch (kind) {
	case CEDAR_BOOL:
		(void)buf_append_str(out, random_chance(r, 50) ? "true" : "false");
		break;
	case CEDAR_LONG:
		(void)buf_printf(out, "(%lld)", (long long)PICK(r, longs));
		break;
	case CEDAR_STRING:
		(void)buf_printf(out, "\"%s\"", PICK(r, strings));
		break;
	case CEDAR_ENTITY:
		uid_text(r, out);
		break;
	case CEDAR_SET:
		(void)buf_append_str(out, random_chance(r, 50) ? "[1, 2]"
							       : "[User::\"a\", Dir::\"/usr\"]");
		break;
	case CEDAR_RECORD:
		(void)buf_append_str(out, random_chance(r, 50) ? "{n: 1, r: {s: \"a\"}}" : "{}");
		break;
	case CEDAR_DECIMAL:
		(void)buf_printf(out, "decimal(\"%s\")", PICK(r, decimals));
		break;
	case CEDAR_IPADDR:
		(void)buf_printf(out, "ip(\"%s\")", PICK(r, ips));
		break;
	case CEDAR_DATETIME:
		(void)buf_printf(out, "datetime(\"%s\")", PICK(r, dates));
		break;
	case CEDAR_DURATION:
		(void)buf_printf(out, "duration(\"%s\")", PICK(r, durations));
		break;
	case CEDAR_UNKNOWN:
		break; /* only data can be unknown */
	}
}

static void variable(struct random *r, enum cedar_value_kind kind, struct buf *out)
{
	static const char *const variables[] = { "principal", "resource", "context", "action" };

	if (kind == CEDAR_ENTITY && random_chance(r, 60))
		(void)buf_append_str(out, random_chance(r, 50) ? "principal" : "resource");
	else if (kind == CEDAR_RECORD && random_chance(r, 40))
		(void)buf_append_str(out, "context");
	else
		(void)buf_printf(out, "%s.%s", PICK(r, variables), attributes[kind]);
}

static void boolean(struct random *r, size_t depth, struct buf *out)
{
	static const char *const forms[] = {
		"(%b && %b)",
		"(%b || %b)",
		"(%b && %b)",
		"(%b || %b)",
		"!%b",
		"(if %b then %b else %b)",
		"(%* == %*)",
		"(%n == %n)",
		"(%e == %e)",
		"(%s == %s)",
		"(%* != %*)",
		"(%e != %e)",
		"(%n < %n)",
		"(%n <= %n)",
		"(%n > %n)",
		"(%p >= %p)",
		"(%u < %u)",
		"(%* < %*)",
		"(%e in %e)",
		"(%e in %S)",
		"(%e in [%e, %e, User::\"a\"])",
		"(%e in [User::\"a\", Group::\"b\", Dir::\"/usr\"])",
		"(%e in [Dir::\"/\", %*])",
		"(%* in %*)",
		"(%e is User)",
		"(%e is File in %e)",
		"(%e is Group in [%e])",
		"(%* is Doc)",
		"(principal is A::B in %S)",
		"(%e has n)",
		"(%R has r.s)",
		"(context has r.s)",
		"(principal has e.n)",
		"(resource has e.e.zz)",
		"(%* has s)",
		"(context has zz)",
		"(principal has \"odd key\")",
		"(%s like \"a*c\")",
		"(%s like \"/usr/*\")",
		"(%s like \"*\\*b\")",
		"(%* like \"*.so\")",
		"(resource.path like \"/usr/*\")",
		"%S.contains(%*)",
		"%S.containsAll(%S)",
		"%S.containsAny(%S)",
		"%S.isEmpty()",
		"[1, %n, %*].contains(%n)",
		"[\"a\", \"b\"].contains(%s)",
		"[%e, %e].contains(%e)",
		"%e.hasTag(%s)",
		"%d.lessThan(%d)",
		"%d.greaterThanOrEqual(%d)",
		"%d.greaterThan(%*)",
		"%d.lessThanOrEqual(%d)",
		"%i.isInRange(%i)",
		"%i.isLoopback()",
		"%i.isMulticast()",
		"%i.isIpv4()",
		"%*.isIpv6()",
		"principal.b.isEmpty()",
		"principal.hasTag(\"t\")",
	};

	form(r, PICK(r, forms), depth, out);
}

static void other(struct random *r, enum cedar_value_kind kind, size_t depth, struct buf *out)
{
	static const char *const forms[][6] = {
		[CEDAR_LONG] = { "(%n + %n)", "(%n - %n)", "(%n * %n)", "(-(%n))", "%u.toHours()",
				 "%u.toMilliseconds()" },
		[CEDAR_STRING] = { "%e.s", "%e.getTag(%s)", "%R.s", "%R[\"odd key\"]",
				   "principal.getTag(\"t\")", "resource.path" },
		[CEDAR_ENTITY] = { "%e.e", "%R.e", "%e.getTag(\"u\")", "principal.e", "resource.e",
				   "context.e" },
		[CEDAR_SET] = { "[%*, %*]", "[%n, %n, 1]", "[%e, %e]", "[]", "[[%n], {n: %n}]",
				"%e.set" },
		[CEDAR_RECORD] = { "{n: %n, s: %s, \"odd key\": %*}", "{e: %e, r: %R}", "%R.r",
				   "%e.r", "{s: %*, b: %b, a: %*}", "{r: context}" },
		[CEDAR_DECIMAL] = { "decimal(%s)", "%e.dec", "%R.dec", "context.dec",
				    "decimal(\"2.0\")", "decimal(%*)" },
		[CEDAR_IPADDR] = { "ip(%s)", "%e.ip", "context.ip", "ip(\"10.1.0.0/16\")", "%R.ip",
				   "ip(%*)" },
		[CEDAR_DATETIME] = { "%p.offset(%u)", "%p.toDate()", "datetime(%s)", "%e.dt",
				     "context.dt", "%*.offset(%u)" },
		[CEDAR_DURATION] = { "%p.durationSince(%p)", "%p.toTime()", "duration(%s)",
				     "%e.dur", "context.dur", "%p.durationSince(%*)" },
	};

	form(r, forms[kind][random_below(r, 6)], depth, out);
}

static void expr(struct random *r, enum cedar_value_kind kind, size_t depth, struct buf *out)
{
	size_t dice = random_below(r, 100);

	if (dice < 6)
		kind = random_kind(r);
	if (depth == 0 || out->len > 20000 || dice > 75) {
		if (dice % 2)
			literal(r, kind, out);
		else
			variable(r, kind, out);
	} else if (kind == CEDAR_BOOL) {
		boolean(r, depth - 1, out);
	} else if (dice < 10) {
		(void)buf_append_str(out, "(if ");
		expr(r, CEDAR_BOOL, depth - 1, out);
		(void)buf_append_str(out, " then ");
		expr(r, kind, depth - 1, out);
		(void)buf_append_str(out, " else ");
		expr(r, kind, depth - 1, out);
		(void)buf_append_str(out, ")");
	} else {
		other(r, kind, depth - 1, out);
	}
}

/* ---- Policies ------------------------------------------------------------------ */

static void scope(struct random *r, const char *variable_name, struct buf *out)
{
	bool is_action = *variable_name == 'a';

	(void)buf_append_str(out, variable_name);
	if (random_chance(r, 50))
		return;
	if (is_action && random_chance(r, 5)) {
		(void)buf_append_str(out, " in []");
		return;
	}
	switch (random_below(r, is_action ? 4 : 6)) {
	case 1:
		(void)buf_append_str(out, " == ");
		break;
	case 2:
		(void)buf_append_str(out, " in ");
		break;
	case 3:
		if (!is_action) {
			(void)buf_printf(out, " is %s in ", PICK(r, types));
			break;
		}
		/* A list of none is in no set of policies by uid, and matches nothing. */
		if (random_below(r, 4) == 0)
			(void)buf_append_str(out, " in []");
		else
			(void)buf_printf(out, " in [Action::\"%s\", Action::\"%s\"]", PICK(r, ids),
					 PICK(r, ids));
		return;
	case 4:
		(void)buf_printf(out, " is %s", PICK(r, types));
		return;
	default:
		return;
	}
	if (is_action)
		(void)buf_printf(out, "Action::\"%s\"", PICK(r, ids));
	else
		uid_text(r, out);
}

static void policy(struct random *r, struct buf *out)
{
	(void)buf_append_str(out, random_chance(r, 35) ? "forbid(" : "permit(");
	scope(r, "principal", out);
	(void)buf_append_str(out, ", ");
	scope(r, "action", out);
	(void)buf_append_str(out, ", ");
	scope(r, "resource", out);
	(void)buf_append_str(out, ")");
	for (size_t n = random_below(r, 3); n > 0; n--) {
		(void)buf_append_str(out, random_chance(r, 70) ? " when { " : " unless { ");
		expr(r, CEDAR_BOOL, 1 + random_below(r, 4), out);
		(void)buf_append_str(out, " }");
	}
	(void)buf_append_str(out, ";\n");
}

void random_policies(struct random *r, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		policy(r, out);
}

/* ---- Values --------------------------------------------------------------------- */

static const struct cedar_value *value(struct random *r, enum cedar_value_kind kind, size_t depth,
				       struct arena *a);

static const struct cedar_value *record(struct random *r, size_t depth, struct arena *a)
{
	struct cedar_record_entry entries[ARRAY_SIZE(attributes) + 2];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		enum cedar_value_kind kind = (enum cedar_value_kind)i;

		if (random_chance(r, 25))
			continue;
		if (random_chance(r, 10))
			kind = random_kind(r);
		if (random_chance(r, 2))
			kind = CEDAR_UNKNOWN;
		entries[n].key = span_of(attributes[i]);
		entries[n++].value = value(r, kind, depth, a);
	}
	if (random_chance(r, 30))
		entries[n++] = (struct cedar_record_entry){ SPAN("odd key"),
							    value(r, CEDAR_STRING, 0, a) };
	return cedar_value_record(a, entries, n);
}

static const struct cedar_value *set(struct random *r, size_t depth, struct arena *a)
{
	const struct cedar_value *items[4];
	size_t n = random_below(r, ARRAY_SIZE(items));
	enum cedar_value_kind kind = random_chance(r, 50) ? CEDAR_ENTITY : random_kind(r);

	for (size_t i = 0; i < n; i++)
		items[i] = value(r, random_chance(r, 5) ? random_kind(r) : kind, depth, a);
	return cedar_value_set(a, items, n);
}

static const struct cedar_value *ip_value(struct random *r, struct arena *a)
{
	struct cedar_ipaddr ip = { .bytes = { 10, 0, 0, 1 }, .prefix = 32 };

	if (random_chance(r, 30))
		ip.bytes[0] = 127;
	if (random_chance(r, 30))
		ip = (struct cedar_ipaddr){ .bytes[15] = 1, .prefix = 128, .is_v6 = true };
	return cedar_value_ip(a, ip);
}

static const struct cedar_value *unknown(struct arena *a)
{
	struct cedar_value *v = arena_new(a, struct cedar_value);

	*v = (struct cedar_value){ .kind = CEDAR_UNKNOWN, .string = SPAN("u") };
	return v;
}

static const struct cedar_value *value(struct random *r, enum cedar_value_kind kind, size_t depth,
				       struct arena *a)
{
	switch (kind) {
	case CEDAR_BOOL:
		return cedar_value_bool(a, random_chance(r, 50));
	case CEDAR_LONG:
		return cedar_value_long(a, PICK(r, longs));
	case CEDAR_STRING:
		return cedar_value_string(a, span_of(PICK(r, strings)));
	case CEDAR_ENTITY:
		return cedar_value_entity(a, random_uid(r));
	case CEDAR_SET:
		return depth ? set(r, depth - 1, a) : cedar_value_set(a, NULL, 0);
	case CEDAR_RECORD:
		return depth ? record(r, depth - 1, a) : cedar_value_record(a, NULL, 0);
	case CEDAR_DECIMAL:
		return cedar_value_decimal(a, PICK(r, longs));
	case CEDAR_IPADDR:
		return ip_value(r, a);
	case CEDAR_DATETIME:
		return cedar_value_datetime(a, PICK(r, longs));
	case CEDAR_UNKNOWN:
		return unknown(a);
	case CEDAR_DURATION:
		break;
	}
	return cedar_value_duration(a, PICK(r, longs));
}

/* ---- Entities and requests ------------------------------------------------------- */

static const struct cedar_value *tags(struct random *r, struct arena *a)
{
	const struct cedar_record_entry entries[] = {
		{ SPAN("t"), value(r, CEDAR_STRING, 0, a) },
		{ SPAN("u"), value(r, CEDAR_ENTITY, 0, a) },
	};

	return cedar_value_record(a, entries, random_below(r, 3));
}

/* Parents come later in the order of all uids, so there is no cycle. */
static void add(struct random *r, struct cedar_entities *e, size_t type, size_t id)
{
	struct arena *a = cedar_entities_arena(e);
	struct cedar_entity_uid uid = { span_of(types[type]), span_of(ids[id]) };
	struct cedar_entity_uid parents[3];
	size_t n = random_below(r, ARRAY_SIZE(parents) + 1);
	struct err err;

	for (size_t i = 0; i < n; i++) {
		size_t parent = id + 1 + random_below(r, ARRAY_SIZE(ids));
		size_t parent_type = random_below(r, 5);

		parents[i] = random_uid(r);
		if (parent >= ARRAY_SIZE(ids) || span_eq(parents[i].type, SPAN("File"))) {
			n = i;
			break;
		}
		if (!span_eq(parents[i].type, SPAN("Dir")))
			parents[i] = (struct cedar_entity_uid){ span_of(types[parent_type]),
								span_of(ids[parent]) };
	}
	if (cedar_entities_add(e, uid, record(r, 2, a), random_chance(r, 50) ? tags(r, a) : NULL,
			       parents, n, &err) < 0)
		(void)printf("# an entity cannot be added: %s\n", err.text);
}

struct cedar_entities *random_entities(struct random *r)
{
	struct cedar_entities *e = cedar_entities_new();
	struct err err;

	for (size_t type = 0; type < 5; type++)
		for (size_t id = 0; id < ARRAY_SIZE(ids); id++)
			if (random_chance(r, 70))
				add(r, e, type, id);
	if (cedar_entities_close(e, &err) < 0)
		(void)printf("# the entities cannot be closed: %s\n", err.text);
	return e;
}

struct cedar_request random_request(struct random *r, struct arena *arena)
{
	struct cedar_request q = { .principal = random_uid(r), .resource = random_uid(r) };

	q.action = (struct cedar_entity_uid){ SPAN("Action"), span_of(PICK(r, ids)) };
	if (random_chance(r, 5))
		q.action = random_uid(r);
	if (random_chance(r, 5))
		q.principal.id = SPAN("nobody knows");
	q.context = record(r, 2, arena);
	return q;
}
