/*
 * The program's name or arguments change during the exec: the string in shared memory, a vforked
 * child that uses its parent's, a descriptor's number, a symbolic link, a script. ECHO is a program
 * that may not be run with the argument FORBIDDEN_WORD.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"
#include "race.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static char *path;
static char *arguments;
static int shared_fd, fds[2];
static const char *links[2], *scripts[2];
static char harmless[] = "harmless";
static char *plain_argv[] = { harmless, NULL };

static void swap_fd(void *unused)
{
	(void)unused;
	dup3(fds[0], shared_fd, O_CLOEXEC);
	dup3(fds[1], shared_fd, O_CLOEXEC);
}

static void swap_names(void *names)
{
	const char **n = names;

	renameat2(AT_FDCWD, n[0], AT_FDCWD, n[1], RENAME_EXCHANGE);
}

static void exec_path(void)
{
	execve(path, plain_argv, environ);
}

static void exec_fd(void)
{
	syscall(SYS_execveat, shared_fd, "", plain_argv, environ, AT_EMPTY_PATH);
}

static void exec_link(void)
{
	execve(links[0], plain_argv, environ);
}

static void exec_script(void)
{
	execve(scripts[0], plain_argv, environ);
}

/* A process that is traced by its own parent cannot be traced by anybody else. */
static void exec_traced(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	execve(path, plain_argv, environ);
}

static void exec_echo(void)
{
	char *argv[] = { harmless, arguments, NULL };

	execve(need("ECHO"), argv, environ);
}

static char stack[65536] __attribute__((aligned(16)));
static volatile int exec_error;

static int exec_main(void *exec)
{
	((void (*)(void))exec)();
	exec_error = errno;
	_exit(127);
}

/* One round: a child with flags execs; what it writes goes to out. */
static void one(struct tally *t, void (*exec)(void), int flags, int out, int from)
{
	char bytes[256];
	ssize_t n;
	pid_t pid, r;
	int status;

	exec_error = 0;
	(void)out;
	pid = clone(exec_main, stack + sizeof(stack), flags | SIGCHLD, (void *)exec);
	if (pid < 0)
		give_up("clone");
	while ((r = waitpid(pid, &status, 0)) < 0 ? errno == EINTR : WIFSTOPPED(status))
		if (r > 0)
			ptrace(PTRACE_CONT, pid, NULL, NULL);
	t->n_rounds++;
	n = read(from, bytes, sizeof(bytes));
	if (n > 0 && has_secret(bytes, (size_t)n) == 0)
		t->n_reached++;
	else if (n > 0 && memmem(bytes, (size_t)n, "public", 6))
		t->n_allowed++;
	else
		t->n_refused++;
}

static void race(const char *name, void (*exec)(void), int flags, struct swapper *s)
{
	struct tally tally = { 0 };
	int pipes[2], saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0 || saved < 0)
		give_up("pipe");
	dup2(pipes[1], STDOUT_FILENO);
	while (race_goes_on(&tally))
		one(&tally, exec, flags, pipes[1], pipes[0]);
	swapper_stop(s);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(pipes[0]);
	close(pipes[1]);
	/* Nobody could look at what it executes, so nothing may be executed so. */
	if (exec == exec_traced && !getenv("ESCAPE_OUTSIDE"))
		race_end_refused(&tally, name);
	else
		race_end(&tally, name);
}

static void make_script(const char *name, const char *interpreter)
{
	put(name, in("#!%s\n", interpreter));
	chmod(name, 0755);
}

static void races_of_path(void)
{
	size_t place;
	struct flip f;

	path = race_path(&place);
	f = (struct flip){ &path[place], allowed[place], denied[place] };
	race("the path, by another process", exec_path, 0, swapper_start(race_flip, &f, true));
	race("the path, of a child that is traced", exec_traced, 0,
	     swapper_start(race_flip, &f, true));
	race("the path, by a thread under vfork", exec_path, CLONE_VM | CLONE_VFORK,
	     swapper_start(race_flip, &f, false));
	race("the path, by a thread under CLONE_VM", exec_path, CLONE_VM,
	     swapper_start(race_flip, &f, false));
}

static void race_of_arguments(void)
{
	const char *word = need("FORBIDDEN_WORD");
	struct flip f;
	const char *real_secret = secret;

	arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(arguments, in("public %s", word));
	f = (struct flip){ &arguments[7], '-', word[0] };
	/* What must not be seen in the output is the word. */
	secret = word;
	race("the arguments, by another process", exec_echo, 0, swapper_start(race_flip, &f, true));
	race("the arguments, by a thread under vfork", exec_echo, CLONE_VM | CLONE_VFORK,
	     swapper_start(race_flip, &f, false));
	secret = real_secret;
}

void technique(void)
{
	links[0] = in("%s/race-exec-link", work);
	links[1] = in("%s/race-exec-link-2", work);
	scripts[0] = in("%s/race-script", work);
	scripts[1] = in("%s/race-script-2", work);
	for (int i = 0; i < 2; i++) {
		unlink(links[i]);
		if (symlink(i ? denied : allowed, links[i]) < 0)
			give_up("symlink");
		make_script(scripts[i], i ? denied : allowed);
	}
	fds[0] = open(allowed, O_PATH | O_CLOEXEC);
	fds[1] = open(denied, O_PATH | O_CLOEXEC);
	shared_fd = fcntl(fds[0], F_DUPFD_CLOEXEC, 100);
	if (shared_fd < 0)
		give_up("O_PATH descriptors of the programs");

	races_of_path();
	race("the descriptor, by a thread", exec_fd, CLONE_VM | CLONE_VFORK | CLONE_FILES,
	     swapper_start(swap_fd, NULL, false));
	race("a symbolic link", exec_link, 0, swapper_start(swap_names, links, true));
	race("a script", exec_script, 0, swapper_start(swap_names, scripts, true));
	race_of_arguments();
}
