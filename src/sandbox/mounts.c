#include "sandbox/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/vec.h"
#include "sandbox/devices.h"
#include "sandbox/mount-calls.h"

/* Directories of the host that the container gets empty ones instead of. */
static const struct {
	const char *path, *options;
} private_directories[] = {
	{ "/tmp", "mode=1777" },
	{ "/var/tmp", "mode=1777" },
	{ "/run", "mode=0755" },
};

/* A mount made before the old root is gone, to be put in place after. */
struct piece {
	int fd;
	const char *target;
	bool is_directory;
};

struct plan {
	VEC(struct piece) pieces;
	bool is_root_writable;
};

static void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->pieces.len; i++)
		fd_close(p->pieces.items[i].fd);
	vec_done(&p->pieces);
}

static bool is_private(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(private_directories); i++)
		if (path_is_within(span_of(path), span_of(private_directories[i].path)))
			return true;
	return false;
}

/* Made anew for the container: nothing of the host's is put there. */
static bool is_made_anew(const char *path)
{
	return path_is_within(span_of(path), SPAN("/dev")) || path_is_within(span_of(path), SPAN("/proc")) ||
	       path_is_within(span_of(path), SPAN("/sys"));
}

/* The command's own places may lie where a private directory would hide them. */
static bool is_own_place(const struct sandbox_options *o, const char *path)
{
	return path_is_within(span_of(path), span_of(o->workspace)) ||
	       path_is_within(span_of(path), span_of(o->home)) || path_is_within(span_of(path), span_of(o->cwd));
}

static bool is_covered(const struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->pieces.len; i++)
		if (path_is_within(span_of(path), span_of(p->pieces.items[i].target)))
			return true;
	return false;
}

/* Clones what lies at source. A source that does not exist is left out: 0 without a piece. */
static int add_piece(struct plan *p, const char *source, const char *target, bool is_read_only,
		     struct err *err)
{
	uint64_t set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (is_read_only ? MOUNT_ATTR_RDONLY : 0);
	_cleanup_close_ int fd = mount_clone(source, /* recursive = */ true);
	struct stat st;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES)
		return 0;
	if (fd < 0)
		return err_set(err, fd, "clone the mount of %s", source);
	if (mount_change(fd, set, 0, /* recursive = */ true) < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "protect the mount of %s", source);
	vec_push(&p->pieces, (struct piece){ .fd = fd, .target = target, .is_directory = S_ISDIR(st.st_mode) });
	fd = -1;
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Parents before what is below them, so that what is covered already is left out. */
static int plan_writable(struct plan *p, const struct sandbox_options *o, struct err *err)
{
	VEC(const char *) sorted = { 0 };
	int r = 0;

	for (const char *const *path = o->writable; path && *path; path++)
		vec_push(&sorted, *path);
	if (sorted.len)
		qsort(sorted.items, sorted.len, sizeof(*sorted.items), compare_paths);
	for (size_t i = 0; i < sorted.len && r >= 0; i++) {
		const char *path = sorted.items[i];

		if (strcmp(path, "/") == 0)
			p->is_root_writable = true;
		else if (is_made_anew(path) || (is_private(path) ? !is_own_place(o, path) : p->is_root_writable))
			continue;
		else if (!is_covered(p, path))
			r = add_piece(p, path, path, /* is_read_only = */ false, err);
	}
	vec_done(&sorted);
	return r;
}

/* What the command stands on must be seen even where a private directory would hide it. */
static int plan_visible(struct plan *p, const struct sandbox_options *o, struct err *err)
{
	const char *const paths[] = { o->workspace, o->home, o->cwd, o->program };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && r >= 0; i++)
		if (paths[i] && is_private(paths[i]) && !is_covered(p, paths[i]))
			r = add_piece(p, paths[i], paths[i], !p->is_root_writable, err);
	return r;
}

static int plan_volumes(struct plan *p, const struct sandbox_options *o, struct err *err)
{
	for (size_t i = 0; i < o->n_mounts; i++) {
		const struct sandbox_mount *m = &o->mounts[i];
		size_t before = p->pieces.len;
		int r = add_piece(p, m->source, m->target, m->is_read_only, err);

		if (r < 0)
			return r;
		if (p->pieces.len == before)
			return err_say(err, -ENOENT, "volume %s: no such file or directory", m->source);
	}
	return 0;
}

/* The point where a piece goes: it exists in the tree, or is made in a private directory. */
static int make_target(const struct piece *piece)
{
	_cleanup_free_ char *parent = NULL;
	struct span name;
	int r;

	if (access(piece->target, F_OK) == 0)
		return 0;
	if (!is_private(piece->target))
		return -ENOENT;
	if (piece->is_directory)
		return mkdir_all(piece->target, 0755);
	name = path_base_name(span_of(piece->target));
	parent = xmemdup0(piece->target, (size_t)(name.p - piece->target));
	r = mkdir_all(parent, 0755);
	return r < 0 ? r : file_create(piece->target, (struct span){ 0 });
}

static int put_pieces(const struct plan *p, struct err *err)
{
	for (size_t i = 0; i < p->pieces.len; i++) {
		const struct piece *piece = &p->pieces.items[i];
		int r = make_target(piece);

		if (r == -ENOENT)
			return err_say(err, r,
				       "%s does not exist; create it first, or choose a place below /tmp",
				       piece->target);
		if (r >= 0)
			r = mount_place(piece->fd, piece->target);
		if (r < 0)
			return err_set(err, r, "mount %s", piece->target);
	}
	return 0;
}

/* Leaves the old root behind: afterwards nothing but the new tree is reachable. */
static int enter_root(int root_fd, struct err *err)
{
	/* /proc serves as the point only for this moment; the container gets one of its own. */
	int r = mount_place(root_fd, "/proc");

	if (r < 0)
		return err_set(err, r, "place the root");
	if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_set(err, -errno, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_set(err, -errno, "leave the old root");
	return 0;
}

static int mount_private_directories(struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(private_directories); i++) {
		const char *path = private_directories[i].path;
		int r = mount_new("tmpfs", path, MS_NOSUID | MS_NODEV, private_directories[i].options);

		if (r < 0 && r != -ENOENT)
			return err_set(err, r, "mount %s", path);
	}
	return 0;
}

/* Is the file a link to one in /run, which is empty now? Then that is made and nothing is mounted. */
static bool is_made_in_run(const char *path, struct span content, int *ret)
{
	_cleanup_buf_ struct buf target = BUF_INIT(0);
	_cleanup_free_ char *parent = NULL;
	char link[256];
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	struct span name;

	if (n <= 0)
		return false;
	(void)path_normalise(SPAN("/etc"), span_make(link, (size_t)n), &target);
	if (!path_is_below(buf_span(&target), SPAN("/run")) || access(target.data, F_OK) == 0)
		return false;
	name = path_base_name(buf_span(&target));
	parent = xmemdup0(target.data, (size_t)(name.p - target.data));
	*ret = mkdir_all(parent, 0755);
	if (*ret >= 0)
		*ret = file_create(target.data, content);
	return true;
}

/* Lays a file of ours over one in /etc. Where that does not exist, programs do without it. */
static int replace_file(const char *path, const char *made, struct span content)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (is_made_in_run(path, content, &r))
		return r;
	if (access(path, F_OK) < 0)
		return 0;
	r = file_create(made, content);
	if (r < 0)
		return r;
	fd = mount_clone(made, /* recursive = */ false);
	if (fd < 0)
		return fd;
	r = mount_change(fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, false);
	return r < 0 ? r : mount_place(fd, path);
}

/*
 * resolv.conf names our resolver. hosts holds the container's own name alone:
 * those that the host gives to addresses come from the resolver, under policy.
 */
static int place_name_files(const struct sandbox_options *o, struct err *err)
{
	_cleanup_free_ char *hosts = xasprintf("127.0.0.1\tlocalhost %s\n::1\tlocalhost %s\n", o->hostname, o->hostname);
	int r = replace_file("/etc/resolv.conf", "/run/leash-resolv.conf", o->resolv_conf);

	if (r >= 0)
		r = replace_file("/etc/hosts", "/run/leash-hosts", span_of(hosts));
	return r < 0 ? err_set(err, r, "replace resolv.conf and hosts") : 0;
}

static int hide(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return mount_new("tmpfs", path, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "mode=0555");
	return mount_bind("/dev/null", path);
}

static int hide_all(const struct sandbox_options *o, struct err *err)
{
	/* What of the host shows or steers the machine rather than the container. */
	static const char *const always[] = {
		"/proc/kcore",	       "/proc/keys",	      "/proc/sysrq-trigger", "/proc/timer_list",
		"/proc/latency_stats", "/proc/sched_debug",   "/proc/scsi",	     "/proc/acpi",
		"/sys/firmware",       "/sys/kernel/debug",   "/sys/kernel/tracing", "/sys/kernel/security",
		"/sys/fs/bpf",	       "/sys/fs/pstore",
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		r = hide(always[i]);
		if (r < 0)
			return err_set(err, r, "hide %s", always[i]);
	}
	for (const char *const *path = o->hidden; path && *path; path++) {
		r = hide(*path);
		if (r < 0)
			return err_set(err, r, "hide %s", *path);
	}
	return 0;
}

static int mount_proc(struct err *err)
{
	/* A uid 0 that is the host's own would otherwise be let write there. */
	static const char *const read_only[] = { "/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs" };
	int r = mount_new("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);

	if (r < 0)
		return err_set(err, r, "mount /proc");
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++) {
		_cleanup_close_ int fd = mount_clone(read_only[i], /* recursive = */ false);

		if (fd == -ENOENT)
			continue;
		r = fd < 0 ? fd : mount_change(fd, MOUNT_ATTR_RDONLY, 0, false);
		if (r >= 0)
			r = mount_place(fd, read_only[i]);
		if (r < 0)
			return err_set(err, r, "mount %s", read_only[i]);
	}
	return 0;
}

static int set_up(const struct sandbox_options *o, struct plan *p, struct err *err)
{
	struct devices devices = DEVICES_INIT;
	_cleanup_close_ int root_fd = -1;
	uint64_t set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int r;

	/* Nothing that is mounted later, here or on the host, shows on the other side. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(err, -errno, "make mounts private");
	r = plan_writable(p, o, err);
	if (r >= 0)
		r = plan_visible(p, o, err);
	if (r >= 0)
		r = plan_volumes(p, o, err);
	if (r >= 0)
		r = devices_take(&devices, err);
	if (r < 0)
		return r;
	root_fd = mount_clone("/", /* recursive = */ true);
	if (root_fd < 0)
		return err_set(err, root_fd, "clone the root");
	if (!p->is_root_writable)
		set |= MOUNT_ATTR_RDONLY;
	r = mount_change(root_fd, set, 0, /* recursive = */ true);
	if (r < 0)
		return err_set(err, r, "make the tree read-only");
	r = enter_root(root_fd, err);
	if (r >= 0)
		r = mount_private_directories(err);
	if (r >= 0)
		r = put_pieces(p, err);
	if (r >= 0)
		r = devices_place(&devices, err);
	if (r >= 0)
		r = mount_proc(err);
	if (r >= 0)
		r = hide_all(o, err);
	if (r >= 0)
		r = place_name_files(o, err);
	devices_done(&devices);
	return r;
}

int mounts_set_up(const struct sandbox_options *o, struct err *err)
{
	struct plan p = { 0 };
	int r = set_up(o, &p, err);

	plan_done(&p);
	return r;
}
