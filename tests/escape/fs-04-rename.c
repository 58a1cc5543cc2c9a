/*
 * FS-04: give a denied file another name by renaming it, exchanging it, or renaming a directory
 * above it. TREE is a permitted directory that holds a denied file at TREE/inner/secret.txt;
 * OTHER_TREE the same with a permitted one at OTHER_TREE/inner/public.txt.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static void rename_file(void)
{
	const char *to = in("%s/fs-04-renamed", work), *mine = in("%s/fs-04-mine", work);
	int directory = open(directory_of(denied), O_PATH | O_DIRECTORY), error;

	must_fail(error = outcome(rename(denied, to)), "rename");
	if (error == 0)
		rename(to, denied);
	must_fail(error = outcome(renameat(directory, name_of(denied), AT_FDCWD, to)), "renameat");
	if (error == 0)
		rename(to, denied);
	must_fail(error = outcome(
			  syscall(SYS_renameat2, AT_FDCWD, denied, AT_FDCWD, to, RENAME_NOREPLACE)),
		  "renameat2 RENAME_NOREPLACE");
	if (error == 0)
		rename(to, denied);
	put(mine, "public");
	must_fail(error = outcome(renameat2(AT_FDCWD, denied, AT_FDCWD, mine, RENAME_EXCHANGE)),
		  "exchange");
	if (error == 0)
		renameat2(AT_FDCWD, denied, AT_FDCWD, mine, RENAME_EXCHANGE);
	must_fail(error = outcome(renameat2(AT_FDCWD, mine, AT_FDCWD, denied, RENAME_EXCHANGE)),
		  "exchange, the other way round");
	if (error == 0)
		renameat2(AT_FDCWD, denied, AT_FDCWD, mine, RENAME_EXCHANGE);
	must_work(outcome(rename(mine, to)), "rename");
	put(mine, "public");
	must_work(outcome(renameat2(AT_FDCWD, mine, AT_FDCWD, to, RENAME_EXCHANGE)), "exchange");
	unlink(mine);
	unlink(to);
	close(directory);
}

/* Moves dir away, looks at what lies in it under its new name, and moves it back. */
static int reads_after_move(const char *dir, const char *below, const char *want,
			    unsigned int flags)
{
	const char *to = in("%s/fs-04-moved", work);
	int result;

	if (flags & RENAME_EXCHANGE && mkdir(to, 0755) < 0)
		give_up("mkdir %s", to);
	result = outcome(renameat2(AT_FDCWD, dir, AT_FDCWD, to, flags));
	if (result == 0) {
		result = has_content(open(in("%s/%s", to, below), O_RDONLY), want);
		if (renameat2(AT_FDCWD, to, AT_FDCWD, dir, flags) < 0)
			give_up("moving %s back", dir);
	}
	rmdir(to);
	return result;
}

void technique(void)
{
	const char *tree = need("TREE"), *other = need("OTHER_TREE");

	rename_file();
	must_fail(reads_after_move(tree, "inner/secret.txt", secret, 0),
		  "rename a directory two levels above");
	must_fail(reads_after_move(in("%s/inner", tree), "secret.txt", secret, 0),
		  "rename the parent directory");
	must_fail(reads_after_move(in("%s/inner", tree), "secret.txt", secret, RENAME_EXCHANGE),
		  "exchange the parent directory");
	must_work(reads_after_move(other, "inner/public.txt", "public", 0), "rename a directory");
	must_work(reads_after_move(in("%s/inner", other), "public.txt", "public", RENAME_EXCHANGE),
		  "exchange a directory");
}
