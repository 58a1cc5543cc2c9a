/*
 * Flags of the command line, from one table per sub-command that also prints
 * help and completion. `--flag value`, `--flag=value`, `-f value`, `-f=value`;
 * `-flag` means `--flag`. Flags end at the first word that is none, so that
 * what follows a command belongs to it, or at `--`. Single letters are not
 * bundled.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct option_spec {
	const char *long_name;
	char short_name; /* 0: none */
	const char
		*argument; /* NULL: none; its name for help: "FILE", or the choices: "allow|deny" */
	const char *help;  /* NULL: another name for a flag, not shown */
	int id;
	/*
	 * Not 0: the short flag may stand alone and means this id then. It takes
	 * the next word only if that holds a ':' and does not begin with '-'.
	 */
	int alone_id;
};

/* One flag; value is NULL where it takes none. Returns 0, or a negative errno with err filled. */
typedef int (*option_fn)(int id, const char *value, void *ctx, struct err *err);

/*
 * Calls fn for each flag from argv[1] on. Returns the index of the first
 * operand (argc where there is none), or a negative errno.
 */
int options_parse(const struct option_spec *specs, size_t n, int argc, char **argv, option_fn fn,
		  void *ctx, struct err *err) _must_check_;

/* Appends one aligned paragraph per flag. */
int options_help(const struct option_spec *specs, size_t n, struct buf *out);
