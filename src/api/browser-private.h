/* Who opens a page: browser-linux.c and browser-posix.c, one of which is built. */
#pragma once

extern const char browser_opener[];
/* Of posix_spawn: what keeps the terminal's signals from it. */
extern const short browser_spawn_flags;
