#include "daemon/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/span.h"

#define BACKLOG 4

const struct ipc_type attach_to_session[ATTACH_MESSAGE_MAX] = {
	[ATTACH_DATA] = { "data", 1, ATTACH_DATA_MAX, 0 },
	[ATTACH_WINDOW] = { "window", sizeof(struct attach_window), sizeof(struct attach_window),
			    0 },
};

const struct ipc_type attach_from_session[ATTACH_MESSAGE_MAX] = {
	[ATTACH_DATA] = { "data", 1, ATTACH_DATA_MAX, 0 },
	[ATTACH_EXIT] = { "exit", sizeof(int32_t), sizeof(int32_t), 0 },
};

/* An address has 108 bytes and a path more: it goes by a descriptor of the directory. */
static int make_address(const char *path, int *ret_directory_fd, struct sockaddr_un *ret,
			struct err *err)
{
	struct span above = path_directory(span_of(path)), name = path_base_name(span_of(path));
	_cleanup_free_ char *directory = xmemdup0(above.p, above.len);
	_cleanup_close_ int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "open %s", directory);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return err_say(err, -EPERM, "%s must be yours and nobody else's (chmod 700)",
			       directory);
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%.*s", fd,
		     SPAN_ARG(name));
	if (n < 0 || (size_t)n >= sizeof(ret->sun_path))
		return err_say(err, -ENAMETOOLONG, "%s: the name is too long", path);
	*ret_directory_fd = TAKE_FD(fd);
	return 0;
}

int attach_listen(const char *path, int *ret_fd, struct err *err)
{
	struct span above = path_directory(span_of(path));
	_cleanup_free_ char *directory = xmemdup0(above.p, above.len);
	_cleanup_close_ int directory_fd = -1, fd = -1;
	struct sockaddr_un address;
	int r = mkdir_all(directory, 0700);

	if (r < 0)
		return err_set(err, r, "make the directory %s", directory);
	r = make_address(path, &directory_fd, &address, err);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return err_set(err, -errno, "listen at %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int attach_connect(const char *path, int *ret_fd, struct err *err)
{
	_cleanup_close_ int directory_fd = -1, fd = -1;
	struct sockaddr_un address;
	int r = make_address(path, &directory_fd, &address, err);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, -errno, "connect to %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
