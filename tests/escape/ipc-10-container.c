/*
 * IPC-10: what a container may leave open: descriptors and a working directory of the host's, the
 * program of pid 1, places that are only covered. EXPECT_FDS is the number of descriptors at the
 * start.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static int leaked_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[4096];
	int leaked = 0;

	while (directory && (entry = readdir(directory))) {
		int fd = atoi(entry->d_name);
		ssize_t n;

		if (entry->d_name[0] == '.' || fd <= 2 || fd == dirfd(directory))
			continue;
		n = readlink(in("/proc/self/fd/%d", fd), target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = 0;
		note("descriptor %d is %s", fd, target);
		leaked++;
	}
	if (directory)
		closedir(directory);
	return leaked ? 0 : -ENOENT;
}

/* Standard descriptors may be pipes or a terminal, never a directory one could walk from. */
static int directory_among_standard(void)
{
	struct stat st;

	for (int fd = 0; fd <= 2; fd++)
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
	return -ENOTDIR;
}

static int up_and_out(void)
{
	struct stat top, root;

	for (int i = 0; i < 100; i++)
		if (chdir("..") < 0)
			return -errno;
	if (stat(".", &top) < 0 || stat("/", &root) < 0)
		return -errno;
	return top.st_dev == root.st_dev && top.st_ino == root.st_ino ? -EXDEV : 0;
}

static int overwrite(const char *path)
{
	return took(open(path, O_WRONLY));
}

void technique(void)
{
	char text[4096];

	must_fail(leaked_descriptors(), "descriptors beyond 2");
	must_fail(directory_among_standard(), "a directory among the standard descriptors");
	must_fail(up_and_out(), "the working directory leads out of the root");
	for (int fd = 0; fd < 64; fd++) {
		int result = took(open(in("/proc/1/fd/%d", fd), O_RDONLY | O_NONBLOCK));

		if (result == 0)
			must_fail(result, "/proc/1/fd/%d", fd);
	}
	must_fail(overwrite("/proc/1/exe"), "writing pid 1's program");
	must_fail(took(open("/proc/1/exe", O_RDONLY)), "reading pid 1's program");
	must_fail(overwrite("/proc/self/exe"), "writing one's own program");
	must_fail(overwrite("/bin/true"), "writing /bin/true");
	must_fail(overwrite("/proc/1/root/etc/passwd"), "writing through /proc/1/root");
	must_fail(took(open("/proc/1/cwd/.", O_RDONLY)), "pid 1's working directory");
	must_fail(readlink("/proc/1/exe", text, sizeof(text)) < 0 ? -errno : 0,
		  "the name of pid 1's program");
	must_fail(took(open("/proc/1/environ", O_RDONLY)), "pid 1's environment");
	must_fail(took(open("/proc/1/maps", O_RDONLY)), "pid 1's maps");
	must_fail(outcome(symlink("/dev/null", "/proc/kcore")), "replacing a covered file");
	must_fail(outcome(unlink("/dev/null")), "removing /dev/null");
	must_fail(took(creat("/etc/escape", 0644)), "a file in /etc");
	must_fail(took(creat("/escape", 0644)), "a file in /");
	must_work(has_content(open(allowed, O_RDONLY), "public"), "an ordinary file");
	must_work(took(open("/proc/self/status", O_RDONLY)), "/proc/self");
}
