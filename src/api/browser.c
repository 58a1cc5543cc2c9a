#include "api/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "api/browser-private.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/fd.h"

static char *page_file(const char *token_file)
{
	return xasprintf("%s.html", token_file);
}

/* The URL has letters, digits and signs of our own making only. */
static int write_page(const char *file, const char *url, struct err *err)
{
	_cleanup_buf_ struct buf page = BUF_INIT(0);

	(void)buf_printf(&page,
			 "<!doctype html><meta charset=\"utf-8\"><title>leash</title>"
			 "<meta name=\"referrer\" content=\"no-referrer\">"
			 "<meta http-equiv=\"refresh\" content=\"0; url=%s\">\n",
			 url);
	return file_replace(file, buf_span(&page), 0600, /* want_sync = */ false, err);
}

/* The opener says what it does, and so do browsers: not on this terminal. */
static int start(const char *file)
{
	char *const argv[] = { (char *)(uintptr_t)browser_opener, (char *)(uintptr_t)file, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid;
	int r;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	for (int fd = 0; fd <= 2; fd++)
		(void)posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	(void)posix_spawnattr_setflags(&attributes, browser_spawn_flags);
	r = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	return -r;
}

int browser_open(const char *url, const char *token_file, struct err *err)
{
	_cleanup_free_ char *file = page_file(token_file);
	int r = write_page(file, url, err);

	if (r < 0)
		return r;
	r = start(file);
	return r < 0 ? err_set(err, r, "open a browser (%s)", browser_opener) : 0;
}

void browser_forget(const char *token_file)
{
	_cleanup_free_ char *file = page_file(token_file);

	(void)unlink(file);
}
