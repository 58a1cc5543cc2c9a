/*
 * `leash logs`: what a detached session has shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/command.h"
#include "cli/directories.h"
#include "cli/option-tables.h"
#include "cli/state.h"
#include "cli/usage.h"
#include "cli/watch.h"
#include "daemon/attach.h"

/* The end of a session makes no noise in its directory that could not be missed. */
#define LOOK_MS 250

enum { OPTION_FOLLOW = 1 };

const struct option_spec logs_options[] = {
	{ "follow", 'f', NULL, "go on until the session ends", OPTION_FOLLOW, 0 },
	OPTION_HELP_ROW,
};
const size_t n_logs_options = ARRAY_SIZE(logs_options);

static const struct usage usage = {
	.name = "logs",
	.arguments = "[FLAGS] [SESSION]",
	.description = "Prints what a detached session has shown, as its terminal got it; of much "
		       "output the "
		       "last\n4 to 8 MiB. Without SESSION, of the newest session. What leash "
		       "recorded is in "
		       "`leash events`.\n",
	.options = logs_options,
	.n_options = ARRAY_SIZE(logs_options),
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	(void)id;
	(void)value;
	(void)err;
	*(bool *)ctx = true;
	return 0;
}

/* All that is there from where the descriptor stands. */
static int copy(int fd, struct err *err)
{
	char data[65536];

	for (;;) {
		ssize_t n = read(fd, data, sizeof(data));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? err_set(err, -errno, "read the output") : 0;
		r = fd_write_all(STDOUT_FILENO, data, (size_t)n);
		if (r < 0)
			return err_set(err, r, "write the output");
	}
}

static int open_part(const char *directory, const char *name)
{
	_cleanup_free_ char *path = path_join(directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* Has the file under that name become another? Then what was open has been moved aside, whole. */
static bool is_replaced(int fd, const char *directory)
{
	_cleanup_close_ int now = open_part(directory, ATTACH_OUTPUT);
	struct stat a, b;

	return now >= 0 && fstat(fd, &a) == 0 && fstat(now, &b) == 0 && a.st_ino != b.st_ino;
}

static int follow(int *fd, const char *directory, struct err *err)
{
	_cleanup_close_ int watch_fd = watch_open(directory, err);
	bool is_running = true;
	int r = watch_fd;

	while (is_running && r >= 0) {
		is_running = event_store_is_open(directory);
		r = copy(*fd, err);
		if (r >= 0 && is_replaced(*fd, directory)) {
			/* What came between reading and moving. */
			r = copy(*fd, err);
			fd_close(TAKE_FD(*fd));
			*fd = open_part(directory, ATTACH_OUTPUT);
			is_running = true;
			if (*fd < 0)
				return err_set(err, *fd, "open the output");
			continue;
		}
		if (is_running && r >= 0)
			r = watch_wait(watch_fd, LOOK_MS, err);
	}
	return r;
}

static int print(const char *name, bool want_follow, struct err *err)
{
	_cleanup_free_ char *home = home_directory(err);
	_cleanup_free_ char *state = home ? state_directory(home) : NULL;
	_cleanup_free_ char *id = NULL;
	_cleanup_free_ char *directory = NULL;
	_cleanup_close_ int older = -1, fd = -1;
	int r = state ? state_session_find(state, name, &id, &directory, err) : -ENOENT;

	if (r < 0)
		return r;
	/* In this order: what is moved meanwhile is read twice rather than not at all. */
	fd = open_part(directory, ATTACH_OUTPUT);
	older = open_part(directory, ATTACH_OUTPUT_OLDER);
	if (fd < 0)
		return err_say(
			err, fd,
			"the session %s has kept no output: it was not started with --detach", id);
	if (older >= 0)
		r = copy(older, err);
	if (r >= 0)
		r = want_follow ? follow(&fd, directory, err) : copy(fd, err);
	return r;
}

int command_logs(int argc, char **argv)
{
	bool want_follow = false;
	struct err err = { 0 };
	int n_operands;
	int code = usage_parse(&usage, argc, argv, on_option, &want_follow, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands > 1) {
		log_error("logs: too many words: %s", argv[1]);
		return EXIT_USAGE;
	}
	if (print(n_operands ? argv[0] : NULL, want_follow, &err) >= 0)
		return 0;
	log_error("%s", err.text);
	return 1;
}
