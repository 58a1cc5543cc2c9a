#include "supervise/caller.h"

#include <errno.h>
#include <fcntl.h>

#include "supervise/memory.h"

int caller_read_path(struct worker *w, uint64_t address, char *out)
{
	ssize_t n = memory_read_string((pid_t)w->call->pid, address, out, LIMIT_PATH);

	return n < 0 ? (int)n : 0;
}

int caller_open_base(struct worker *w, int dir_fd, const char *path, int *ret)
{
	int fd = -1;

	if (path[0] != '/') {
		fd = dir_fd == AT_FDCWD ? process_open_cwd(w->process)
					: process_open_fd(w->process, dir_fd);
		if (fd < 0)
			return fd;
	}
	*ret = fd;
	return 0;
}

static int resolve_empty(struct worker *w, int dir_fd, struct place *ret)
{
	struct place p = PLACE_INIT;

	p.fd = dir_fd == AT_FDCWD ? process_open_cwd(w->process)
				  : process_open_fd(w->process, dir_fd);
	if (p.fd < 0)
		return p.fd;
	if (fstat(p.fd, &p.st) < 0) {
		place_done(&p);
		return -EBADF;
	}
	*ret = p;
	return 0;
}

int caller_resolve(struct worker *w, int dir_fd, uint64_t address, unsigned at_flags,
		   enum resolve_want want, char *out, struct place *ret)
{
	_cleanup_close_ int base_fd = -1;
	struct place p = PLACE_INIT;
	int r = caller_read_path(w, address, out);

	if (r < 0)
		return r;
	if (out[0] == 0 && at_flags & AT_EMPTY_PATH) {
		r = resolve_empty(w, dir_fd, &p);
	} else {
		r = caller_open_base(w, dir_fd, out, &base_fd);
		if (r == 0)
			r = resolve(w, base_fd, out, want, 0, &p);
	}
	if (r < 0)
		return r;
	/* The task that was read from, by its number, must still be the one that asked. */
	if (!worker_is_call_valid(w)) {
		place_done(&p);
		return -ESRCH;
	}
	*ret = p;
	return 0;
}
