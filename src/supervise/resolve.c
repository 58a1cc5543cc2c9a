#include "supervise/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervise/worker.h"

#define MAX_LINKS 40 /* as the kernel's MAXSYMLINKS */
#define MAX_RETRIES 16
#define PROC_ROOT_INO 1

/* What the kernel must do alone: these confine a walk in ways that ours does not know. */
#define CONFINED (RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_NO_XDEV)

struct walk {
	struct worker *w;
	int dir_fd; /* where the walk is; owned */
	char *rest; /* what is still to be walked, inside text */
	unsigned n_links;
	enum resolve_want want;
	uint64_t how;
	char text[2 * LIMIT_PATH + 2];
};

static int open_path(int base_fd, const char *path, uint64_t flags, uint64_t how)
{
	struct open_how h = { .flags = O_PATH | O_CLOEXEC | flags, .resolve = how };

	for (int i = 0; i < MAX_RETRIES; i++) {
		int fd = (int)syscall(SYS_openat2, base_fd, path, &h, sizeof(h));

		if (fd >= 0 || errno != EAGAIN)
			return fd < 0 ? -errno : fd;
	}
	return -EAGAIN;
}

void place_done(struct place *p)
{
	if (p->fd >= 0)
		fd_close(p->fd);
	if (p->parent_fd >= 0)
		fd_close(p->parent_fd);
	*p = (struct place)PLACE_INIT;
}

static bool wants_create(enum resolve_want want)
{
	return want == RESOLVE_CREATE || want == RESOLVE_CREATE_LINK;
}

static bool wants_link(enum resolve_want want)
{
	return want == RESOLVE_LINK || want == RESOLVE_CREATE_LINK;
}

/* Takes over fd. */
static int found(struct place *p, int fd)
{
	p->fd = fd;
	return fstat(fd, &p->st) < 0 ? -errno : 0;
}

static bool is_special_name(const char *name, size_t len)
{
	return (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
}

/* Takes over parent_fd. */
static int found_parent(struct place *p, int parent_fd, const char *name, size_t len,
			bool has_slash)
{
	p->parent_fd = parent_fd;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(p->name, name, len);
	if (has_slash)
		p->name[len++] = '/';
	p->name[len] = 0;
	p->has_slash = has_slash;
	return 0;
}

/* ---- the walk of our own ---- */

static bool is_on_proc(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

static bool is_proc_root(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == PROC_ROOT_INO && is_on_proc(fd);
}

/* Puts a symlink's text before what is left of the path. */
static int push(struct walk *k, const char *target, size_t len)
{
	size_t left = strlen(k->rest);

	if (++k->n_links > MAX_LINKS)
		return -ELOOP;
	if (len == 0)
		return -ENOENT;
	if (len + 1 + left + 1 > sizeof(k->text))
		return -ENAMETOOLONG;
	memmove(k->text + sizeof(k->text) - left - 1, k->rest, left + 1);
	k->rest = k->text + sizeof(k->text) - left - 1;
	if (left)
		*--k->rest = '/';
	k->rest -= len;
	memcpy(k->rest, target, len);
	return 0;
}

static int move_to(struct walk *k, int fd)
{
	fd_close(k->dir_fd);
	k->dir_fd = fd;
	return 0;
}

static int to_root(struct walk *k)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : move_to(k, fd);
}

/*
 * Follows the symlink `name` in k->dir_fd, whose own descriptor is link_fd.
 * Ordinary ones go back into the path. A magic link is followed by the kernel,
 * which checks whether we, with no more power than the caller, may: then
 * *ret_fd is the object. Otherwise *ret_fd stays -1.
 */
static int follow(struct walk *k, int link_fd, const char *name, int *ret_fd)
{
	char target[LIMIT_PATH + 1];
	ssize_t n;

	if (k->how & RESOLVE_NO_SYMLINKS)
		return -ELOOP;
	if (is_on_proc(link_fd)) {
		struct process *p = k->w->process;

		if (is_proc_root(k->dir_fd) && strcmp(name, "self") == 0) {
			if (process_load_numbers(p) < 0)
				return -ESRCH;
			n = snprintf(target, sizeof(target), "%d", (int)p->ns_tgid);
			return push(k, target, (size_t)n);
		}
		if (is_proc_root(k->dir_fd) && strcmp(name, "thread-self") == 0) {
			if (process_load_numbers(p) < 0)
				return -ESRCH;
			n = snprintf(target, sizeof(target), "%d/task/%d", (int)p->ns_tgid,
				     (int)p->ns_tid);
			return push(k, target, (size_t)n);
		}
		if (!is_proc_root(k->dir_fd)) {
			int fd = open_path(k->dir_fd, name, 0, RESOLVE_NO_MAGICLINKS);

			if (fd >= 0)
				fd_close(fd); /* an ordinary one */
			else if (fd == -ELOOP && (k->how & RESOLVE_NO_MAGICLINKS))
				return -ELOOP;
			else if (fd == -ELOOP) {
				if (++k->n_links > MAX_LINKS)
					return -ELOOP;
				fd = open_path(k->dir_fd, name, 0, 0);
				if (fd < 0)
					return fd;
				*ret_fd = fd;
				return 0;
			}
		}
	}
	n = readlinkat(link_fd, "", target, sizeof(target));
	if (n < 0)
		return -errno;
	if ((size_t)n == sizeof(target))
		return -ENAMETOOLONG;
	if (n > 0 && target[0] == '/') {
		int r = to_root(k);

		if (r < 0)
			return r;
	}
	return push(k, target, (size_t)n);
}

/* The end of the path was reached without a last component: "/", "a/..", or "." */
static int end_here(struct walk *k, struct place *ret)
{
	int fd = TAKE_FD(k->dir_fd);

	if (k->want == RESOLVE_PARENT) {
		ret->is_special = true;
		return found_parent(ret, fd, "/", 1, false);
	}
	return found(ret, fd);
}

/*
 * Walks one component. Returns 1 when the walk is over (ret is filled), 0 to
 * go on, or a negative errno.
 */
static int step(struct walk *k, const char *name, bool is_last, bool has_slash, struct place *ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_close_ int target_fd = -1;
	struct stat st;
	int r;

	if (is_last && k->want == RESOLVE_PARENT) {
		ret->is_special = is_special_name(name, strlen(name));
		r = found_parent(ret, TAKE_FD(k->dir_fd), name, strlen(name), has_slash);
		return r < 0 ? r : 1;
	}
	fd = openat(k->dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && is_last && wants_create(k->want)) {
		r = found_parent(ret, TAKE_FD(k->dir_fd), name, strlen(name), has_slash);
		return r < 0 ? r : 1;
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && (!is_last || has_slash || !wants_link(k->want))) {
		r = follow(k, fd, name, &target_fd);
		if (r < 0)
			return r;
		if (target_fd < 0)
			return 0;
		fd_close(fd);
		fd = TAKE_FD(target_fd);
		if (fstat(fd, &st) < 0)
			return -errno;
	}
	if (is_last && (!has_slash || S_ISDIR(st.st_mode))) {
		r = found(ret, TAKE_FD(fd));
		return r < 0 ? r : 1;
	}
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return move_to(k, TAKE_FD(fd));
}

static int walk_steps(struct walk *k, struct place *ret)
{
	for (;;) {
		char name[NAME_MAX + 1];
		size_t len;
		bool has_slash;
		int r;

		k->rest += strspn(k->rest, "/");
		len = strcspn(k->rest, "/");
		if (len == 0)
			return end_here(k, ret);
		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, k->rest, len);
		name[len] = 0;
		k->rest += len;
		has_slash = *k->rest == '/';
		r = step(k, name, k->rest[strspn(k->rest, "/")] == 0, has_slash, ret);
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

static int walk(struct worker *w, int base_fd, const char *path, enum resolve_want want,
		uint64_t how, struct place *ret)
{
	struct walk k = { .w = w, .dir_fd = -1, .want = want, .how = how };
	size_t len = strlen(path);
	int r;

	k.rest = k.text + sizeof(k.text) - len - 1;
	memcpy(k.rest, path, len + 1);
	k.dir_fd = path[0] == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : fd_dup(base_fd);
	if (k.dir_fd < 0)
		return path[0] == '/' ? -errno : k.dir_fd;
	r = walk_steps(&k, ret);
	if (k.dir_fd >= 0)
		fd_close(k.dir_fd);
	return r;
}

/* ---- the kernel's walk ---- */

/* Splits off the last component: "a/b//" → "a/", "b". False where there is none to split off. */
static bool split(const char *path, char *dir, size_t *ret_at, size_t *ret_len)
{
	size_t len = strlen(path);
	size_t end = len, at;

	while (end > 0 && path[end - 1] == '/')
		end--;
	at = end;
	while (at > 0 && path[at - 1] != '/')
		at--;
	if (at == end || is_special_name(path + at, end - at))
		return false;
	if (at == 0) {
		dir[0] = '.';
		dir[1] = 0;
	} else {
		memcpy(dir, path, at);
		dir[at] = 0;
	}
	*ret_at = at;
	*ret_len = end - at;
	return true;
}

/*
 * Finds the parent with the kernel alone and looks whether the last component
 * exists. Returns 1 when it does not (ret holds parent and name), 0 when it
 * does or when only our own walk can tell, or a negative errno.
 */
static int find_absent(int base_fd, const char *path, uint64_t how, struct place *ret)
{
	char dir[LIMIT_PATH + 1], name[NAME_MAX + 1];
	struct stat st;
	size_t at, len;
	int fd, r;

	if (!split(path, dir, &at, &len))
		return 0;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	fd = open_path(base_fd, dir, O_DIRECTORY, how);
	if (fd < 0)
		return 0;
	memcpy(name, path + at, len);
	name[len] = 0;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT) {
		fd_close(fd);
		return 0;
	}
	r = found_parent(ret, fd, path + at, len, path[at + len] == '/');
	return r < 0 ? r : 1;
}

static int resolve_parent(struct worker *w, int base_fd, const char *path, struct place *ret)
{
	char dir[LIMIT_PATH + 1];
	size_t at, len;
	int fd;

	if (!split(path, dir, &at, &len))
		return walk(w, base_fd, path, RESOLVE_PARENT, 0, ret);
	fd = open_path(base_fd, dir, O_DIRECTORY, RESOLVE_NO_MAGICLINKS);
	if (fd == -ELOOP || fd == -ENOENT)
		return walk(w, base_fd, path, RESOLVE_PARENT, 0, ret);
	if (fd < 0)
		return fd;
	return found_parent(ret, fd, path + at, len, path[at + len] == '/');
}

static int resolve_object(struct worker *w, int base_fd, const char *path, enum resolve_want want,
			  uint64_t how, struct place *ret)
{
	int fd, r;

	fd = open_path(base_fd, path, wants_link(want) ? O_NOFOLLOW : 0,
		       how | RESOLVE_NO_MAGICLINKS);
	if (fd >= 0)
		return found(ret, fd);
	if (fd != -ENOENT && fd != -ELOOP)
		return fd;
	if (fd == -ENOENT) {
		r = find_absent(base_fd, path, how | RESOLVE_NO_MAGICLINKS, ret);
		if (r < 0)
			return r;
		if (r > 0)
			return wants_create(want) ? 0 : -ENOENT;
	}
	if (how & CONFINED)
		return fd;
	return walk(w, base_fd, path, want, how, ret);
}

int resolve(struct worker *w, int base_fd, const char *path, enum resolve_want want, uint64_t how,
	    struct place *ret)
{
	struct place p = PLACE_INIT;
	int r;

	if (path[0] == 0)
		return -ENOENT;
	if (path[0] != '/' && base_fd < 0)
		return -EBADF;
	r = want == RESOLVE_PARENT ? resolve_parent(w, base_fd, path, &p)
				   : resolve_object(w, base_fd, path, want, how, &p);
	if (r < 0) {
		place_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}
