/* Programs as files, on systems that need not have any of that kind. */
#pragma once

#include "base/err.h"

/* Is it a Linux program for this processor that needs no library of an image? */
int elf_check_static(const char *path, struct err *err) _must_check_;
