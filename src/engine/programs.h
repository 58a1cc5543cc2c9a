/*
 * What the container gets of leash's own: programs-linux.c has this leash itself, and
 * programs-posix.c the Linux programs that came with it, copied to where a virtual
 * machine sees them. One is built.
 */
#pragma once

#include "engine/engine.h"

/* Both paths are the host's, newly allocated. */
int programs_find(const struct engine_places *p, char **ret_leash, char **ret_proxy,
		  struct err *err) _must_check_;
/* Certificate authorities, for images without; NULL where there are none. */
int programs_find_roots(const struct engine_places *p, char **ret, struct err *err) _must_check_;
/* Where they lie, for `leash doctor` as well; both newly allocated. */
int programs_locate(char **ret_leash, char **ret_proxy, struct err *err) _must_check_;
