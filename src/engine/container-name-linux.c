/* A container's name has leash's pid and start time, which no other process ever has together. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/container.h"

#define PREFIX "leash-"
#define START_TIME 22 /* the field of /proc/<pid>/stat (proc(5)) */

/* 0: there is no such process. */
static unsigned long long start_time(unsigned long pid)
{
	_cleanup_buf_ struct buf stat = BUF_INIT(4096);
	char path[64];
	const char *p;

	(void)snprintf(path, sizeof(path), "/proc/%lu/stat", pid);
	if (file_read_at(AT_FDCWD, path, &stat) < 0 || !stat.data)
		return 0;
	p = strrchr(stat.data, ')');
	for (int field = 2; p && field < START_TIME; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

char *container_name(const char *session_id)
{
	unsigned long pid = (unsigned long)getpid();

	return xasprintf(PREFIX "%s-%lu-%llu", session_id, pid, start_time(pid));
}

char *container_label(const char *directory)
{
	(void)directory;
	return xasprintf("leash.owner=%u", (unsigned)getuid());
}

bool container_is_orphan(const char *name, const char *directory)
{
	const char *start = strrchr(name, '-');
	const char *pid = start;
	unsigned long long started;
	unsigned long number;
	char *end;

	(void)directory;
	if (!start || strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return false;
	while (pid > name && pid[-1] != '-')
		pid--;
	number = strtoul(pid, &end, 10);
	if (end != start || number == 0)
		return false;
	started = strtoull(start + 1, &end, 10);
	return end != start + 1 && !*end && start_time(number) != started;
}
