#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/pages.h"

void *pages_alloc(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (len + page - 1) / page * page;
	void *p = NULL;

	if (whole < len || posix_memalign(&p, page, whole) != 0)
		return NULL;
	memset(p, 0, whole);
	(void)mlock(p, len);
	return p;
}

void pages_free(void *p, size_t len)
{
	(void)munlock(p, len);
	free(p);
}

void pages_prefer_large(void *p, size_t size)
{
	(void)p;
	(void)size;
}
