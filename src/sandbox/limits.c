#include "sandbox/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"

#define DEFAULT_PIDS 8192 /* enough for a parallel build; a fork bomb ends here */
#define CPU_PERIOD_US 100000

#define MEMORY_BIT (UINT64_C(1) << 0)
#define PIDS_BIT (UINT64_C(1) << 1)
#define CPU_BIT (UINT64_C(1) << 2)

static const char *const hierarchies[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

/* The caller's cgroup in the second version's hierarchy: "0::/user.slice/..." */
static char *own_cgroup(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT(LIMIT_PATH * 16);
	char *line, *save = NULL;

	if (file_read_at(AT_FDCWD, "/proc/self/cgroup", &b) < 0 || !b.data)
		return NULL;
	for (line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (span_starts_with(span_of(line), SPAN("0::/")))
			return xstrdup(line + strlen("0::"));
	return NULL;
}

static int write_limit(int dir_fd, const char *name, const char *value)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, value, strlen(value));
}

static uint64_t set_limits(int fd, const struct sandbox_limits *l)
{
	char value[64];
	uint64_t failed = 0;

	if (l->memory_bytes) {
		(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)l->memory_bytes);
		if (write_limit(fd, "memory.max", value) < 0)
			failed |= MEMORY_BIT;
		else /* else the limit only moves memory to swap; there may be none */
			(void)write_limit(fd, "memory.swap.max", "0");
	}
	if (l->max_pids) {
		(void)snprintf(value, sizeof(value), "%u", l->max_pids);
		if (write_limit(fd, "pids.max", value) < 0)
			failed |= PIDS_BIT;
	}
	if (l->cpu_percent) {
		(void)snprintf(value, sizeof(value), "%llu %d",
			       (unsigned long long)l->cpu_percent * (CPU_PERIOD_US / 100),
			       CPU_PERIOD_US);
		if (write_limit(fd, "cpu.max", value) < 0)
			failed |= CPU_BIT;
	}
	return failed;
}

static uint64_t wanted(const struct sandbox_limits *l)
{
	return (l->memory_bytes ? MEMORY_BIT : 0) | (l->max_pids ? PIDS_BIT : 0) |
	       (l->cpu_percent ? CPU_BIT : 0);
}

/* A child of the cgroup in the directory, if the caller may put processes there. */
static int make_below(const char *dir, const struct sandbox_limits *l, struct sandbox_cgroup *cg)
{
	_cleanup_close_ int parent_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Moving a process needs the right to write the common ancestor's cgroup.procs
	 * (cgroups(7)). */
	if (parent_fd < 0 || faccessat(parent_fd, "cgroup.procs", W_OK, AT_EACCESS) < 0)
		return -EACCES;
	(void)write_limit(parent_fd, "cgroup.subtree_control", "+memory +pids +cpu");
	(void)snprintf(cg->name, sizeof(cg->name), "leash-%d", (int)getpid());
	(void)unlinkat(parent_fd, cg->name, AT_REMOVEDIR); /* of a dead process with this number */
	if (mkdirat(parent_fd, cg->name, 0755) < 0)
		return -errno;
	cg->fd = openat(parent_fd, cg->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cg->fd < 0 || set_limits(cg->fd, l) == wanted(l)) {
		cleanup_close(&cg->fd);
		cg->fd = -1;
		(void)unlinkat(parent_fd, cg->name, AT_REMOVEDIR);
		return -ENODEV;
	}
	cg->parent_fd = TAKE_FD(parent_fd);
	return 0;
}

/* From the caller's parent cgroup upwards: a cgroup with processes of its own can't be divided. */
static int make(const char *hierarchy, char *path, const struct sandbox_limits *l,
		struct sandbox_cgroup *cg)
{
	char *slash;

	while ((slash = strrchr(path, '/')) && slash[1]) {
		_cleanup_free_ char *dir = NULL;

		*slash = 0;
		dir = xasprintf("%s%s", hierarchy, path);
		if (make_below(dir, l, cg) == 0)
			return 0;
	}
	return -ENODEV;
}

void limits_make_cgroup(const struct sandbox_limits *l, struct sandbox_cgroup *cg,
			uint64_t *not_applied)
{
	_cleanup_free_ char *own = NULL;

	if (!wanted(l))
		return;
	own = own_cgroup();
	for (size_t i = 0; own && i < ARRAY_SIZE(hierarchies); i++) {
		_cleanup_free_ char *path = xstrdup(own);

		if (make(hierarchies[i], path, l, cg) == 0) {
			*not_applied |= set_limits(cg->fd, l);
			return;
		}
	}
	limits_do_without_cgroup(l, cg, not_applied);
}

void limits_do_without_cgroup(const struct sandbox_limits *l, struct sandbox_cgroup *cg,
			      uint64_t *not_applied)
{
	limits_remove_cgroup(cg);
	*not_applied |= wanted(l);
	/* RLIMIT_NPROC counts within the user namespace, but never the host's root. */
	if (getuid() != 0)
		*not_applied &= ~PIDS_BIT;
}

void limits_remove_cgroup(struct sandbox_cgroup *cg)
{
	if (cg->parent_fd >= 0)
		(void)unlinkat(cg->parent_fd, cg->name, AT_REMOVEDIR);
	cleanup_close(&cg->fd);
	cleanup_close(&cg->parent_fd);
	cg->fd = cg->parent_fd = -1;
}

static int lower(int resource, rlim_t value)
{
	struct rlimit l;

	if (getrlimit(resource, &l) < 0)
		return -errno;
	l.rlim_cur = MIN(l.rlim_cur, value);
	l.rlim_max = MIN(l.rlim_max, value);
	return setrlimit(resource, &l) < 0 ? -errno : 0;
}

int limits_apply(const struct sandbox_limits *l, struct err *err)
{
	/* A core dump may hold secrets, and the host's core_pattern may hand it to a program
	 * outside. */
	int r = lower(RLIMIT_CORE, 0);

	if (r >= 0)
		r = lower(RLIMIT_NPROC, l->max_pids ? l->max_pids : DEFAULT_PIDS);
	return r < 0 ? err_set(err, r, "limit the command's resources") : 0;
}
