/*
 * IPC-03: put characters into a terminal's input. Tried on a terminal of the program's own (whose
 * input may be no one's), under every spelling of the command; any success is one on the user's
 * too.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts =
	CONTEXT_CHILD | CONTEXT_THREAD | CONTEXT_ORPHAN | CONTEXT_EXEC;

#define HIGH_BITS 0xdeadbeef00000000UL

static int master = -1;

static int open_terminal(void)
{
	char *name;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || !(name = ptsname(master)))
		return -1;
	return open(name, O_RDWR);
}

static int inject(int fd, unsigned long command)
{
	char c = 'x', got = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (syscall(SYS_ioctl, fd, command, &c) < 0)
		return -errno;
	/* In line mode it arrives with the end of the line. */
	c = '\n';
	syscall(SYS_ioctl, fd, command, &c);
	if (poll(&p, 1, 1000) == 1 && read(fd, &got, 1) == 1)
		return 0;
	return -ENODATA;
}

static int in_session(void *unused)
{
	char four[2] = { 4, 0 };
	int fd;

	(void)unused;
	setsid();
	fd = open_terminal();
	if (fd < 0) {
		must_work(-errno, "a terminal of one's own");
		return 0;
	}
	must_fail(inject(fd, TIOCSTI), "TIOCSTI");
	must_fail(inject(fd, HIGH_BITS | TIOCSTI), "TIOCSTI with high bits");
	must_fail(inject(fd, 0xffffffff00000000UL | TIOCSTI), "TIOCSTI, sign-extended");
	must_fail(outcome(ioctl(fd, TIOCLINUX, four)), "TIOCLINUX");
	must_fail(outcome(syscall(SYS_ioctl, fd, HIGH_BITS | TIOCLINUX, four)),
		  "TIOCLINUX with high bits");
	must_fail(outcome(ioctl(STDIN_FILENO, TIOCSTI, four)), "TIOCSTI on standard input");
	must_fail(took(open("/dev/tty0", O_RDWR)), "/dev/tty0");
	must_fail(took(open("/dev/console", O_RDWR)), "/dev/console");
	must_fail(took(open("/dev/vcsa", O_RDONLY)), "/dev/vcsa");
	must_work(write(master, "a\n", 2) == 2 ? 0 : -EIO, "writing to the master");
	return 0;
}

void technique(void)
{
	in_child(in_session, NULL);
}
