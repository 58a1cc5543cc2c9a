#include "sandbox/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

int terminal_open(struct terminal *t, const struct winsize *window, struct err *err)
{
	_cleanup_close_ int master_fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	static const int unlocked;
	int slave_fd;

	if (master_fd < 0)
		return err_set(err, -errno, "open a terminal for the command");
	if (ioctl(master_fd, TIOCSPTLCK, &unlocked) < 0)
		return err_set(err, -errno, "unlock the command's terminal");
	if (window->ws_row && ioctl(master_fd, TIOCSWINSZ, window) < 0)
		return err_set(err, -errno, "set the size of the command's terminal");
	/* By descriptor: a name could be looked up in another devpts. */
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		return err_set(err, -errno, "open the command's end of its terminal");
	t->master_fd = TAKE_FD(master_fd);
	t->slave_fd = slave_fd;
	return 0;
}

int terminal_lead(int slave_fd)
{
	return setsid() < 0 || ioctl(slave_fd, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

/* SIGTTOU, which a background group would get for this, is blocked in the caller. */
int terminal_enter(int slave_fd)
{
	return setpgid(0, 0) < 0 || tcsetpgrp(slave_fd, getpid()) < 0 ? -errno : 0;
}
