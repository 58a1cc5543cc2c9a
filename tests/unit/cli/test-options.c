#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/nearest.h"
#include "cli/usage.h"

enum { POLICY = 1, VOLUME, VERBOSE, ENV, INTERACTIVE };

static const struct option_spec specs[] = {
	{ "policy", 0, "FILE", "use this policy", POLICY, 0 },
	{ "volume", 'v', "SRC:DST", "show SRC as DST", VOLUME, VERBOSE },
	{ "verbose", 'V', NULL, "say more", VERBOSE, 0 },
	{ "env", 'e', "KEY[=VALUE]", "set a variable", ENV, 0 },
	{ "environment", 0, "KEY", NULL, ENV, 0 },
	{ "no-interactive", 'I', NULL, "pipes", INTERACTIVE, 0 },
};

#define MAX_WORDS 16

/* The flags seen, as "id=value;". */
static int note(int id, const char *value, void *ctx, struct err *err)
{
	if (value && strcmp(value, "bad") == 0)
		return err_say(err, -EINVAL, "a bad value");
	return buf_printf(ctx, "%d=%s;", id, value ? value : "-");
}

/* Words separated by single spaces become argv, until the next call. Returns argc. */
static int split_words(const char *line, char *argv[MAX_WORDS + 1])
{
	static char words[512];
	int argc = 0;

	(void)snprintf(words, sizeof(words), "%s", line);
	for (char *save = NULL, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return argc;
}

static int parse(const char *line, struct buf *seen, struct err *err)
{
	char *argv[MAX_WORDS + 1] = { NULL };
	int argc = split_words(line, argv);

	return options_parse(specs, ARRAY_SIZE(specs), argc, argv, note, seen, err);
}

static void assert_parsed(const char *line, int first, const char *expected)
{
	_cleanup_buf_ struct buf seen = BUF_INIT(0);
	struct err err = { 0 };

	assert_int_equal(buf_append_str(&seen, ""), 0);
	assert_int_equal(parse(line, &seen, &err), first);
	assert_string_equal(seen.data, expected);
}

static void assert_refused(const char *line, const char *why)
{
	_cleanup_buf_ struct buf seen = BUF_INIT(0);
	struct err err = { 0 };

	assert_int_equal(parse(line, &seen, &err), -EINVAL);
	assert_string_equal(err.text, why);
}

static void values_come_in_every_form(void **state)
{
	(void)state;
	assert_parsed("run --policy a.cedar x", 3, "1=a.cedar;");
	assert_parsed("run --policy=a.cedar x", 2, "1=a.cedar;");
	assert_parsed("run --policy= x", 2, "1=;");
	assert_parsed("run -policy a.cedar x", 3, "1=a.cedar;");
	assert_parsed("run -e A=1 -e=B=2 --env C=3 --env=D=4 --environment E", 8 + 1,
		      "4=A=1;4=B=2;4=C=3;4=D=4;4=E;");
	assert_parsed("run -I -V", 3, "5=-;3=-;");
	assert_parsed("run", 1, "");
}

/* An agent's own flags are the agent's. */
static void flags_end_at_the_first_word_that_is_none(void **state)
{
	(void)state;
	assert_parsed("run -I claude --policy x -e", 2, "5=-;");
	assert_parsed("run -I -- --policy x", 3, "5=-;");
	assert_parsed("run - --policy x", 1, "");
	assert_parsed("run --", 2, "");
}

static void v_is_a_volume_only_before_a_colon(void **state)
{
	(void)state;
	assert_parsed("run -v /a:/b:ro cmd", 3, "2=/a:/b:ro;");
	assert_parsed("run -v cmd", 2, "3=-;");
	assert_parsed("run -v -I cmd", 3, "3=-;5=-;");
	assert_parsed("run -v -x:y", -EINVAL, "3=-;");
	assert_parsed("run -v", 2, "3=-;");
	assert_parsed("run -v=/a:/b cmd", 2, "2=/a:/b;");
	assert_parsed("run --volume nocolon cmd", 3, "2=nocolon;");
	assert_refused("run --volume", "--volume needs a value: SRC:DST");
}

static void mistakes_are_explained(void **state)
{
	(void)state;
	assert_refused("run --polcy x", "unknown flag --polcy; did you mean --policy?");
	assert_refused("run --no-interactve",
		       "unknown flag --no-interactve; did you mean --no-interactive?");
	assert_refused("run --frobnicate", "unknown flag --frobnicate; --help lists the flags");
	assert_refused("run -x", "unknown flag -x; --help lists the flags");
}

static void mistakes_in_values_are_explained(void **state)
{
	(void)state;
	assert_refused("run --policy", "--policy needs a value: FILE");
	assert_refused("run -e", "-e needs a value: KEY[=VALUE]");
	assert_refused("run --verbose=1", "--verbose takes no value");
	assert_refused("run -e bad", "a bad value");
}

static void help_is_aligned(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(options_help(specs, ARRAY_SIZE(specs), &out), 0);
	assert_string_equal(out.data, "      --policy FILE         use this policy\n"
				      "  -v, --volume SRC:DST      show SRC as DST\n"
				      "  -V, --verbose             say more\n"
				      "  -e, --env KEY[=VALUE]     set a variable\n"
				      "  -I, --no-interactive      pipes\n");
}

static void long_help_is_folded(void **state)
{
	static const struct option_spec wide[] = {
		{ "a-flag-with-a-long-name", 'x', "ARGUMENT",
		  "word word word word word word word word word word word word word word word", 1,
		  0 },
	};
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(options_help(wide, 1, &out), 0);
	assert_string_equal(out.data, "  -x, --a-flag-with-a-long-name ARGUMENT\n"
				      "                            word word word word word word "
				      "word word word word word word word\n"
				      "                            word word\n");
}

static void operands_and_flags_mix_in_subcommands(void **state)
{
	const struct usage usage = { .name = "t",
				     .arguments = "",
				     .description = "",
				     .options = specs,
				     .n_options = ARRAY_SIZE(specs) };
	char *argv[MAX_WORDS + 1] = { NULL };
	_cleanup_buf_ struct buf seen = BUF_INIT(0);
	int n = 0;

	(void)state;
	assert_int_equal(usage_parse(&usage, split_words("t one -I two -e A -- -three", argv), argv,
				     note, &seen, &n),
			 -1);
	assert_int_equal(n, 3);
	assert_string_equal(argv[0], "one");
	assert_string_equal(argv[1], "two");
	assert_string_equal(argv[2], "-three");
	assert_string_equal(seen.data, "5=-;4=A;");
}

static void distances(void **state)
{
	char longer[100];

	(void)state;
	memset(longer, 'x', sizeof(longer));
	assert_int_equal(nearest_distance(SPAN("policy"), SPAN("policy")), 0);
	assert_int_equal(nearest_distance(SPAN("polciy"), SPAN("policy")), 1);
	assert_int_equal(nearest_distance(SPAN("plicy"), SPAN("policy")), 1);
	assert_int_equal(nearest_distance(SPAN("kitten"), SPAN("sitting")), 3);
	assert_int_equal(nearest_distance(SPAN(""), SPAN("abc")), 3);
	assert_true(nearest_distance(span_make(longer, sizeof(longer)), SPAN("x")) == SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_in_every_form),
		cmocka_unit_test(flags_end_at_the_first_word_that_is_none),
		cmocka_unit_test(v_is_a_volume_only_before_a_colon),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(mistakes_in_values_are_explained),
		cmocka_unit_test(help_is_aligned),
		cmocka_unit_test(long_help_is_folded),
		cmocka_unit_test(operands_and_flags_mix_in_subcommands),
		cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
