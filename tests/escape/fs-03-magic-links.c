/* FS-03: the links in /proc that lead to objects, not to names. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_ALL;

static int root_fd = -1, directory_fd = -1;
static pid_t other;

static const char *way(int number, const char *path)
{
	switch (number) {
	case 0:
		return in("/proc/self/root%s", path);
	case 1:
		return in("/proc/%d/root%s", getpid(), path);
	case 2:
		return in("/proc/thread-self/root%s", path);
	case 3:
		return in("/proc/self/task/%d/root%s", gettid(), path);
	case 4:
		return in("/proc/self/cwd/%s", name_of(path));
	case 5:
		return in("/proc/%d/cwd/%s", getpid(), name_of(path));
	case 6:
		return in("/proc/self/fd/%d%s", root_fd, path);
	case 7:
		return in("/dev/fd/%d/%s", directory_fd, name_of(path));
	case 8:
		return in("/proc/%d/root%s", other, path);
	case 9:
		return in("/proc/%d/fd/%d/%s", other, directory_fd, name_of(path));
	case 10:
		return in("/proc/%d/cwd/%s", other, name_of(path));
	case 11:
		return in("/proc/self/root/proc/self/root/proc/thread-self/cwd/%s", name_of(path));
	case 12:
		return in("/proc/%d/task/%d/cwd/%s", other, other, name_of(path));
	default:
		return NULL;
	}
}

static void prepare(const char *path)
{
	if (chdir(directory_of(path)) < 0)
		give_up("chdir");
	root_fd = open("/", O_PATH | O_DIRECTORY);
	/* Of a denied directory there may be none; its number then leads nowhere. */
	directory_fd = open(directory_of(path), O_PATH | O_DIRECTORY);
	if (root_fd < 0)
		give_up("O_PATH of the root");
	other = fork();
	if (other < 0)
		give_up("fork");
	if (other == 0) {
		pause();
		_exit(0);
	}
}

static void finish(void)
{
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	close(root_fd);
	close(directory_fd);
}

/* What is mapped can be opened again through map_files, by those with the capability. */
static int through_map_files(void)
{
	int fd = open(denied, O_RDONLY);
	void *p;

	if (fd < 0)
		return took(fd);
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return took(
		open(in("/proc/self/map_files/%lx-%lx", (unsigned long)p, (unsigned long)p + 4096),
		     O_RDONLY));
}

void technique(void)
{
	const char *path;

	prepare(denied);
	for (int i = 0; (path = way(i, denied)); i++) {
		must_fail(took(open(path, O_RDONLY)), "open %s", path);
		must_fail(took(open(path, O_RDWR)), "open for writing %s", path);
	}
	finish();
	must_fail(took(open(in("/proc/1/root%s", denied), O_RDONLY)), "/proc/1/root");
	must_fail(took(open(in("/proc/%d/root%s", getppid(), denied), O_RDONLY)),
		  "/proc/<parent>/root");
	must_fail(through_map_files(), "map_files");

	prepare(allowed);
	for (int i = 0; (path = way(i, allowed)); i++)
		must_work(has_content(open(path, O_RDONLY), "public"), "open %s", path);
	finish();
}
