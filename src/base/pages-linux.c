#include <sys/mman.h>

#include "base/pages.h"

#define PAGE ((uintptr_t)4096)

void *pages_alloc(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* Each is one wall more; none of them may be there, and doctor says so. */
	(void)mlock(p, len);
	(void)madvise(p, len, MADV_DONTDUMP);
	(void)madvise(p, len, MADV_WIPEONFORK);
	return p;
}

void pages_free(void *p, size_t len)
{
	(void)munmap(p, len);
}

void pages_prefer_large(void *p, size_t size)
{
	uintptr_t begin = ((uintptr_t)p + PAGE - 1) & ~(PAGE - 1);
	uintptr_t end = ((uintptr_t)p + size) & ~(PAGE - 1);

	(void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}
