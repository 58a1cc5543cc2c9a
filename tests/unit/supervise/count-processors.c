/* Exits with the number of processors that it may use. Linked statically: no loader runs before it.
 */
#include <sched.h>

int main(void)
{
	cpu_set_t mask;

	return sched_getaffinity(0, sizeof(mask), &mask) == 0 ? CPU_COUNT(&mask) : 255;
}
