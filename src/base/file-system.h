/*
 * What a file system says of itself beyond what POSIX lets it say: file-system-linux.c
 * and file-system-posix.c, one of which is built.
 */
#pragma once

#include <dirent.h>

#include "base/attributes.h"

/*
 * Does the one that this directory is on count a directory's subdirectories among its links? False
 * where nobody knows.
 */
bool file_system_counts_links(const char *directory);

enum entry_kind {
	ENTRY_UNKNOWN,
	ENTRY_DIRECTORY,
	ENTRY_OTHER, /* links too */
};

/* What the entry itself says that it is. */
enum entry_kind entry_kind(const struct dirent *e);
