#include <unistd.h>

#include "engine/bound.h"

bool bound_to(pid_t parent)
{
	return getppid() == parent;
}
