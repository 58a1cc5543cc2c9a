#include "supervise/memory.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "supervise/caps.h"

#define PAGE                                                                                       \
	((uint64_t)4096) /* the smallest; larger pages only make reads shorter than they could be  \
			  */
#define SHORT ((size_t)256)
#define MAX_STRINGS 65536

static ssize_t read_some(pid_t tid, uint64_t address, void *out, size_t len)
{
	struct iovec local = { out, len };
	struct iovec remote = { (void *)(uintptr_t)address, len };
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	if (n >= 0 || errno != EPERM)
		return n < 0 ? -errno : n;
	/* not dumpable, or Yama wants a capability of whoever attaches */
	caps_raise();
	n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
	if (n < 0)
		n = -errno;
	caps_lower();
	return n;
}

int memory_read(pid_t tid, uint64_t address, void *out, size_t len)
{
	ssize_t n = len ? read_some(tid, address, out, len) : 0;

	return n == (ssize_t)len ? 0 : -EFAULT;
}

int memory_write(pid_t tid, uint64_t address, const void *bytes, size_t len)
{
	struct iovec local = { (void *)(uintptr_t)bytes, len };
	struct iovec remote = { (void *)(uintptr_t)address, len };

	ssize_t n = process_vm_writev(tid, &local, 1, &remote, 1, 0);

	if (n < 0 && errno == EPERM) {
		caps_raise();
		n = process_vm_writev(tid, &local, 1, &remote, 1, 0);
		caps_lower();
	}
	return n == (ssize_t)len ? 0 : -EFAULT;
}

ssize_t memory_read_string(pid_t tid, uint64_t address, char *out, size_t size)
{
	size_t have = 0, most = SHORT;

	/* most strings are short; a longer one is read by the page, and never over its end */
	while (have < size) {
		size_t piece = MIN(MIN((size_t)(PAGE - (address + have) % PAGE), most), size - have);
		ssize_t n = read_some(tid, address + have, out + have, piece);
		const char *end;

		if (n <= 0)
			return -EFAULT;
		end = memchr(out + have, 0, (size_t)n);
		if (end)
			return end - out;
		have += (size_t)n;
		most = PAGE;
	}
	return -ENAMETOOLONG;
}

static int append_string(pid_t tid, uint64_t address, size_t max, struct buf *out, bool *cut)
{
	char piece[PAGE];
	size_t have = 0;

	for (;;) {
		size_t want = (size_t)(PAGE - (address + have) % PAGE);
		ssize_t n = read_some(tid, address + have, piece, want);
		const char *end;
		size_t len;

		if (n <= 0)
			return -EFAULT;
		end = memchr(piece, 0, (size_t)n);
		len = end ? (size_t)(end - piece) + 1 : (size_t)n;
		if (len > max - out->len) {
			*cut = true;
			return 0;
		}
		if (buf_append(out, piece, len) < 0)
			return -E2BIG;
		if (end)
			return 0;
		have += len;
	}
}

int memory_read_strings(pid_t tid, uint64_t address, size_t max, struct buf *out, bool *ret_cut)
{
	bool cut = false;

	for (size_t i = 0; address && !cut && i < MAX_STRINGS; i++) {
		uint64_t pointer = 0;
		int r = memory_read(tid, address + i * sizeof(pointer), &pointer, sizeof(pointer));

		if (r < 0)
			return r;
		if (!pointer)
			break;
		r = append_string(tid, pointer, max, out, &cut);
		if (r < 0)
			return r;
	}
	*ret_cut = cut;
	return 0;
}
