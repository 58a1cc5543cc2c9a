/*
 * IPC-08: disturb the supervisor while it answers: filters of one's own, with a listener or a
 * tracer; signals in storms; tasks that die between question and answer. A denied open never
 * succeeds, and a permitted one still works afterwards. ROUNDS_OF_NOISE, default 3000.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static long n_rounds;

static int install(unsigned int flags, unsigned int action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int under_own_filter(void *action)
{
	if (install(0, *(unsigned int *)action) < 0)
		return -errno;
	return took((int)syscall(SYS_openat, AT_FDCWD, denied, O_RDONLY, 0));
}

/* A child opens under a listener of this process', which lets everything continue. */
static int under_own_listener(void *unused)
{
	int pair[2], fd, result = -EBUSY;
	struct seccomp_notif request;
	struct seccomp_notif_resp answer;
	int *shared =
		mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	(void)unused;
	if (pipe(pair) < 0 || shared == MAP_FAILED)
		give_up("pipe");
	*shared = -ECANCELED;
	pid = fork();
	if (pid == 0) {
		fd = install(SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_RET_USER_NOTIF);
		if (fd < 0)
			*shared = -errno;
		if (write(pair[1], &fd, sizeof(fd)) < 0)
			abort();
		if (fd >= 0)
			*shared = took((int)syscall(SYS_openat, AT_FDCWD, denied, O_RDONLY, 0));
		_exit(0);
	}
	if (read(pair[0], &fd, sizeof(fd)) != sizeof(fd))
		give_up("the child");
	if (fd >= 0) {
		int listener =
			(int)syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), fd, 0);

		memset(&request, 0, sizeof(request));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0) {
			memset(&answer, 0, sizeof(answer));
			answer.id = request.id;
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
			ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
		}
	}
	waitpid(pid, NULL, 0);
	result = *shared;
	return result;
}

#ifdef __x86_64__
/* A tracer changes the path of a permitted open into a denied one at the entry of the call, or
 * number. */
static int rewritten_by_tracer(void *change_number)
{
	int status, result = -EACCES;
	struct user_regs_struct regs;
	pid_t pid = fork();

	if (pid == 0) {
		int fd;

		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		if (change_number)
			fd = (int)syscall(SYS_getppid, AT_FDCWD, denied, O_RDONLY, 0);
		else
			fd = (int)syscall(SYS_openat, AT_FDCWD, allowed, O_RDONLY, 0);
		_exit(has_content(fd, secret) == 0 ? 42 : 1);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP));
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			break;
		if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
			continue;
		if (regs.orig_rax == SYS_openat && regs.rsi == (unsigned long)allowed) {
			regs.rsi = (unsigned long)denied;
			ptrace(PTRACE_SETREGS, pid, NULL, &regs);
		}
		if (change_number && regs.orig_rax == SYS_getppid) {
			regs.orig_rax = SYS_openat;
			ptrace(PTRACE_SETREGS, pid, NULL, &regs);
		}
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 42)
		result = 0;
	return result;
}
#endif

static void on_alarm(int number)
{
	(void)number;
}

static int signal_storm(void *restart)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = restart ? SA_RESTART : 0 };
	struct itimerval often = { { 0, 150 }, { 0, 150 } }, never = { 0 };
	int result = -EACCES, n_allowed = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (long i = 0; i < n_rounds; i++) {
		if (took(open(denied, O_RDONLY)) == 0)
			result = 0;
		if (has_content(open(allowed, O_RDONLY), "public") == 0)
			n_allowed++;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	must_work(n_allowed > n_rounds / 10 ? 0 : -EINTR, "%d of %ld permitted opens under signals",
		  n_allowed, n_rounds);
	return result;
}

static void *open_for_ever(void *reached)
{
	for (;;) {
		int fd = open(denied, O_RDONLY);

		if (fd >= 0) {
			*(volatile int *)reached = 1;
			close(fd);
		}
	}
	return NULL;
}

/* Processes with threads in the middle of governed calls are killed, again and again. */
static int killed_while_asking(void *unused)
{
	int *reached =
		mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	for (long i = 0; i < n_rounds / 20; i++) {
		pthread_t thread;
		pid_t pid = fork();

		if (pid == 0) {
			for (int t = 0; t < 3; t++)
				pthread_create(&thread, NULL, open_for_ever, reached);
			for (;;)
				pause();
		}
		for (int t = 0; t < (int)(i % 8); t++)
			sched_yield();
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return *reached ? 0 : -EACCES;
}

static void *open_many(void *n_reached)
{
	for (long i = 0; i < n_rounds; i++) {
		int fd = open(denied, O_RDONLY);

		if (fd >= 0)
			__atomic_add_fetch((int *)n_reached, 1, __ATOMIC_SEQ_CST);
		close(fd);
	}
	return NULL;
}

static int flood(void *unused)
{
	pthread_t threads[32];
	int n_reached = 0;

	(void)unused;
	for (int i = 0; i < 32; i++)
		if (pthread_create(&threads[i], NULL, open_many, &n_reached))
			give_up("pthread_create");
	for (int i = 0; i < 32; i++)
		pthread_join(threads[i], NULL);
	return n_reached ? 0 : -EACCES;
}

static void still_works(const char *after)
{
	must_work(has_content(open(allowed, O_RDONLY), "public"), "a permitted open after %s",
		  after);
	must_fail(took(open(denied, O_RDONLY)), "a denied open after %s", after);
}

void technique(void)
{
	unsigned int allow = SECCOMP_RET_ALLOW, trace = SECCOMP_RET_TRACE, log = SECCOMP_RET_LOG;

	n_rounds = need_number("ROUNDS_OF_NOISE", 3000);
	must_fail(in_child(under_own_filter, &allow), "a filter of one's own that allows");
	must_fail(in_child(under_own_filter, &log), "a filter of one's own that logs");
	must_fail(in_child(under_own_filter, &trace), "a filter of one's own that asks a tracer");
	must_fail(in_child(under_own_listener, NULL), "a listener of one's own that lets continue");
	still_works("filters");
#ifdef __x86_64__
	must_fail(in_child(rewritten_by_tracer, NULL), "a tracer that changes the path");
	must_fail(in_child(rewritten_by_tracer, &n_rounds), "a tracer that changes the number");
	still_works("a tracer");
#endif
	must_fail(in_child(signal_storm, NULL), "under a storm of signals");
	must_fail(in_child(signal_storm, &n_rounds), "under a storm of signals with SA_RESTART");
	still_works("signals");
	must_fail(in_child(killed_while_asking, NULL), "killed while asking");
	still_works("deaths");
	must_fail(in_child(flood, NULL), "a flood of 32 threads");
	still_works("a flood");
}
