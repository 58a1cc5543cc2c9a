/*
 * The table of system calls and the program made from it.
 */
#include "../unit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "supervise/supervise.h"
#include "supervise/syscalls.h"

/* What the program says about a call, by the rules of classic BPF. */
static uint32_t evaluate(const struct sock_fprog *p, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < p->len; pc++) {
		const struct sock_filter *i = &p->filter[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k <= sizeof(*data) - 4);
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("instruction %u", i->code);
		}
	}
	fail_msg("ran off the end");
	return 0;
}

static void make(struct sock_fprog *p)
{
	unsigned int flags;

	assert_int_equal(supervise_filter(p, &flags, NULL), 0);
	assert_true(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static uint32_t native_arch(const struct sock_fprog *p)
{
	return p->filter[1].k;
}

static uint32_t wanted(const struct syscall_row *row)
{
	if (row->class == SYSCALL_ALLOWED)
		return SECCOMP_RET_ALLOW;
	if (row->class == SYSCALL_GOVERNED || row->class == SYSCALL_REPORTED)
		return SECCOMP_RET_USER_NOTIF;
	return SECCOMP_RET_ERRNO | (uint32_t)row->error;
}

/* Every number from -1 up: the row's answer, or ENOSYS where there is no row. */
static void test_every_number(void **state)
{
	struct sock_fprog p;

	(void)state;
	make(&p);
	for (int n = -1; n < 2000; n++) {
		struct seccomp_data data = { .nr = n, .arch = native_arch(&p) };
		const struct syscall_row *row = syscall_find(n);
		uint32_t action = evaluate(&p, &data);

		if (!row)
			assert_int_equal(action, SECCOMP_RET_ERRNO | 38);
		else if (row->class != SYSCALL_CHECKED)
			assert_int_equal(action, wanted(row));
		data.arch = native_arch(&p) ^ 0x80000000U;
		assert_int_equal(evaluate(&p, &data), SECCOMP_RET_ERRNO | 38);
		data.arch = native_arch(&p);
		data.nr = n | 0x40000000;
		if (n >= 0)
			assert_int_equal(evaluate(&p, &data), SECCOMP_RET_ERRNO | 38);
	}
	xfree(p.filter);
}

/* Each number once, and a handler exactly where something is to be handled. */
static void test_table(void **state)
{
	size_t n;
	const struct syscall_row *rows = syscall_table(&n);

	(void)state;
	assert_true(n > 300);
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || rows[i - 1].number < rows[i].number);
		assert_int_equal(rows[i].class == SYSCALL_GOVERNED,
				 rows[i].handler && rows[i].class != SYSCALL_CHECKED);
		assert_int_equal(rows[i].class == SYSCALL_CHECKED, rows[i].check != CHECK_NONE);
		assert_true(rows[i].class == SYSCALL_ALLOWED || rows[i].class == SYSCALL_GOVERNED ||
			    rows[i].error > 0);
	}
}

static void test_cost(void **state)
{
	uint64_t best = UINT64_MAX;
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		uint64_t start = clock_monotonic_ns();
		struct sock_fprog p;

		make(&p);
		best = MIN(best, clock_monotonic_ns() - start);
		len = p.len;
		xfree(p.filter);
	}
	printf("# %zu instructions in %llu us\n", len, (unsigned long long)best / 1000);
	assert_true(len < 4096);
}

static void test_probe(void **state)
{
	struct supervise_probe rows[16];
	size_t n = supervise_probe(rows, 16);

	(void)state;
	assert_true(n >= 4);
	for (size_t i = 0; i < n; i++)
		assert_true(rows[i].is_present || rows[i].detail[0]);
	assert_int_equal(supervise_probe(rows, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_number),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
