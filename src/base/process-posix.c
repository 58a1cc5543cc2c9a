#include <errno.h>
#include <signal.h>

#include "base/process.h"

bool process_runs(pid_t pid)
{
	return kill(pid, 0) == 0 || errno == EPERM;
}
