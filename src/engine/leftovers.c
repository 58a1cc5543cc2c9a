/*
 * A container ends when leash outside does. Where the engine was killed as well
 * something may stay; the next session finds it by its label and its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/container.h"

#define PREFIX "leash-"
#define TIMEOUT_MS 20000
#define ANSWER_MAX ((size_t)1024 * 1024)
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

bool container_is_orphan(const char *name)
{
	const char *start = strrchr(name, '-');
	const char *pid = start;
	unsigned long long started;
	unsigned long number;
	char *end;

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

void container_remove(const struct engine *e, const char *name)
{
	_cleanup_buf_ struct buf out = BUF_INIT(ANSWER_MAX), errors = BUF_INIT(ANSWER_MAX);
	_cleanup_(client_done) client_words w = { 0 };
	int r;

	client_add(&w, e->program);
	client_add(&w, "rm");
	client_add(&w, "--force");
	client_add(&w, name);
	/* One that is gone already is what was wanted. */
	r = client_call(e->program, &w, &out, &errors, TIMEOUT_MS);
	(void)r;
}

static void sweep(const struct engine *e)
{
	_cleanup_buf_ struct buf out = BUF_INIT(ANSWER_MAX), errors = BUF_INIT(ANSWER_MAX);
	_cleanup_(client_done) client_words w = { 0 };
	char *line, *save = NULL;

	client_add(&w, e->program);
	client_add(&w, "ps");
	client_add(&w, "--all");
	client_add(&w, "--filter");
	client_addf(&w, "label=leash.owner=%u", (unsigned)getuid());
	client_add(&w, "--format");
	client_add(&w, "{{.Names}}");
	if (client_call(e->program, &w, &out, &errors, TIMEOUT_MS) != 0 || !out.data)
		return;
	for (line = strtok_r(out.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (container_is_orphan(line))
			container_remove(e, line);
}

void container_sweep(const struct engine *e)
{
	pid_t pid = fork();
	int null_fd;

	if (pid != 0)
		return;
	/* Nobody waits for it, nor for what it holds. */
	null_fd = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3 && null_fd >= 0; i++)
		(void)dup2(null_fd, i);
	closefrom(3);
	(void)setpgid(0, 0);
	sweep(e);
	_exit(0);
}
