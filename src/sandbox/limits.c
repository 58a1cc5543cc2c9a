#include "sandbox/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"

#define DEFAULT_MAX_PIDS 8192
#define CPU_PERIOD_US 100000

static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

static int write_file(const char *directory, const char *name, const char *value)
{
	_cleanup_free_ char *path = path_join(directory, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, value, strlen(value));
}

/* Our own cgroup's directory in the v2 hierarchy, or NULL. */
static char *own_cgroup(void)
{
	_cleanup_buf_ struct buf text = BUF_INIT(65536);
	const char *line;

	if (file_read_at(AT_FDCWD, "/proc/self/cgroup", &text) < 0 || !text.len)
		return NULL;
	line = strncmp(text.data, "0::", 3) == 0 ? text.data : strstr(text.data, "\n0::");
	if (!line)
		return NULL;
	line = strchr(line, '/');
	for (size_t i = 0; line && i < ARRAY_SIZE(mounts); i++) {
		_cleanup_free_ char *path = xasprintf("%s%.*s", mounts[i], (int)strcspn(line, "\n"), line);
		_cleanup_free_ char *probe = path_join(path, "cgroup.controllers");

		if (access(probe, F_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

uint64_t limits_apply_cgroup(const struct sandbox_limits *l, pid_t init_pid, char **ret_path)
{
	uint64_t missing = (l->memory_bytes ? 1u : 0u) | (l->cpu_percent ? 4u : 0u);
	_cleanup_free_ char *parent = NULL;
	_cleanup_free_ char *path = NULL;
	char value[64];

	*ret_path = NULL;
	if (!missing && !l->max_pids)
		return 0;
	parent = own_cgroup();
	if (!parent)
		return missing;
	path = xasprintf("%s/leash-%d", parent, (int)init_pid);
	if (mkdir(path, 0755) < 0)
		return missing;
	(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)l->memory_bytes);
	if (l->memory_bytes && write_file(path, "memory.max", value) >= 0)
		missing &= ~UINT64_C(1);
	(void)snprintf(value, sizeof(value), "%u %d", l->cpu_percent * (CPU_PERIOD_US / 100), CPU_PERIOD_US);
	if (l->cpu_percent && write_file(path, "cpu.max", value) >= 0)
		missing &= ~UINT64_C(4);
	(void)snprintf(value, sizeof(value), "%d", (int)init_pid);
	if (write_file(path, "cgroup.procs", value) < 0) {
		(void)rmdir(path);
		return (l->memory_bytes ? 1u : 0u) | (l->cpu_percent ? 4u : 0u);
	}
	*ret_path = TAKE_PTR(path);
	return missing;
}

void limits_remove_cgroup(const char *path)
{
	if (path)
		(void)rmdir(path);
}

int limits_apply_process(const struct sandbox_limits *l, struct err *err)
{
	const struct rlimit no_core = { 0, 0 };
	rlim_t pids = l->max_pids ? l->max_pids : DEFAULT_MAX_PIDS;
	struct rlimit n_processes;

	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || getrlimit(RLIMIT_NPROC, &n_processes) < 0)
		return err_set(err, -errno, "set resource limits");
	/* Counted per user and user namespace, so other sessions do not share it. */
	n_processes.rlim_max = MIN(n_processes.rlim_max, pids);
	n_processes.rlim_cur = n_processes.rlim_max;
	return setrlimit(RLIMIT_NPROC, &n_processes) < 0 ? err_set(err, -errno, "limit processes") : 0;
}
