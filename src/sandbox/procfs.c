#include "sandbox/procfs.h"

#include "sandbox/mount-api.h"

#define ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/*
 * Files of the kernel's own in /proc belong to the host's root; in a container
 * that root started, uid 0 inside is that owner, capabilities or not.
 */
static const char *const read_only[] = {
	"/proc/1", /* some of init's files need no more than its uid to be written: oom_score_adj */
	"/proc/bus",	  "/proc/fs",
	"/proc/irq",	  "/proc/mtrr",
	"/proc/sys",	  "/proc/sysrq-trigger",
	"/proc/driver",	  "/proc/dynamic_debug",
	"/proc/pressure",
};

/* Memory and addresses of the kernel, keys, and what tells much about the host. */
static const char *const hidden[] = {
	"/proc/acpi",	     "/proc/asound",	   "/proc/iomem",	"/proc/ioports",
	"/proc/kallsyms",    "/proc/kcore",	   "/proc/key-users",	"/proc/keys",
	"/proc/kpagecgroup", "/proc/kpagecount",   "/proc/kpageflags",	"/proc/latency_stats",
	"/proc/modules",     "/proc/pagetypeinfo", "/proc/sched_debug", "/proc/scsi",
	"/proc/slabinfo",    "/proc/timer_list",   "/proc/timer_stats", "/proc/vmallocinfo",
};

static const char *const hidden_sys[] = { "/sys/firmware", "/sys/devices/virtual/powercap" };

/* Mounts of the host's, and its network devices; a new sysfs has none of them. */
static const char *const hidden_host_sys[] = {
	"/sys/class/net",    "/sys/devices/virtual/net", "/sys/fs/bpf",		"/sys/fs/pstore",
	"/sys/kernel/debug", "/sys/kernel/security",	 "/sys/kernel/tracing",
};

static int protect(const char *path)
{
	_cleanup_close_ int fd = mount_clone(AT_FDCWD, path);
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = mount_protect(fd, MOUNT_ATTR_RDONLY | ATTRIBUTES, AT_RECURSIVE);
	return r < 0 ? r : mount_attach(fd, path);
}

static int hide_list(const struct scratch *s, const char *const *paths, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = scratch_hide(s, paths[i]);
	return r;
}

int procfs_mount(const struct scratch *s, struct err *err)
{
	_cleanup_close_ int fd = mount_new("proc", NULL, ATTRIBUTES);
	int r = fd < 0 ? fd : mount_attach(fd, "/proc");

	/* The kernel gives no fresh view of what the host's /proc hides (mount_too_revealing). */
	if (r == -EPERM)
		return err_say(err, r,
			       "the kernel refuses a new /proc: this machine's own /proc is partly "
			       "covered, as in a container; start that one with its /proc unmasked "
			       "(docker: --security-opt systempaths=unconfined)");
	for (size_t i = 0; i < ARRAY_SIZE(read_only) && r >= 0; i++)
		r = protect(read_only[i]);
	if (r >= 0)
		r = hide_list(s, hidden, ARRAY_SIZE(hidden));
	return r < 0 ? err_set(err, r, "mount the container's /proc") : 0;
}

/* Programs size their heaps and pools by the cgroup's files; being without them is no harm. */
static void mount_cgroup(void)
{
	_cleanup_close_ int fd = mount_new("cgroup2", NULL, ATTRIBUTES | MOUNT_ATTR_RDONLY);

	if (fd >= 0)
		(void)mount_attach(fd, "/sys/fs/cgroup");
}

int sysfs_mount(const struct scratch *s, struct err *err)
{
	_cleanup_close_ int fd = mount_new("sysfs", NULL, ATTRIBUTES | MOUNT_ATTR_RDONLY);
	int r = fd < 0 ? fd : mount_attach(fd, "/sys");

	/* Where the host's is partly covered it stays, read-only as the whole tree. */
	if (r == -EPERM)
		r = hide_list(s, hidden_host_sys, ARRAY_SIZE(hidden_host_sys));
	else if (r >= 0)
		mount_cgroup();
	if (r >= 0)
		r = hide_list(s, hidden_sys, ARRAY_SIZE(hidden_sys));
	return r < 0 ? err_set(err, r, "mount the container's /sys") : 0;
}
