/*
 * The place changes during the open: a directory that ".." leads out of is moved (ALLOWED and
 * DENIED are of one name in two directories, and MOVER a directory that is moved between them), the
 * number of a directory's descriptor, the working directory. With SWAP_ONLY=1 only moves MOVER.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "race.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static const char *places[2];
static int directory_fds[2], shared_fd;

static void move(void *unused)
{
	(void)unused;
	rename(places[0], places[1]);
	rename(places[1], places[0]);
}

static void swap_fd(void *unused)
{
	(void)unused;
	dup2(directory_fds[0], shared_fd);
	dup2(directory_fds[1], shared_fd);
}

static void change_directory(void *unused)
{
	(void)unused;
	if (fchdir(directory_fds[0]) < 0 || fchdir(directory_fds[1]) < 0)
		give_up("fchdir");
}

static void race(const char *name, struct swapper *s, int at, const char *path)
{
	struct tally tally = { 0 };

	while (race_goes_on(&tally))
		race_count_fd(&tally, openat(at, path, O_RDONLY));
	if (s)
		swapper_stop(s);
	race_end(&tally, name);
}

void technique(void)
{
	const char *name = name_of(allowed);
	bool is_swapped_outside = optional("SWAPPED_OUTSIDE", NULL);
	int mover;

	places[0] = in("%s/mover", directory_of(allowed));
	places[1] = in("%s/mover", directory_of(denied));
	if (!is_swapped_outside)
		mkdir(places[0], 0755);
	if (optional("SWAP_ONLY", NULL)) {
		note("ready");
		for (;;)
			move(NULL);
	}
	do
		mover = open(places[0], O_PATH | O_DIRECTORY);
	while (mover < 0 && is_swapped_outside);
	directory_fds[0] = open(directory_of(allowed), O_PATH | O_DIRECTORY);
	directory_fds[1] = open(directory_of(denied), O_PATH | O_DIRECTORY);
	shared_fd = fcntl(directory_fds[0], F_DUPFD, 100);
	if (mover < 0 || shared_fd < 0)
		give_up("the directories");
	race("a parent is moved", is_swapped_outside ? NULL : swapper_start(move, NULL, true),
	     mover, in("../%s", name));
	race("a descriptor's number", swapper_start(swap_fd, NULL, false), shared_fd, name);
	race("a descriptor's number in /proc/self/fd", swapper_start(swap_fd, NULL, false),
	     AT_FDCWD, in("/proc/self/fd/%d/%s", shared_fd, name));
	race("the working directory", swapper_start(change_directory, NULL, false), AT_FDCWD, name);
	race("the working directory through /proc", swapper_start(change_directory, NULL, false),
	     AT_FDCWD, in("/proc/self/cwd/%s", name));
}
