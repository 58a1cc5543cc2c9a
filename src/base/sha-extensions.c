#include "base/sha-extensions.h"

#ifdef __x86_64__
#include <cpuid.h>

static bool look_up(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
	       (b & bit_SHA);
}
#else
static bool look_up(void)
{
	return false;
}
#endif

bool sha_extensions_are_there(void)
{
	static _Atomic signed char known = -1;

	if (known < 0)
		known = look_up();
	return known > 0;
}
