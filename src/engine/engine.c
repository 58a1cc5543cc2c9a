#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/client.h"

#define ANSWER_MAX ((size_t)4 * 1024 * 1024)
#define ERRORS_MAX ((size_t)64 * 1024)
#define CALL_TIMEOUT_MS 20000
#define PROBE_TIMEOUT_MS 5000

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#endif

static const char *const known[] = { "docker", "podman", "nerdctl" };

/* ---- Which engine ----------------------------------------------------------- */

static char *find_on_path(const char *name)
{
	const char *path = secure_getenv("PATH");

	while (path) {
		const char *end = strchrnul(path, ':');
		_cleanup_free_ char *directory = xmemdup0(path, (size_t)(end - path));
		_cleanup_free_ char *candidate = path_join(directory, name);
		struct stat st;

		if (directory[0] == '/' && stat(candidate, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(candidate, X_OK) == 0)
			return TAKE_PTR(candidate);
		path = *end ? end + 1 : NULL;
	}
	return NULL;
}

static int find_named(const char *name, const char *origin, char **ret, struct err *err)
{
	if (strchr(name, '/'))
		*ret = access(name, X_OK) == 0 ? realpath(name, NULL) : NULL;
	else
		*ret = find_on_path(name);
	return *ret ? 0
		    : err_say(err, -ENOENT,
			      "%s %s: there is no such program; install the engine, or use "
			      "another (docker, podman or nerdctl)",
			      origin, name);
}

int engine_find(const char *name, char **ret_program, struct err *err)
{
	const char *own = secure_getenv("LEASH_DOCKER");

	if (own && *own && !name)
		return find_named(own, "LEASH_DOCKER", ret_program, err);
	/* LEASH_DOCKER may say where the one that was asked for is. */
	if (own && *own && span_ends_with(span_of(own), span_of(name)))
		return find_named(own, "LEASH_DOCKER", ret_program, err);
	if (name)
		return find_named(name, "--runtime", ret_program, err);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		*ret_program = find_on_path(known[i]);
		if (*ret_program)
			return 0;
	}
	return err_say(err, -ENOENT,
		       "there is no container engine: none of docker, podman and nerdctl is on "
		       "PATH; install one, name one with LEASH_DOCKER, or run without an image "
		       "(--runtime native)");
}

/* ---- What it says that it lacks --------------------------------------------- */

static bool says(const struct buf *errors, const char *text)
{
	return errors->data && strcasestr(errors->data, text);
}

static bool is_image_missing(const struct buf *errors)
{
	return says(errors, "no such image") || says(errors, "not known") ||
	       says(errors, "no such object") || says(errors, "not found");
}

/* Its own words, on one line. */
static void quote(struct buf *errors, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < errors->len && n + 1 < size; i++)
		out[n++] = errors->data[i] == '\n' ? ' ' : errors->data[i];
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = 0;
}

static int explain(const char *program, int status, struct buf *errors, struct err *err)
{
	char words[600];

	quote(errors, words, sizeof(words));
	if (status == -ETIMEDOUT)
		return err_say(err, status, "%s does not answer; is its service well?", program);
	if (status < 0)
		return err_set(err, status, "call %s", program);
	if (says(errors, "permission denied"))
		return err_say(err, -EACCES,
			       "%s: you may not use the engine; ask for membership of its group "
			       "(docker: sudo usermod -aG docker $USER, then log in again), or use "
			       "podman without root; it said: %s",
			       program, words);
	if (says(errors, "cannot connect") || says(errors, "daemon running") ||
	    says(errors, "connection refused") || says(errors, "no such file or directory"))
		return err_say(err, -ECONNREFUSED,
			       "%s: the engine is not running; start it (sudo systemctl start "
			       "docker, or its desktop program); it said: %s",
			       program, words);
	return err_say(err, -EIO, "%s failed with status %d: %s", program, status, words);
}

/* ---- The image -------------------------------------------------------------- */

/* "3000/tcp" */
static void take_port(struct engine *e, struct span text)
{
	_cleanup_free_ char *copy = xmemdup0(text.p, text.len);
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(copy, &end, 10);
	if (!errno && end != copy && n > 0 && n <= UINT16_MAX && strcmp(end, "/tcp") == 0)
		vec_push(&e->exposed, (uint16_t)n);
}

static int take_image(const struct json *image, struct engine *e, struct err *err)
{
	const struct json *config = json_get(image, "Config");
	struct span id = json_get_string(image, "Id");
	struct span user = json_get_string(config, "User");
	struct span architecture = json_get_string(image, "Architecture");
	const struct json *env = json_get(config, "Env");
	const struct json *ports = json_get(config, "ExposedPorts");

	if (!id.len)
		return err_say(err, -EBADMSG, "%s: the engine does not say which image that is",
			       e->image);
	if (architecture.len && !span_eq_str(architecture, ARCHITECTURE))
		return err_say(err, -ENOEXEC,
			       "the image %s is for another processor (%.*s) than this leash "
			       "(" ARCHITECTURE "); pull it with --platform linux/" ARCHITECTURE,
			       e->image, SPAN_ARG(architecture));
	e->id = xmemdup0(id.p, id.len);
	e->user = xmemdup0(user.p ? user.p : "", user.len);
	for (const struct json *v = env && env->type == JSON_ARRAY ? env->first : NULL; v;
	     v = v->next)
		if (v->type == JSON_STRING && v->text.len && memchr(v->text.p, '=', v->text.len))
			vec_push(&e->variables, xmemdup0(v->text.p, v->text.len));
	for (const struct json *p = ports && ports->type == JSON_OBJECT ? ports->first : NULL; p;
	     p = p->next)
		take_port(e, p->key);
	return 0;
}

/* 0; 1: there is none of that name. */
static int inspect(struct engine *e, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT(ANSWER_MAX), errors = BUF_INIT(ERRORS_MAX);
	_cleanup_arena_ struct arena arena = ARENA_INIT(8 * ANSWER_MAX);
	_cleanup_(client_done) client_words w = { 0 };
	struct json *answer = NULL;
	int r;

	client_add(&w, e->program);
	client_add(&w, "image");
	client_add(&w, "inspect");
	client_add(&w, e->image);
	r = client_call(e->program, &w, &out, &errors, CALL_TIMEOUT_MS);
	if (r > 0 && is_image_missing(&errors))
		return 1;
	if (r != 0)
		return explain(e->program, r, &errors, err);
	r = json_parse(&arena, buf_span(&out), &answer, err);
	if (r < 0)
		return err_wrap(err, r, "what the engine says of the image");
	return take_image(answer->type == JSON_ARRAY ? answer->first : NULL, e, err);
}

static int pull(const struct engine *e, struct err *err)
{
	_cleanup_(client_done) client_words w = { 0 };
	int r;

	log_notice("pulling the image %s", e->image);
	client_add(&w, e->program);
	client_add(&w, "pull");
	client_add(&w, e->image);
	r = client_show(e->program, &w);
	return r == 0 ? 0
		      : err_say(err, -ENOENT,
				"the image %s is not here and could not be pulled; is its name "
				"right, and can the engine reach the registry (%s pull %s)?",
				e->image, e->program, e->image);
}

int engine_open(const char *name, const char *image, struct engine *ret, struct err *err)
{
	struct engine e = { .image = xstrdup(image) };
	int r = 0;

	if (!image[0] || image[0] == '-')
		r = err_say(err, -EINVAL, "--image %s: expected the name of an image", image);
	if (r >= 0)
		r = engine_find(name, &e.program, err);
	if (r >= 0)
		r = inspect(&e, err);
	if (r > 0) {
		r = pull(&e, err);
		if (r >= 0)
			r = inspect(&e, err);
		if (r > 0)
			r = err_say(err, -ENOENT, "the image %s was pulled and is not there",
				    image);
	}
	if (r < 0) {
		engine_close(&e);
		return r;
	}
	*ret = e;
	return 0;
}

char *engine_home(const struct engine *e)
{
	_cleanup_free_ char *name = xmemdup0(e->user, strcspn(e->user, ":"));

	if (!*name || strcmp(name, "root") == 0 || strcmp(name, "0") == 0)
		return xstrdup("/root");
	return name[strspn(name, "0123456789")] ? xasprintf("/home/%s", name) : NULL;
}

void engine_close(struct engine *e)
{
	for (size_t i = 0; i < e->variables.len; i++)
		xfree(e->variables.items[i]);
	vec_done(&e->variables);
	vec_done(&e->exposed);
	xfree(e->program);
	xfree(e->image);
	xfree(e->id);
	xfree(e->user);
	*e = (struct engine){ 0 };
}

void engine_environment(const struct engine *e, struct environment *ret)
{
	/* Of the user's terminal; programs and places are the image's. */
	static const char *const passed_on[] = { "TERM",	"COLORTERM",   "LANG",
						 "LANGUAGE",	"LC_ALL",      "LC_CTYPE",
						 "LC_COLLATE",	"LC_MESSAGES", "LC_NUMERIC",
						 "LC_TIME",	"TZ",	       "NO_COLOR",
						 "TERM_PROGRAM" };

	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		const char *value = secure_getenv(passed_on[i]);

		if (value)
			environment_set(ret, passed_on[i], value);
	}
	for (size_t i = 0; i < e->variables.len; i++) {
		struct span s = span_of(e->variables.items[i]);
		size_t n = strcspn(s.p, "=");
		_cleanup_free_ char *key = xmemdup0(s.p, n);

		environment_set_span(ret, key, span_from(s, n + 1));
	}
	environment_set(ret, "LEASH", "1");
}

/* ---- leash doctor ----------------------------------------------------------- */

static void probe(const char *name, struct engine_probe *row)
{
	_cleanup_buf_ struct buf out = BUF_INIT(ANSWER_MAX), errors = BUF_INIT(ERRORS_MAX);
	_cleanup_(client_done) client_words w = { 0 };
	_cleanup_free_ char *program = find_on_path(name);
	struct err err = { 0 };
	char version[100];
	int r;

	*row = (struct engine_probe){ 0 };
	(void)snprintf(row->name, sizeof(row->name), "engine %s", name);
	if (!program) {
		(void)snprintf(row->detail, sizeof(row->detail), "not installed");
		return;
	}
	client_add(&w, program);
	client_add(&w, "version");
	client_add(&w, "--format");
	client_add(&w, strcmp(name, "podman") == 0 ? "{{.Client.Version}}" : "{{.Server.Version}}");
	r = client_call(program, &w, &out, &errors, PROBE_TIMEOUT_MS);
	if (r != 0) {
		(void)explain(program, r, &errors, &err);
		(void)snprintf(row->detail, sizeof(row->detail), "%.*s",
			       (int)sizeof(row->detail) - 1, err.text);
		return;
	}
	quote(&out, version, sizeof(version));
	row->is_present = true;
	(void)snprintf(row->detail, sizeof(row->detail), "version %s, %s", version, program);
}

size_t engine_probe(struct engine_probe *rows, size_t max)
{
	size_t n = MIN(ARRAY_SIZE(known), max);

	for (size_t i = 0; i < n; i++)
		probe(known[i], &rows[i]);
	return n;
}
