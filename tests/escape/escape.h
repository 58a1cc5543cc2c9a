/*
 * What every escape program shares. A program is one technique, tried on an
 * object that the policy denies and on one that it permits:
 *
 *   ALLOWED  the permitted object (a path or a host); its content is "public"
 *   DENIED   the denied object; its content is SECRET
 *   SECRET   what nobody may get
 *   WORK     a directory in which the program may write
 *
 * It defines technique() and technique_contexts; main() is in escape.c and runs
 * the technique in each of the contexts. Exit 0: the denied object was never
 * reached and the permitted one always; 1: reached ("ESCAPED" lines say how);
 * 2: something permitted does not work ("BROKEN" lines); 3: wrong parameters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

extern const char *allowed, *denied, *secret, *work;

enum context {
	CONTEXT_SELF = 1,
	CONTEXT_CHILD = 2,
	CONTEXT_THREAD = 4,
	CONTEXT_ORPHAN = 8, /* grandchild in a session of its own whose parent is gone */
	CONTEXT_EXEC = 16,
	CONTEXT_ALL = 31,
};

/* Each program defines these two. */
extern const unsigned int technique_contexts;
void technique(void);

#define PRINTF(a, b) __attribute__((format(printf, a, b)))

/* A further parameter, from the environment; ends the program if it is not set. */
const char *need(const char *name);
const char *optional(const char *name, const char *otherwise);
long need_number(const char *name, long otherwise);

/* result: 0 or more when the denied object was reached, else a negative errno. */
void must_fail(int result, const char *format, ...) PRINTF(2, 3);
/* result: a negative errno when the permitted object could not be reached. */
void must_work(int result, const char *format, ...) PRINTF(2, 3);
/* Something worth knowing that decides nothing. */
void note(const char *format, ...) PRINTF(1, 2);
/* A precondition of the test itself is missing: ends the program with 3. */
void give_up(const char *format, ...) PRINTF(1, 2) __attribute__((noreturn));

/* A system call's result as 0 or more, or a negative errno. */
int outcome(long result);
/* Closes fd; 0 if there was one, else a negative errno. */
int took(int fd);
/* Reads all of fd and closes it; 0 if it begins with want, -EBADMSG if not. */
int has_content(int fd, const char *want);
/* 0 if the bytes contain the secret, else -ENODATA. */
int has_secret(const void *bytes, size_t len);

/* Runs fn in a forked child: its result, or -ECANCELED when the child was killed. */
int in_child(int (*fn)(void *), void *arg);
/*
 * Runs a program with stdout in a pipe: 0 if it printed want, -EBADMSG if it ran and
 * did not, else a negative errno of execve or -ECANCELED.
 */
typedef int (*exec_fn)(const char *path, char *const *argv, char *const *envp);
int runs(exec_fn exec, const char *path, char *const *argv, const char *want);

/* A formatted path that stays for the rest of the program, which is short. */
const char *in(const char *format, ...)PRINTF(1, 2);
const char *directory_of(const char *path);
const char *name_of(const char *path);

/* Writes a file (created, 0644); ends the program when it can't. */
void put(const char *path, const char *content);
bool exists(const char *path);
extern char **environ;
