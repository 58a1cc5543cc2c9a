/*
 * A small file system that nobody sees: it holds an empty directory and an
 * empty file, to be mounted over what must not be seen, and the container's
 * resolv.conf. It lies below the container's /run.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct scratch {
	int fd; /* its root */
	struct span resolv_conf;
};

#define SCRATCH_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

int scratch_make(struct scratch *s, struct span resolv_conf, struct err *err) _must_check_;
/* Covers the file or directory with an empty one. 0 also where there is none, or none to be
 * reached. */
int scratch_hide(const struct scratch *s, const char *path) _must_check_;
/* Gives /etc/resolv.conf its content, wherever in the tree that link leads to. */
int scratch_replace_resolv_conf(const struct scratch *s, struct err *err) _must_check_;
void scratch_done(struct scratch *s);
