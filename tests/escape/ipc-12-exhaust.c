/*
 * IPC-12: use up processes, descriptors and memory, and flood the log. There is a limit to each,
 * and afterwards the policy is in force as before. MAX_PROCESSES is where the test itself stops.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static int fork_bomb(void *unused)
{
	long max = need_number("MAX_PROCESSES", 20000), n = 0;
	int result = 0;
	pid_t pid = 0;

	(void)unused;
	setpgid(0, 0);
	while (n < max && (pid = fork()) > 0)
		n++;
	if (pid == 0 && n < max) {
		for (;;)
			pause();
	}
	if (pid < 0)
		result = -errno;
	note("%ld processes could be made", n);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (n-- > 0)
		wait(NULL);
	return result;
}

static int many_descriptors(void *unused)
{
	int n = 0, fd;

	(void)unused;
	while ((fd = open("/dev/null", O_RDONLY)) >= 0 && n < 2000000)
		n++;
	return fd < 0 ? -errno : 0;
}

/* The supervisor must not run out of descriptors or memory on the caller's account. */
static int opens_at_the_limit(void *unused)
{
	struct rlimit few = { 16, 16 };
	int fd;

	(void)unused;
	setrlimit(RLIMIT_NOFILE, &few);
	while ((fd = open(allowed, O_RDONLY)) >= 0)
		;
	if (errno != EMFILE)
		return -errno;
	close(5);
	return has_content(open(allowed, O_RDONLY), "public");
}

static int flood_of_events(void *unused)
{
	(void)unused;
	for (long i = 0; i < need_number("EVENTS", 100000); i++) {
		int fd = open(i % 2 ? allowed : denied, O_RDONLY);

		if (fd >= 0 && !(i % 2))
			return 0;
		if (fd < 0 && i % 2) {
			must_work(-errno, "the permitted open number %ld", i);
			break;
		}
		close(fd);
	}
	return -EACCES;
}

static void still_in_force(const char *after)
{
	must_fail(took(open(denied, O_RDONLY)), "a denied open after %s", after);
	must_work(has_content(open(allowed, O_RDONLY), "public"), "a permitted open after %s",
		  after);
}

void technique(void)
{
	must_work(in_child(opens_at_the_limit, NULL), "opens at the limit of descriptors");
	must_fail(in_child(many_descriptors, NULL), "descriptors without limit");
	still_in_force("using up descriptors");
	must_fail(in_child(flood_of_events, NULL), "a flood of events");
	still_in_force("a flood of events");
	must_fail(in_child(fork_bomb, NULL), "processes without limit");
	still_in_force("a fork bomb");
}
