#include "cli/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "cli/directories.h"
#include "cli/state.h"
#include "event/session.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)
#define TOKEN_FILE_MAX ((size_t)4096)

void running_done(struct running *r)
{
	arena_done(&r->arena);
	xfree(r->id);
	xfree(r->directory);
	xfree(r->url);
}

static char *read_url(const char *token_file, struct arena *a)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TOKEN_FILE_MAX);
	struct json *file = NULL;
	struct span url;

	if (file_read_at(AT_FDCWD, token_file, &text) < 0 ||
	    json_parse(a, buf_span(&text), &file, NULL) < 0)
		return NULL;
	url = json_get_string(file, "url");
	return url.len ? xmemdup0(url.p, url.len) : NULL;
}

static bool is_true(const struct json *summary, const char *key)
{
	const struct json *v = json_get(summary, key);

	return v && v->type == JSON_BOOL && v->is_true;
}

/* Takes both texts. */
static void read_one(char *id, char *directory, const char *runtime, struct running *ret)
{
	_cleanup_free_ char *token_file = state_token_file(runtime, id);
	uint64_t pid = 0;

	*ret = (struct running){ .id = id, .directory = directory, .arena = ARENA_INIT(ARENA_MAX) };
	ret->summary = event_session_summary(directory, &ret->arena);
	ret->name = json_get_string(ret->summary, "name");
	ret->runtime = json_get_string(ret->summary, "runtime");
	ret->workspace = json_get_string(ret->summary, "workspace");
	ret->is_detached = is_true(ret->summary, "detached");
	if (json_to_uint(json_get(ret->summary, "pid"), &pid) && pid <= INT32_MAX)
		ret->pid = (pid_t)pid;
	ret->url = read_url(token_file, &ret->arena);
}

struct places {
	char *home, *state, *runtime;
};

static void places_done(struct places *p)
{
	xfree(p->home);
	xfree(p->state);
	xfree(p->runtime);
}

static int find_places(struct places *p, struct err *err)
{
	p->home = home_directory(err);
	if (!p->home)
		return -ENOENT;
	p->state = state_directory(p->home);
	p->runtime = runtime_directory(p->home);
	return 0;
}

int running_each(int (*fn)(const struct running *r, void *ctx), void *ctx, struct err *err)
{
	_cleanup_(places_done) struct places p = { 0 };
	_cleanup_(event_session_ids_done) event_session_ids ids = { 0 };
	int r = find_places(&p, err);

	if (r >= 0)
		r = state_session_list_read(p.state, &ids, err);
	for (size_t i = 0; r >= 0 && i < ids.len; i++) {
		char *directory = xasprintf("%s/sessions/%s", p.state, ids.items[i]);
		struct running one;

		if (!event_store_is_open(directory)) {
			xfree(directory);
			continue;
		}
		read_one(xstrdup(ids.items[i]), directory, p.runtime, &one);
		r = fn(&one, ctx);
		running_done(&one);
	}
	return r;
}

/* ---- Which is meant ------------------------------------------------------------------------ */

static int take_id(const struct running *r, void *ctx)
{
	*(char **)ctx = xstrdup(r->id);
	return -ECANCELED; /* the first is enough */
}

int running_find(const char *name, struct running *ret, struct err *err)
{
	_cleanup_(places_done) struct places p = { 0 };
	_cleanup_free_ char *newest = NULL;
	char *id = NULL, *directory = NULL;
	int r = find_places(&p, err);

	if (r >= 0 && !name) {
		r = running_each(take_id, &newest, err);
		if (r == 0)
			return err_say(err, -ESRCH, "no session runs");
		name = newest;
		r = newest ? 0 : r;
	}
	if (r >= 0)
		r = state_session_find(p.state, name, &id, &directory, err);
	if (r < 0)
		return r;
	if (!event_store_is_open(directory)) {
		r = err_say(err, -ESRCH, "the session %s is over", id);
		xfree(id);
		xfree(directory);
		return r;
	}
	read_one(id, directory, p.runtime, ret);
	return 0;
}

struct wanted {
	const char *name;
	char *id;
};

static int compare_name(const struct running *r, void *ctx)
{
	struct wanted *w = ctx;

	if (!span_eq_str(r->name, w->name))
		return 0;
	w->id = xstrdup(r->id);
	return -ECANCELED;
}

static int say_taken(const char *name, struct err *err)
{
	struct wanted w = { .name = name };
	int r = running_each(compare_name, &w, err);

	if (r >= 0)
		return err_say(err, -EEXIST, "a session called %s is about to start", name);
	if (!w.id)
		return r;
	r = err_say(err, -EEXIST, "a session called %s runs already: %s; `leash stop %s` ends it",
		    name, w.id, name);
	xfree(w.id);
	return r;
}

/* A lock, so that of two that begin at once one has it, and one that was killed does not keep it.
 */
int running_claim_name(const char *state, const char *name, int *ret_fd, struct err *err)
{
	_cleanup_free_ char *directory = path_join(state, "names");
	_cleanup_free_ char *path = path_join(directory, name);
	_cleanup_close_ int fd = -1;
	int r = mkdir_all(directory, 0700);

	if (r < 0)
		return err_set(err, r, "make the directory %s", directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, -errno, "open %s", path);
	r = lock_take(fd);
	if (r == -EAGAIN)
		return say_taken(name, err);
	/* A file system without locks: two may have the name, and ids tell them apart. */
	if (r < 0 && r != -ENOLCK && r != -EOPNOTSUPP && r != -ENOSYS)
		return err_set(err, r, "lock %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
