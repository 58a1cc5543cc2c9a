/* FS-18: a process may call itself what it likes; it changes nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_EXEC;

static const char *const names[] = { "dpkg",	"apt-get", "update", "leash",
				     "systemd", "git",	   "",	     "init" };

static void write_comm(const char *name)
{
	int fd = open("/proc/self/comm", O_WRONLY);

	if (fd < 0 || write(fd, name, strlen(name) + 1) < 0)
		note("/proc/self/comm can't be written");
	close(fd);
}

void technique(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		prctl(PR_SET_NAME, names[i]);
		must_fail(took(open(denied, O_RDONLY)), "as \"%s\" by prctl", names[i]);
		write_comm(names[i]);
		must_fail(took(open(denied, O_RDONLY)), "as \"%s\" by /proc/self/comm", names[i]);
		must_work(has_content(open(allowed, O_RDONLY), "public"), "as \"%s\"", names[i]);
	}
}
