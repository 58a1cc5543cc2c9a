#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/agent-arguments.h"
#include "cli/agent-prompt.h"
#include "cli/moment.h"
#include "cli/running.h"

static void test_answers(void **state)
{
	static const struct {
		const char *line;
		enum agent_answer answer;
	} cases[] = {
		{ "\n", AGENT_ANSWER_ONCE },
		{ " \t\r\n", AGENT_ANSWER_ONCE },
		{ "y\n", AGENT_ANSWER_ONCE },
		{ "o", AGENT_ANSWER_ONCE },
		{ "3\n", AGENT_ANSWER_ONCE },
		{ "A\n", AGENT_ANSWER_ALWAYS },
		{ "always\n", AGENT_ANSWER_ALWAYS },
		{ "1", AGENT_ANSWER_ALWAYS },
		{ " p \n", AGENT_ANSWER_PROJECT },
		{ "2", AGENT_ANSWER_PROJECT },
		{ "n\n", AGENT_ANSWER_NO },
		{ "NO\n", AGENT_ANSWER_NO },
		{ "4", AGENT_ANSWER_NO },
		{ "never\n", AGENT_ANSWER_NEVER },
		{ "5", AGENT_ANSWER_NEVER },
	};
	static const char *const none[] = { "x\n", "nev\n", "nope\n", "6\n", "a p\n", "ye\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum agent_answer answer = AGENT_ANSWER_NEVER;

		assert_int_equal(agent_prompt_parse(cases[i].line, &answer), 1);
		assert_int_equal(answer, cases[i].answer);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		enum agent_answer answer = AGENT_ANSWER_NO;

		assert_int_equal(agent_prompt_parse(none[i], &answer), 0);
		assert_int_equal(answer, AGENT_ANSWER_NO);
	}
}

/* The words with what is told, separated by "|"; "" for nothing told. */
static void check_told(enum agent_id id, const char *line, const char *want)
{
	_cleanup_free_ char *words = xstrdup(line);
	_cleanup_buf_ struct buf got = BUF_INIT(0);
	char *argv[16] = { NULL };
	_cleanup_free_ char **told = NULL;
	size_t n = 0;

	for (char *save = NULL, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	told = agent_arguments(&agents[id], argv, "/nonexistent", "/nonexistent", NULL);
	for (size_t i = 0; told && told[i]; i++)
		(void)buf_printf(&got, "%s%s", i ? "|" : "", told[i]);
	assert_string_equal(got.len ? got.data : "", want);
}

static void test_what_agents_are_told(void **state)
{
	(void)state;
	check_told(AGENT_CODEX, "codex", "codex|-c|sandbox_mode=\"danger-full-access\"");
	check_told(AGENT_CODEX, "codex exec hello",
		   "codex|-c|sandbox_mode=\"danger-full-access\"|exec|hello");
	check_told(AGENT_CODEX, "codex -s read-only", "");
	check_told(AGENT_CODEX, "codex exec --sandbox=read-only", "");
	check_told(AGENT_CODEX, "codex -c sandbox_mode=x", "");
	check_told(AGENT_CODEX, "codex sandbox linux", "");
	check_told(AGENT_CODEX, "codex -- --sandbox",
		   "codex|-c|sandbox_mode=\"danger-full-access\"|--|--sandbox");
	check_told(AGENT_CODEX, "codex --sandboxed",
		   "codex|-c|sandbox_mode=\"danger-full-access\"|--sandboxed");
	check_told(AGENT_CLAUDE, "claude", ""); /* no settings have it on */
	check_told(AGENT_QWEN, "qwen", "");
	assert_null(agent_arguments(NULL, (char *[]){ NULL }, "/", "/", NULL));
}

static void test_lengths(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = { { "90", 90000 },	       { "90s", 90000 }, { "1m30s", 90000 },
		      { "1.5h", 5400000 },     { "500ms", 500 }, { "0.5s", 500 },
		      { "1.5ms", 1 },	       { "1500us", 1 },	 { "2500000ns", 2 },
		      { "1h1m1s1ms", 3661001 } };
	static const char *const none[] = { "",
					    "0",
					    "0s",
					    "-1",
					    "1x",
					    "s",
					    "1m30",
					    "1 s",
					    "1.",
					    ".5s",
					    "999us",
					    "1d",
					    "1e3",
					    "99999999999999h",
					    "18446744073709551615s" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t ms = 0;

		assert_int_equal(moment_parse_length(cases[i].text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		uint64_t ms;

		assert_true(moment_parse_length(none[i], &ms) < 0);
	}
}

static void test_names_of_sessions(void **state)
{
	char longest[65];

	(void)state;
	memset(longest, 'n', sizeof(longest));
	longest[64] = 0;
	assert_false(running_is_name(longest));
	longest[63] = 0;
	assert_true(running_is_name(longest));
	assert_true(running_is_name("a"));
	assert_true(running_is_name("My_app.2-x"));
	assert_false(running_is_name(""));
	assert_false(running_is_name("9lives"));
	assert_false(running_is_name("-x"));
	assert_false(running_is_name("a b"));
	assert_false(running_is_name("a/b"));
	assert_false(running_is_name("a\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_what_agents_are_told),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_names_of_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
