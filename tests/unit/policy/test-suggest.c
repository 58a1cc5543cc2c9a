#include "unit.h"

#include <stdio.h>

#include "policy/suggest.h"

static const char *const roots[] = { "/home/u", NULL };

struct lines {
	struct buf text;
	size_t n_seqs;
};

static void on_line(const struct suggestion *line, void *ctx)
{
	struct lines *l = ctx;

	(void)buf_append_span(&l->text, buf_span(&line->text));
	l->n_seqs += line->n_seqs;
	assert_true(line->n_seqs > 0);
}

static void add_file(struct suggest *s, enum policy_action action, const char *path, uint64_t seq)
{
	const struct policy_request r = { .action = action, .path = span_of(path) };

	assert_true(suggest_add(s, &r, seq));
}

static void add_host(struct suggest *s, const char *host, uint64_t seq)
{
	const struct policy_request r = { .action = POLICY_NETWORK_CONNECT,
					  .host = span_of(host),
					  .port = 443 };

	assert_true(suggest_add(s, &r, seq));
}

static void check(struct suggest *s, size_t n_seqs, const char *want)
{
	struct lines got = { .text = BUF_INIT(0) };

	suggest_each(s, on_line, &got);
	assert_string_equal(got.text.data ? got.text.data : "", want);
	assert_int_equal(got.n_seqs, n_seqs);
	buf_done(&got.text);
	suggest_free(s);
}

static void test_one_file_stands_for_itself(void **state)
{
	struct suggest *s = suggest_new(roots);

	(void)state;
	add_file(s, POLICY_FILE_OPEN_READ_ONLY, "/home/u/w/a", 1);
	add_file(s, POLICY_FILE_OPEN_READ_ONLY, "/home/u/w/a", 2);
	add_file(s, POLICY_FILE_CREATE, "/home/u/w/b", 3);
	add_file(s, POLICY_FILE_DELETE, "/home/u/w/b", 4);
	check(s, 4,
	      "permit (principal, action == Action::\"FileOpenReadOnly\", resource == "
	      "File::\"/home/u/w/a\");\n"
	      "permit (principal, action in Action::\"FileOpenReadWrite\", resource == "
	      "File::\"/home/u/w/b\");\n");
}

static void test_several_files_stand_for_their_directory(void **state)
{
	struct suggest *s = suggest_new(roots);
	char path[64];

	(void)state;
	for (unsigned i = 0; i < SUGGEST_FILES; i++) {
		(void)snprintf(path, sizeof(path), "/home/u/w/f%u", i);
		add_file(s, POLICY_FILE_OPEN_READ_ONLY, path, i + 1);
	}
	/* What lies further down is covered, and so is its seq. */
	add_file(s, POLICY_FILE_OPEN_READ_ONLY, "/home/u/w/deep/er", 9);
	check(s, SUGGEST_FILES + 1,
	      "permit (principal, action == Action::\"FileOpenReadOnly\", resource in "
	      "Dir::\"/home/u/w/\");\n");
}

static void test_home_and_the_top_never_stand_for_all(void **state)
{
	struct suggest *s = suggest_new(roots);
	static const char *const files[] = { "/home/u/.a", "/home/u/.b", "/home/u/.c", "/home/u/.d",
					     "/etc/a",	   "/etc/b",	 "/etc/c",     "/etc/d" };
	struct lines got = { .text = BUF_INIT(0) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		add_file(s, POLICY_FILE_OPEN_READ_ONLY, files[i], i + 1);
	suggest_each(s, on_line, &got);
	assert_null(strstr(got.text.data, "Dir::"));
	assert_int_equal(got.n_seqs, ARRAY_SIZE(files));
	buf_done(&got.text);
	suggest_free(s);
}

static void test_several_directories_stand_for_theirs(void **state)
{
	struct suggest *s = suggest_new(roots);
	char path[64];
	uint64_t seq = 0;

	(void)state;
	for (unsigned d = 0; d < SUGGEST_DIRECTORIES; d++) {
		for (unsigned i = 0; i < SUGGEST_FILES; i++) {
			(void)snprintf(path, sizeof(path), "/home/u/w/d%u/f%u", d, i);
			add_file(s, POLICY_FILE_OPEN_READ_ONLY, path, ++seq);
		}
	}
	check(s, seq,
	      "permit (principal, action == Action::\"FileOpenReadOnly\", resource in "
	      "Dir::\"/home/u/w/\");\n");
}

static void test_names(void **state)
{
	struct suggest *s = suggest_new(roots);

	(void)state;
	add_host(s, "a.example.co.uk", 1);
	add_host(s, "b.example.co.uk", 2);
	add_host(s, "other.co.uk", 3);
	check(s, 3,
	      "permit (principal, action in Action::\"NetworkConnect\", resource == "
	      "Host::\"a.example.co.uk:443\");\n"
	      "permit (principal, action in Action::\"NetworkConnect\", resource == "
	      "Host::\"b.example.co.uk:443\");\n"
	      "permit (principal, action in Action::\"NetworkConnect\", resource == "
	      "Host::\"other.co.uk:443\");\n");
	s = suggest_new(roots);
	add_host(s, "a.example.co.uk", 1);
	add_host(s, "b.example.co.uk", 2);
	add_host(s, "c.d.example.co.uk", 3);
	check(s, 3,
	      "permit (principal, action in Action::\"NetworkConnect\", resource in "
	      "DnsZone::\"example.co.uk\");\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_file_stands_for_itself),
		cmocka_unit_test(test_several_files_stand_for_their_directory),
		cmocka_unit_test(test_home_and_the_top_never_stand_for_all),
		cmocka_unit_test(test_several_directories_stand_for_theirs),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
