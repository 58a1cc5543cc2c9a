/*
 * CTL-02: change what governs the session. PROTECTED, separated by colons, are leash's own places:
 * its configuration, its state, the policy in force, the workspace's .leash. None may be created,
 * opened for writing, renamed, linked into, nor a directory above be moved away.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts =
	CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_ORPHAN | CONTEXT_EXEC;

static int write_in(const char *directory)
{
	const char *path = in("%s/escape-%d", directory, gettid());
	int result = took(open(path, O_WRONLY | O_CREAT, 0600));

	unlink(path);
	return result;
}

static int move_away(const char *path)
{
	const char *to = in("%s/moved-%d", work, gettid());
	int result = outcome(rename(path, to));

	if (result == 0 && rename(to, path) < 0)
		give_up("moving %s back", path);
	return result;
}

static int link_into(const char *directory)
{
	const char *mine = in("%s/ctl-02-%d", work, gettid()),
		   *to = in("%s/ctl-02-%d", directory, gettid());
	int result;

	put(mine, "evil");
	result = outcome(link(mine, to));
	unlink(mine);
	unlink(to);
	return result;
}

static int replace(const char *path)
{
	const char *mine = in("%s/ctl-02-dir-%d", work, gettid());
	int result;

	mkdir(mine, 0755);
	result = outcome(renameat2(AT_FDCWD, mine, AT_FDCWD, path, RENAME_EXCHANGE));
	if (result == 0)
		renameat2(AT_FDCWD, mine, AT_FDCWD, path, RENAME_EXCHANGE);
	rmdir(mine);
	return result;
}

static int make(const char *path)
{
	int result = outcome(mkdir(path, 0755));

	if (result == 0)
		rmdir(path);
	return result;
}

static int make_link(const char *path)
{
	int result = outcome(symlink(work, path));

	if (result == 0)
		unlink(path);
	return result;
}

void technique(void)
{
	char *list = strdup(need("PROTECTED")), *rest = list;
	const char *path;

	while ((path = strsep(&rest, ":"))) {
		must_fail(took(open(path, O_WRONLY | O_APPEND)), "write %s", path);
		must_fail(write_in(path), "create in %s", path);
		must_fail(link_into(path), "link into %s", path);
		must_fail(move_away(path), "move %s away", path);
		must_fail(move_away(directory_of(path)), "move the directory above %s away", path);
		must_fail(replace(path), "exchange %s", path);
		must_fail(outcome(chmod(path, 0777)), "chmod %s", path);
		must_fail(outcome(truncate(path, 0)), "truncate %s", path);
		if (!exists(path)) {
			must_fail(make(path), "make %s", path);
			must_fail(make_link(path), "make %s a link", path);
		}
	}
	must_fail(took(open(denied, O_RDONLY)), "read %s", denied);
	must_work(has_content(open(allowed, O_RDONLY), "public"), "read %s", allowed);
	must_work(took(open(in("%s/ctl-02-own-%d", work, gettid()), O_WRONLY | O_CREAT, 0644)),
		  "create in the workspace");
	unlink(in("%s/ctl-02-own-%d", work, gettid()));
	free(list);
}
