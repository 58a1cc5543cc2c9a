/* The functions and methods, as function.c has them for the tree evaluator. */
#include <errno.h>

#include "cedar/ipaddr.h"
#include "cedar/value-private.h"
#include "cedar/vm-private.h"

#define MS_PER_DAY INT64_C(86400000)

static int want(struct cedar_machine *m, const struct vm_value *x, enum cedar_value_kind kind)
{
	return x->kind == kind ? 0 : vm_fail(m, VM_TYPE, PART_FIRST);
}

static int want_both(struct cedar_machine *m, const struct vm_value *x,
		     enum cedar_value_kind x_kind, const struct vm_value *y,
		     enum cedar_value_kind y_kind)
{
	if (x->kind != x_kind)
		return vm_fail(m, VM_TYPE, PART_FIRST);
	return y->kind == y_kind ? 0 : vm_fail(m, VM_TYPE, PART_SECOND);
}

static int put_integer(struct cedar_machine *m, const struct vm_insn *in,
		       enum cedar_value_kind kind, int64_t n)
{
	m->registers[in->dst] =
		(struct vm_value){ .kind = (uint8_t)kind, .ref = SYMBOL_NONE, .integer = n };
	return 1;
}

/* ---- Sets and tags --------------------------------------------------------- */

static int call_set(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x,
		    const struct vm_value *y)
{
	if (want(m, x, CEDAR_SET) < 0)
		return -1;
	if (in->op == OP_IS_EMPTY)
		return x->value->set.len == 0;
	if (in->op == OP_CONTAINS)
		return vm_contains(m, x, y);
	if (want_both(m, x, CEDAR_SET, y, CEDAR_SET) < 0)
		return -1;
	if (in->op == OP_CONTAINS_ALL)
		return value_set_contains_all(x->value, y->value);
	return value_set_contains_any(x->value, y->value);
}

static int call_tag(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x,
		    const struct vm_value *y)
{
	struct vm_value tag;
	int r;

	if (want_both(m, x, CEDAR_ENTITY, y, CEDAR_STRING) < 0)
		return -1;
	r = vm_find_tag(m, x, y->value->string, &tag);
	if (r < 0 || in->op == OP_HAS_TAG)
		return r;
	if (r == 0)
		return vm_fail(m, tag.kind == VM_ABSENT ? VM_MISSING_TAG : VM_MISSING_ENTITY,
			       PART_SELF);
	m->registers[in->dst] = tag;
	return vm_check_known(m, &tag);
}

/* ---- Constructors ---------------------------------------------------------- */

static int call_ip(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x)
{
	struct cedar_ipaddr ip;
	struct cedar_value *v;

	if (want(m, x, CEDAR_STRING) < 0)
		return -1;
	if (cedar_ipaddr_parse(x->value->string, &ip) < 0)
		return vm_fail(m, VM_EXTENSION, PART_SELF);
	v = memory_alloc(&m->memory, 1, sizeof(*v));
	if (!v)
		return VM_NO_MEMORY;
	*v = (struct cedar_value){ .kind = CEDAR_IPADDR, .ip = ip };
	m->registers[in->dst] =
		(struct vm_value){ .kind = CEDAR_IPADDR, .ref = SYMBOL_NONE, .value = v };
	return 1;
}

static int construct(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x,
		     int (*parse)(struct span, int64_t *), enum cedar_value_kind kind)
{
	int64_t n;

	if (want(m, x, CEDAR_STRING) < 0)
		return -1;
	if (parse(x->value->string, &n) < 0)
		return vm_fail(m, VM_EXTENSION, PART_SELF);
	return put_integer(m, in, kind, n);
}

/* ---- decimal and ipaddr ------------------------------------------------------ */

static int call_order(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x,
		      const struct vm_value *y)
{
	if (want_both(m, x, CEDAR_DECIMAL, y, CEDAR_DECIMAL) < 0)
		return -1;
	if (in->op == OP_LESS)
		return x->integer < y->integer;
	if (in->op == OP_LESS_EQUAL)
		return x->integer <= y->integer;
	if (in->op == OP_GREATER)
		return x->integer > y->integer;
	return x->integer >= y->integer;
}

static int call_address(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x,
			const struct vm_value *y)
{
	if (want(m, x, CEDAR_IPADDR) < 0)
		return -1;
	if (in->op == OP_IS_IPV4)
		return !x->value->ip.is_v6;
	if (in->op == OP_IS_IPV6)
		return x->value->ip.is_v6;
	if (in->op == OP_IS_LOOPBACK)
		return ipaddr_is_loopback(&x->value->ip);
	if (in->op == OP_IS_MULTICAST)
		return ipaddr_is_multicast(&x->value->ip);
	if (want_both(m, x, CEDAR_IPADDR, y, CEDAR_IPADDR) < 0)
		return -1;
	return ipaddr_is_in_range(&x->value->ip, &y->value->ip);
}

/* ---- datetime and duration ---------------------------------------------------- */

/* Milliseconds since the day began, also before 1970. */
static int64_t time_of_day(int64_t ms)
{
	int64_t rest = ms % MS_PER_DAY;

	return rest < 0 ? rest + MS_PER_DAY : rest;
}

static int call_datetime(struct cedar_machine *m, const struct vm_insn *in,
			 const struct vm_value *x, const struct vm_value *y)
{
	enum cedar_value_kind kind = in->op == OP_DURATION_SINCE ? CEDAR_DURATION : CEDAR_DATETIME;
	bool overflows;
	int64_t n;

	if (want(m, x, CEDAR_DATETIME) < 0)
		return -1;
	if (in->op == OP_TO_TIME)
		return put_integer(m, in, CEDAR_DURATION, time_of_day(x->integer));
	if (in->op == OP_TO_DATE) {
		overflows = __builtin_sub_overflow(x->integer, time_of_day(x->integer), &n);
	} else if (in->op == OP_OFFSET) {
		if (want_both(m, x, CEDAR_DATETIME, y, CEDAR_DURATION) < 0)
			return -1;
		overflows = __builtin_add_overflow(x->integer, y->integer, &n);
	} else {
		if (want_both(m, x, CEDAR_DATETIME, y, CEDAR_DATETIME) < 0)
			return -1;
		overflows = __builtin_sub_overflow(x->integer, y->integer, &n);
	}
	return overflows ? vm_fail(m, VM_OVERFLOW, PART_SELF) : put_integer(m, in, kind, n);
}

/* C's division truncates toward zero, as Cedar's conversions do. */
static int call_convert(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x,
			int64_t unit_ms)
{
	if (want(m, x, CEDAR_DURATION) < 0)
		return -1;
	return put_integer(m, in, CEDAR_LONG, x->integer / unit_ms);
}

int vm_call(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x,
	    const struct vm_value *y)
{
	switch (in->op) {
	case OP_CONTAINS:
	case OP_CONTAINS_ALL:
	case OP_CONTAINS_ANY:
	case OP_IS_EMPTY:
		return call_set(m, in, x, y);
	case OP_HAS_TAG:
	case OP_GET_TAG:
		return call_tag(m, in, x, y);
	case OP_LESS:
	case OP_LESS_EQUAL:
	case OP_GREATER:
	case OP_GREATER_EQUAL:
		return call_order(m, in, x, y);
	case OP_IS_IPV4:
	case OP_IS_IPV6:
	case OP_IS_LOOPBACK:
	case OP_IS_MULTICAST:
	case OP_IS_IN_RANGE:
		return call_address(m, in, x, y);
	case OP_IP:
		return call_ip(m, in, x);
	case OP_DECIMAL:
		return construct(m, in, x, cedar_decimal_parse, CEDAR_DECIMAL);
	case OP_DATETIME:
		return construct(m, in, x, cedar_datetime_parse, CEDAR_DATETIME);
	case OP_DURATION:
		return construct(m, in, x, cedar_duration_parse, CEDAR_DURATION);
	case OP_OFFSET:
	case OP_DURATION_SINCE:
	case OP_TO_DATE:
	case OP_TO_TIME:
		return call_datetime(m, in, x, y);
	case OP_TO_MILLISECONDS:
		return call_convert(m, in, x, 1);
	case OP_TO_SECONDS:
		return call_convert(m, in, x, 1000);
	case OP_TO_MINUTES:
		return call_convert(m, in, x, 60000);
	case OP_TO_HOURS:
		return call_convert(m, in, x, 3600000);
	case OP_TO_DAYS:
		return call_convert(m, in, x, MS_PER_DAY);
	default:
		/* No such operation is made; if it were, it should not count as a skipped policy.
		 */
		return VM_NO_MEMORY;
	}
}
