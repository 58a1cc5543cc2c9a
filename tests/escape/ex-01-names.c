/* EX-01: execute a denied program under another name: copy, rename, links, descriptors, memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts =
	CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_ORPHAN | CONTEXT_EXEC;

/* Set by each thread that tries; its children use the same name. */
static const char *alias_path;

static const char *alias(void)
{
	return alias_path;
}

static int by_execve(const char *path, char *const *argv, char *const *envp)
{
	return (int)syscall(SYS_execve, path, argv, envp);
}

static int by_execveat(const char *path, char *const *argv, char *const *envp)
{
	return (int)syscall(SYS_execveat, AT_FDCWD, path, argv, envp, 0);
}

static int by_execveat_high_bits(const char *path, char *const *argv, char *const *envp)
{
	return (int)syscall(SYS_execveat, 0xdeadbeef00000000UL | (unsigned int)AT_FDCWD, path, argv,
			    envp, 0xdeadbeef00000000UL);
}

static int by_path_fd(const char *path, char *const *argv, char *const *envp)
{
	int fd = open(path, O_PATH);

	return (int)syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

static int by_proc_fd(const char *path, char *const *argv, char *const *envp)
{
	int fd = open(path, O_PATH);

	return execve(in("/proc/self/fd/%d", fd), argv, envp);
}

static int by_dev_fd(const char *path, char *const *argv, char *const *envp)
{
	int fd = open(path, O_PATH);

	return execve(in("/dev/fd/%d", fd), argv, envp);
}

static int by_directory_fd(const char *path, char *const *argv, char *const *envp)
{
	int fd = open(directory_of(path), O_PATH | O_DIRECTORY);

	return (int)syscall(SYS_execveat, fd, name_of(path), argv, envp, 0);
}

static int by_relative(const char *path, char *const *argv, char *const *envp)
{
	if (chdir(directory_of(path)) < 0)
		return -1;
	return execve(in("./%s", name_of(path)), argv, envp);
}

static int by_root_link(const char *path, char *const *argv, char *const *envp)
{
	return execve(in("/proc/self/root/../%s", path), argv, envp);
}

static int by_read_fd(const char *path, char *const *argv, char *const *envp)
{
	return fexecve(open(path, O_RDONLY | O_CLOEXEC), argv, envp);
}

static int copy_to(int to, const char *path)
{
	int from = open(path, O_RDONLY);
	ssize_t n;

	if (from < 0)
		return -1;
	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	close(from);
	return (int)n;
}

static int by_copy(const char *path, char *const *argv, char *const *envp)
{
	int to = open(alias(), O_WRONLY | O_CREAT | O_TRUNC, 0755);

	if (copy_to(to, path) < 0)
		return -1;
	close(to);
	return execve(alias(), argv, envp);
}

static int by_memory(const char *path, char *const *argv, char *const *envp)
{
	int to = memfd_create("x", MFD_CLOEXEC);

	if (copy_to(to, path) < 0)
		return -1;
	return (int)syscall(SYS_execveat, to, "", argv, envp, AT_EMPTY_PATH);
}

static int by_deleted_file(const char *path, char *const *argv, char *const *envp)
{
	int fd, to = open(alias(), O_WRONLY | O_CREAT | O_TRUNC, 0755);

	if (copy_to(to, path) < 0)
		return -1;
	close(to);
	fd = open(alias(), O_PATH);
	unlink(alias());
	return (int)syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

static int by_symlink(const char *path, char *const *argv, char *const *envp)
{
	if (symlink(path, alias()) < 0)
		return -1;
	return execve(alias(), argv, envp);
}

static int by_hard_link(const char *path, char *const *argv, char *const *envp)
{
	if (link(path, alias()) < 0)
		return -1;
	return execve(alias(), argv, envp);
}

/* Moved there and, by the parent, back. */
static int by_rename(const char *path, char *const *argv, char *const *envp)
{
	if (rename(path, alias()) < 0)
		return -1;
	return execve(alias(), argv, envp);
}

static const struct {
	const char *name;
	exec_fn exec;
	bool is_anonymous; /* denied for everybody unless File::"memfd:" is permitted */
} ways[] = {
	{ "execve", by_execve, false },
	{ "execveat", by_execveat, false },
	{ "execveat with high bits", by_execveat_high_bits, false },
	{ "execveat on an O_PATH descriptor", by_path_fd, false },
	{ "execve of /proc/self/fd", by_proc_fd, false },
	{ "execve of /dev/fd", by_dev_fd, false },
	{ "execveat with a directory", by_directory_fd, false },
	{ "a relative name", by_relative, false },
	{ "/proc/self/root", by_root_link, false },
	{ "fexecve", by_read_fd, false },
	{ "a copy", by_copy, false },
	{ "a copy in a memfd", by_memory, true },
	{ "a copy that is deleted", by_deleted_file, true },
	{ "a symbolic link", by_symlink, false },
	{ "a hard link", by_hard_link, false },
	{ "a rename", by_rename, false },
};

void technique(void)
{
	char name[] = "harmless";
	char *argv[] = { name, NULL };

	alias_path = in("%s/ex-01-%d", work, gettid());
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		must_fail(runs(ways[i].exec, denied, argv, secret), "%s", ways[i].name);
		if (!exists(denied))
			rename(alias(), denied);
		unlink(alias());
		if (!ways[i].is_anonymous)
			must_work(runs(ways[i].exec, allowed, argv, "public"), "%s", ways[i].name);
		if (!exists(allowed))
			rename(alias(), allowed);
		unlink(alias());
	}
}
