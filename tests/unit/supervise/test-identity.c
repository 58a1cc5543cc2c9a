/* Whose power a call is done with: what /proc says of a task, all of it or nothing. */
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "supervise/identity.h"
#include "unit.h"

#define HEAD "Name:\tsh\nUmask:\t0022\nState:\tS (sleeping)\n"
#define IDS "Uid:\t1000\t1001\t1002\t1003\nGid:\t2000\t2001\t2002\t2003\nFDSize:\t64\n"
#define TAIL                                                                                       \
	"NStgid:\t7\nCapInh:\t0000000000000000\nCapPrm:\t00000000000000eb\n"                       \
	"CapEff:\t0000000000000083\nCapBnd:\t00000000000000eb\n"

static void test_all(void **state)
{
	struct identity i;

	(void)state;
	assert_int_equal(identity_read(HEAD IDS "Groups:\t4 24 4294967294 \n" TAIL, &i), 0);
	/* Those that files are checked by, which follow the effective ones unless somebody asked.
	 */
	assert_int_equal(i.uid, 1003);
	assert_int_equal(i.gid, 2003);
	assert_int_equal(i.n_groups, 3);
	assert_int_equal(i.groups[0], 4);
	assert_int_equal(i.groups[2], 4294967294);
	assert_true(i.effective == 0x83);
}

static void test_no_groups(void **state)
{
	struct identity i;

	(void)state;
	assert_int_equal(identity_read(HEAD IDS "Groups:\t \n" TAIL, &i), 0);
	assert_int_equal(i.n_groups, 0);
}

/* The name is the task's own choice; the kernel writes its line breaks as \n. */
static void test_forged_name(void **state)
{
	struct identity i;

	(void)state;
	assert_int_equal(identity_read("Name:\tx\\nUid:\\t0 0 0 0\nUmask:\t0022\n" IDS
				       "Groups:\t4 \n" TAIL,
				       &i),
			 0);
	assert_int_equal(i.uid, 1003);
}

static void test_incomplete(void **state)
{
	struct identity i;

	(void)state;
	assert_int_equal(identity_read("", &i), -ENODATA);
	assert_int_equal(identity_read(HEAD, &i), -ENODATA);
	assert_int_equal(identity_read(HEAD IDS, &i), -ENODATA);
	assert_int_equal(identity_read(HEAD IDS "Groups:\t4 \n", &i), -ENODATA);
	assert_int_equal(identity_read(HEAD IDS "Groups:\t4 \nCapEff:\t00000000000000", &i),
			 -ENODATA);
	assert_int_equal(identity_read(HEAD IDS "Groups:\t4 \nCapEff:\t00000000000000xx\n", &i),
			 -ENODATA);
	assert_int_equal(
		identity_read(HEAD "Uid:\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\n" TAIL, &i),
		-ENODATA);
	assert_int_equal(identity_read(HEAD "Uid:\t0\t0\t0\t4294967295\nGid:\t0\t0\t0\t0\n"
					    "Groups:\t\n" TAIL,
				       &i),
			 -ENODATA);
	assert_int_equal(identity_read(HEAD IDS "Groups:\t4 x\n" TAIL, &i), -E2BIG);
}

static void test_many_groups(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct identity i;

	(void)state;
	for (size_t n = 255; n <= 400; n += n < 258 ? 1 : 71) {
		buf_reset(&text);
		(void)buf_append_str(&text, HEAD IDS "Groups:\t");
		for (size_t k = 0; k < n; k++)
			(void)buf_printf(&text, "%u ", 4000000000U + (unsigned)k);
		(void)buf_append_str(&text, "\n" TAIL);
		assert_int_equal(identity_read(text.data, &i),
				 n <= IDENTITY_MAX_GROUPS ? 0 : -E2BIG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),	    cmocka_unit_test(test_no_groups),
		cmocka_unit_test(test_forged_name), cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_many_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
