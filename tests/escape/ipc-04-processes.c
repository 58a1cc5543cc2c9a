/*
 * IPC-04: signal, trace, read and write processes outside. VICTIM_PID holds the secret at
 * VICTIM_ADDRESS; it is the same user's. Then everything visible in /proc is tried. Own children
 * can be debugged.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_ORPHAN | CONTEXT_EXEC;

static char own_text[] = "public";

static int read_memory(pid_t pid, void *address, const char *want)
{
	char bytes[128] = { 0 };
	struct iovec local = { bytes, strlen(want) }, remote = { address, strlen(want) };

	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0)
		return -errno;
	return memcmp(bytes, want, strlen(want)) == 0 ? 0 : -EBADMSG;
}

/* Where there is nothing: those who may look get EFAULT. */
static int may_read_memory(pid_t pid)
{
	int result = read_memory(pid, (void *)8, "x");

	return result == -EFAULT ? 0 : result;
}

static int write_memory(pid_t pid, void *address, const char *text)
{
	char bytes[128];
	struct iovec local = { bytes, strlen(text) }, remote = { address, strlen(text) };

	memcpy(bytes, text, strlen(text));
	return outcome(process_vm_writev(pid, &local, 1, &remote, 1, 0));
}

static int read_mem_file(pid_t pid, void *address, const char *want)
{
	char bytes[128] = { 0 };
	int fd = open(in("/proc/%d/mem", pid), O_RDWR);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pread(fd, bytes, strlen(want), (off_t)(unsigned long)address);
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? (int)n : memcmp(bytes, want, strlen(want)) == 0 ? 0 : -EBADMSG;
}

static int trace(pid_t pid, long request)
{
	if (ptrace((enum __ptrace_request)request, pid, NULL, NULL) < 0)
		return -errno;
	if (request == PTRACE_ATTACH)
		waitpid(pid, NULL, __WALL);
	else if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0)
		waitpid(pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return 0;
}

static int take_descriptor(pid_t pid)
{
	int result, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return -errno;
	result = took((int)syscall(SYS_pidfd_getfd, pidfd, 1, 0));
	close(pidfd);
	return result;
}

static int by_pidfd_signal(pid_t pid)
{
	int result, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return -errno;
	result = outcome(syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0));
	close(pidfd);
	return result;
}

static void victim(pid_t pid, void *address, void (*expect)(int, const char *, ...),
		   const char *want)
{
	expect(outcome(kill(pid, SIGCONT)), "kill");
	expect(outcome(syscall(SYS_tgkill, pid, pid, SIGCONT)), "tgkill");
	expect(outcome(sigqueue(pid, SIGCONT, (union sigval){ 0 })), "sigqueue");
	expect(by_pidfd_signal(pid), "pidfd_send_signal");
	expect(read_memory(pid, address, want), "process_vm_readv");
	expect(read_mem_file(pid, address, want), "/proc/PID/mem");
	expect(trace(pid, PTRACE_ATTACH), "PTRACE_ATTACH");
	expect(trace(pid, PTRACE_SEIZE), "PTRACE_SEIZE");
	expect(take_descriptor(pid), "pidfd_getfd");
	expect(outcome(syscall(SYS_kcmp, pid, getpid(), 0 /* KCMP_FILE */, 1, 1)), "kcmp");
	expect(took(open(in("/proc/%d/environ", pid), O_RDONLY)), "/proc/PID/environ");
	expect(took(open(in("/proc/%d/maps", pid), O_RDONLY)), "/proc/PID/maps");
	expect(write_memory(pid, address, want), "process_vm_writev");
	expect(outcome(kill(-pid, 0)), "kill of a process group");
}

static int is_victim_visible(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int result = -ESRCH;

	while (proc && (entry = readdir(proc))) {
		int fd = open(in("/proc/%s/environ", entry->d_name), O_RDONLY);
		char bytes[65536];
		ssize_t n;

		if (fd < 0)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		close(fd);
		if (n > 0 && memmem(bytes, (size_t)n, "VICTIM_MARK=yes", 15))
			result = 0;
	}
	if (proc)
		closedir(proc);
	return result;
}

void technique(void)
{
	pid_t child;

	victim((pid_t)need_number("VICTIM_PID", 0), (void *)need_number("VICTIM_ADDRESS", 0),
	       must_fail, secret);
	must_fail(is_victim_visible(), "found in /proc");
	must_fail(trace(1, PTRACE_SEIZE), "PTRACE_SEIZE of pid 1");
	must_fail(may_read_memory(1), "process_vm_readv of pid 1");
	must_fail(took(open("/proc/1/mem", O_RDONLY)), "/proc/1/mem");
	must_fail(take_descriptor(1), "pidfd_getfd of pid 1");

	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(child, child);
	victim(child, own_text, must_work, "public");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
