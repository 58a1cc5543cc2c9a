/*
 * EX-02: let the dynamic loader run a program that may be read but not executed. ALLOWED and DENIED
 * are dynamic programs; LIBRARY, if set, is a shared object that may not be executed.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_CHILD | CONTEXT_THREAD;

static const char *alias(void)
{
	return in("%s/ex-02-%d", work, gettid());
}

static int by_other_name(const char *loader, bool is_link)
{
	const char *link = in("%s-link", alias());
	char name[] = "ld.so", *path = strdup(is_link ? link : in("./%s", name_of(denied)));
	char *argv[] = { name, path, NULL };
	int result;

	if ((is_link && symlink(denied, link) < 0) || chdir(directory_of(denied)) < 0)
		give_up("symlink or chdir");
	result = runs(execve, loader, argv, secret);
	unlink(link);
	free(path);
	return result;
}

static void by(const char *loader)
{
	char name[] = "ld.so", *bad = strdup(denied), *good = strdup(allowed);
	char *bad_argv[] = { name, bad, NULL }, *good_argv[] = { name, good, NULL };
	char option[] = "--argv0", other[] = "harmless";
	char *bad_options[] = { name, option, other, bad, NULL };

	must_fail(runs(execve, loader, bad_argv, secret), "%s DENIED", loader);
	must_fail(runs(execve, loader, bad_options, secret), "%s --argv0 harmless DENIED", loader);
	must_work(runs(execve, loader, good_argv, "public"), "%s ALLOWED", loader);
	must_fail(by_other_name(loader, true), "%s on a link to DENIED", loader);
	must_fail(by_other_name(loader, false), "%s on a relative name", loader);
	if (symlink(loader, alias()) == 0)
		must_fail(runs(execve, alias(), bad_argv, secret), "a link to %s", loader);
	unlink(alias());
	free(bad);
	free(good);
}

/* A descriptor's name instead of the file's. */
static void by_descriptor(const char *loader)
{
	int fd = open(denied, O_PATH);
	char name[] = "ld.so", *path = strdup(in("/proc/self/fd/%d", fd));
	char *argv[] = { name, path, NULL };

	must_fail(runs(execve, loader, argv, secret), "%s /proc/self/fd/N", loader);
	free(path);
	close(fd);
}

void technique(void)
{
	static const char *const patterns[] = { "/lib64/ld-linux-x86-64.so.2",
						"/lib/ld-linux-aarch64.so.1",
						"/lib/*-linux-gnu/ld-linux-*.so.*",
						"/usr/lib64/ld-linux-*.so.*",
						"/lib/ld-musl-*.so.1" };
	char name[] = "harmless";
	char *argv[] = { name, NULL };
	glob_t found = { 0 };
	bool any = false;

	must_fail(runs(execve, denied, argv, secret), "executed as it is");
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (glob(patterns[i], 0, NULL, &found))
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++) {
			by(found.gl_pathv[j]);
			by_descriptor(found.gl_pathv[j]);
			any = true;
		}
		globfree(&found);
	}
	if (!any)
		give_up("no dynamic loader found");
}
