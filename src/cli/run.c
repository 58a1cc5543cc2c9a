/*
 * `leash [run] [FLAGS] [--] COMMAND [ARG...]`: reads the flags, finds the
 * command, and hands both to the daemon.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/path.h"
#include "base/utf8.h"
#include "cli/agent-access.h"
#include "cli/agent-arguments.h"
#include "cli/command.h"
#include "cli/config-file.h"
#include "cli/detach.h"
#include "cli/directories.h"
#include "cli/moment.h"
#include "cli/option-tables.h"
#include "cli/running.h"
#include "cli/state.h"
#include "config/settings.h"
#include "daemon/attach.h"
#include "daemon/known-keys.h"
#include "daemon/session.h"
#include "daemon/terminal.h"
#include "daemon/trust.h"
#include "engine/engine.h"
#include "policy/text.h"

enum {
	OPTION_POLICY = 1,
	OPTION_PROFILE,
	OPTION_MODE,
	OPTION_NO_INTERACTIVE,
	OPTION_RUNTIME,
	OPTION_IMAGE,
	OPTION_VOLUME,
	OPTION_ENV,
	OPTION_ENV_INHERIT,
	OPTION_SECRET,
	OPTION_FORWARD_KEYS,
	OPTION_PUBLISH,
	OPTION_PUBLISH_ALL,
	OPTION_LISTEN,
	OPTION_INSECURE_LISTEN,
	OPTION_OPEN,
	OPTION_MEMORY,
	OPTION_CPUS,
	OPTION_PIDS,
	OPTION_NAME,
	OPTION_DETACH,
	OPTION_VERBOSE,
	OPTION_HELP,
	OPTION_VERSION,
};

const struct option_spec run_options[] = {
	{ "policy", 0, "FILE", "use this Cedar policy instead of profile and user policy",
	  OPTION_POLICY },
	{ "profile", 0, "NAME", "built-in profile: guarded (default), permissive, locked",
	  OPTION_PROFILE },
	{ "mode", 0, "MODE", "enforce (default), shadow, record", OPTION_MODE },
	{ "no-interactive", 'I', NULL, "pipes instead of a terminal", OPTION_NO_INTERACTIVE },
	{ "runtime", 0, "NAME",
	  "native, docker, podman, nerdctl, or auto (an engine where an image is named, else "
	  "native)",
	  OPTION_RUNTIME },
	{ "image", 0, "NAME", "run in a container of this image, by a container engine",
	  OPTION_IMAGE },
	{ "volume", 'v', "SRC:DST[:ro]", "show SRC as DST inside, writable unless :ro",
	  OPTION_VOLUME, OPTION_VERBOSE },
	{ "env", 'e', "KEY[=VALUE]", "set a variable inside, or pass your own value on",
	  OPTION_ENV },
	{ "env-inherit", 0, NULL, "pass your whole environment on", OPTION_ENV_INHERIT },
	{ "secret", 0, "NAME=SOURCE[,host=HOST]...",
	  "a secret that the agent never sees: SOURCE is env:VARIABLE, file:PATH or cmd:COMMAND; "
	  "it gets a placeholder, "
	  "replaced on the way to HOST (also port=, path=, header=, env=)",
	  OPTION_SECRET },
	{ "forward-keys", 0, NULL,
	  "pass a known agent's API key on as it is, without a placeholder", OPTION_FORWARD_KEYS },
	{ "publish", 'p', "[IP:][PORT:]PORT", "make a port inside reachable from the host",
	  OPTION_PUBLISH },
	{ "port-forward", 0, "[IP:][PORT:]PORT", NULL, OPTION_PUBLISH },
	{ "publish-all", 'P', NULL, "make all ports that the image exposes reachable",
	  OPTION_PUBLISH_ALL },
	{ "listen", 'l', "[ADDRESS:]PORT",
	  "where the control page and the API are served (127.0.0.1:18080 or the next free port); "
	  "empty: nowhere",
	  OPTION_LISTEN },
	{ "insecure-listen", 0, NULL, "let --listen name an address that other machines can reach",
	  OPTION_INSECURE_LISTEN },
	{ "open", 'o', NULL, "open the control page in a browser", OPTION_OPEN },
	{ "memory", 0, "BYTES", "limit memory: 512M, 4G", OPTION_MEMORY },
	{ "cpus", 0, "NUMBER", "limit processor time: 1.5", OPTION_CPUS },
	{ "pids", 0, "NUMBER", "limit processes and threads", OPTION_PIDS },
	{ "name", 0, "NAME", "call the session so, for `leash stop` and others", OPTION_NAME },
	{ "detach", 'd', NULL,
	  "leave it running without this terminal; `leash attach` gives it one", OPTION_DETACH },
	{ "verbose", 'V', NULL, "say more", OPTION_VERBOSE },
	{ "help", 'h', NULL, "show this help", OPTION_HELP },
	{ "version", 0, NULL, "show the version", OPTION_VERSION },
};
const size_t n_run_options = ARRAY_SIZE(run_options);

struct volume {
	char *source, *target;
	bool is_read_only;
};

struct run {
	char *home, *cwd, *config;
	struct config_document document; /* config.toml */
	struct config_settings settings; /* of it, here */
	struct environment environment;
	struct environment env_options; /* -e, applied last */
	secret_specs secrets;
	published_ports ports;
	VEC(struct volume) volumes;
	struct policy_layers layers;
	struct sandbox_limits limits;
	const char *runtime, *image; /* as they were named; no image: native */
	struct engine engine;
	struct api_listen listen;
	bool is_insecure, want_browser;
	bool want_all_ports, is_detached;
	bool is_unavailable; /* what an option names well, and is not to be had */
	struct detach detach;
	const char *name;
	uint64_t start_timeout_ms; /* 0: the default */
	bool is_not_interactive, want_env_inherit, want_keys, is_verbose, want_help, want_version;
};

static int parse_number(const char *text, double *ret)
{
	char *end = NULL;

	errno = 0;
	*ret = strtod(text, &end);
	return errno || end == text || *ret <= 0 || *ret > 1e15 ? -EINVAL : (int)(end - text);
}

static int parse_memory(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	double n;
	int len = parse_number(text, &n);
	const char *unit;

	if (len < 0)
		return len;
	if (text[len]) {
		unit = strchr(units, text[len] & ~0x20);
		if (!unit || !*unit || text[len + 1])
			return -EINVAL;
		for (const char *u = units; u <= unit; u++)
			n *= 1024;
	}
	*ret = (uint64_t)n;
	return 0;
}

/* SRC:DST[:ro|rw], both absolute after ~ and the current directory are filled in. */
static int add_volume(struct run *run, const char *text, struct err *err)
{
	struct volume v = { 0 };
	struct span rest = span_of(text);
	const char *colon = strchr(text, ':');
	const char *mode;
	_cleanup_free_ char *source = NULL;

	if (!colon || colon == text)
		return err_say(err, -EINVAL, "-v %s: expected SOURCE:TARGET, with :ro to forbid writing", text);
	source = text[0] == '~' ? xasprintf("%s%.*s", run->home, (int)(colon - text - 1), text + 1) :
				  xmemdup0(text, (size_t)(colon - text));
	rest = span_from(rest, (size_t)(colon - text) + 1);
	mode = memchr(rest.p, ':', rest.len);
	if (mode) {
		if (strcmp(mode, ":ro") != 0 && strcmp(mode, ":rw") != 0)
			return err_say(err, -EINVAL, "-v %s: the mode is ro or rw", text);
		v.is_read_only = strcmp(mode, ":ro") == 0;
		rest.len = (size_t)(mode - rest.p);
	}
	if (rest.len == 0 || rest.p[0] != '/')
		return err_say(err, -EINVAL, "-v %s: the target must be an absolute path", text);
	v.source = realpath(source, NULL);
	if (!v.source) {
		run->is_unavailable = true;
		return errno == ENOENT || errno == ENOTDIR
			       ? err_say(err, -errno,
					 "-v %s: there is no %s here; make it first, or correct "
					 "its name",
					 text, source)
			       : err_set(err, -errno, "-v %s: %s", text, source);
	}
	v.target = xmemdup0(rest.p, rest.len);
	vec_push(&run->volumes, v);
	return 0;
}

static int add_port(struct run *run, const char *text, struct err *err)
{
	int r = publish_open(&run->ports, text, err);

	run->is_unavailable = r < 0 && r != -EINVAL;
	return r;
}

static int set_mode(struct run *run, const char *value, struct err *err)
{
	if (policy_mode_from_name(span_of(value), &run->layers.environment.mode) < 0)
		return err_say(err, -EINVAL, "--mode %s: the modes are enforce, shadow and record", value);
	return 0;
}

static int set_limit(struct run *run, int id, const char *value, struct err *err)
{
	double n = 0;
	int r = 0;

	if (id == OPTION_MEMORY)
		r = parse_memory(value, &run->limits.memory_bytes);
	else
		r = parse_number(value, &n) == (int)strlen(value) ? 0 : -EINVAL;
	if (r < 0 || n > 1e6)
		return err_say(err, -EINVAL, "%s %s: expected a positive number",
			       id == OPTION_MEMORY ? "--memory" : id == OPTION_CPUS ? "--cpus" : "--pids", value);
	if (id == OPTION_CPUS)
		run->limits.cpu_percent = (uint32_t)(n * 100);
	if (id == OPTION_PIDS)
		run->limits.max_pids = (uint32_t)n;
	return 0;
}

static int set_policy_file(struct run *run, const char *value, struct err *err)
{
	_cleanup_free_ char *written = expand_home(run->home, value);
	char *path = realpath(written, NULL);

	if (!path)
		return err_set(err, -errno, "read the policy %s", value);
	xfree(run->layers.policy_file);
	run->layers.policy_file = path;
	return 0;
}

static int add_secret(struct run *run, const char *text, struct err *err)
{
	struct secret_spec s;
	int r = secret_spec_parse(span_of(text), &s, err);

	if (r < 0)
		return r;
	if (secret_specs_find(&run->secrets, span_of(s.name))) {
		r = err_say(err, -EINVAL, "--secret %s: there is one of that name already", s.name);
		secret_spec_done(&s);
		return r;
	}
	vec_push(&run->secrets, s);
	return 0;
}

static int set_runtime(struct run *run, const char *value, struct err *err)
{
	static const char *const names[] = { "native", "docker", "podman", "nerdctl", "auto" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(value, names[i]) == 0) {
			run->runtime = value;
			return 0;
		}
	return err_say(err, -EINVAL,
		       "--runtime %s: there are native, docker, podman, nerdctl and auto", value);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct run *run = ctx;

	switch (id) {
	case OPTION_POLICY:
		return set_policy_file(run, value, err);
	case OPTION_PROFILE:
		run->layers.environment.profile = value;
		return policy_profile_text(value).len ?
			       0 :
			       err_say(err, -EINVAL, "--profile %s: there are guarded, permissive and locked", value);
	case OPTION_MODE:
		return set_mode(run, value, err);
	case OPTION_NO_INTERACTIVE:
		run->is_not_interactive = true;
		return 0;
	case OPTION_RUNTIME:
		return set_runtime(run, value, err);
	case OPTION_IMAGE:
		run->image = value;
		return 0;
	case OPTION_VOLUME:
		return add_volume(run, value, err);
	case OPTION_ENV:
		return environment_add_option(&run->env_options, value, err);
	case OPTION_ENV_INHERIT:
		run->want_env_inherit = true;
		return 0;
	case OPTION_SECRET:
		return add_secret(run, value, err);
	case OPTION_FORWARD_KEYS:
		run->want_keys = true;
		return 0;
	case OPTION_PUBLISH:
		return add_port(run, value, err);
	case OPTION_PUBLISH_ALL:
		run->want_all_ports = true;
		return 0;
	case OPTION_LISTEN:
		if (api_listen_parse(span_of(value), &run->listen, err) >= 0)
			return 0;
		return err_wrap(err, -EINVAL, "--listen");
	case OPTION_INSECURE_LISTEN:
		run->is_insecure = true;
		return 0;
	case OPTION_OPEN:
		run->want_browser = true;
		return 0;
	case OPTION_MEMORY:
	case OPTION_CPUS:
	case OPTION_PIDS:
		return set_limit(run, id, value, err);
	case OPTION_NAME:
		run->name = value;
		return running_is_name(value) ? 0
					      : err_say(err, -EINVAL, "--name %s: expected %s",
							value, RUNNING_NAME_FORM);
	case OPTION_DETACH:
		run->is_detached = true;
		return 0;
	case OPTION_VERBOSE:
		run->is_verbose = true;
		return 0;
	case OPTION_HELP:
		run->want_help = true;
		return 0;
	case OPTION_VERSION:
		run->want_version = true;
		return 0;
	default:
		return -EINVAL;
	}
}

/* The command as a path: itself if it has a slash, else the first executable on PATH. Exit code or 0. */
static int find_program(const struct run *run, const char *name, char **ret, struct err *err)
{
	const char *path = secure_getenv("PATH");
	int found = ENOENT;

	if (strchr(name, '/')) {
		_cleanup_buf_ struct buf absolute = BUF_INIT(0);
		struct stat st;

		(void)path_normalise(span_of(run->cwd), span_of(name), &absolute);
		if (stat(absolute.data, &st) < 0) {
			(void)err_set(err, -errno, "%s", name);
			return errno == ENOENT || errno == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
		}
		if (S_ISDIR(st.st_mode) || access(absolute.data, X_OK) < 0) {
			(void)err_set(err, S_ISDIR(st.st_mode) ? -EISDIR : -EACCES, "%s", name);
			return EXIT_CANNOT_EXECUTE;
		}
		*ret = buf_take(&absolute);
		return 0;
	}
	for (const char *p = path && *path ? path : "/usr/local/bin:/usr/bin:/bin"; p;) {
		const char *end = strchrnul(p, ':');
		_cleanup_free_ char *directory = xmemdup0(p, (size_t)(end - p));
		_cleanup_free_ char *candidate = path_join(directory, name);
		struct stat st;

		if (directory[0] == '/' && stat(candidate, &st) == 0 && S_ISREG(st.st_mode)) {
			if (access(candidate, X_OK) == 0) {
				*ret = TAKE_PTR(candidate);
				return 0;
			}
			found = EACCES;
		}
		p = *end ? end + 1 : NULL;
	}
	(void)err_say(err, -found, found == EACCES ? "%s: not executable" : "%s: command not found", name);
	return found == EACCES ? EXIT_CANNOT_EXECUTE : EXIT_NOT_FOUND;
}

/* Who names a volume on the command line also permits its use. */
static int permit_volumes(const struct run *run, struct buf *text, struct err *err)
{
	for (size_t i = 0; i < run->volumes.len; i++) {
		const struct volume *v = &run->volumes.items[i];

		if (!utf8_is_valid(span_of(v->target)))
			return err_say(err, -EINVAL, "-v: a target must be UTF-8");
		(void)buf_printf(text,
				 "permit (principal, action in Action::\"%s\", resource in Dir::",
				 v->is_read_only ? "FileOpenReadOnly" : "FileOpen");
		(void)text_append_literal(span_of(v->target), text);
		(void)buf_append_str(text, ");\n");
	}
	return 0;
}

/* What the agent gets a placeholder for it must not read at its source either. */
static int forbid_sources(const struct run *run, struct buf *text, struct err *err)
{
	for (size_t i = 0; i < run->secrets.len; i++) {
		const struct secret_spec *s = &run->secrets.items[i];
		_cleanup_free_ char *path = NULL;

		if (s->source != SECRET_FROM_FILE)
			continue;
		path = realpath(s->from, NULL);
		if (!path)
			return err_set(err, -errno, "the secret %s: %s", s->name, s->from);
		if (!utf8_is_valid(span_of(path)))
			return err_say(err, -EINVAL, "the secret %s: its file's name must be UTF-8",
				       s->name);
		(void)buf_printf(text,
				 "@id(\"secret-%s\") forbid (principal, action, resource == File::",
				 s->name);
		(void)text_append_literal(span_of(path), text);
		(void)buf_append_str(text, ");\n");
	}
	return 0;
}

/* Reads the secrets, and leaves their placeholders in the environment. */
static int hide_secrets(struct run *run, struct err *err)
{
	const struct known_keys known = { .agent = run->layers.environment.agent,
					  .given = &run->env_options,
					  .inherits = run->want_env_inherit };
	int r = config_take_secrets(&run->document, &run->secrets, err);

	if (r < 0)
		return r;
	if (!run->want_keys)
		known_keys_add(&run->secrets, &known);
	for (size_t i = 0; i < run->secrets.len; i++)
		secret_spec_expand(&run->secrets.items[i], run->home);
	r = secret_specs_read(&run->secrets, err);
	if (r < 0)
		return r;
	if (run->secrets.len > LIMIT_SECRETS)
		return err_say(err, -EINVAL, "there are more than %zu secrets", LIMIT_SECRETS);
	secret_specs_hide(&run->secrets, &run->environment);
	environment_done(&run->env_options);
	return 0;
}

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

/* ---- Container engines --------------------------------------------------------- */

/* Fills in what no flag said; an image is what makes it an engine's session. */
static int choose_runtime(struct run *run, const char *configured, struct err *err)
{
	static const char *const variables[] = { "LEASH_TARGET_IMAGE", "TARGET_IMAGE" };
	bool is_native = run->runtime && strcmp(run->runtime, "native") == 0;
	bool is_auto = !run->runtime || strcmp(run->runtime, "auto") == 0;

	if (is_native && run->image)
		return err_say(err, -EINVAL,
			       "--image %s: the native runtime has no images; leave --runtime "
			       "native out, or the image",
			       run->image);
	for (size_t i = 0; i < ARRAY_SIZE(variables) && !is_native && !run->image; i++) {
		const char *value = secure_getenv(variables[i]);

		run->image = value && *value ? value : NULL;
	}
	if (!is_native && !run->image)
		run->image = configured;
	if (!is_native && !is_auto && !run->image)
		return err_say(err, -EINVAL,
			       "--runtime %s: of which image? Name one with --image, or set "
			       "LEASH_TARGET_IMAGE",
			       run->runtime);
	if (is_auto)
		run->runtime = NULL;
	return 0;
}

static int publish_exposed(struct run *run, struct err *err)
{
	size_t n_named = run->ports.len;
	int r = 0;

	if (run->engine.exposed.len == 0)
		log_notice("-P: the image %s exposes no TCP port", run->image);
	for (size_t i = 0; i < run->engine.exposed.len && r >= 0; i++) {
		uint16_t port = run->engine.exposed.items[i];
		_cleanup_free_ char *option = xasprintf("%u", port);
		bool is_named = false;

		for (size_t p = 0; p < n_named; p++)
			is_named = is_named || run->ports.items[p].container == port;
		r = is_named ? 0 : publish_open(&run->ports, option, err);
	}
	return r;
}

/* Exit code or 0. */
static int open_engine(struct run *run, struct err *err)
{
	if (engine_open(run->runtime, run->image, &run->engine, err) < 0)
		return EXIT_LEASH_FAILED;
	return run->want_all_ports && publish_exposed(run, err) < 0 ? EXIT_LEASH_FAILED : 0;
}

/* ---- config.toml -------------------------------------------------------------- */

static bool has_target(const struct run *run, const char *target)
{
	for (size_t i = 0; i < run->volumes.len; i++)
		if (strcmp(run->volumes.items[i].target, target) == 0)
			return true;
	return false;
}

/* What is configured and not there today is no reason to run nothing. */
static void add_configured_volume(struct run *run, const struct config_volume *v)
{
	const char *file = run->document.file;

	if (has_target(run, v->target)) {
		log_debug("%s:%zu: -v has something else for %s", file, v->at->key_line, v->target);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *path = i ? v->target : v->source;

		if (i && run->image)
			break; /* the engine makes it */

		if (access(path, F_OK) < 0) {
			log_warning("%s:%zu: %s: %s; the volume is left out", file, v->at->key_line,
				    path, strerror(errno));
			return;
		}
	}
	vec_push(&run->volumes,
		 (struct volume){ xstrdup(v->source), xstrdup(v->target), v->is_read_only });
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
		r = choose_runtime(run, settings->target_image, err);
	for (size_t i = 0; i < settings->variables.len && r >= 0; i++)
		if (!environment_get(&run->env_options, settings->variables.items[i].name))
			environment_set(&run->env_options, settings->variables.items[i].name,
					settings->variables.items[i].value);
	for (size_t i = 0; i < settings->volumes.len && r >= 0; i++)
		add_configured_volume(run, &settings->volumes.items[i]);
	return r;
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
	agent_mounts_find(agent, run->home, &mounts);
	for (size_t i = 0; i < mounts.len; i++) {
		const struct agent_mount *m = &mounts.items[i];
		struct volume v = { .source = m->is_there ? realpath(m->source, NULL) : NULL };

		if (!v.source)
			continue;
		v.target = path_join(home, m->target);
		if (has_target(run, v.target)) {
			xfree(v.source);
			xfree(v.target);
			continue;
		}
		vec_push(&run->volumes, v);
	}
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
	return file && *file ? set_policy_file(run, file, err) : 0;
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
	struct engine_places places = { .config = run->config, .runtime = runtime };
	struct span name;
	int code;

	if (run->want_all_ports && !run->image) {
		(void)err_say(err, -EINVAL,
			      "-P: there is no image here whose ports could be published; name "
			      "them, as in -p 3000");
		return EXIT_LEASH_FAILED;
	}
	code = run->image ? open_engine(run, err) : find_program(run, argv[0], &program, err);
	if (code)
		return code;
	name = path_base_name(span_of(argv[0]));
	agent = xmemdup0(name.p, name.len);
	run->layers.environment.agent = agent;
	run->layers.environment.own_paths = own_paths;
	run->layers.trusted = trust_directory(state);
	places.trusted = run->layers.trusted;
	if (run->want_env_inherit)
		environment_inherit(&run->environment);
	if (run->image)
		engine_environment(&run->engine, &run->environment);
	else
		environment_add_basics(&run->environment, run->home, run->cwd);
	environment_add_trust(&run->environment);
	if (agent_find(agent))
		environment_add_agent(&run->environment, agent_find(agent), run->image != NULL);
	if (run->want_keys)
		known_keys_forward(agent, &run->environment);
	for (size_t i = 0; i < run->env_options.entries.len; i++)
		if (environment_add_option(&run->environment, run->env_options.entries.items[i], err) < 0)
			return EXIT_LEASH_FAILED;
	if (hide_secrets(run, err) < 0 || permit_volumes(run, &session_text, err) < 0 ||
	    forbid_sources(run, &session_text, err) < 0 ||
	    permit_agent(run, want_pty && isatty(STDERR_FILENO), &session_text, err) < 0)
		return EXIT_LEASH_FAILED;
	run->layers.session_text = buf_span(&session_text);
	mounts = xnew_array(struct sandbox_mount, run->volumes.len);
	for (size_t i = 0; i < run->volumes.len; i++)
		mounts[i] = (struct sandbox_mount){ .source = run->volumes.items[i].source,
						    .target = run->volumes.items[i].target,
						    .is_read_only = run->volumes.items[i].is_read_only };
	if (run->name && running_claim_name(state, run->name, &name_fd, err) < 0)
		return EXIT_LEASH_FAILED;
	if (open_listener(run, err) < 0 || state_session_create(state, &id, &directory, err) < 0)
		return EXIT_LEASH_FAILED;
	token_file = state_token_file(runtime, id);
	told = agent_arguments(agent_find(agent), argv, run->home, run->cwd);
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
			  : session_run(&options, err);
}

static void run_done(struct run *run)
{
	for (size_t i = 0; i < run->volumes.len; i++) {
		xfree(run->volumes.items[i].source);
		xfree(run->volumes.items[i].target);
	}
	vec_done(&run->volumes);
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
	first = options_parse(run_options, n_run_options, argc, argv, on_option, &run, &err);
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
