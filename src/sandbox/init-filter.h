/*
 * The system calls that are left to init once the command runs.
 */
#pragma once

#include "base/err.h"

/* Anything but waiting, passing signals on and reporting kills the process, and with it the
 * container. */
int init_filter_install(struct err *err) _must_check_;
