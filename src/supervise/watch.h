/*
 * Processes that must be looked at once more: those that executed a program
 * while another tracer had them, and dynamic loaders that have not yet opened
 * the program they were told to run. Thread-safe; empty almost always, and
 * then asking costs one load.
 */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "base/attributes.h"

struct watch;

enum watch_kind {
	WATCH_EXEC,   /* the program must be the one that was decided */
	WATCH_LOADER, /* the next ELF file that it opens is executed */
};

struct watch_entry {
	pid_t tgid; /* 0: free */
	enum watch_kind kind;
	dev_t before_dev, wanted_dev;
	ino_t before_ino, wanted_ino;
};

struct watch *watch_new(void) _must_check_;
/* False when there is no room: the operation must then not go on. */
bool watch_add(struct watch *w, const struct watch_entry *e) _must_check_;
/* Copies the entry of the process. */
bool watch_find(struct watch *w, pid_t tgid, enum watch_kind kind, struct watch_entry *ret);
void watch_remove(struct watch *w, pid_t tgid, enum watch_kind kind);
