/*
 * The ways to open a file for reading, as a table, so that each file technique
 * can be tried through all of them. Each returns a descriptor or -1 and errno.
 */
#pragma once

struct opener {
	const char *name;
	int (*open)(const char *path);
};

/* Ends with a row without a name. */
extern const struct opener openers[];
