/* What the built-in profiles let pass and what not, each with its neighbour. */
#include "fixture.h"

#include <sys/stat.h>

#include "base/alloc.h"

/* A home that is nowhere, so that no directory it lies in is one that a profile names. */
static int setup(void **state)
{
	struct fixture *f;

	if (fixture_setup(state) < 0)
		return -1;
	f = *state;
	xfree(f->home);
	xfree(f->workspace);
	f->home = xstrdup("/home/leash-test-nobody");
	f->workspace = xstrdup("/home/leash-test-nobody/work");
	f->env.home = f->home;
	f->env.workspace = f->workspace;
	return 0;
}

/* Names that must be refused, each with one beside it that must not. */
struct pair {
	const char *denied, *allowed;
};

static void profiles_have_no_findings(void **state)
{
	static const char *const names[] = { "guarded", "permissive", "locked" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *text = NULL;
		_cleanup_free_ char *report = NULL;
		int r;

		use_profile(f, names[i]);
		text = xmemdup0(policy_profile_text(names[i]).p, policy_profile_text(names[i]).len);
		report = report_of(f, POLICY_LAYER_PROFILE, text, &r);
		assert_int_equal(r, 0);
		assert_string_equal(report, "");
	}
	assert_int_equal(policy_profile_text("nonsense").len, 0);
}

static void an_unknown_profile(void **state)
{
	struct fixture *f = *state;
	struct policy_source *s;
	struct err err = { 0 };

	f->env.profile = "gaurded";
	s = policy_source_new(&f->env);
	assert_true(policy_source_add_builtin(s, true, &err) < 0);
	assert_non_null(strstr(err.text, "gaurded"));
	assert_int_equal(policy_source_add_builtin(s, false, &err), 0);
	policy_source_free(s);
}

static void guarded_hides_credentials(void **state)
{
	static const struct pair pairs[] = {
		{ "$H/.ssh/id_ed25519", "$H/.ssh/known_hosts" },
		{ "$H/.ssh", "$H/.sshx" },
		{ "$H/.ssh/authorized_keys", "$H/.ssh/config" },
		{ "$H/.ssh/deploy.key", "$H/.ssh/id_ed25519.pub" },
		{ "$H/.aws/credentials", "$H/.awsome/credentials" },
		{ "$H/.azure/accessTokens.json", "$H/.bashrc" },
		{ "$H/.gnupg/private-keys-v1.d/k", "$H/.profile" },
		{ "$H/.config/gcloud/credentials.db", "$H/.config/user-dirs.dirs" },
		{ "$H/.kube/config", "$H/.kubectl" },
		{ "$H/.docker/config.json", "$H/.docker/contexts/meta.json" },
		{ "$H/.netrc", "$H/.netrc.example" },
		{ "$H/.git-credentials", "$H/.gitconfig" },
		{ "$H/.config/gh/hosts.yml", "$H/.config/git/ignore" },
		{ "$H/.config/git/credentials", "$H/.config/git/config" },
		{ "$H/.npmrc", "$H/.nvmrc" },
		{ "$H/.pypirc", "$H/.pylintrc" },
		{ "$H/.cargo/credentials.toml", "$H/.cargo/config.toml" },
		{ "$H/.local/share/keyrings/login.keyring", "$H/.local/share/fonts/a" },
		{ "$H/.password-store/a.gpg", "$H/.local/a" },
		{ "$H/Documents/secrets.kdbx", "$H/Documents/letter" },
		{ "$H/.mozilla/firefox/x/cookies.sqlite", "$H/.mozillarc" },
		{ "$H/.config/google-chrome/Default/Cookies", "$H/.config/htop/htoprc" },
		{ "$H/.config/chromium/Default/Login Data", "$H/.config/x" },
		{ "$H/.vault-token", "$H/.vault" },
		{ "$H/.pgpass", "$H/.psqlrc" },
		{ "$H/.bash_history", "$H/.bash_aliases" },
		{ "/etc/shadow", "/etc/passwd" },
		{ "/etc/gshadow", "/etc/group" },
		{ "/etc/shadow-", "/etc/passwd-" },
		{ "/etc/sudoers", "/etc/sudo.conf" },
		{ "/etc/sudoers.d/x", "/etc/profile.d/x" },
		{ "/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key.pub" },
		{ "/etc/ssl/private/k.pem", "/etc/ssl/openssl.cnf" },
		{ "/tmp/ssh-abc/agent.1", "/tmp/ssh-abc/x" },
		{ "/proc/kcore", "/proc/cpuinfo" },
	};
	struct fixture *f = *state;

	use_profile(f, "guarded");
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (file_allowed(f, READ, pairs[i].denied) ||
		    file_allowed(f, WRITE, pairs[i].denied))
			fail_msg("%s may be opened", pairs[i].denied);
		if (!file_allowed(f, READ, pairs[i].allowed))
			fail_msg("%s may not be read", pairs[i].allowed);
	}
}

static void guarded_protects_what_runs_later(void **state)
{
	static const struct pair pairs[] = {
		{ "$W/.git/hooks/pre-commit", "$W/.git/index" },
		{ "$W/.git/hooks", "$W/.git/refs/heads/x" },
		{ "$W/.git/config", "$W/.git/COMMIT_EDITMSG" },
		{ "$W/.git/config.lock", "$W/.git/index.lock" },
		{ "$W/.git/config.worktree", "$W/.git/HEAD" },
		{ "$W/.git/commondir", "$W/.git/worktrees/x/commondir" },
		{ "$W/.git", "$W/.gitignore" },
		{ "$W/.envrc", "$W/.env" },
		{ "$W/a/b/.envrc", "$W/a/b/envrc" },
		{ "$W/.vscode", "$W/vscode" },
		{ "$W/.vscode/tasks.json", "$W/vscode/tasks.json" },
		{ "$W/sub/.vscode/settings.json", "$W/node_modules/x/.vscode/settings.json" },
		{ "$W/x.code-workspace", "$W/x.code" },
		{ "$W/.idea/workspace.xml", "$W/idea/x" },
		{ "$W/.devcontainer/devcontainer.json", "$W/Dockerfile" },
		{ "$W/.mcp.json", "$W/mcp.json" },
		{ "$W/.claude/settings.json", "$W/.claude/commands/x.md" },
		{ "$W/.claude/settings.local.json", "$W/CLAUDE.md" },
		{ "$W/.claude/hooks/x.sh", "$W/.claude/agents/x.md" },
		{ "$W/.codex/config.toml", "$W/.codex/notes" },
		{ "$W/.gemini/settings.json", "$W/GEMINI.md" },
		{ "$W/.qwen/settings.json", "$W/QWEN.md" },
		{ "$W/opencode.json", "$W/package.json" },
		{ "$W/opencode.jsonc", "$W/x.jsonc" },
		{ "$W/.cursor/mcp.json", "$W/.cursor/rules/x" },
		{ "$H/.claude/settings.json", "$H/.claude/todos/x.json" },
		{ "$H/.claude/hooks/x", "$H/.claude/projects/x" },
		{ "$H/.claude/local/claude", "$H/.claude/todos/x" },
		{ "$H/.codex/config.toml", "$H/.codex/sessions/x" },
		{ "$H/.gemini/settings.json", "$H/.gemini/tmp/x" },
		{ "$H/.config/opencode/opencode.json", "$H/.config/opencode/cache" },
	};
	static const enum policy_action actions[] = { WRITE, CREATE, DELETE, POLICY_FILE_LINK,
						      POLICY_FILE_SET_ATTRIBUTES };
	struct fixture *f = *state;

	use_profile(f, "guarded");
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		for (size_t a = 0; a < ARRAY_SIZE(actions); a++) {
			if (file_allowed(f, actions[a], pairs[i].denied))
				fail_msg("%s of %s", policy_action_name(actions[a]),
					 pairs[i].denied);
			if (!file_allowed(f, actions[a], pairs[i].allowed))
				fail_msg("no %s of %s", policy_action_name(actions[a]),
					 pairs[i].allowed);
		}
		assert_allowed(f, READ, pairs[i].denied);
	}
}

static void guarded_protects_start_up_files_even_in_the_workspace(void **state)
{
	static const char *const files[] = { "$H/.bashrc",
					     "$H/.profile",
					     "$H/.zshenv",
					     "$H/.config/fish/config.fish",
					     "$H/.config/autostart/x.desktop",
					     "$H/.config/systemd/user/x.service",
					     "$H/.gitconfig",
					     "$H/.config/git/config" };
	struct fixture *f = *state;

	f->env.workspace = f->home;
	use_profile(f, "guarded");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_denied(f, CREATE, files[i]);
		assert_denied(f, WRITE, files[i]);
		assert_allowed(f, READ, files[i]);
	}
	assert_allowed(f, CREATE, "$H/.vimrc");
	assert_denied(f, DELETE, "$H/.claude");
}

static void guarded_lets_work_be_done(void **state)
{
	static const char *const written[] = {
		"$W/a",
		"$W/deep/er/x",
		"/tmp/x",
		"/var/tmp/x",
		"/dev/shm/x",
		"$H/.cache/x",
		"$H/.npm/_logs/x",
		"$H/.claude.json",
		"$H/.claude.json.tmp.1",
		"$H/.claude/x",
		"$H/.codex/x",
		"$H/.gemini/x",
		"$H/.qwen/x",
		"$H/.config/opencode/x",
		"$H/.local/share/opencode/x",
		"/dev/null",
		"/dev/tty",
		"/dev/pts/3",
		"/dev/full",
		"/dev/zero",
		"/proc/17/comm",
		"/proc/17/oom_score_adj",
	};
	static const char *const kept[] = { "$H/x",
					    "$H",
					    "/etc/hosts",
					    "/usr/bin/x",
					    "/",
					    "/dev/sda",
					    "/proc/sys/kernel/core_pattern",
					    "/home/x",
					    "$H/.ssh/known_hosts",
					    "/run/docker.sock" };
	struct fixture *f = *state;

	use_profile(f, "guarded");
	for (size_t i = 0; i < ARRAY_SIZE(written); i++)
		if (!file_allowed(f, WRITE, written[i]))
			fail_msg("%s", written[i]);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (file_allowed(f, WRITE, kept[i]) || file_allowed(f, CREATE, kept[i]))
			fail_msg("%s", kept[i]);
	assert_allowed(f, POLICY_PROCESS_EXEC, "/usr/bin/env");
	assert_allowed(f, POLICY_PROCESS_EXEC, "$W/a.out");
	assert_denied(f, POLICY_PROCESS_EXEC, "memfd:");
}

static void guarded_network(void **state)
{
	static const struct pair pairs[] = {
		{ "169.254.169.254", "169.253.0.1" },
		{ "127.0.0.1", "128.0.0.1" },
		{ "127.8.8.8", "10.0.0.1" },
		{ "::1", "2606:4700::1111" },
		{ "fe80::1", "fd00::1" },
		{ "fd00:ec2::254", "fd00:ec2::1" },
		{ "0.0.0.0", "1.2.3.4" },
		{ "::ffff:127.0.0.1", "::ffff:1.2.3.4" },
		{ "64:ff9b::a9fe:a9fe", "64:ff9b::1.2.3.4" },
		{ "168.63.129.16", "168.63.129.17" },
		{ "100.100.100.200", "100.100.100.201" },
	};
	static const enum policy_action actions[] = { POLICY_NETWORK_CONNECT,
						      POLICY_NETWORK_DATAGRAM,
						      POLICY_HTTP_REQUEST };
	struct fixture *f = *state;

	use_profile(f, "guarded");
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		for (size_t a = 0; a < ARRAY_SIZE(actions); a++) {
			assert_false(host_allowed(f, actions[a], "", pairs[i].denied, 80));
			assert_false(
				host_allowed(f, actions[a], "name.example", pairs[i].denied, 80));
			assert_true(host_allowed(f, actions[a], "", pairs[i].allowed, 80));
			assert_true(
				host_allowed(f, actions[a], "name.example", pairs[i].allowed, 80));
		}
	}
	assert_true(name_resolves(f, "example.com"));
	assert_false(host_allowed(f, POLICY_NETWORK_CONNECT, "dns.example", "192.0.2.1", 853));
	assert_true(host_allowed(f, POLICY_NETWORK_CONNECT, "dns.example", "192.0.2.1", 443));
	assert_false(name_resolves(f, "dns.google"));
	assert_false(name_resolves(f, "mozilla.cloudflare-dns.com"));
	assert_false(host_allowed(f, POLICY_NETWORK_CONNECT, "", "8.8.8.8", 443));
	assert_true(host_allowed(f, POLICY_NETWORK_LISTEN, "", "0.0.0.0", 3000));
}

static void locked(void **state)
{
	struct fixture *f = *state;

	use_profile(f, "locked");
	assert_allowed(f, READ, "/usr/lib/x");
	assert_allowed(f, READ, "/etc/passwd");
	assert_denied(f, READ, "/etc/shadow");
	assert_denied(f, READ, "$H/x");
	assert_denied(f, READ, "/var/lib/x");
	assert_allowed(f, READ, "$W/x");
	assert_allowed(f, WRITE, "$W/x");
	assert_allowed(f, WRITE, "/tmp/x");
	assert_allowed(f, WRITE, "/dev/null");
	assert_allowed(f, READ, "/dev/urandom");
	assert_denied(f, WRITE, "$H/.cache/x");
	assert_denied(f, WRITE, "$W/.git/hooks/x");
	assert_denied(f, WRITE, "$W/.vscode/x");
	assert_allowed(f, POLICY_PROCESS_EXEC, "/usr/bin/env");
	assert_allowed(f, POLICY_PROCESS_EXEC, "$W/a.out");
	assert_denied(f, POLICY_PROCESS_EXEC, "/tmp/a.out");
	assert_false(host_allowed(f, POLICY_NETWORK_CONNECT, "example.com", "1.1.1.1", 443));
	assert_false(name_resolves(f, "example.com"));
}

static void permissive(void **state)
{
	struct fixture *f = *state;

	use_profile(f, "permissive");
	assert_allowed(f, READ, "/etc/shadow");
	assert_allowed(f, WRITE, "$W/.git/hooks/x");
	assert_allowed(f, POLICY_PROCESS_EXEC, "memfd:");
	assert_true(host_allowed(f, POLICY_NETWORK_CONNECT, "", "169.254.169.254", 80));
	assert_denied(f, WRITE, "$W/.leash/policy.cedar");
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(profiles_have_no_findings),
		TEST(an_unknown_profile),
		TEST(guarded_hides_credentials),
		TEST(guarded_protects_what_runs_later),
		TEST(guarded_protects_start_up_files_even_in_the_workspace),
		TEST(guarded_lets_work_be_done),
		TEST(guarded_network),
		TEST(locked),
		TEST(permissive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
