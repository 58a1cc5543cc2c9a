/* Repositories that were there before the session: what git does works, what it would run later is
 * safe. */
#include "fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static char *home_path(const char *name)
{
	return xasprintf("/home/leash-test-nobody%s", name);
}

/* Lays out what git makes, as far as rules look at it. */
static void make_repository(struct fixture *f, const char *git_dir)
{
	static const char *const files[] = { "HEAD", "config", "index", "objects/x",
					     "refs/heads/main" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", git_dir, files[i]);

		make_file(f, path, "x\n");
	}
}

static void check(struct fixture *f, bool is_allowed, enum policy_action action, const char *dir,
		  const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	if (file_allowed(f, action, path) != is_allowed)
		fail_msg("%s of %s", policy_action_name(action), path);
}

static void expect_protected(struct fixture *f, const char *git_dir)
{
	static const char *const kept[] = { "config",		"config.lock",
					    "config.worktree",	"hooks",
					    "hooks/pre-commit", "hooks/sub/x",
					    "commondir",	"" };
	static const char *const used[] = { "index",	      "index.lock",
					    "HEAD",	      "objects/aa/bb",
					    "refs/heads/x",   "logs/HEAD",
					    "COMMIT_EDITMSG", "worktrees/new/commondir" };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		_cleanup_free_ char *path =
			xasprintf("%s%s%s", git_dir, kept[i][0] ? "/" : "", kept[i]);

		assert_denied(f, CREATE, path);
		assert_denied(f, DELETE, path);
		assert_denied(f, WRITE, path);
		assert_allowed(f, READ, path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(used); i++) {
		check(f, true, CREATE, git_dir, used[i]);
		check(f, true, WRITE, git_dir, used[i]);
		check(f, true, DELETE, git_dir, used[i]);
	}
}

static void the_workspace_repository(void **state)
{
	struct fixture *f = *state;

	make_repository(f, "$W/.git");
	use_profile(f, "guarded");
	expect_protected(f, "$W/.git");
	use_profile(f, "locked");
	expect_protected(f, "$W/.git");
}

static void repositories_below(void **state)
{
	struct fixture *f = *state;

	make_repository(f, "$W/a/.git");
	make_repository(f, "$W/b/c/.git");
	make_repository(f, "$W/bare.git");
	use_profile(f, "guarded");
	expect_protected(f, "$W/a/.git");
	expect_protected(f, "$W/b/c/.git");
	expect_protected(f, "$W/bare.git");
	assert_denied(f, DELETE, "$W/a");
	assert_denied(f, DELETE, "$W/b");
	assert_denied(f, DELETE, "$W/b/c");
	assert_allowed(f, DELETE, "$W/b/d");
	assert_allowed(f, WRITE, "$W/b/c/main.c");
}

/* Directories full of files do not use up what the search may look at. */
static void repositories_beside_many_files(void **state)
{
	struct fixture *f = *state;

	for (int dir = 0; dir < 40; dir++)
		for (int file = 0; file < 150; file++) {
			_cleanup_free_ char *path = xasprintf("$W/files%d/%d", dir, file);

			make_file(f, path, "");
		}
	for (int i = 0; i < 8; i++) {
		_cleanup_free_ char *near = xasprintf("$W/near%d/.git", i);
		_cleanup_free_ char *far = xasprintf("$W/group/far%d/.git", i);

		make_repository(f, near);
		make_repository(f, far);
	}
	use_profile(f, "guarded");
	for (int i = 0; i < 8; i++) {
		_cleanup_free_ char *near = xasprintf("$W/near%d/.git", i);
		_cleanup_free_ char *far = xasprintf("$W/group/far%d/.git", i);

		expect_protected(f, near);
		expect_protected(f, far);
	}
	assert_denied(f, DELETE, "$W/group");
	assert_allowed(f, DELETE, "$W/files0");
}

static void repositories_the_agent_makes(void **state)
{
	static const char *const made[] = { "$W/new/.git", "$W/new/.git/config.lock",
					    "$W/new/.git/config", "$W/new/.git/hooks",
					    "$W/new/.git/hooks/x.sample" };
	struct fixture *f = *state;

	make_dir(f, "$W/new");
	use_profile(f, "guarded");
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		assert_allowed(f, CREATE, made[i]);
}

static void submodules_and_worktrees(void **state)
{
	struct fixture *f = *state;

	make_repository(f, "$W/.git");
	make_repository(f, "$W/.git/modules/lib/deep");
	make_file(f, "$W/.git/worktrees/old/commondir", "../..\n");
	make_file(f, "$W/lib/deep/.git", "gitdir: ../../.git/modules/lib/deep\n");
	use_profile(f, "guarded");
	expect_protected(f, "$W/.git/modules/lib/deep");
	assert_denied(f, DELETE, "$W/.git/modules");
	assert_denied(f, DELETE, "$W/.git/modules/lib");
	assert_denied(f, WRITE, "$W/.git/worktrees/old/commondir");
	assert_denied(f, DELETE, "$W/.git/worktrees/old");
	assert_denied(f, DELETE, "$W/.git/worktrees");
	assert_allowed(f, WRITE, "$W/.git/worktrees/old/index");
	assert_denied(f, WRITE, "$W/lib/deep/.git");
	assert_denied(f, CREATE, "$W/lib/deep/.git");
}

static void what_a_configuration_includes(void **state)
{
	struct fixture *f = *state;

	make_repository(f, "$W/.git");
	make_file(
		f, "$W/.git/config",
		"[core]\n\tbare = false\n\thooksPath = \".githooks\"\n\tfsmonitor = tools/monitor\n"
		"[include]\n\tpath = ../shared.gitconfig\n"
		"[includeIf \"gitdir:~/x/\"]\n path=$W/other.gitconfig\n"
		"[remote \"x\"]\n\tpath = src\n");
	use_profile(f, "guarded");
	assert_denied(f, WRITE, "$W/shared.gitconfig");
	assert_denied(f, WRITE, "$W/other.gitconfig");
	assert_denied(f, CREATE, "$W/.githooks/pre-push");
	assert_denied(f, CREATE, "$W/.githooks");
	assert_denied(f, WRITE, "$W/tools/monitor");
	assert_allowed(f, WRITE, "$W/tools/other");
	assert_allowed(f, WRITE, "$W/src");
}

/* The repository lies where nothing else permits writing. */
static void make_linked(struct fixture *f, const char *back)
{
	make_repository(f, "$H/repo/.git");
	make_file(f, "$H/repo/.git/worktrees/work/gitdir", back);
	make_file(f, "$H/repo/.git/worktrees/work/commondir", "../..\n");
	make_file(f, "$H/repo/.git/worktrees/work/HEAD", "x\n");
	make_file(f, "$W/.git", "gitdir: $H/repo/.git/worktrees/work\n");
}

static bool has_reason(const struct policy_decision *d, const char *id)
{
	for (size_t i = 0; i < d->n_reasons; i++)
		if (strcmp(d->reasons[i], id) == 0)
			return true;
	return false;
}

static void a_linked_worktree_reaches_its_repository(void **state)
{
	struct fixture *f = *state;
	struct policy_decision d;

	make_linked(f, "$W/.git\n");
	use_profile(f, "guarded");
	expect_protected(f, "$H/repo/.git");
	d = decide_file(f, WRITE, "$H/repo/.git/worktrees/work/index");
	assert_true(has_reason(&d, "profile:git-worktree"));
	d = decide_file(f, WRITE, "$H/repo/src.c");
	assert_false(has_reason(&d, "profile:git-worktree"));
	assert_denied(f, WRITE, "$W/.git");
	assert_denied(f, WRITE, "$H/repo/.git/worktrees/work/commondir");
}

static void a_git_file_alone_proves_nothing(void **state)
{
	struct fixture *f = *state;
	struct policy_decision d;

	make_linked(f, "$H/elsewhere/.git\n");
	use_profile(f, "guarded");
	d = decide_file(f, WRITE, "$H/repo/.git/worktrees/work/index");
	assert_false(has_reason(&d, "profile:git-worktree"));
	make_linked(f, "$W/.git\n");
	make_file(f, "$H/repo/.git/worktrees/work/commondir", "../../../../.ssh\n");
	make_file(f, "$H/.ssh/HEAD", "x");
	make_file(f, "$H/.ssh/objects", "x");
	use_profile(f, "guarded");
	d = decide_file(f, WRITE, "$H/.ssh/authorized_keys");
	assert_false(has_reason(&d, "profile:git-worktree"));
}

static void odd_repositories(void **state)
{
	struct fixture *f = *state;
	static const char *const git_files[] = {
		"", "gitdir: ", "gitdir: /\n", "gitdir: .git\n", "x\n", "gitdir: /proc/self/root\n"
	};
	_cleanup_free_ char *nobody = home_path("");

	for (size_t i = 0; i < ARRAY_SIZE(git_files); i++) {
		make_file(f, "$W/.git", git_files[i]);
		use_profile(f, "guarded");
		assert_denied(f, WRITE, "$W/.git");
		assert_denied(f, WRITE, nobody);
	}
	make_file(f, "$W/sub\"\\\n\xff/.git/HEAD", "x");
	use_profile(f, "guarded");
	assert_denied(f, WRITE, "$W/sub\"\\\n\xff/.git/config");
	assert_allowed(f, WRITE, "$W/sub\"\\\n\xfe/.git/config");
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_workspace_repository),
		TEST(repositories_below),
		TEST(repositories_beside_many_files),
		TEST(repositories_the_agent_makes),
		TEST(submodules_and_worktrees),
		TEST(what_a_configuration_includes),
		TEST(a_linked_worktree_reaches_its_repository),
		TEST(a_git_file_alone_proves_nothing),
		TEST(odd_repositories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
