#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "engine/bound.h"

bool bound_to(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}
