/*
 * `leash [run] [FLAGS] [--] COMMAND [ARG...]`: puts together what the flags, the
 * environment and config.toml say, finds the command, and hands all of it to the
 * daemon, or to the engine that has the image.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/agent-access.h"
#include "cli/agent-arguments.h"
#include "cli/command.h"
#include "cli/config-file.h"
#include "cli/directories.h"
#include "cli/moment.h"
#include "cli/program.h"
#include "cli/roles.h"
#include "cli/run-private.h"
#include "cli/running.h"
#include "cli/secret-sources.h"
#include "cli/state.h"
#include "daemon/attach.h"
#include "daemon/known-keys.h"
#include "daemon/trust.h"
#include "daemon/window.h"

/* ---- What is not on the command line ------------------------------------------- */

/* LEASH_LISTEN is like --listen, OPEN like --open; the flags come later and win. */
static int read_environment(struct run *run, struct err *err)
{
	const char *listen = secure_getenv("LEASH_LISTEN"), *open = secure_getenv("OPEN");
	const char *timeout = secure_getenv("LEASH_BOOTSTRAP_TIMEOUT");

	run->listen = (struct api_listen)API_LISTEN_DEFAULT;
	run->want_browser = open && (strcmp(open, "1") == 0 || strcasecmp(open, "t") == 0 ||
				     strcasecmp(open, "true") == 0);
	if (listen && api_listen_parse(span_of(listen), &run->listen, err) < 0)
		return err_wrap(err, -EINVAL, "LEASH_LISTEN");
	if (timeout && *timeout && moment_parse_length(timeout, &run->start_timeout_ms) < 0)
		return err_say(
			err, -EINVAL,
			"LEASH_BOOTSTRAP_TIMEOUT=%s: expected seconds, or a time like 90s or "
			"1m30s",
			timeout);
	return 0;
}

static int prepare(struct run *run, struct err *err)
{
	const char *file = secure_getenv("LEASH_POLICY_FILE");

	run->home = home_directory(err);
	if (!run->home)
		return -ENOENT;
	run->config = config_directory(run->home);
	run->cwd = getcwd(NULL, 0);
	if (!run->cwd)
		return err_set(err, -errno, "find the current directory");
	run->layers.environment = (struct policy_environment){ .home = run->home,
							       .workspace = run->cwd,
							       .profile = "guarded",
							       .mode = POLICY_ENFORCE };
	run->layers.user_file = path_join(run->config, "policy.cedar");
	run->layers.project_file = path_join(run->cwd, ".leash/policy.cedar");
	if (read_environment(run, err) < 0)
		return -EINVAL;
	return file && *file ? run_set_policy_file(run, file, err) : 0;
}

/* Flags go before what the file says. */
static int add_configured(struct run *run, struct err *err)
{
	struct config_document *d = &run->document;
	struct config_settings *settings = &run->settings;
	int r = config_read(run->config, d, err);

	if (r >= 0)
		r = config_settings_read(d, run->home, run->cwd, settings, err);
	if (r >= 0)
		r = run_choose_runtime(run, settings->target_image, err);
	if (r < 0)
		return r;
	config_add_variables(settings, &run->env_options);
	volumes_add_configured(&run->volumes, d, settings, run->image);
	return 0;
}

/* ---- The session ---------------------------------------------------------------- */

/* A port that somebody asked for is taken before anything starts, or it is an error. */
static int open_listener(struct run *run, struct err *err)
{
	struct api_listen *l = &run->listen;

	if (l->address[0] && !api_listen_is_loopback(l) && !run->is_insecure)
		return err_say(err, -EINVAL,
			       "--listen %s: other machines could reach it, and it speaks no TLS; "
			       "--insecure-listen allows that",
			       l->address);
	return l->address[0] && l->is_port_given ? api_listen_open(l, err) : 0;
}

/* What says where agents keep what is theirs on this machine, before the caller's variables. */
static const struct environment *places_environment(const struct run *run)
{
	return run->image ? NULL : &run->environment;
}

/* In an image its directories are where its user's home is. */
static void mount_agent(struct run *run, const struct agent *agent)
{
	_cleanup_(agent_mounts_done) agent_mounts mounts = { 0 };
	const char *given = environment_get(&run->environment, "HOME");
	_cleanup_free_ char *home = given ? xstrdup(given) : engine_home(&run->engine);

	if (!home || home[0] != '/') {
		log_warning("the image does not say where its user's home is: %s begins without "
			    "your settings; -v can mount them",
			    agent->name);
		return;
	}
	environment_set(&run->environment, "HOME", home);
	agent_places_find(agent, run->home, places_environment(run), &mounts);
	volumes_add_agent(&run->volumes, &mounts, home);
}

/* May the agent use its own directories of the host? */
static int permit_agent(struct run *run, bool is_interactive, struct buf *text, struct err *err)
{
	struct agent_access access = { .agent = agent_find(run->layers.environment.agent),
				       .home = run->home,
				       .cwd = run->cwd,
				       .config = run->config,
				       .document = &run->document,
				       .settings = &run->settings,
				       .environment = places_environment(run),
				       .profile = run->layers.environment.profile,
				       .has_policy_file = run->layers.policy_file,
				       .has_image = run->image,
				       .is_interactive = is_interactive };
	int r = agent_access_decide(&access, err);

	if (r >= 0 && !run->image)
		r = agent_access_policy(&access, text, err);
	else if (r >= 0 && access.is_allowed)
		mount_agent(run, access.agent);
	return r;
}

/* All that the command gets, but for what the secrets become. */
static int fill_environment(struct run *run, struct err *err)
{
	struct environment *e = &run->environment;
	const struct agent *agent = agent_find(run->layers.environment.agent);
	int r = 0;

	if (run->want_env_inherit)
		environment_inherit(e);
	if (run->image)
		engine_environment(&run->engine, e);
	else
		environment_add_basics(e, run->home, run->cwd);
	environment_add_trust(e);
	if (agent)
		environment_add_agent(e, agent, run->image != NULL);
	if (run->want_keys)
		known_keys_forward(run->layers.environment.agent, e);
	for (size_t i = 0; i < run->env_options.entries.len && r >= 0; i++)
		r = environment_add_option(e, run->env_options.entries.items[i], err);
	return r;
}

/* What follows for the policy from what was asked for. */
static int write_policy(struct run *run, bool is_interactive, struct buf *text, struct err *err)
{
	int r = volumes_permit(&run->volumes, text, err);

	for (size_t i = 0; i < run->secrets.len && r >= 0; i++)
		r = secret_source_forbid(&run->secrets.items[i], text, err);
	if (r >= 0)
		r = permit_agent(run, is_interactive, text, err);
	run->layers.session_text = buf_span(text);
	return r;
}

static struct sandbox_mount *make_mounts(const volumes *list)
{
	struct sandbox_mount *mounts = xnew_array(struct sandbox_mount, list->len);

	for (size_t i = 0; i < list->len; i++)
		mounts[i] = (struct sandbox_mount){ .source = list->items[i].source,
						    .target = list->items[i].target,
						    .is_read_only = list->items[i].is_read_only };
	return mounts;
}

static int execute(struct run *run, char **argv, struct err *err)
{
	_cleanup_free_ char *program = NULL;
	_cleanup_free_ char *directory = NULL;
	_cleanup_free_ char *id = NULL;
	_cleanup_free_ char *state = state_directory(run->home);
	_cleanup_free_ char *runtime = runtime_directory(run->home);
	_cleanup_free_ struct sandbox_mount *mounts = NULL;
	_cleanup_free_ char *agent = NULL;
	_cleanup_free_ char *token_file = NULL;
	_cleanup_free_ char *attach_socket = NULL;
	_cleanup_close_ int name_fd = -1;  /* the name is ours while it is open */
	_cleanup_free_ char **told = NULL; /* the command, with what an agent is told */
	struct session_options options;
	_cleanup_buf_ struct buf session_text = BUF_INIT(0);
	bool want_pty = !run->is_not_interactive && terminal_is_interactive();
	const char *const own_paths[] = { run->config, state, runtime, NULL };
	_cleanup_free_ char *shared = path_join(state, "engine");
	struct engine_places places = { .config = run->config,
					.runtime = runtime,
					.shared = shared };
	struct span name;
	int code;

	if (run->want_all_ports && !run->image) {
		(void)err_say(err, -EINVAL,
			      "-P: there is no image here whose ports could be published; name "
			      "them, as in -p 3000");
		return EXIT_LEASH_FAILED;
	}
	code = run->image ? run_open_engine(run, err)
			  : program_find(run->cwd, argv[0], &program, err);
	if (code)
		return code;
	name = path_base_name(span_of(argv[0]));
	agent = xmemdup0(name.p, name.len);
	run->layers.environment.agent = agent;
	run->layers.environment.own_paths = own_paths;
	run->layers.trusted = trust_directory(state);
	places.trusted = run->layers.trusted;
	if (fill_environment(run, err) < 0 || run_hide_secrets(run, err) < 0 ||
	    write_policy(run, want_pty && isatty(STDERR_FILENO), &session_text, err) < 0)
		return EXIT_LEASH_FAILED;
	mounts = make_mounts(&run->volumes);
	if (run->name && running_claim_name(state, run->name, &name_fd, err) < 0)
		return EXIT_LEASH_FAILED;
	if (open_listener(run, err) < 0 || state_session_create(state, &id, &directory, err) < 0)
		return EXIT_LEASH_FAILED;
	token_file = state_token_file(runtime, id);
	told = agent_arguments(agent_find(agent), argv, run->home, run->cwd,
			       places_environment(run));
	options = (struct session_options){
		.id = id,
		.name = run->name,
		.directory = directory,
		.program = program,
		.argv = told ? told : argv,
		.cwd = run->cwd,
		.workspace = run->cwd,
		.home = run->home,
		.layers = &run->layers,
		.environment = &run->environment,
		.secrets = &run->secrets,
		.ports = &run->ports,
		.mounts = mounts,
		.n_mounts = run->volumes.len,
		.limits = run->limits,
		.listen = &run->listen,
		.token_file = token_file,
		.start_timeout_ms = run->start_timeout_ms,
		.want_pty = want_pty || run->is_detached,
		.is_verbose = run->is_verbose,
		.want_url = !run->is_detached &&
			    (run->is_verbose || (want_pty && isatty(STDERR_FILENO))),
		.want_browser = run->want_browser,
	};
	if (run->is_detached) {
		attach_socket = attach_socket_path(runtime, id);
		options.attach_socket = attach_socket;
		if (detach_leave(&run->detach, &options, err) < 0)
			return EXIT_LEASH_FAILED;
	}
	return run->image ? engine_run(&run->engine, &options, &places, err)
			  : role_run_native(&options, err);
}

static void run_done(struct run *run)
{
	volumes_done(&run->volumes);
	secret_specs_done(&run->secrets);
	publish_done(&run->ports);
	environment_done(&run->environment);
	environment_done(&run->env_options);
	xfree(run->layers.policy_file);
	xfree(run->layers.user_file);
	xfree(run->layers.project_file);
	xfree(run->layers.trusted);
	xfree(run->layers.kept_text);
	xfree(run->layers.runtime_text);
	api_listen_close(&run->listen);
	cleanup_close(&run->detach.caller_fd);
	xfree(run->home);
	xfree(run->cwd);
	xfree(run->config);
	config_settings_done(&run->settings);
	config_done(&run->document);
	engine_close(&run->engine);
}

int command_run(int argc, char **argv)
{
	_cleanup_(run_done) struct run run = { .listen = { .fd = -1 }, .detach = DETACH_INIT };
	struct err err = { 0 };
	int first, code;

	if (prepare(&run, &err) < 0) {
		log_error("%s", err.text);
		return EXIT_LEASH_FAILED;
	}
	first = run_parse_options(&run, argc, argv, &err);
	if (first < 0) {
		log_error("%s", err.text);
		return run.is_unavailable ? EXIT_LEASH_FAILED : EXIT_USAGE;
	}
	if (run.want_version)
		return command_version(1, argv);
	if (run.want_help)
		return command_help(1, argv);
	if (run.is_verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	if (first >= argc) {
		log_error("no command given; try `leash -- bash`, or `leash --help`");
		return EXIT_USAGE;
	}
	if (!run.is_detached || detach_begin(&run.detach, &code, &err))
		code = add_configured(&run, &err) < 0 ? EXIT_LEASH_FAILED
						      : execute(&run, argv + first, &err);
	if (err.code)
		log_error("%s", err.text);
	return code;
}
