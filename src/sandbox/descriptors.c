#include "sandbox/descriptors.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
	int x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static int close_between(unsigned int first, unsigned int last)
{
	if (first > last)
		return 0;
	return syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
}

int descriptors_keep(const int *fds, size_t n)
{
	int sorted[DESCRIPTORS_MAX_KEPT];
	unsigned int first = 3;

	if (n > DESCRIPTORS_MAX_KEPT)
		return -E2BIG;
	memcpy(sorted, fds, n * sizeof(*fds));
	qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 0; i < n; i++) {
		int r;

		if (sorted[i] < (int)first)
			continue;
		r = close_between(first, (unsigned int)sorted[i] - 1);
		if (r < 0)
			return r;
		first = (unsigned int)sorted[i] + 1;
	}
	return close_between(first, UINT_MAX);
}
