/*
 * Why something failed, in words for the person who will read it.
 *
 * A function that can fail in a way a person must understand takes a
 * `struct err *` last (NULL allowed) and fills it in the statement that
 * returns; callers add what they were doing with err_wrap, outside-in:
 * "start the session: open /x/policy.cedar: No such file or directory".
 */
#pragma once

#include "base/attributes.h"

struct err {
	int code;	/* negative errno; 0 while nothing failed */
	char text[508]; /* NUL-terminated; a longer message is cut and ends in "..." */
};

/* Sets the message, adds strerror(-code) and returns code (a negative errno). */
int err_set(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);
/* Sets the message alone, without strerror, and returns code. */
int err_say(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);
/* Puts "context: " before the message and returns the code it holds (code if e is NULL). */
int err_wrap(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);
