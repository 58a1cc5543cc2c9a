/* NET-04: io_uring does system calls that no filter sees. Here it opens the denied file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts =
	CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_ORPHAN | CONTEXT_EXEC;

static int submit(struct io_uring_sqe sqe, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags };
	struct io_uring_sqe *sqes;
	char *sq, *cq;
	int ring = (int)syscall(SYS_io_uring_setup, 4, &p);

	if (ring < 0)
		return -errno;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(__u32), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	sqes = mmap(NULL, p.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
		return -errno;
	sqes[0] = sqe;
	((__u32 *)(void *)(sq + p.sq_off.array))[0] = 0;
	__atomic_store_n((__u32 *)(void *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	return ((struct io_uring_cqe *)(void *)(cq + p.cq_off.cqes))[0].res;
}

static int open_by_ring(unsigned int flags)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_OPENAT,
				    .fd = AT_FDCWD,
				    .addr = (__u64)(unsigned long)denied,
				    .open_flags = O_RDONLY };
	int fd = submit(sqe, flags);

	return fd < 0 ? fd : has_content(fd, secret);
}

static int socket_by_ring(void)
{
	struct io_uring_sqe sqe = { .opcode = 45 /* IORING_OP_SOCKET */,
				    .fd = 2 /* AF_INET */,
				    .off = 1 };
	int fd = submit(sqe, 0);

	return fd < 0 ? fd : took(fd);
}

void technique(void)
{
	must_fail(open_by_ring(0), "openat");
	must_fail(open_by_ring(IORING_SETUP_SQPOLL), "openat by the kernel's thread");
	must_fail(socket_by_ring(), "socket");
	must_work(has_content(open(allowed, O_RDONLY), "public"), "an ordinary open");
}
