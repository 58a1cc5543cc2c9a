/*
 * What the engine's machine may have that stands in a container's way: machine-linux.c
 * looks, as it is this one, and machine-posix.c takes it for granted. One is built.
 */
#pragma once

#include <stdbool.h>

bool machine_has_apparmor(void);
bool machine_has_selinux(void);
