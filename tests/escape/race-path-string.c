/*
 * The path's string changes during the open, by another thread or a process that shares the memory.
 * So does openat2's structure: LOCKED may be read and not written.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"
#include "race.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static struct open_how *how;

static int by_openat(const char *path)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
}

static int by_openat2(const char *path)
{
	return (int)syscall(SYS_openat2, AT_FDCWD, path, how, sizeof(*how));
}

static void race(const char *name, int (*fn)(const char *), bool in_process)
{
	struct tally tally = { 0 };
	struct flip f;
	size_t place;
	char *path = race_path(&place);
	struct swapper *s;

	f = (struct flip){ &path[place], allowed[place], denied[place] };
	s = swapper_start(race_flip, &f, in_process);
	while (race_goes_on(&tally))
		race_count_fd(&tally, fn(path));
	swapper_stop(s);
	race_end(&tally, name);
}

static void swap_flags(void *unused)
{
	volatile __u64 *flags = (volatile __u64 *)&how->flags;

	(void)unused;
	*flags = O_RDWR;
	*flags = O_RDONLY;
}

/* Reached: a descriptor that can write. */
static void race_of_flags(void)
{
	const char *locked = need("LOCKED");
	struct swapper *s = swapper_start(swap_flags, NULL, false);
	struct tally tally = { 0 };

	while (race_goes_on(&tally)) {
		int fd = by_openat2(locked);

		tally.n_rounds++;
		if (fd < 0) {
			tally.n_refused++;
			continue;
		}
		if (pwrite(fd, "", 0, 0) == 0)
			tally.n_reached++;
		else
			tally.n_allowed++;
		close(fd);
	}
	swapper_stop(s);
	race_end(&tally, "openat2's flags");
}

void technique(void)
{
	how = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	race("openat, a thread", by_openat, false);
	race("openat, another process", by_openat, true);
	race("openat2, a thread", by_openat2, false);
	race_of_flags();
}
