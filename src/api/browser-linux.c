#include <spawn.h>
#include <stdlib.h>

#include "api/browser-private.h"
#include "api/browser.h"

const char browser_opener[] = "xdg-open";
const short browser_spawn_flags = POSIX_SPAWN_SETSID;

bool browser_is_there(void)
{
	const char *x11 = secure_getenv("DISPLAY"), *wayland = secure_getenv("WAYLAND_DISPLAY");

	return (x11 && *x11) || (wayland && *wayland);
}
