#include "cli/retention.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "cli/state.h"
#include "event/store.h"

#define SECONDS_A_DAY UINT64_C(86400)
/* A session that is just being made has no lock yet. */
#define YOUNG_SECONDS UINT64_C(3600)

struct usage {
	uint64_t bytes;	     /* on the disk */
	uint64_t changed_at; /* seconds since 1970: when one of its files was written last */
};

static void add_file(struct usage *u, const struct stat *st)
{
	u->bytes += (uint64_t)st->st_blocks * 512;
	u->changed_at = MAX(u->changed_at, (uint64_t)MAX(st->st_mtime, 0));
}

/* Calls fn for each entry but "." and ".."; fn returns 0, or a negative errno. */
static int each_entry(const char *path, int (*fn)(int dir_fd, const char *name, void *ctx),
		      void *ctx)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		cleanup_close(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = fn(dirfd(dir), entry->d_name, ctx);
	(void)closedir(dir);
	return r;
}

static int measure_entry(int dir_fd, const char *name, void *ctx)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		add_file(ctx, &st);
	return 0;
}

static int remove_entry(int dir_fd, const char *name, void *ctx)
{
	(void)ctx;
	return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static char *directory_of(const char *state, const char *id)
{
	_cleanup_free_ char *sessions = path_join(state, "sessions");

	return path_join(sessions, id);
}

static bool is_too_old(const struct retention *keep, const struct usage *u, uint64_t now)
{
	return keep->days && now > u->changed_at &&
	       now - u->changed_at > keep->days * SECONDS_A_DAY;
}

/* The list has the newest first, and so has what is planned before it is turned around. */
static void plan(const struct retention *keep, const char *state, const event_session_ids *ids,
		 retention_victims *ret)
{
	uint64_t now = clock_real_ns() / NS_PER_SEC;
	uint64_t sum = 0;

	for (size_t i = 0; i < ids->len; i++) {
		_cleanup_free_ char *directory = directory_of(state, ids->items[i]);
		struct retention_victim v = { 0 };
		struct usage u = { 0 };

		if (each_entry(directory, measure_entry, &u) < 0)
			continue;
		sum += u.bytes;
		v.is_too_old = is_too_old(keep, &u, now);
		if (!v.is_too_old && !(keep->mb && sum > keep->mb << 20))
			continue;
		if (u.changed_at + YOUNG_SECONDS > now || event_store_is_open(directory))
			continue;
		v.id = xstrdup(ids->items[i]);
		v.bytes = u.bytes;
		vec_push(ret, v);
	}
}

/* Oldest first, and max of them. */
static void turn_around(retention_victims *v, size_t max)
{
	for (size_t i = 0; i < v->len / 2; i++) {
		struct retention_victim other = v->items[i];

		v->items[i] = v->items[v->len - 1 - i];
		v->items[v->len - 1 - i] = other;
	}
	while (v->len > max)
		xfree(v->items[--v->len].id);
}

int retention_plan(const struct retention *keep, const char *state, size_t max,
		   retention_victims *ret, struct err *err)
{
	_cleanup_(event_session_ids_done) event_session_ids ids = { 0 };
	int r = state_session_list_read(state, &ids, err);

	if (r < 0)
		return r;
	plan(keep, state, &ids, ret);
	turn_around(ret, max);
	return 0;
}

void retention_victims_done(retention_victims *v)
{
	for (size_t i = 0; i < v->len; i++)
		xfree(v->items[i].id);
	vec_done(v);
}

int retention_remove(const char *state, const char *id, struct err *err)
{
	_cleanup_free_ char *directory = directory_of(state, id);
	int r;

	if (event_store_is_open(directory))
		return err_say(err, -EBUSY, "the session %s still runs", id);
	r = each_entry(directory, remove_entry, NULL);
	if (r == 0 && rmdir(directory) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "remove %s", directory) : 0;
}
