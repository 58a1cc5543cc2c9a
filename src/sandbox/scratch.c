#include "sandbox/scratch.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"
#include "sandbox/mount-api.h"

#define MAX_LINKS 8 /* of resolv.conf; one or two are usual */

static int make_file(int dir_fd, const char *name, struct span content)
{
	_cleanup_close_ int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	return fd < 0 ? -errno : fd_write_all(fd, content.p, content.len);
}

static int fill(int fd, const struct sandbox_options *o)
{
	const char *name = o->hostname ? o->hostname : "";
	_cleanup_free_ char *hosts =
		xasprintf("127.0.0.1\tlocalhost %s\n::1\tlocalhost %s\n", name, name);
	int r = make_file(fd, "file", SPAN(""));

	if (r >= 0)
		r = make_file(fd, "resolv.conf", o->resolv_conf);
	if (r >= 0)
		r = make_file(fd, "hosts", span_of(hosts));
	if (r >= 0 && mkdirat(fd, "dir", 0555) < 0)
		r = -errno;
	return r;
}

static const char *const file_names[SANDBOX_MAX_FILES] = { "file-0", "file-1", "file-2", "file-3" };

/*
 * They are written through a mount that nobody else has: the one that is shown
 * becomes read-only, which no mount can that has a file open for writing.
 */
static int make_files(struct scratch *s, int fd, const struct sandbox_options *o)
{
	_cleanup_close_ int writable_fd = -1;

	if (o->n_files == 0)
		return 0;
	writable_fd = mount_clone(fd, ".");
	if (writable_fd < 0)
		return writable_fd;
	for (size_t i = 0; i < o->n_files; i++) {
		s->file_fds[i] = openat(writable_fd, file_names[i],
					O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
		if (s->file_fds[i] < 0)
			return -errno;
	}
	return 0;
}

int scratch_make(struct scratch *s, const struct sandbox_options *o, struct err *err)
{
	static const struct mount_option options[] = { { "mode", "0700" }, { NULL, NULL } };
	_cleanup_close_ int fd = mount_new(
		"tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	int r = fd < 0 ? fd : fill(fd, o);

	if (r >= 0)
		r = mount_attach(fd, "/run");
	if (r >= 0)
		r = make_files(s, fd, o);
	if (r >= 0)
		r = mount_protect(fd, MOUNT_ATTR_RDONLY, 0);
	if (r < 0)
		return err_set(err, r, "make the container's empty files");
	s->fd = TAKE_FD(fd);
	return 0;
}

static int cover(const struct scratch *s, const char *name, const char *path)
{
	_cleanup_close_ int fd = mount_clone(s->fd, name);

	return fd < 0 ? fd : mount_attach(fd, path);
}

int scratch_hide(const struct scratch *s, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	return cover(s, S_ISDIR(st.st_mode) ? "dir" : "file", path);
}

/* Follows one link: path becomes what it names. 0 where path is no link. */
static int follow(struct buf *path)
{
	char target[LIMIT_PATH];
	_cleanup_buf_ struct buf next = BUF_INIT(LIMIT_PATH);
	ssize_t n = readlink(path->data, target, sizeof(target));
	int r;

	if (n < 0)
		return errno == EINVAL ? 0 : -errno;
	if ((size_t)n == sizeof(target))
		return -ENAMETOOLONG;
	r = path_normalise(path_directory(buf_span(path)), span_make(target, (size_t)n), &next);
	if (r < 0)
		return r;
	buf_reset(path);
	/* /var/run is /run everywhere, but the text must say so for the check below. */
	if (path_is_below(buf_span(&next), SPAN("/var/run")))
		buf_consume(&next, strlen("/var"));
	return buf_append_span(path, buf_span(&next)) < 0 ? -ENAMETOOLONG : 1;
}

/* Leads to where /run, which is empty now, used to have something: a file is made there to sit on.
 */
static int make_below_run(char *path)
{
	char *slash = strrchr(path, '/');
	int r;

	*slash = 0;
	r = mkdir_all(path, 0755);
	*slash = '/';
	return r < 0 ? r : make_file(AT_FDCWD, path, SPAN(""));
}

/* name is that of the file in /etc and of ours. */
static int replace(const struct scratch *s, const char *name)
{
	_cleanup_buf_ struct buf path = BUF_INIT(LIMIT_PATH);
	int r = buf_printf(&path, "/etc/%s", name) < 0 ? -ENAMETOOLONG : 1;

	for (int i = 0; i < MAX_LINKS && r > 0; i++)
		r = follow(&path);
	if (r > 0)
		return -ELOOP;
	if (r == -ENOENT && path_is_below(buf_span(&path), SPAN("/run")))
		r = make_below_run(path.data);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : cover(s, name, path.data);
}

int scratch_replace_name_files(const struct scratch *s, struct err *err)
{
	/* Without resolv.conf, libc asks 127.0.0.1, and the rules bring that to the resolver. */
	int r = replace(s, "resolv.conf");

	if (r >= 0)
		r = replace(s, "hosts");
	return r < 0 ? err_set(err, r, "replace resolv.conf and hosts") : 0;
}

/* Only over a file, and only once where several links lead to one. */
static int cover_place(const struct scratch *s, const char *name, const char *place)
{
	struct stat own, st;

	if (stat(place, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (fstatat(s->fd, name, &own, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (st.st_dev == own.st_dev && st.st_ino == own.st_ino)
		return 0;
	return cover(s, name, place);
}

static int show_file(const struct scratch *s, const char *name, const struct sandbox_file *f)
{
	_cleanup_free_ char *path = xstrdup(f->path);
	int r = make_below_run(path);

	if (r >= 0)
		r = cover(s, name, path);
	for (const char *const *p = f->places; *p && r >= 0; p++)
		r = cover_place(s, name, *p);
	return r;
}

int scratch_show_files(const struct scratch *s, const struct sandbox_options *o, struct err *err)
{
	for (size_t i = 0; i < o->n_files; i++) {
		int r = show_file(s, file_names[i], &o->files[i]);

		if (r < 0)
			return err_set(err, r, "show %s in the container", o->files[i].path);
	}
	return 0;
}

void scratch_done(struct scratch *s)
{
	cleanup_close(&s->fd);
	s->fd = -1;
	for (size_t i = 0; i < SANDBOX_MAX_FILES; i++) {
		cleanup_close(&s->file_fds[i]);
		s->file_fds[i] = -1;
	}
}
