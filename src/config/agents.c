#include "config/agents.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/span.h"

const struct agent_key agent_keys[] = {
	{ "ANTHROPIC_API_KEY", "claude", { "api.anthropic.com" }, "ANTHROPIC_BASE_URL" },
	{ "OPENAI_API_KEY", "codex", { "api.openai.com" }, "OPENAI_BASE_URL" },
	{ "GEMINI_API_KEY",
	  "gemini",
	  { "generativelanguage.googleapis.com" },
	  "GOOGLE_GEMINI_BASE_URL" },
	{ "DASHSCOPE_API_KEY",
	  "qwen",
	  { "dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com" },
	  "DASHSCOPE_BASE_URL" },
};
const size_t n_agent_keys = ARRAY_SIZE(agent_keys);

const char *const agent_names[] = { "claude", "codex", "gemini", "qwen", "opencode", NULL };

const struct agent agents[AGENT_MAX] = {
	[AGENT_CLAUDE] = {
		.name = "claude",
		.places = { { .variable = "CLAUDE_CONFIG_DIR", .base = ".claude", .name = "",
			      .target = ".claude" },
			    { .variable = "CLAUDE_CONFIG_DIR", .base = "", .name = ".claude.json",
			      .target = ".claude.json", .is_file = true } },
		.protected = { "hooks", "hooks/*", "plugins", "plugins/*", "settings*.json",
			       "local", "local/*" },
		.variables = { "CLAUDE_CONFIG_DIR", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL",
			       "ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL",
			       "ANTHROPIC_DEFAULT_HAIKU_MODEL", "ANTHROPIC_SMALL_FAST_MODEL",
			       "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
			       "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_TELEMETRY",
			       "MAX_THINKING_TOKENS" },
		/* Lets root skip its permission prompts, which it refuses elsewhere. */
		.settings = { { "IS_SANDBOX", "1" } },
		.arguments = { "--settings", "{\"sandbox\":{\"enabled\":false}}" },
		.exceptions = { "--settings" },
		.switch_files = { "settings.json", "settings.local.json" },
		.switch_table = "sandbox",
		.switch_key = "enabled",
	},
	[AGENT_CODEX] = {
		.name = "codex",
		.places = { { .variable = "CODEX_HOME", .base = ".codex", .name = "",
			      .target = ".codex" } },
		.protected = { "config.toml", "hooks.json" },
		.variables = { "CODEX_HOME", "OPENAI_BASE_URL", "OPENAI_ORGANIZATION",
			       "OPENAI_PROJECT" },
		.arguments = { "-c", "sandbox_mode=\"danger-full-access\"" },
		.exceptions = { "-s", "--sandbox", "--full-auto", "--yolo", "sandbox_mode",
				"--dangerously-bypass-approvals-and-sandbox", "sandbox" },
	},
	[AGENT_GEMINI] = {
		.name = "gemini",
		.places = { { .variable = "GEMINI_CLI_HOME", .base = "", .name = ".gemini",
			      .target = ".gemini" } },
		.protected = { "settings.json", "extensions", "extensions/*" },
		.variables = { "GEMINI_CLI_HOME", "GEMINI_MODEL", "GOOGLE_GEMINI_BASE_URL",
			       "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION",
			       "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA" },
		/* What it sets itself in a sandbox that it has made: then it makes none. */
		.settings = { { "SANDBOX", "leash" } },
	},
	[AGENT_QWEN] = {
		.name = "qwen",
		.places = { { .base = "", .name = ".qwen", .target = ".qwen" } },
		.protected = { "settings.json", "extensions", "extensions/*" },
		.variables = { "DASHSCOPE_BASE_URL", "OPENAI_BASE_URL", "OPENAI_MODEL" },
		.settings = { { "SANDBOX", "leash" } },
	},
	[AGENT_OPENCODE] = {
		.name = "opencode",
		.places = {
			{ .variable = "XDG_CONFIG_HOME", .base = ".config", .name = "opencode",
			  .target = ".config/opencode" },
			{ .variable = "XDG_STATE_HOME", .base = ".local/state", .name = "opencode",
			  .target = ".local/state/opencode" },
			/* Not all of it: its programs are the host's. */
			{ .variable = "XDG_DATA_HOME", .base = ".local/share",
			  .name = "opencode/auth.json", .target = ".local/share/opencode/auth.json",
			  .is_file = true },
			{ .variable = "XDG_DATA_HOME", .base = ".local/share",
			  .name = "opencode/log", .target = ".local/share/opencode/log" },
			{ .variable = "XDG_DATA_HOME", .base = ".local/share",
			  .name = "opencode/snapshot", .target = ".local/share/opencode/snapshot" },
			{ .variable = "XDG_DATA_HOME", .base = ".local/share",
			  .name = "opencode/storage", .target = ".local/share/opencode/storage" },
			{ .base = "", .name = ".opencode", .target = ".opencode" },
		},
		.protected = { "opencode.json", "opencode.jsonc", "plugin", "plugin/*", "plugins",
			       "plugins/*", "bin", "bin/*" },
		.variables = { "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME",
			       "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL",
			       "DASHSCOPE_BASE_URL" },
	},
};

bool agent_names_place(const struct agent *a, const char *variable)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->places) && a->places[i].target; i++)
		if (a->places[i].variable && strcmp(a->places[i].variable, variable) == 0)
			return true;
	return false;
}

const struct agent *agent_find(const char *name)
{
	for (size_t i = 0; name && i < AGENT_MAX; i++)
		if (strcmp(agents[i].name, name) == 0)
			return &agents[i];
	return NULL;
}

bool agent_uses_key(const struct agent *a, const struct agent_key *key)
{
	return a && (a == &agents[AGENT_OPENCODE] || strcmp(a->name, key->agent) == 0);
}

/* ---- Places ------------------------------------------------------------------------------- */

static char *in_home(const char *home, const char *name)
{
	return *name ? path_join(home, name) : xstrdup(home);
}

/*
 * The directory that the variable's value names: absolute, ~ and ~/..., or relative to the home
 * directory.
 */
static char *base_of(const struct agent_place *p, const char *home, const char *value,
		     bool *ret_is_given)
{
	_cleanup_buf_ struct buf path = BUF_INIT(0);

	*ret_is_given = value && *value;
	if (!*ret_is_given)
		return in_home(home, p->base);
	/* XDG Base Directory Specification: a relative path is invalid and must be ignored. */
	if (strncmp(p->variable, "XDG_", 4) == 0 && value[0] != '/') {
		*ret_is_given = false;
		return in_home(home, p->base);
	}
	if (value[0] == '~' && (value[1] == '/' || !value[1]))
		value += value[1] ? 2 : 1;
	if (!*value)
		return xstrdup(home);
	(void)path_normalise(span_of(home), span_of(value), &path);
	return buf_take(&path);
}

static void find_one(const struct agent_place *p, const char *home, const char *value,
		     struct agent_mount *ret)
{
	bool is_given;
	_cleanup_free_ char *base = base_of(p, home, value, &is_given);
	_cleanup_free_ char *usual_base = in_home(home, p->base);
	_cleanup_free_ char *usual = in_home(usual_base, p->name);
	struct stat st;

	*ret = (struct agent_mount){ .place = p,
				     .source = in_home(base, p->name),
				     .target = p->target,
				     .is_file = p->is_file };
	ret->is_there = stat(ret->source, &st) == 0 &&
			(p->is_file ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode));
	ret->is_moved = is_given && strcmp(usual, ret->source) != 0;
}

void agent_mounts_find(const struct agent *a, const char *home, agent_variable_fn variable,
		       const void *ctx, agent_mounts *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->places) && a->places[i].target; i++) {
		const struct agent_place *p = &a->places[i];
		struct agent_mount m;

		find_one(p, home, p->variable ? variable(ctx, p->variable) : NULL, &m);
		vec_push(ret, m);
	}
}

void agent_mounts_done(agent_mounts *m)
{
	for (size_t i = 0; i < m->len; i++)
		xfree(m->items[i].source);
	vec_done(m);
}
