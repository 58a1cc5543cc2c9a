#include <linux/magic.h>
#include <sys/statfs.h>

#include "base/file-system.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

bool file_system_counts_links(const char *directory)
{
	struct statfs fs;

	return statfs(directory, &fs) == 0 &&
	       (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_SUPER_MAGIC ||
		fs.f_type == TMPFS_MAGIC);
}

enum entry_kind entry_kind(const struct dirent *e)
{
	switch (e->d_type) {
	case DT_UNKNOWN:
		return ENTRY_UNKNOWN;
	case DT_DIR:
		return ENTRY_DIRECTORY;
	default:
		return ENTRY_OTHER;
	}
}
