/*
 * What supervision costs: opening a file and executing a program, bare, with
 * the least that a notification round trip can cost (a listener that injects a
 * descriptor it has open already; for programs, one that opens what they ask for
 * and holds them once they are executed), and governed by the real supervisor.
 * Prints the best and the median of several batches, in microseconds.
 *
 *   bench-open [PATH [WORKERS]]
 */
#include "../tests/unit/supervise/harness.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "supervise/notify.h"

#define BATCHES 15
#define OPENS 2000
#define SPAWNS 40

static const char *path = "/etc/passwd";
static const char *label;

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const char *what, double *batches)
{
	qsort(batches, BATCHES, sizeof(*batches), by_value);
	dprintf(1, "%-10s %-22s best %8.2f us  median %8.2f us\n", what, label, batches[0],
		batches[BATCHES / 2]);
}

static int open_batches(void)
{
	double batches[BATCHES];

	for (int b = 0; b < BATCHES; b++) {
		uint64_t start = clock_monotonic_ns();

		for (int i = 0; i < OPENS; i++) {
			int fd = open(path, O_RDONLY | O_CLOEXEC);

			if (fd < 0)
				return 1;
			close(fd);
		}
		batches[b] = (double)(clock_monotonic_ns() - start) / OPENS / 1000;
	}
	print("open", batches);
	return 0;
}

/* Several processes at once: the time per open of all of them together. */
static int parallel(void)
{
	pid_t pids[4];
	uint64_t start = clock_monotonic_ns();
	int status = 0;

	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			for (int n = 0; n < 5 * OPENS; n++)
				close(open(path, O_RDONLY | O_CLOEXEC));
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		(void)waitpid(pids[i], &status, 0);
	dprintf(1, "%-10s %-22s %19.2f us each\n", "4 openers", label,
		(double)(clock_monotonic_ns() - start) / (20 * OPENS) / 1000);
	return 0;
}

static int spawn_batches(void)
{
	char name[] = "true";
	char *argv[] = { name, NULL }, *env[] = { NULL };
	double batches[BATCHES];

	for (int b = 0; b < BATCHES; b++) {
		uint64_t start = clock_monotonic_ns();

		for (int i = 0; i < SPAWNS; i++) {
			pid_t pid;

			if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, env) != 0)
				return 1;
			(void)waitpid(pid, NULL, 0);
		}
		batches[b] = (double)(clock_monotonic_ns() - start) / SPAWNS / 1000;
	}
	print("spawn", batches);
	return 0;
}

/* ---- the floor ---- */

static int install_floor(void)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_openat },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_execve },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_NEW_LISTENER |
				    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			    &program);
}

/* Lets a program be executed and looks at nothing, but at the same moments as the supervisor: before and after. */
static void floor_exec(int listener, const struct seccomp_notif *n)
{
	pid_t pid = (pid_t)n->pid;
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXEC) < 0 ||
	    notify_continue(listener, n->id) < 0)
		exit(1);
	(void)ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	(void)waitpid(pid, &status, __WALL);
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

/* Gives the one descriptor, or without one opens what is asked for: programs need their libraries. */
static void floor_listener(int listener, int fd)
{
	struct seccomp_notif n;

	(void)notify_set_sync_wake(listener);
	while (notify_receive(listener, &n, sizeof(n)) == 0) {
		char name[256];
		struct iovec to = { name, sizeof(name) };
		struct iovec from = { (void *)(uintptr_t)n.data.args[1], sizeof(name) };
		int own = fd;

		if (n.data.nr == SYS_execve) {
			floor_exec(listener, &n);
			continue;
		}
		if (fd < 0 && process_vm_readv((pid_t)n.pid, &to, 1, &from, 1, 0) > 0)
			own = open(name, O_RDONLY | O_CLOEXEC);
		if (notify_give_fd(listener, n.id, own, true) < 0)
			break;
		if (fd < 0)
			close(own);
	}
}

/* The child holds the calls, the parent answers; the listener's number is fetched by pidfd. */
static void measure_floor(int fd, int (*batches)(void))
{
	int pipes[2], number = -1, pidfd, listener;
	pid_t pid;

	if (pipe(pipes) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		number = install_floor();
		if (number < 0 || write(pipes[1], &number, sizeof(number)) != sizeof(number))
			_exit(1);
		_exit(batches());
	}
	if (read(pipes[0], &number, sizeof(number)) != sizeof(number))
		exit(1);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	floor_listener(listener, fd);
	(void)waitpid(pid, NULL, 0);
	close(listener);
	close(pidfd);
}

int main(int argc, char *argv[])
{
	if (argc > 1)
		path = argv[1];
	if (argc > 2)
		harness_workers = (unsigned)strtoul(argv[2], NULL, 10);
	label = "bare";
	(void)open_batches();
	(void)parallel();
	(void)spawn_batches();
	label = "floor";
	measure_floor(open(path, O_RDONLY | O_CLOEXEC), open_batches);
	measure_floor(-1, spawn_batches);
	label = "governed";
	harness_start("permit (principal, action, resource);"
		      "forbid (principal, action in Action::\"FileOpen\", resource in "
		      "Dir::\"${DIR}/no/\");"
		      "forbid (principal, action == Action::\"ProcessExec\", resource in "
		      "Dir::\"${DIR}/no/\");");
	harness_drain_forever();
	(void)harness_run(open_batches);
	(void)harness_run(parallel);
	(void)harness_run(spawn_batches);
	harness_stop();
	return 0;
}
