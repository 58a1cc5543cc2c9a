/*
 * The flags of `leash run`: their table, and what each of them sets. A value is
 * checked here as far as it can be by itself; what it means together with others,
 * and with config.toml, is known later.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cli/directories.h"
#include "cli/option-tables.h"
#include "cli/run-private.h"
#include "cli/running.h"

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

static int set_mode(struct run *run, const char *value, struct err *err)
{
	if (policy_mode_from_name(span_of(value), &run->layers.environment.mode) < 0)
		return err_say(err, -EINVAL, "--mode %s: the modes are enforce, shadow and record",
			       value);
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
			       id == OPTION_MEMORY ? "--memory"
			       : id == OPTION_CPUS ? "--cpus"
						   : "--pids",
			       value);
	if (id == OPTION_CPUS)
		run->limits.cpu_percent = (uint32_t)(n * 100);
	if (id == OPTION_PIDS)
		run->limits.max_pids = (uint32_t)n;
	return 0;
}

int run_set_policy_file(struct run *run, const char *value, struct err *err)
{
	_cleanup_free_ char *written = expand_home(run->home, value);
	char *path = realpath(written, NULL);

	if (!path)
		return err_set(err, -errno, "read the policy %s", value);
	xfree(run->layers.policy_file);
	run->layers.policy_file = path;
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

/* A mistake in what was typed is another matter than something that is not there. */
static int note_unavailable(struct run *run, int r)
{
	run->is_unavailable = r < 0 && r != -EINVAL;
	return r;
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct run *run = ctx;

	switch (id) {
	case OPTION_POLICY:
		return run_set_policy_file(run, value, err);
	case OPTION_PROFILE:
		run->layers.environment.profile = value;
		return policy_profile_text(value).len
			       ? 0
			       : err_say(err, -EINVAL,
					 "--profile %s: there are guarded, permissive and locked",
					 value);
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
		return note_unavailable(run, volumes_add(&run->volumes, run->home, value, err));
	case OPTION_ENV:
		return environment_add_option(&run->env_options, value, err);
	case OPTION_ENV_INHERIT:
		run->want_env_inherit = true;
		return 0;
	case OPTION_SECRET:
		return run_add_secret(run, value, err);
	case OPTION_FORWARD_KEYS:
		run->want_keys = true;
		return 0;
	case OPTION_PUBLISH:
		return note_unavailable(run, publish_open(&run->ports, value, err));
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

int run_parse_options(struct run *run, int argc, char **argv, struct err *err)
{
	return options_parse(run_options, n_run_options, argc, argv, on_option, run, err);
}
