/* Comparisons and methods on facts, as tests that tables answer. */
#include "policy/host.h"
#include "policy/image-compile.h"

static bool is_ordered(const struct operand *o)
{
	if (o->kind == OPERAND_KNOWN)
		return o->value->kind == CEDAR_LONG || o->value->kind == CEDAR_DATETIME ||
		       o->value->kind == CEDAR_DURATION;
	return o->kind == OPERAND_PORT || o->kind == OPERAND_NOW || o->kind == OPERAND_TIME;
}

static enum cedar_value_kind ordered_kind(const struct operand *o)
{
	if (o->kind == OPERAND_KNOWN)
		return o->value->kind;
	if (o->kind == OPERAND_PORT)
		return CEDAR_LONG;
	return o->kind == OPERAND_NOW ? CEDAR_DATETIME : CEDAR_DURATION;
}

/* ---- The clock ------------------------------------------------------------------------ */

static struct rails check(struct compiler *c, enum image_check_kind kind, int64_t number)
{
	const uint32_t kind_number = kind;
	char text[sizeof(kind_number) + sizeof(number)];
	struct test_list list = { 0 };

	memcpy(text, &kind_number, sizeof(kind_number));
	memcpy(text + sizeof(kind_number), &number, sizeof(number));
	add_text_test(c, &list, TEST_CHECK, IMAGE_NO_SUBJECT, span_make(text, sizeof(text)),
		      ANY_PORT);
	return rails_of_tests(c, &list, 0);
}

static struct rails clock_before(struct compiler *c, const struct operand *o, int64_t number)
{
	return check(c, o->kind == OPERAND_NOW ? IMAGE_NOW_BEFORE : IMAGE_TIME_BEFORE, number);
}

static struct rails clock_not_after(struct compiler *c, const struct operand *o, int64_t number)
{
	return check(c, o->kind == OPERAND_NOW ? IMAGE_NOW_NOT_AFTER : IMAGE_TIME_NOT_AFTER,
		     number);
}

/* ---- == -------------------------------------------------------------------------------- */

static bool add_equal_port(struct compiler *c, struct test_list *list, const struct cedar_value *v)
{
	if (v->kind == CEDAR_LONG)
		add_ports(c, list, v->integer, v->integer);
	return true;
}

/* A request's address is one address: no literal with a shorter prefix equals it. */
static bool add_equal_ip(struct compiler *c, struct test_list *list, const struct cedar_value *v)
{
	struct policy_address a = { 0 };

	if (v->kind != CEDAR_IPADDR || v->ip.prefix != (v->ip.is_v6 ? 128 : 32))
		return true;
	memcpy(a.bytes, v->ip.bytes, v->ip.is_v6 ? 16 : 4);
	a.is_v6 = v->ip.is_v6;
	add_address(c, list, &a, v->ip.prefix, ANY_PORT);
	return true;
}

/* Adds what makes the operand equal the value; false where that is no list of tests. */
static bool add_equal(struct compiler *c, struct test_list *list, const struct operand *o,
		      const struct cedar_value *v)
{
	if (o->kind == OPERAND_PORT)
		return add_equal_port(c, list, v);
	if (o->kind == OPERAND_IP)
		return add_equal_ip(c, list, v);
	if (o->kind != OPERAND_STRING)
		return false;
	if (v->kind == CEDAR_STRING)
		add_text_test(c, list, TEST_EQUAL, o->subject, v->string, ANY_PORT);
	return true;
}

static struct rails clock_equality(struct compiler *c, const struct operand *o,
				   const struct cedar_value *v)
{
	if (v->kind != ordered_kind(o))
		return rails_known(&c->formula, false);
	return rails_and(&c->formula, clock_not_after(c, o, v->integer),
			 rails_not(clock_before(c, o, v->integer)));
}

static struct rails bool_equality(struct compiler *c, const struct operand *o,
				  const struct cedar_value *v)
{
	struct rails r = o->rails;

	if (v->kind == CEDAR_BOOL)
		return v->boolean ? r : rails_not(r);
	r.is_false = cover_or(&c->formula, r.is_true, r.is_false);
	r.is_true = cover_never();
	return r;
}

struct rails equality(struct compiler *c, const struct cedar_expr *e, const struct operand *a,
		      const struct operand *b)
{
	const struct operand *o = a->kind == OPERAND_KNOWN ? b : a;
	const struct operand *known = a->kind == OPERAND_KNOWN ? a : b;
	struct test_list list = { 0 };

	if (known->kind != OPERAND_KNOWN || o->kind == OPERAND_KNOWN)
		return maybe(c, e);
	if (o->kind == OPERAND_NOW || o->kind == OPERAND_TIME)
		return clock_equality(c, o, known->value);
	if (o->kind == OPERAND_BOOL)
		return bool_equality(c, o, known->value);
	if (o->kind == OPERAND_RESOURCE)
		return known->value->kind == CEDAR_ENTITY
			       ? resource_equals(c, known->value->uid)
			       : rails_known(&c->formula, false);
	if (!add_equal(c, &list, o, known->value))
		return maybe(c, e);
	return rails_of_tests(c, &list, o->definer);
}

/* ---- < <= > >= ---------------------------------------------------------------------------- */

/* o < number, or o <= number */
static struct rails is_below(struct compiler *c, const struct operand *o, int64_t number,
			     bool or_equal)
{
	struct test_list list = { 0 };

	if (o->kind != OPERAND_PORT)
		return or_equal ? clock_not_after(c, o, number) : clock_before(c, o, number);
	if (number > INT64_MIN || or_equal)
		add_ports(c, &list, 0, or_equal ? number : number - 1);
	return rails_of_tests(c, &list, o->definer);
}

struct rails ordering(struct compiler *c, const struct cedar_expr *e, const struct operand *a,
		      const struct operand *b)
{
	bool is_swapped = a->kind == OPERAND_KNOWN;
	const struct operand *o = is_swapped ? b : a;
	const struct operand *known = is_swapped ? a : b;
	bool is_less = e->kind == CEDAR_EXPR_LT || e->kind == CEDAR_EXPR_LE;
	bool or_equal = e->kind == CEDAR_EXPR_LE || e->kind == CEDAR_EXPR_GE;

	if (!is_ordered(a) || !is_ordered(b) || ordered_kind(a) != ordered_kind(b))
		return rails_error(&c->formula);
	if (known->kind != OPERAND_KNOWN || o->kind == OPERAND_KNOWN)
		return maybe(c, e);
	/* x > n is !(x <= n), n <= x is !(x < n). */
	if (is_less != is_swapped)
		return is_below(c, o, known->value->integer, or_equal);
	return rails_not(is_below(c, o, known->value->integer, !or_equal));
}

/* ---- Methods --------------------------------------------------------------------------------- */

static struct rails ip_range(struct compiler *c, const struct operand *o, bool is_v6,
			     const unsigned char *bytes, unsigned int prefix)
{
	struct policy_address a = { .is_v6 = is_v6 };
	struct test_list list = { 0 };

	memcpy(a.bytes, bytes, is_v6 ? 16 : 4);
	add_address(c, &list, &a, prefix, ANY_PORT);
	return rails_of_tests(c, &list, o->definer);
}

static struct rails ip_method(struct compiler *c, const struct cedar_expr *e,
			      const struct operand *o)
{
	static const unsigned char none[16], v4_loopback[16] = { 127 }, v4_multicast[16] = { 224 };
	static const unsigned char v6_loopback[16] = { [15] = 1 }, v6_multicast[16] = { 0xff };
	struct operand range;

	if (span_eq(e->string, SPAN("isIpv4")))
		return ip_range(c, o, false, none, 0);
	if (span_eq(e->string, SPAN("isIpv6")))
		return ip_range(c, o, true, none, 0);
	if (span_eq(e->string, SPAN("isLoopback")))
		return rails_or(&c->formula, ip_range(c, o, false, v4_loopback, 8),
				ip_range(c, o, true, v6_loopback, 128));
	if (span_eq(e->string, SPAN("isMulticast")))
		return rails_or(&c->formula, ip_range(c, o, false, v4_multicast, 4),
				ip_range(c, o, true, v6_multicast, 8));
	if (!span_eq(e->string, SPAN("isInRange")) || e->n_items != 2)
		return maybe(c, e);
	range = operand_of(c, e->items[1]);
	if (range.kind != OPERAND_KNOWN)
		return maybe(c, e);
	if (range.value->kind != CEDAR_IPADDR)
		return rails_error(&c->formula);
	return ip_range(c, o, range.value->ip.is_v6, range.value->ip.bytes,
			range.value->ip.prefix);
}

static struct rails holds_any(struct compiler *c, const struct cedar_expr *e,
			      const struct operand *set, const struct operand *o)
{
	struct test_list list = { 0 };
	struct rails r = rails_known(&c->formula, false);

	if (set->value->kind != CEDAR_SET)
		return rails_error(&c->formula);
	for (size_t i = 0; i < set->value->set.len; i++) {
		const struct cedar_value *v = set->value->set.items[i];

		if (o->kind == OPERAND_RESOURCE && v->kind == CEDAR_ENTITY)
			r = rails_or(&c->formula, r, resource_equals(c, v->uid));
		else if (o->kind != OPERAND_RESOURCE && !add_equal(c, &list, o, v))
			return maybe(c, e);
	}
	return o->kind == OPERAND_RESOURCE ? r : rails_of_tests(c, &list, o->definer);
}

static struct rails element(struct compiler *c, const struct operand *strings,
			    const struct cedar_value *v)
{
	struct test_list list = { 0 };

	if (v->kind == CEDAR_STRING)
		add_text_test(c, &list, TEST_EQUAL, strings->subject, v->string, ANY_PORT);
	return rails_of_tests(c, &list, 0);
}

/* context.argv.contains("x"), containsAny(["x", "y"]), containsAll(...) */
static struct rails strings_method(struct compiler *c, const struct cedar_expr *e,
				   const struct operand *strings)
{
	bool is_all = span_eq(e->string, SPAN("containsAll"));
	struct rails r = rails_known(&c->formula, is_all);
	struct operand arg;

	if (e->n_items != 2)
		return maybe(c, e);
	arg = operand_of(c, e->items[1]);
	if (arg.kind == OPERAND_ERROR)
		return rails_error(&c->formula);
	if (arg.kind != OPERAND_KNOWN)
		return maybe(c, e);
	if (span_eq(e->string, SPAN("contains")))
		return element(c, strings, arg.value);
	if (!is_all && !span_eq(e->string, SPAN("containsAny")))
		return maybe(c, e);
	if (arg.value->kind != CEDAR_SET)
		return rails_error(&c->formula);
	for (size_t i = 0; i < arg.value->set.len; i++) {
		struct rails one = element(c, strings, arg.value->set.items[i]);

		r = is_all ? rails_and(&c->formula, r, one) : rails_or(&c->formula, r, one);
	}
	return r;
}

struct rails method(struct compiler *c, const struct cedar_expr *e)
{
	struct operand receiver, arg;

	if (!e->is_method || e->n_items == 0)
		return maybe(c, e);
	receiver = operand_of(c, e->items[0]);
	if (receiver.kind == OPERAND_IP)
		return ip_method(c, e, &receiver);
	if (receiver.kind == OPERAND_STRINGS)
		return strings_method(c, e, &receiver);
	if (receiver.kind != OPERAND_KNOWN || e->n_items != 2 ||
	    !span_eq(e->string, SPAN("contains")))
		return maybe(c, e);
	arg = operand_of(c, e->items[1]);
	if (arg.kind == OPERAND_ERROR)
		return rails_error(&c->formula);
	if (arg.kind != OPERAND_STRING && arg.kind != OPERAND_PORT && arg.kind != OPERAND_IP &&
	    arg.kind != OPERAND_RESOURCE)
		return maybe(c, e);
	return holds_any(c, e, &receiver, &arg);
}

/* ---- like --------------------------------------------------------------------------------------- */

/* A byte (1: a wildcard goes before) and a length before each piece; an empty last one after a final wildcard. */
static void encode_pieces(const struct cedar_expr *e, struct buf *out)
{
	bool is_floating = false;

	for (size_t i = 0; i < e->n_pattern; i++) {
		const struct cedar_pattern_piece *piece = &e->pattern[i];
		const uint32_t len = (uint32_t)piece->literal.len;

		if (piece->is_wildcard || len == 0) {
			is_floating |= piece->is_wildcard;
			continue;
		}
		(void)buf_append_char(out, (char)is_floating);
		(void)buf_append(out, &len, sizeof(len));
		(void)buf_append_span(out, piece->literal);
		is_floating = false;
	}
	if (is_floating)
		(void)buf_append(out, (const char[5]){ 1 }, 5);
}

struct shape {
	size_t n_literals, n_wildcards; /* runs of wildcards count once */
	bool is_first_wild, is_last_wild;
	struct span literal; /* the last */
};

static struct shape shape_of(const struct cedar_expr *e)
{
	struct shape s = { 0 };

	for (size_t i = 0; i < e->n_pattern; i++) {
		const struct cedar_pattern_piece *piece = &e->pattern[i];

		if (!piece->is_wildcard && piece->literal.len == 0)
			continue;
		if (piece->is_wildcard) {
			s.is_first_wild |= s.n_literals == 0;
			s.n_wildcards += !s.is_last_wild;
		} else {
			s.literal = piece->literal;
			s.n_literals++;
		}
		s.is_last_wild = piece->is_wildcard;
	}
	return s;
}

struct rails like(struct compiler *c, const struct cedar_expr *e, const struct operand *o)
{
	_cleanup_buf_ struct buf pieces = BUF_INIT(0);
	struct test_list list = { 0 };
	struct shape s = shape_of(e);
	enum test_kind kind = TEST_PATTERN;

	if (o->kind == OPERAND_KNOWN)
		return maybe(c, e);
	if (o->kind != OPERAND_STRING)
		return rails_error(&c->formula);
	if (s.n_literals == 0 && s.n_wildcards) {
		list.is_always = true;
		return rails_of_tests(c, &list, o->definer);
	}
	if (s.n_wildcards == 0 && s.n_literals > 1)
		return maybe(c, e);
	if (s.n_wildcards == 0)
		kind = TEST_EQUAL;
	else if (s.n_literals == 1 && s.is_first_wild && s.is_last_wild)
		kind = TEST_SEGMENT;
	else if (s.n_literals == 1)
		kind = s.is_first_wild ? TEST_SUFFIX : TEST_PREFIX;
	encode_pieces(e, &pieces);
	add_text_test(c, &list, kind, o->subject, kind == TEST_PATTERN ? buf_span(&pieces) : s.literal,
		      ANY_PORT);
	return rails_of_tests(c, &list, o->definer);
}
