/* Other processes: process-linux.c and process-posix.c, one of which is built. */
#pragma once

#include <sys/types.h>

#include "base/attributes.h"

/* Is there one of that number? One that has ended, and whose end nobody has asked for, may count.
 */
bool process_runs(pid_t pid);
