/*
 * The namespace is a copy of the host's tree of mounts that the kernel made in
 * one go. It is changed in place: a bind and pivot_root would yield the same
 * tree, since a namespace made by an unprivileged user can't lose mounts that
 * it was born with (mount_namespaces(7), "locked mounts"), only cover them.
 * Nobody in the container can take a cover off: that needs a capability in
 * the container's user namespace, and its processes have none.
 *
 * Everything to be mounted is taken as a detached copy first, while it is
 * still reachable and has its own flags; then the tree becomes read-only; then
 * the copies are attached, parents before children.
 */
#include "sandbox/mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/vec.h"
#include "sandbox/devices.h"
#include "sandbox/mount-api.h"
#include "sandbox/procfs.h"
#include "sandbox/scratch.h"

#define TREE_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

#define N_OWN_PLACES 4

/* A detached copy of a mount, and where it goes. */
struct bind {
	char *target;
	int fd;
	bool is_read_only;
};

struct tree {
	const struct sandbox_options *options;
	struct span paths;	   /* to stay writable, each with its NUL */
	VEC(struct bind) writable; /* and those that are visible again below private directories */
	VEC(struct bind) extra;	   /* -v, in their order */
	struct devices devices;
	struct scratch scratch;
	bool is_root_writable;
	char *own_places[N_OWN_PLACES];
};

static const char *const private_dirs[] = { "/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp" };
static const char *const kernel_dirs[] = { "/dev", "/proc", "/sys" };

static bool is_within_any(const char *path, const char *const *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (path_is_within(span_of(path), span_of(dirs[i])))
			return true;
	return false;
}

bool mounts_is_private(const char *path)
{
	return is_within_any(path, private_dirs, ARRAY_SIZE(private_dirs));
}

static void tree_done(struct tree *t)
{
	for (size_t i = 0; i < t->writable.len; i++) {
		xfree(t->writable.items[i].target);
		fd_close(t->writable.items[i].fd);
	}
	for (size_t i = 0; i < t->extra.len; i++) {
		xfree(t->extra.items[i].target);
		fd_close(t->extra.items[i].fd);
	}
	vec_done(&t->writable);
	vec_done(&t->extra);
	for (size_t i = 0; i < N_OWN_PLACES; i++)
		xfree(t->own_places[i]);
	devices_done(&t->devices);
	scratch_done(&t->scratch);
}

#define _cleanup_tree_ _cleanup_(tree_done)

static int make_private(struct err *err)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };

	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_set(err, -errno,
			       "separate the container's mounts from the host's "
			       "(needs Linux 5.12 or later)");
	return 0;
}

/* An absent source is no error: a policy may speak of what does not exist. */
static int take_writable(struct tree *t, const char *path, bool is_read_only, struct err *err)
{
	_cleanup_close_ int fd = mount_clone(AT_FDCWD, path);
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES)
		return 0;
	if (fd < 0)
		return err_set(err, fd, "copy the mount of %s", path);
	r = mount_protect(fd, TREE_ATTRIBUTES | (is_read_only ? MOUNT_ATTR_RDONLY : 0),
			  AT_RECURSIVE);
	if (r < 0)
		return err_set(err, r, "set the flags of the mount of %s", path);
	vec_push(&t->writable, (struct bind){ xstrdup(path), TAKE_FD(fd), is_read_only });
	return 0;
}

/* The places that the command stands on, by their real names; "/" is nobody's own. */
static int resolve_own_places(struct tree *t, struct err *err)
{
	const struct sandbox_options *o = t->options;
	const char *const paths[N_OWN_PLACES] = { o->home, o->workspace, o->cwd, o->program };

	for (size_t i = 0; i < N_OWN_PLACES; i++) {
		if (!paths[i] || strcmp(paths[i], "/") == 0)
			continue;
		t->own_places[i] = path_resolve(paths[i]);
		if (!t->own_places[i])
			return err_set(err, -errno, "resolve %s", paths[i]);
	}
	return 0;
}

static bool is_own_place(const struct tree *t, const char *path)
{
	for (size_t i = 0; i < N_OWN_PLACES; i++)
		if (t->own_places[i] && path_is_within(span_of(path), span_of(t->own_places[i])))
			return true;
	return false;
}

/* They must be seen even where a private directory covers their place. */
static int take_visible(struct tree *t, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < N_OWN_PLACES && r >= 0; i++) {
		const char *path = t->own_places[i];

		if (path && mounts_is_private(path) &&
		    !is_within_any(path, kernel_dirs, ARRAY_SIZE(kernel_dirs)))
			r = take_writable(t, path, !t->is_root_writable, err);
	}
	return r;
}

/* The container's own /tmp is what a policy means by it, never the host's. */
static bool is_meant_privately(const struct tree *t, const char *path)
{
	return is_within_any(path, kernel_dirs, ARRAY_SIZE(kernel_dirs)) ||
	       (mounts_is_private(path) && !is_own_place(t, path));
}

/* Has a directory that holds the path been taken already? Policies name many files of one directory. */
static bool is_taken(const struct tree *t, const char *path)
{
	for (size_t i = 0; i < t->writable.len; i++)
		if (!t->writable.items[i].is_read_only &&
		    path_is_within(span_of(path), span_of(t->writable.items[i].target)))
			return true;
	return false;
}

/* Cuts the next of a list of paths off, or returns NULL at its end. */
static const char *next_path(struct span *list)
{
	const char *path = list->p;
	const char *end = list->len ? memchr(path, 0, list->len) : NULL;

	if (!end)
		return NULL;
	*list = span_make(end + 1, list->len - (size_t)(end + 1 - path));
	return path;
}

static int take_writables(struct tree *t, struct err *err)
{
	struct span rest = t->paths;

	for (const char *path; (path = next_path(&rest));) {
		_cleanup_free_ char *real = path_resolve(path);
		int r = 0;

		if (!real)
			return err_set(err, -errno, "resolve %s", path);
		if (strcmp(real, "/") == 0)
			t->is_root_writable = true;
		else if (!is_meant_privately(t, real) && !is_taken(t, real))
			r = take_writable(t, real, /* is_read_only = */ false, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_binds(const void *a, const void *b)
{
	const struct bind *x = a, *y = b;
	size_t x_len = strlen(x->target), y_len = strlen(y->target);

	if (x_len != y_len)
		return x_len < y_len ? -1 : 1;
	return y->is_read_only - x->is_read_only; /* of the same place the writable one wins */
}

static int take_extra(struct tree *t, const struct sandbox_mount *m, struct err *err)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID | (m->is_read_only ? MOUNT_ATTR_RDONLY : 0);
	_cleanup_close_ int fd = mount_clone(AT_FDCWD, m->source);
	struct stat st;
	int r;

	if (fd < 0)
		return err_set(err, fd, "mount %s", m->source);
	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "look at %s", m->source);
	/* A device that is named itself is meant to work; those in a directory are not. */
	if (!S_ISCHR(st.st_mode))
		attributes |= MOUNT_ATTR_NODEV;
	r = mount_protect(fd, attributes, AT_RECURSIVE);
	if (r < 0)
		return err_set(err, r, "set the flags of the mount of %s", m->source);
	vec_push(&t->extra, (struct bind){ xstrdup(m->target), TAKE_FD(fd), m->is_read_only });
	return 0;
}

static int take_all(struct tree *t, struct err *err)
{
	int r = resolve_own_places(t, err);

	if (r >= 0)
		r = take_writables(t, err);
	if (r >= 0)
		r = take_visible(t, err);
	if (r < 0)
		return r;
	if (t->writable.len)
		qsort(t->writable.items, t->writable.len, sizeof(struct bind), compare_binds);
	for (size_t i = 0; i < t->options->n_mounts; i++) {
		r = take_extra(t, &t->options->mounts[i], err);
		if (r < 0)
			return r;
	}
	return devices_take(&t->devices, err);
}

static int protect_root(const struct tree *t, struct err *err)
{
	struct mount_attr attr = { .attr_set = TREE_ATTRIBUTES |
					       (t->is_root_writable ? 0 : MOUNT_ATTR_RDONLY) };

	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_set(err, -errno, "make the container's tree read-only");
	return 0;
}

/*
 * An image may hold a program and nothing else; what is mounted needs a place to sit on. It is not
 * the host's tree, so it may be changed.
 */
static int make_places(struct err *err)
{
	static const char *const places[] = { "/run", "/tmp", "/etc", "/dev", "/proc", "/sys" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (mkdir(places[i], 0755) < 0 && errno != EEXIST && errno != EROFS)
			return err_set(err, -errno, "make the image's %s", places[i]);
	return 0;
}

/* An empty, private, writable directory at path, where the host has a directory there. */
static int cover_with_tmpfs(const char *path, const char *mode, struct err *err)
{
	const struct mount_option options[] = { { "mode", mode }, { NULL, NULL } };
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	fd = mount_new("tmpfs", options, TREE_ATTRIBUTES);
	r = fd < 0 ? fd : mount_attach(fd, path);
	return r < 0 ? err_set(err, r, "mount a private %s", path) : 0;
}

/* Makes what the mount needs to sit on. Fails with EROFS where the tree is the host's. */
static int make_target(const struct bind *b)
{
	_cleanup_free_ char *dir = xstrdup(b->target);
	_cleanup_close_ int fd = -1;
	char *slash = strrchr(dir, '/');
	struct stat st;
	int r;

	if (fstat(b->fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return mkdir_all(b->target, 0755);
	if (!slash || slash == dir)
		return -EROFS;
	*slash = 0;
	r = mkdir_all(dir, 0755);
	if (r < 0)
		return r;
	fd = open(b->target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : 0;
}

static int attach(const struct bind *b, struct err *err)
{
	int r = mount_attach(b->fd, b->target);

	if (r == -ENOENT) {
		r = make_target(b);
		if (r >= 0)
			r = mount_attach(b->fd, b->target);
	}
	if (r == -EROFS)
		return err_say(err, r,
			       "%s does not exist on the host, so nothing can be mounted there; "
			       "create it first",
			       b->target);
	return r < 0 ? err_set(err, r, "mount onto %s", b->target) : 0;
}

static int attach_all(const struct tree *t, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < t->writable.len && r >= 0; i++)
		r = attach(&t->writable.items[i], err);
	for (size_t i = 0; i < t->extra.len && r >= 0; i++)
		r = attach(&t->extra.items[i], err);
	return r;
}

static int hide_all(const struct tree *t, struct err *err)
{
	for (const char *const *h = t->options->hidden; h && *h; h++) {
		int r = scratch_hide(&t->scratch, *h);

		if (r < 0)
			return err_set(err, r, "hide %s", *h);
	}
	return 0;
}

int mounts_make(const struct sandbox_options *o, struct span writable,
		int ret_file_fds[SANDBOX_MAX_FILES], struct err *err)
{
	_cleanup_tree_ struct tree t = {
		.options = o, .paths = writable, .devices = DEVICES_INIT, .scratch = SCRATCH_INIT
	};
	int r = make_private(err);

	if (r >= 0 && o->user)
		r = make_places(err);
	if (r >= 0)
		r = take_all(&t, err);
	if (r >= 0)
		r = protect_root(&t, err);
	if (r >= 0)
		r = scratch_make(&t.scratch, o, err);
	if (r >= 0)
		r = cover_with_tmpfs("/run", "0755", err);
	if (r >= 0)
		r = cover_with_tmpfs("/tmp", "1777", err);
	if (r >= 0)
		r = cover_with_tmpfs("/var/tmp", "1777", err);
	if (r >= 0)
		r = devices_mount(&t.devices, err);
	if (r >= 0)
		r = procfs_mount(&t.scratch, err);
	if (r >= 0)
		r = sysfs_mount(&t.scratch, err);
	if (r >= 0)
		r = attach_all(&t, err);
	if (r >= 0)
		r = scratch_replace_name_files(&t.scratch, err);
	if (r >= 0)
		r = scratch_show_files(&t.scratch, o, err);
	if (r >= 0)
		r = hide_all(&t, err);
	for (size_t i = 0; i < o->n_files && r >= 0; i++)
		ret_file_fds[i] = TAKE_FD(t.scratch.file_fds[i]);
	return r;
}
