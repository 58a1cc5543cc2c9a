#include "engine/container.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"
#include "engine/hand.h"
#include "engine/machine.h"
#include "engine/places.h"
#include "engine/programs.h"

#define DEFAULT_PIDS 8192 /* as natively */
#define OWN_PIDS 600	  /* the supervisor's threads, at most, and the others */

static bool exists(const char *path)
{
	return path && access(path, F_OK) == 0;
}

/* ---- Mounts ----------------------------------------------------------------- */

static int add_mount(client_words *w, const char *source, const char *target, bool is_read_only,
		     struct err *err)
{
	/* The client reads a list of fields, in which nothing can be quoted by us. */
	if (strpbrk(source, ",\"\n") || strpbrk(target, ",\"\n"))
		return err_say(err, -EINVAL,
			       "%s: an engine cannot mount a path with a comma, a quote or a line "
			       "break in its name",
			       strpbrk(source, ",\"\n") ? source : target);
	client_add(w, "--mount");
	client_addf(w, "type=bind,source=%s,target=%s%s", source, target,
		    is_read_only ? ",readonly" : "");
	return 0;
}

static int add_programs(client_words *w, const struct engine_places *p, struct err *err)
{
	_cleanup_free_ char *leash = NULL;
	_cleanup_free_ char *proxy = NULL;
	int r = programs_find(p, &leash, &proxy, err);

	if (r >= 0)
		r = add_mount(w, leash, PLACES_PROGRAM, true, err);
	return r < 0 ? r : add_mount(w, proxy, PLACES_PROXY, true, err);
}

static int add_roots(client_words *w, const struct engine_places *p, struct err *err)
{
	_cleanup_free_ char *roots = NULL;
	int r = programs_find_roots(p, &roots, err);

	return r < 0 || !roots ? r : add_mount(w, roots, PLACES_ROOTS, true, err);
}

/* Its directory, so that a file that replaces it is seen. */
static int add_policy(client_words *w, const struct session_options *o, struct err *err)
{
	const char *file = o->layers->policy_file;
	struct span directory;
	_cleanup_free_ char *source = NULL;

	if (!file || path_is_within(span_of(file), span_of(o->workspace)))
		return 0;
	directory = path_directory(span_of(file));
	source = xmemdup0(directory.p, directory.len);
	return add_mount(w, source, PLACES_POLICY, true, err);
}

static int add_own_places(client_words *w, const struct session_options *o,
			  const struct engine_places *p, struct err *err)
{
	int r = add_programs(w, p, err);

	if (r >= 0)
		r = add_mount(w, o->directory, PLACES_SESSION, false, err);
	if (r >= 0 && mkdir_all(p->runtime, 0700) < 0)
		r = err_set(err, -errno, "make %s", p->runtime);
	if (r >= 0)
		r = add_mount(w, p->runtime, PLACES_RUN, false, err);
	if (r >= 0)
		r = add_roots(w, p, err);
	/* It may be written while the session runs, and then counts. */
	if (r >= 0 && mkdir_all(p->config, 0700) >= 0)
		r = add_mount(w, p->config, PLACES_CONFIG, false, err);
	if (r >= 0 && exists(p->trusted))
		r = add_mount(w, p->trusted, PLACES_TRUST, true, err);
	return r < 0 ? r : add_policy(w, o, err);
}

static int add_mounts(client_words *w, const struct session_options *o,
		      const struct engine_places *p, struct err *err)
{
	int r = add_own_places(w, o, p, err);

	if (r >= 0)
		r = add_mount(w, o->workspace, o->workspace, false, err);
	for (size_t i = 0; i < o->n_mounts && r >= 0; i++) {
		const struct sandbox_mount *m = &o->mounts[i];

		if (path_is_within(span_of(m->target), SPAN(PLACES_ROOT)) ||
		    strcmp(m->target, "/") == 0)
			return err_say(err, -EINVAL, "-v: nothing can be mounted at %s", m->target);
		if (strcmp(m->target, o->workspace) != 0)
			r = add_mount(w, m->source, m->target, m->is_read_only, err);
	}
	return r;
}

/* ---- Privileges and limits -------------------------------------------------- */

static void add_all(client_words *w, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		client_add(w, words[i]);
}

static void add_privileges(client_words *w, bool is_podman)
{
	static const char *const basic[] = {
		"--user",
		"0:0",
		"--cap-drop",
		"ALL",
		/* To become the user outside, and to give the nested container all users. */
		"--cap-add",
		"SETUID",
		"--cap-add",
		"SETGID",
		"--cap-add",
		"SETFCAP",
		/* To give the right to all others up for good. */
		"--cap-add",
		"SETPCAP",
		"--security-opt",
		"no-new-privileges",
		/* leash's own filter lets less through, and needs calls that this one does not. */
		"--security-opt",
		"seccomp=unconfined",
	};

	add_all(w, basic, ARRAY_SIZE(basic));
	client_add(w, "--security-opt");
	/* The kernel gives the nested container a /proc of its own only where this one is whole. */
	client_add(w, is_podman ? "unmask=ALL" : "systempaths=unconfined");
	if (machine_has_apparmor())
		add_all(w, (const char *const[]){ "--security-opt", "apparmor=unconfined" }, 2);
	/* Else the workspace would have to be labelled anew. */
	if (machine_has_selinux())
		add_all(w, (const char *const[]){ "--security-opt", "label=disable" }, 2);
}

static void add_limits(client_words *w, const struct sandbox_limits *l)
{
	if (l->memory_bytes) {
		client_add(w, "--memory");
		client_addf(w, "%llu", (unsigned long long)l->memory_bytes);
	}
	if (l->cpu_percent) {
		client_add(w, "--cpus");
		client_addf(w, "%u.%02u", l->cpu_percent / 100, l->cpu_percent % 100);
	}
	/* Of the agent's root the kernel counts no processes, so the engine does. leash's own are
	 * among them. */
	client_add(w, "--pids-limit");
	client_addf(w, "%u", (l->max_pids ? l->max_pids : DEFAULT_PIDS) + OWN_PIDS);
}

int container_describe(const struct engine *e, const struct session_options *o,
		       const struct engine_places *places, const char *name, client_words *ret,
		       struct err *err)
{
	/* The standard streams are those of the session, and nobody else keeps them. */
	static const char *const life[] = { "run",   "--interactive", "--rm", "--pull",
					    "never", "--log-driver",  "none" };
	struct span program = path_base_name(span_of(e->program));
	bool is_nerdctl = span_starts_with(program, SPAN("nerdctl"));
	_cleanup_free_ char *label = container_label(o->directory);
	int r;

	client_add(ret, e->program);
	add_all(ret, life, ARRAY_SIZE(life));
	/* The engine would run the image's own program, which the agent may have changed. */
	if (!is_nerdctl)
		client_add(ret, "--no-healthcheck");
	client_add(ret, "--name");
	client_add(ret, name);
	client_add(ret, "--label");
	client_addf(ret, "leash.session=%s", o->id);
	client_add(ret, "--label");
	client_add(ret, label);
	hand_describe(o, ret);
	add_privileges(ret, span_starts_with(program, SPAN("podman")));
	add_limits(ret, &o->limits);
	r = add_mounts(ret, o, places, err);
	if (r < 0)
		return r;
	client_add(ret, "--workdir");
	client_add(ret, "/");
	client_add(ret, "--entrypoint");
	client_add(ret, PLACES_PROGRAM);
	client_add(ret, e->id);
	client_add(ret, "--internal-engine");
	return 0;
}
