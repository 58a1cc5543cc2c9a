/* FS-02: symbolic links to a denied file or into a denied directory; chains; a link as a directory.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "escape.h"
#include "openers.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_ORPHAN;

static const char *place(const char *name)
{
	return in("%s/fs-02-%d-%d-%s", work, getpid(), gettid(), name);
}

static const char *link_to(const char *target, const char *name)
{
	const char *path = place(name);

	if (symlink(target, path) < 0)
		give_up("symlink %s", path);
	return path;
}

static void try(const char *path, bool is_denied, const char *what)
{
	for (const struct opener *o = openers; o->name; o++) {
		if (is_denied)
			must_fail(took(o->open(path)), "%s: %s", what, o->name);
		else if (o == openers)
			must_work(has_content(o->open(path), "public"), "%s: %s", what, o->name);
	}
}

static void links_to(const char *target, bool is_denied)
{
	const char *last = link_to(target, "0");
	char name[16];

	try(last, is_denied, "a link");
	for (int i = 1; i < 35; i++) {
		snprintf(name, sizeof(name), "%d", i);
		last = link_to(last, name);
	}
	try(last, is_denied, "a chain of 35 links");
	for (int i = 0; i < 35; i++) {
		snprintf(name, sizeof(name), "%d", i);
		unlink(place(name));
	}

	last = link_to(directory_of(target), "directory");
	try(in("%s/%s", last, name_of(target)), is_denied, "through a link to its directory");
	try(in("%s/../%s/%s", last, name_of(directory_of(target)), name_of(target)), is_denied,
	    "through a link to its directory and ..");
	unlink(last);

	last = link_to(in("/proc/self/root%s", target), "proc");
	try(last, is_denied, "a link through /proc/self/root");
	unlink(last);

	if (chdir(directory_of(target)) < 0)
		give_up("chdir");
	last = link_to(in("/proc/self/cwd/%s", name_of(target)), "cwd");
	try(last, is_denied, "a link through /proc/self/cwd");
	unlink(last);
}

void technique(void)
{
	links_to(allowed, false);
	links_to(denied, true);
}
