/*
 * A directory is moved to a protected place while a file is made in it under the harmless name, and
 * the other way round: files are linked and renamed in. DENIED (".claude/settings.json" below WORK)
 * must never be seen, neither it nor its directory exist at the start.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "race.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static const char *stage, *prepared;

static void move(void *unused)
{
	const char *place = directory_of(denied);

	(void)unused;
	for (int i = 0; i < 100; i++) {
		rename(stage, place);
		rename(place, stage);
	}
}

static int by_open(const char *path)
{
	return took(open(path, O_WRONLY | O_CREAT, 0644));
}

static int by_link(const char *path)
{
	return outcome(link(prepared, path));
}

static int by_rename(const char *path)
{
	put(in("%s/race-moved-in", work), "evil");
	return outcome(rename(in("%s/race-moved-in", work), path));
}

static int by_symlink(const char *path)
{
	return outcome(symlink("/etc/passwd", path));
}

static int by_mkdir(const char *path)
{
	return outcome(mkdir(path, 0755));
}

/* The directory is held by a descriptor, so that its name does not matter. */
static int by_descriptor(const char *path)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(stage, O_PATH | O_DIRECTORY);
	return took(openat(fd, name_of(path), O_WRONLY | O_CREAT, 0644));
}

static void race(const char *name, int (*make)(const char *))
{
	const char *path = in("%s/%s", stage, name_of(denied));
	struct swapper *s = swapper_start(move, NULL, true);
	long rounds = need_number("ROUNDS", 100000) / 10, n_made = 0, n_reached = 0;

	for (long i = 0; i < rounds; i++) {
		n_made += make(path) == 0;
		n_reached += exists(denied);
		unlink(path);
		rmdir(path);
	}
	swapper_stop(s);
	note("%s: %ld rounds, %ld made, %ld reached", name, rounds, n_made, n_reached);
	must_fail(n_reached ? 0 : -EACCES, "%s: %ld of %ld rounds made the protected file", name,
		  n_reached, rounds);
	must_work(n_made ? 0 : -EACCES, "%s: %ld of %ld rounds made the permitted one", name,
		  n_made, rounds);
	rename(directory_of(denied), stage);
	unlink(path);
	rmdir(path);
	unlink(denied);
}

void technique(void)
{
	stage = in("%s/race-stage", work);
	prepared = in("%s/race-prepared", work);
	put(prepared, "evil");
	mkdir(stage, 0755);
	race("open", by_open);
	race("openat with a descriptor", by_descriptor);
	race("link", by_link);
	race("rename", by_rename);
	race("symlink", by_symlink);
	race("mkdir", by_mkdir);
}
