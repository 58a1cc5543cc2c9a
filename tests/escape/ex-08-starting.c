/* EX-08: every way in which a process can start another; the denied program runs in none. */
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_ORPHAN | CONTEXT_EXEC;

static char name[] = "harmless";
static char *argv_of[] = { name, NULL };
static const char *program;

static void *exec_in_thread(void *path)
{
	execve(path, argv_of, environ);
	return (void *)(long)errno;
}

/* The thread that is not the leader becomes the whole process. */
static int by_thread(const char *path, char *const *argv, char *const *envp)
{
	pthread_t thread;
	void *error = NULL;

	(void)argv;
	(void)envp;
	program = path;
	pthread_create(&thread, NULL, exec_in_thread, strdup(path));
	pthread_join(thread, &error);
	errno = (int)(long)error;
	return -1;
}

static int by_vfork(const char *path, char *const *argv, char *const *envp)
{
	volatile int error = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		execve(path, argv, envp);
		error = errno;
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	errno = error;
	if (error)
		return -1;
	_exit(0);
}

static int by_spawn(const char *path, char *const *argv, char *const *envp)
{
	pid_t pid;
	int error = posix_spawn(&pid, path, NULL, NULL, argv, envp);

	errno = error;
	if (error)
		return -1;
	waitpid(pid, NULL, 0);
	_exit(0);
}

struct clone3_args {
	__u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

static int after_clone(long pid, const char *path, char *const *argv, char *const *envp)
{
	int status;

	if (pid < 0)
		return -1;
	if (pid == 0) {
		execve(path, argv, envp);
		_exit(errno);
	}
	waitpid((pid_t)pid, &status, __WALL);
	if (WIFEXITED(status) && WEXITSTATUS(status)) {
		errno = WEXITSTATUS(status);
		return -1;
	}
	_exit(0);
}

static int by_clone3(const char *path, char *const *argv, char *const *envp)
{
	struct clone3_args args = { .exit_signal = SIGCHLD };

	return after_clone(syscall(SYS_clone3, &args, sizeof(args)), path, argv, envp);
}

static int by_clone3_cgroup(const char *path, char *const *argv, char *const *envp)
{
	int cgroup = open(optional("CGROUP", "/sys/fs/cgroup"), O_PATH | O_DIRECTORY);
	struct clone3_args args = { .flags = 0x200000000ULL,
				    .exit_signal = SIGCHLD,
				    .cgroup = (__u64)cgroup };

	return after_clone(syscall(SYS_clone3, &args, sizeof(args)), path, argv, envp);
}

static int by_clone_untraced(const char *path, char *const *argv, char *const *envp)
{
	return after_clone(syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0), path, argv,
			   envp);
}

static int by_clone_parent(const char *path, char *const *argv, char *const *envp)
{
	int pipes[2], error = 0;
	long pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		execve(path, argv, envp);
		error = errno;
		_exit(write(pipes[1], &error, sizeof(error)) < 0);
	}
	close(pipes[1]);
	if (read(pipes[0], &error, sizeof(error)) == sizeof(error)) {
		errno = error;
		return -1;
	}
	_exit(0);
}

static int by_double_fork(const char *path, char *const *argv, char *const *envp)
{
	int pipes[2], error = 0;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			execve(path, argv, envp);
			error = errno;
			_exit(write(pipes[1], &error, sizeof(error)) < 0);
		}
		_exit(0);
	}
	close(pipes[1]);
	if (read(pipes[0], &error, sizeof(error)) == sizeof(error)) {
		errno = error;
		return -1;
	}
	_exit(0);
}

struct traced {
	const char *path;
	char *const *argv, *const *envp;
};

/*
 * A process that is traced already can't be traced by anybody else. The tracer lets it run through
 * everything; the program makes no call that is governed, so a check that comes later is too late.
 */
static int traced_exec(const struct traced *t, bool seize)
{
	int status, error, gate[2];
	pid_t pid;
	char byte = 0;

	if (pipe(gate) < 0)
		give_up("pipe");
	pid = fork();
	if (pid == 0) {
		if (!seize)
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		if (read(gate[0], &byte, 1) != 1)
			_exit(EIO);
		execve(t->path, t->argv, t->envp);
		_exit(errno);
	}
	if (seize && ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACEEXEC) < 0)
		give_up("PTRACE_SEIZE of a child");
	if (write(gate[1], &byte, 1) != 1)
		give_up("pipe");
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, pid, NULL, (void *)0L);
	close(gate[0]);
	close(gate[1]);
	error = WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
	if (error == 0)
		_exit(0);
	errno = error;
	return -1;
}

static int by_traced_child(const char *path, char *const *argv, char *const *envp)
{
	return traced_exec(&(struct traced){ path, argv, envp }, false);
}

static int by_seized_child(const char *path, char *const *argv, char *const *envp)
{
	return traced_exec(&(struct traced){ path, argv, envp }, true);
}

static int by_shell(const char *path, char *const *argv, char *const *envp)
{
	char shell[] = "sh", option[] = "-c", *command = strdup(in("exec -a harmless '%s'", path));
	char *shell_argv[] = { shell, option, command, NULL };

	(void)argv;
	return execve("/bin/bash", shell_argv, envp);
}

static int by_env(const char *path, char *const *argv, char *const *envp)
{
	char env[] = "env", *command = strdup(path);
	char *env_argv[] = { env, command, NULL };

	(void)argv;
	return execve("/usr/bin/env", env_argv, envp);
}

static const struct {
	const char *name;
	exec_fn exec;
	bool is_uncertain; /* refused for all, or not there on every kernel */
} ways[] = {
	{ "execve", execve, false },
	{ "another thread than the leader", by_thread, false },
	{ "vfork", by_vfork, false },
	{ "posix_spawn", by_spawn, false },
	{ "clone3", by_clone3, true },
	{ "clone3 into another cgroup", by_clone3_cgroup, true },
	{ "clone CLONE_UNTRACED", by_clone_untraced, false },
	{ "clone CLONE_PARENT", by_clone_parent, false },
	{ "two forks and setsid", by_double_fork, false },
	{ "a child that is traced", by_traced_child, true },
	{ "a child that is seized", by_seized_child, true },
	{ "exec -a in a shell", by_shell, false },
	{ "env", by_env, false },
};

void technique(void)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		must_fail(runs(ways[i].exec, denied, argv_of, secret), "%s", ways[i].name);
		if (!ways[i].is_uncertain)
			must_work(runs(ways[i].exec, allowed, argv_of, "public"), "%s",
				  ways[i].name);
		else if (runs(ways[i].exec, allowed, argv_of, "public") < 0)
			note("%s does not work for a permitted program either", ways[i].name);
	}
}
