/*
 * What executing a file would run: its interpreters, and whether it is a
 * dynamic loader, which runs any file it is given.
 */
#pragma once

#include <sys/stat.h>

#include "base/span.h"

#define PROGRAM_HEAD 256 /* as much as the kernel looks at (BINPRM_BUF_SIZE) */

enum program_kind {
	PROGRAM_UNKNOWN, /* unreadable, or binfmt_misc may know it: what runs is seen when it runs
			  */
	PROGRAM_ELF,
	PROGRAM_LOADER, /* an ELF dynamic loader */
	PROGRAM_SCRIPT,
};

struct program {
	enum program_kind kind;
	char interpreter[PROGRAM_HEAD]; /* of a script */
};

/* Looks at the file behind an O_PATH descriptor. 0, or -ENOEXEC for a broken "#!" line. */
int program_inspect(int path_fd, struct program *ret) _must_check_;
/* Is it an ELF file that is meant to be run by itself, not a library? For what a loader opens. */
bool program_is_elf(int fd);
