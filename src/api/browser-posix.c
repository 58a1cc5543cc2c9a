#include <spawn.h>

#include "api/browser-private.h"
#include "api/browser.h"

/* As macOS has it; where it is missing, it says so, and the URL is printed. */
const char browser_opener[] = "open";
const short browser_spawn_flags = POSIX_SPAWN_SETPGROUP;

bool browser_is_there(void)
{
	return true;
}
