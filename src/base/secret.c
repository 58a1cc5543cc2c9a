#include "base/secret.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/pages.h"

int secret_alloc(size_t len, struct secret *ret)
{
	char *p;

	if (len == 0)
		return -EINVAL;
	p = pages_alloc(len);
	if (!p)
		return -ENOMEM;
	*ret = (struct secret){ p, len };
	return 0;
}

int secret_copy(struct span bytes, struct secret *ret)
{
	int r = secret_alloc(bytes.len, ret);

	if (r == 0)
		memcpy(ret->p, bytes.p, bytes.len);
	return r;
}

void secret_done(struct secret *s)
{
	if (s->p) {
		explicit_bzero(s->p, s->len);
		pages_free(s->p, s->len);
	}
	*s = (struct secret){ 0 };
}

bool secret_can_be_locked(void)
{
	_cleanup_secret_ struct secret s = { 0 };

	return secret_alloc(1, &s) == 0 && mlock(s.p, s.len) == 0;
}

bool secret_bytes_eq(const char *a, const char *b, size_t n)
{
	unsigned char differs = 0;

	for (size_t i = 0; i < n; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return differs == 0;
}
