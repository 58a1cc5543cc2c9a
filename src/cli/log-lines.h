/*
 * Reads an event log line by line, also while it grows.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct log_lines {
	int fd; /* not owned */
	struct buf in;
	size_t taken;	  /* bytes of in that were given out */
	uint64_t n_lines; /* given out */
};

void log_lines_init(struct log_lines *l, int fd);
void log_lines_done(struct log_lines *l);
/*
 * The next whole line without its newline, valid until the next call. Returns
 * 1, 0 when there is none yet, or a negative errno.
 */
int log_lines_next(struct log_lines *l, struct span *ret, struct err *err) _must_check_;
