/*
 * Starts containers for tests: as the user who runs the test, or, when root
 * runs it and asks for that, as an ordinary user with a directory of his own.
 */
#pragma once

#include "sandbox/sandbox.h"

/*
 * The first thing in main(). With argv[1] "user", root runs the rest of the
 * program as an ordinary user in a child and returns its exit status here;
 * otherwise returns -1 and the test goes on in this process.
 */
int harness_start(int argc, char **argv);
/* A directory of the test's user, not below /tmp, removed at the end. */
const char *harness_dir(void);

/* Options for `/bin/sh -c script`, to be changed before they are used. */
struct sandbox_options harness_options(const char *script);

struct outcome {
	int status;	   /* as waitpid(2) gives it; -1: the command could not be executed */
	int error;	   /* why */
	char output[8192]; /* what it wrote */
};

/* Runs to the end. Fails the test when the container does not start. */
struct outcome harness_run(struct sandbox_options o);
/* The same, and the command must succeed. Returns its output in a static buffer. */
const char *harness_output(struct sandbox_options o);
/* Starts, writes "written" into each of the files, and releases; the caller ends it by
 * sandbox_done. */
struct sandbox harness_begin(struct sandbox_options o);
/* Waits for the next event. */
struct sandbox_event harness_event(struct sandbox *s);
/* Runs the function in a child that joined these namespaces of the container; returns its exit
 * status. */
int harness_inside(const struct sandbox *s, int namespaces, int (*fn)(void *), void *arg);
/* Waits up to 10 s for the end of the pidfd's process. */
bool harness_is_gone(int pidfd);
