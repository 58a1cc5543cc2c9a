#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "config/agents.h"

static void test_the_table_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < AGENT_MAX; i++) {
		size_t n_keys = 0;

		assert_string_equal(agents[i].name, agent_names[i]);
		assert_ptr_equal(agent_find(agent_names[i]), &agents[i]);
		assert_non_null(agents[i].places[0].target);
		for (size_t k = 0; k < n_agent_keys; k++)
			n_keys += agent_uses_key(&agents[i], &agent_keys[k]);
		assert_int_equal(n_keys, i == AGENT_OPENCODE ? n_agent_keys : 1);
		for (size_t v = 0; v < ARRAY_SIZE(agents[i].variables); v++)
			if (agents[i].variables[v])
				assert_null(strstr(agents[i].variables[v], "KEY"));
	}
	assert_null(agent_names[AGENT_MAX]);
	assert_null(agent_find("bash"));
	assert_null(agent_find(NULL));
}

/* Of the process, as the caller's are. */
static const char *variable(const void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

struct home {
	char path[32];
};

static void make_home(struct home *h)
{
	(void)strcpy(h->path, "/tmp/leash-agents-XXXXXX");
	assert_non_null(mkdtemp(h->path));
}

static void make(const struct home *h, const char *name, bool is_file)
{
	_cleanup_free_ char *path = path_join(h->path, name);
	FILE *f;

	if (!is_file) {
		assert_int_equal(mkdir(path, 0700), 0);
		return;
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
}

static void forget(const struct home *h, const char *const *names)
{
	for (; *names; names++) {
		_cleanup_free_ char *path = path_join(h->path, *names);

		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(rmdir(h->path), 0);
}

/* source and target below the home directory; "" in the middle of a flag: not so. */
static void check(const struct home *h, const struct agent_mount *m, const char *source,
		  const char *target, bool is_there)
{
	_cleanup_free_ char *want = source[0] == '/' ? xstrdup(source) : path_join(h->path, source);

	assert_string_equal(m->source, want);
	assert_string_equal(m->target, target);
	assert_int_equal(m->is_there, is_there);
}

static void test_places_are_below_home(void **state)
{
	static const char *const made[] = { ".claude", ".claude.json", NULL };
	struct home h;
	agent_mounts m = { 0 };

	(void)state;
	make_home(&h);
	make(&h, ".claude", /* is_file = */ false);
	make(&h, ".claude.json", /* is_file = */ true);
	agent_mounts_find(&agents[AGENT_CLAUDE], h.path, variable, NULL, &m);
	assert_int_equal(m.len, 2);
	check(&h, &m.items[0], ".claude", ".claude", true);
	assert_false(m.items[0].is_file || m.items[0].is_moved);
	check(&h, &m.items[1], ".claude.json", ".claude.json", true);
	assert_true(m.items[1].is_file);
	agent_mounts_done(&m);
	agent_mounts_find(&agents[AGENT_CODEX], h.path, variable, NULL, &m);
	assert_int_equal(m.len, 1);
	check(&h, &m.items[0], ".codex", ".codex", false);
	agent_mounts_done(&m);
	forget(&h, made);
}

static void test_a_file_is_no_directory(void **state)
{
	static const char *const made[] = { ".claude", NULL };
	struct home h;
	agent_mounts m = { 0 };

	(void)state;
	make_home(&h);
	make(&h, ".claude", /* is_file = */ true);
	agent_mounts_find(&agents[AGENT_CLAUDE], h.path, variable, NULL, &m);
	assert_false(m.items[0].is_there);
	agent_mounts_done(&m);
	forget(&h, made);
}

static void test_variables_lead_elsewhere(void **state)
{
	static const struct {
		const char *value, *directory, *file;
		bool is_moved;
	} cases[] = {
		{ "/else/where", "/else/where", "/else/where/.claude.json", true },
		{ "~/other", "other", "other/.claude.json", true },
		{ "work/claude", "work/claude", "work/claude/.claude.json", true },
		{ "~/.claude/", ".claude", ".claude/.claude.json", false },
		{ "", ".claude", ".claude.json", false },
	};
	struct home h;

	(void)state;
	make_home(&h);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		agent_mounts m = { 0 };

		assert_int_equal(setenv("CLAUDE_CONFIG_DIR", cases[i].value, 1), 0);
		agent_mounts_find(&agents[AGENT_CLAUDE], h.path, variable, NULL, &m);
		check(&h, &m.items[0], cases[i].directory, ".claude", false);
		check(&h, &m.items[1], cases[i].file, ".claude.json", false);
		assert_int_equal(m.items[0].is_moved, cases[i].is_moved);
		agent_mounts_done(&m);
	}
	assert_int_equal(unsetenv("CLAUDE_CONFIG_DIR"), 0);
	assert_int_equal(rmdir(h.path), 0);
}

static void test_the_xdg_variables_are_opencodes(void **state)
{
	struct home h;
	agent_mounts m = { 0 };

	(void)state;
	make_home(&h);
	assert_int_equal(setenv("XDG_DATA_HOME", "/data", 1), 0);
	assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0); /* ignored */
	agent_mounts_find(&agents[AGENT_OPENCODE], h.path, variable, NULL, &m);
	check(&h, &m.items[0], ".config/opencode", ".config/opencode", false);
	check(&h, &m.items[1], ".local/state/opencode", ".local/state/opencode", false);
	assert_false(m.items[1].is_moved);
	check(&h, &m.items[2], "/data/opencode/auth.json", ".local/share/opencode/auth.json",
	      false);
	assert_true(m.items[2].is_moved && m.items[2].is_file);
	agent_mounts_done(&m);
	assert_true(agent_names_place(&agents[AGENT_OPENCODE], "XDG_DATA_HOME"));
	assert_false(agent_names_place(&agents[AGENT_CLAUDE], "ANTHROPIC_BASE_URL"));
	assert_int_equal(unsetenv("XDG_DATA_HOME"), 0);
	assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
	assert_int_equal(rmdir(h.path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table_is_whole),
		cmocka_unit_test(test_places_are_below_home),
		cmocka_unit_test(test_a_file_is_no_directory),
		cmocka_unit_test(test_variables_lead_elsewhere),
		cmocka_unit_test(test_the_xdg_variables_are_opencodes),
	};

	(void)unsetenv("CLAUDE_CONFIG_DIR");
	(void)unsetenv("CODEX_HOME");
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("XDG_DATA_HOME");
	(void)unsetenv("XDG_STATE_HOME");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
