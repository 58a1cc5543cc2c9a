#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/agent-access.h"
#include "cli/command.h"
#include "cli/config-file.h"
#include "cli/directories.h"
#include "cli/image.h"
#include "cli/policy-private.h"
#include "cli/secret-sources.h"
#include "cli/volumes.h"
#include "daemon/trust.h"

int policy_context_set_file(struct policy_context *c, const char *file, struct err *err)
{
	_cleanup_free_ char *path = expand_home(c->home, file);

	xfree(c->layers.policy_file);
	c->layers.policy_file = realpath(path, NULL);
	return c->layers.policy_file ? 0 : err_set(err, -errno, "read the policy %s", file);
}

static int init(struct policy_context *c, struct err *err)
{
	const char *file = secure_getenv("LEASH_POLICY_FILE");

	c->home = home_directory(err);
	if (!c->home)
		return -ENOENT;
	c->cwd = getcwd(NULL, 0);
	if (!c->cwd)
		return err_set(err, -errno, "find the current directory");
	c->config = config_directory(c->home);
	c->state = state_directory(c->home);
	c->runtime = runtime_directory(c->home);
	c->own_paths[0] = c->config;
	c->own_paths[1] = c->state;
	c->own_paths[2] = c->runtime;
	c->layers.environment = (struct policy_environment){ .agent = "agent",
							     .home = c->home,
							     .workspace = c->cwd,
							     .profile = "guarded",
							     .own_paths = c->own_paths };
	c->layers.user_file = path_join(c->config, "policy.cedar");
	c->layers.project_file = path_join(c->cwd, ".leash/policy.cedar");
	c->layers.trusted = trust_directory(c->state);
	return file && *file ? policy_context_set_file(c, file, err) : 0;
}

void policy_context_done(struct policy_context *c)
{
	xfree(c->layers.policy_file);
	xfree(c->layers.user_file);
	xfree(c->layers.project_file);
	xfree(c->layers.trusted);
	xfree(c->home);
	xfree(c->cwd);
	xfree(c->config);
	xfree(c->state);
	xfree(c->runtime);
	buf_done(&c->session_text);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct policy_context *c = ctx;

	switch (id) {
	case POLICY_OPTION_POLICY:
		return policy_context_set_file(c, value, err);
	case POLICY_OPTION_PROFILE:
		if (!policy_profile_text(value).len)
			return err_say(err, -EINVAL,
				       "--profile %s: there are guarded, permissive and locked",
				       value);
		c->layers.environment.profile = value;
		return 0;
	case POLICY_OPTION_AGENT:
		c->layers.environment.agent = value;
		return 0;
	case POLICY_OPTION_JSON:
		c->want_json = true;
		return 0;
	default:
		return c->on_option ? c->on_option(id, value, c->ctx, err) : -EINVAL;
	}
}

/* A session would not start where a secret's file is missing; its policies can be looked at. */
static int forbid_sources(struct policy_context *c, const struct config_document *d,
			  struct err *err)
{
	_cleanup_(secret_specs_done) secret_specs secrets = { 0 };
	int r = config_take_secrets(d, &secrets, err);

	for (size_t i = 0; i < secrets.len && r >= 0; i++) {
		struct err missing = { 0 };

		secret_spec_expand(&secrets.items[i], c->home);
		if (secret_source_forbid(&secrets.items[i], &c->session_text, &missing) < 0)
			log_warning("%s", missing.text);
	}
	return r;
}

/* What config.toml gives a session that runs the agent, and asks nobody. */
static int add_configured(struct policy_context *c, struct err *err)
{
	_cleanup_(volumes_done) volumes list = { 0 };
	_cleanup_(environment_done) struct environment environment = { 0 };
	_cleanup_(config_done) struct config_document d = { 0 };
	struct config_settings settings = { 0 };
	struct agent_access access = { .agent = agent_find(c->layers.environment.agent),
				       .home = c->home,
				       .cwd = c->cwd,
				       .config = c->config,
				       .document = &d,
				       .settings = &settings,
				       .environment = &environment,
				       .profile = c->layers.environment.profile,
				       .has_policy_file = c->layers.policy_file };
	int r = config_read(c->config, &d, err);

	if (r >= 0)
		r = config_settings_read(&d, c->home, c->cwd, &settings, err);
	if (r >= 0) {
		config_add_variables(&settings, &environment);
		volumes_add_configured(&list, &d, &settings,
				       image_by_default(settings.target_image));
		r = volumes_permit(&list, &c->session_text, err);
	}
	if (r >= 0)
		r = forbid_sources(c, &d, err);
	if (r >= 0)
		r = agent_access_decide(&access, err);
	if (r >= 0)
		r = agent_access_policy(&access, &c->session_text, err);
	config_settings_done(&settings);
	c->layers.session_text = buf_span(&c->session_text);
	return r;
}

int policy_context_parse(struct policy_context *c, const struct usage *u, int argc, char **argv,
			 size_t max_operands, int *ret_n_operands)
{
	struct err err = { 0 };
	int code;

	if (init(c, &err) < 0) {
		log_error("%s", err.text);
		return EXIT_USAGE;
	}
	code = usage_parse(u, argc, argv, on_option, c, ret_n_operands);
	if (code >= 0)
		return code;
	argv[*ret_n_operands] = NULL;
	if ((size_t)*ret_n_operands > max_operands) {
		log_error("%s: too many words: %s", u->name, argv[max_operands]);
		return EXIT_USAGE;
	}
	if (add_configured(c, &err) >= 0)
		return -1;
	log_error("%s", err.text);
	return EXIT_USAGE;
}

int policy_context_load(struct policy_context *c, struct buf *report, struct policy_findings *list,
			struct policy_source **ret, struct err *err)
{
	return policy_layers_load(&c->layers, log_want_color(STDERR_FILENO), report, list, ret,
				  err);
}

struct policy *policy_open_source(struct policy_source *source, struct err *err)
{
	_cleanup_close_ int fd = policy_source_bundle(source, 1, err);
	struct policy *policy = NULL;

	policy_source_free(source);
	return fd < 0 || policy_open(fd, &policy, err) < 0 ? NULL : policy;
}

struct policy *policy_context_open(struct policy_context *c)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *source = NULL;
	struct policy *policy = NULL;
	struct err err = { 0 };

	if (policy_context_load(c, &report, NULL, &source, &err) >= 0)
		policy = policy_open_source(source, &err);
	if (policy)
		return policy;
	if (report.len)
		log_text(report.data, report.len);
	log_error("%s", err.text);
	return NULL;
}

void append_visible(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20 || c == 0x7f)
			(void)buf_printf(out, "\\x%02x", (unsigned int)c);
		else
			(void)buf_append_char(out, text.p[i]);
	}
}

int print_out(const struct buf *out)
{
	return fd_write_all(STDOUT_FILENO, out->data ? out->data : "", out->len) < 0;
}
