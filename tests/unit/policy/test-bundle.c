/* Bundles: what was put in comes out, and damage is refused. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "policy/bundle.h"

static int make_bundle(struct fixture *f, const char *text)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct err err = { 0 };
	int fd;

	if (policy_source_add_text(s, POLICY_LAYER_USER, "u.cedar", span_of(text), false, &report,
				   &err) < 0)
		fail_msg("%s", report.data);
	fd = policy_source_bundle(s, 42, &err);
	if (fd < 0)
		fail_msg("%s", err.text);
	policy_source_free(s);
	return fd;
}

static const char small[] =
	"@id(\"a\") permit (principal, action, resource in Dir::\"/x\");\n"
	"forbid (principal, action, resource == File::\"/x/y\") unless { false };";

static void a_bundle_is_read_back(void **state)
{
	struct fixture *f = *state;
	struct policy_decision d;
	int fd;

	f->env.mode = POLICY_SHADOW;
	fd = make_bundle(f, small);
	assert_int_equal(policy_open(fd, &f->policy, NULL), 0);
	fd_close(fd);
	assert_int_equal(policy_generation(f->policy), 42);
	assert_int_equal(policy_session_mode(f->policy), POLICY_SHADOW);
	d = decide_file(f, READ, "/x/z");
	assert_int_equal(d.verdict, DECISION_ALLOW);
	assert_int_equal(d.generation, 42);
	assert_string_equal(d.reasons[0], "user:a");
	d = decide_file(f, READ, "/x/y");
	assert_int_equal(d.verdict, DECISION_DENY);
	assert_string_equal(d.reasons[0], "user:policy1");
	assert_true(policy_permits(f->policy, &d));
	assert_int_equal(decide_file(f, READ, "/").n_reasons, 0);
}

static void bundles_cannot_be_changed(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = make_bundle(f, small);

	assert_true(pwrite(fd, "x", 1, 0) < 0);
	assert_true(ftruncate(fd, 10) < 0);
	assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
}

static void what_is_not_sealed_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int bundle = make_bundle(f, small);
	_cleanup_close_ int fd = memfd_create("loose", MFD_CLOEXEC);
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	struct err err = { 0 };

	assert_int_equal(lseek(bundle, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(bundle, &bytes), 0);
	assert_int_equal(fd_write_all(fd, bytes.data, bytes.len), 0);
	assert_int_equal(policy_open(fd, &f->policy, &err), -EBADMSG);
	assert_int_equal(policy_open(-1, &f->policy, &err), -EBADMSG);
}

static void expect_refused(struct span bytes)
{
	/* A copy of the exact size, so that a sanitizer sees a read past the end. */
	_cleanup_free_ char *copy = xcalloc(bytes.len ? bytes.len : 1, 1);
	struct policy *p = NULL;
	struct err err = { 0 };

	if (bytes.len)
		memcpy(copy, bytes.p, bytes.len);
	assert_int_equal(bundle_read(span_make(copy, bytes.len), &p, &err), -EBADMSG);
	assert_null(p);
	assert_non_null(strstr(err.text, "damaged"));
}

static void damage_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = make_bundle(f, small);
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, &bytes), 0);
	for (size_t len = 0; len < bytes.len; len++)
		expect_refused(span_make(bytes.data, len));
	for (size_t i = 0; i < bytes.len; i++) {
		for (int bit = 1; bit < 256; bit <<= 1) {
			bytes.data[i] = (char)(bytes.data[i] ^ bit);
			expect_refused(buf_span(&bytes));
			bytes.data[i] = (char)(bytes.data[i] ^ bit);
		}
	}
	(void)buf_append_char(&bytes, 0);
	expect_refused(buf_span(&bytes));
}

/* As if a bundle of another author had a sound checksum: offsets are still checked. */
static void offsets_are_checked(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = make_bundle(f, small);
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, &bytes), 0);
	for (size_t at = offsetof(struct bundle_header, agent);
	     at < sizeof(struct bundle_header) + sizeof(struct bundle_policy); at += 4) {
		_cleanup_buf_ struct buf copy = BUF_INIT(0);
		struct policy *p = NULL;
		struct bundle_header h;
		uint32_t huge = UINT32_MAX - 3;

		(void)buf_append_span(&copy, buf_span(&bytes));
		/* A policy's line is the one number that nothing depends on. */
		if (at == sizeof(h) + offsetof(struct bundle_policy, line))
			continue;
		memcpy(copy.data + at, &huge, sizeof(huge));
		memcpy(&h, copy.data, sizeof(h));
		h.checksum = bundle_checksum(buf_span(&copy));
		memcpy(copy.data, &h, sizeof(h));
		assert_int_equal(bundle_read(buf_span(&copy), &p, NULL), -EBADMSG);
	}
}

/*
 * The policies themselves are read only when the image leaves a request open.
 * Where they then cannot be, nothing is allowed.
 */
static void what_cannot_be_evaluated_is_denied(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = make_bundle(f, small);
	_cleanup_close_ int broken_fd = -1;
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	struct policy_request r = { .action = READ, .path = SPAN("/x/z") };
	struct policy_decider *evaluating = policy_decider_new(0);
	struct policy_decision d = { 0 };
	struct bundle_header h;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, &bytes), 0);
	memcpy(&h, bytes.data, sizeof(h));
	memset(bytes.data + h.cedar.offset, '!', h.cedar.len);
	h.checksum = bundle_checksum(buf_span(&bytes));
	memcpy(bytes.data, &h, sizeof(h));
	broken_fd = memfd_sealed("broken", buf_span(&bytes));
	assert_int_equal(policy_open(broken_fd, &f->policy, NULL), 0);
	assert_int_equal(decide_file(f, READ, "/x/z").verdict, DECISION_ALLOW);
	policy_decider_evaluate_only(evaluating);
	for (int i = 0; i < 2; i++) {
		policy_decide(evaluating, f->policy, &r, &d);
		assert_int_equal(d.verdict, DECISION_DENY);
		assert_true(d.is_own_rule); /* so no mode lets it go ahead */
		assert_false(policy_permits(f->policy, &d));
	}
	policy_decider_free(evaluating);
}

static void thousands_of_policies(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	int fd;

	for (int i = 0; i < 10000; i++)
		(void)buf_printf(&text,
				 "permit (principal, action, resource == File::\"/d/%d\");\n", i);
	fd = make_bundle(f, text.data);
	assert_int_equal(policy_open(fd, &f->policy, NULL), 0);
	fd_close(fd);
	assert_string_equal(decide_file(f, READ, "/d/9999").reasons[0], "user:policy9999");
	assert_denied(f, READ, "/d/10000");
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_bundle_is_read_back),	     TEST(bundles_cannot_be_changed),
		TEST(what_is_not_sealed_is_refused), TEST(damage_is_refused),
		TEST(offsets_are_checked),	     TEST(what_cannot_be_evaluated_is_denied),
		TEST(thousands_of_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
