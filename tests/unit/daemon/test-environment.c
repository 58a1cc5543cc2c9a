#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/environment.h"

static const char *find(struct environment *e, const char *key)
{
	const char *found = NULL;
	size_t n = strlen(key);

	for (char *const *entry = environment_envp(e); *entry; entry++) {
		if (strncmp(*entry, key, n) != 0 || (*entry)[n] != '=')
			continue;
		assert_null(found); /* each key once */
		found = *entry + n + 1;
	}
	return found;
}

static void test_the_basics_carry_no_secret(void **state)
{
	struct environment e = { 0 };

	(void)state;
	assert_int_equal(setenv("ANTHROPIC_API_KEY", "secret", 1), 0);
	assert_int_equal(setenv("SSH_AUTH_SOCK", "/run/agent", 1), 0);
	assert_int_equal(setenv("LD_PRELOAD_X", "x", 1), 0);
	environment_add_basics(&e, "/home/u", "/w");
	assert_null(find(&e, "ANTHROPIC_API_KEY"));
	assert_null(find(&e, "SSH_AUTH_SOCK"));
	assert_null(find(&e, "LD_PRELOAD_X"));
	assert_string_equal(find(&e, "HOME"), "/home/u");
	assert_string_equal(find(&e, "PWD"), "/w");
	assert_non_null(find(&e, "PATH"));
	environment_done(&e);
}

static void test_options_set_replace_and_pass_on(void **state)
{
	struct environment e = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(setenv("TEST_KEY", "mine", 1), 0);
	assert_int_equal(unsetenv("TEST_ABSENT"), 0);
	assert_int_equal(environment_add_option(&e, "A=1", &err), 0);
	assert_int_equal(environment_add_option(&e, "A=2=3", &err), 0);
	assert_int_equal(environment_add_option(&e, "EMPTY=", &err), 0);
	assert_int_equal(environment_add_option(&e, "TEST_KEY", &err), 0);
	assert_int_equal(environment_add_option(&e, "TEST_ABSENT", &err), 0);
	assert_string_equal(find(&e, "A"), "2=3");
	assert_string_equal(find(&e, "EMPTY"), "");
	assert_string_equal(find(&e, "TEST_KEY"), "mine");
	assert_null(find(&e, "TEST_ABSENT"));
	assert_int_equal(environment_add_option(&e, "=x", &err), -EINVAL);
	assert_int_equal(environment_add_option(&e, "", &err), -EINVAL);
	assert_int_equal(environment_add_option(&e, "-x", &err), -EINVAL);
	environment_done(&e);
}

static void test_trust_beats_the_callers_and_options_beat_it(void **state)
{
	struct environment e = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(setenv("SSL_CERT_FILE", "/elsewhere", 1), 0);
	assert_int_equal(setenv("NODE_EXTRA_CA_CERTS", "/elsewhere", 1), 0);
	environment_inherit(&e);
	environment_add_trust(&e);
	assert_string_equal(find(&e, "SSL_CERT_FILE"), "/run/leash/ca-bundle.crt");
	assert_string_equal(find(&e, "GIT_SSL_CAINFO"), "/run/leash/ca-bundle.crt");
	assert_string_equal(find(&e, "NODE_EXTRA_CA_CERTS"), "/run/leash/ca.crt");
	assert_int_equal(environment_add_option(&e, "SSL_CERT_FILE=/mine", &err), 0);
	assert_string_equal(find(&e, "SSL_CERT_FILE"), "/mine");
	environment_done(&e);
}

static void test_agents_get_what_is_for_them(void **state)
{
	struct environment e = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(setenv("ANTHROPIC_BASE_URL", "https://service.test", 1), 0);
	assert_int_equal(setenv("ANTHROPIC_API_KEY", "secret", 1), 0);
	assert_int_equal(setenv("CLAUDE_CONFIG_DIR", "/elsewhere", 1), 0);
	assert_int_equal(setenv("OPENAI_BASE_URL", "https://user:word@service.test", 1), 0);
	environment_add_agent(&e, agent_find("claude"), /* has_image = */ false);
	assert_string_equal(find(&e, "ANTHROPIC_BASE_URL"), "https://service.test");
	assert_string_equal(find(&e, "CLAUDE_CONFIG_DIR"), "/elsewhere");
	assert_string_equal(find(&e, "IS_SANDBOX"), "1");
	assert_null(find(&e, "ANTHROPIC_API_KEY"));
	assert_null(find(&e, "OPENAI_BASE_URL"));
	assert_int_equal(environment_add_option(&e, "IS_SANDBOX=0", &err), 0);
	assert_string_equal(find(&e, "IS_SANDBOX"), "0");
	environment_done(&e);
	/* Of an image's file system the host's places say nothing. */
	environment_add_agent(&e, agent_find("claude"), /* has_image = */ true);
	assert_null(find(&e, "CLAUDE_CONFIG_DIR"));
	assert_string_equal(find(&e, "ANTHROPIC_BASE_URL"), "https://service.test");
	environment_done(&e);
	environment_add_agent(&e, agent_find("codex"), /* has_image = */ false);
	assert_null(find(&e, "OPENAI_BASE_URL"));
	environment_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_basics_carry_no_secret),
		cmocka_unit_test(test_options_set_replace_and_pass_on),
		cmocka_unit_test(test_trust_beats_the_callers_and_options_beat_it),
		cmocka_unit_test(test_agents_get_what_is_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
