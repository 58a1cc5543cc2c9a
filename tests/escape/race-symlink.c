/*
 * A symbolic link, to the file or to its directory, is exchanged during the open. With SWAP_ONLY=1
 * the program only exchanges, until it is killed: outside leash it does so at full speed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "escape.h"
#include "race.h"

const unsigned int technique_contexts = CONTEXT_SELF;

struct pair {
	const char *one, *other;
};

static void exchange(void *arg)
{
	const struct pair *p = arg;

	renameat2(AT_FDCWD, p->one, AT_FDCWD, p->other, RENAME_EXCHANGE);
}

static void race(const char *name, const char *path, const struct pair *p, bool is_swapped_outside)
{
	struct swapper *s =
		is_swapped_outside ? NULL : swapper_start(exchange, (void *)(unsigned long)p, true);
	struct tally tally = { 0 };

	while (race_goes_on(&tally))
		race_count_fd(&tally, open(path, O_RDONLY));
	if (s)
		swapper_stop(s);
	race_end(&tally, name);
}

static void make(const char *target, const char *path)
{
	unlink(path);
	if (symlink(target, path) < 0)
		give_up("symlink %s", path);
}

void technique(void)
{
	struct pair file = { in("%s/race-link", work), in("%s/race-link-2", work) };
	struct pair directory = { in("%s/race-dir", work), in("%s/race-dir-2", work) };
	bool is_swapped_outside = optional("SWAPPED_OUTSIDE", NULL);

	if (!is_swapped_outside) {
		make(allowed, file.one);
		make(denied, file.other);
		make(directory_of(allowed), directory.one);
		make(directory_of(denied), directory.other);
	}
	if (optional("SWAP_ONLY", NULL)) {
		note("ready");
		for (;;) {
			exchange(&file);
			exchange(&directory);
		}
	}
	race("a link", file.one, &file, is_swapped_outside);
	race("a link to the directory", in("%s/%s", directory.one, name_of(allowed)), &directory,
	     is_swapped_outside);
}
