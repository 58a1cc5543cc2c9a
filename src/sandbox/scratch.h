/*
 * A small file system that nobody sees: it holds an empty directory and an
 * empty file, to be mounted over what must not be seen, the container's
 * resolv.conf and hosts, and the files that the caller writes. It lies below the
 * container's /run.
 */
#pragma once

#include "sandbox/sandbox.h"

struct scratch {
	int fd; /* its root */
	int file_fds[SANDBOX_MAX_FILES];
};

#define SCRATCH_INIT                                                                               \
	{                                                                                          \
		.fd = -1, .file_fds = SANDBOX_NO_FILES                                             \
	}

int scratch_make(struct scratch *s, const struct sandbox_options *o, struct err *err) _must_check_;
/* Covers the file or directory with an empty one. 0 also where there is none, or none to be
 * reached. */
int scratch_hide(const struct scratch *s, const char *path) _must_check_;
/*
 * resolv.conf names the container's resolver. hosts holds the container's own
 * name alone: the names that the host gives to addresses come from the
 * resolver, under policy. What does not exist in the tree is left out.
 */
int scratch_replace_name_files(const struct scratch *s, struct err *err) _must_check_;
/* Shows the caller's files where they belong, and in the places that there are. */
int scratch_show_files(const struct scratch *s, const struct sandbox_options *o,
		       struct err *err) _must_check_;
void scratch_done(struct scratch *s);
