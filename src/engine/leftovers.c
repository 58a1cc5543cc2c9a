/*
 * A container ends when leash outside does. Where the engine was killed as well
 * something may stay; the next session finds it by its label and its name
 * (container-name-linux.c, container-name-posix.c).
 */
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/container.h"

#define TIMEOUT_MS 20000
#define ANSWER_MAX ((size_t)1024 * 1024)

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

static void sweep(const struct engine *e, const char *directory)
{
	_cleanup_free_ char *label = container_label(directory);
	_cleanup_buf_ struct buf out = BUF_INIT(ANSWER_MAX), errors = BUF_INIT(ANSWER_MAX);
	_cleanup_(client_done) client_words w = { 0 };
	char *line, *save = NULL;

	client_add(&w, e->program);
	client_add(&w, "ps");
	client_add(&w, "--all");
	client_add(&w, "--filter");
	client_addf(&w, "label=%s", label);
	client_add(&w, "--format");
	client_add(&w, "{{.Names}}");
	if (client_call(e->program, &w, &out, &errors, TIMEOUT_MS) != 0 || !out.data)
		return;
	for (line = strtok_r(out.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (container_is_orphan(line, directory))
			container_remove(e, line);
}

void container_sweep(const struct engine *e, const char *directory)
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
	sweep(e, directory);
	_exit(0);
}
