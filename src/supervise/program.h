/*
 * What executing a file would run: its interpreters, and whether it is a
 * dynamic loader, which runs any file it is given.
 */
#pragma once

#include <sys/stat.h>

#include <time.h>

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
	/* Of a loader that was inspected: musl's is the C library too, so a program may need no
	 * other file. */
	bool is_c_library;
};

/* Looks at the file behind an O_PATH descriptor. 0, or -ENOEXEC for a broken "#!" line. */
int program_inspect(int path_fd, struct program *ret) _must_check_;
/*
 * May nobody in the container change such a file? It belongs to another user
 * (there is but one inside), and only that user may write it.
 */
bool program_is_out_of_reach(const struct stat *st);
/* There are many users inside, and one of them may be the owner: no file is out of reach. */
void program_trust_no_owner(void);

#define PROGRAM_CACHE_SIZE 256 /* a power of two */

/* What was found in programs that are out of reach, for one worker. */
struct program_cache {
	struct program_facts {
		dev_t dev;
		ino_t ino;
		off_t size;
		struct timespec changed;
		enum program_kind kind;
		bool is_used;
	} facts[PROGRAM_CACHE_SIZE];
};

/* As program_inspect, without looking again at a program that was looked at and is out of reach. */
int program_look_up(struct program_cache *c, int path_fd, const struct stat *st,
		    struct program *ret) _must_check_;
/* Is it an ELF file that is meant to be run by itself, not a library? For what a loader opens. */
bool program_is_elf(int fd);
