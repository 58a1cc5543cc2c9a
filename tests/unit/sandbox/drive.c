/*
 * Runs one command in the native container, without supervisor and proxy, for
 * tests and for measuring:
 *
 *	drive [-l] [-p] [-t N] [-w DIR]... [-x PATH]... [-v SRC:DST]... COMMAND [ARG...]
 *
 * -l confines by Landlock, as with a supervisor; -p gives a pty, copied to
 * standard output; -t only starts and ends N containers and prints the times;
 * -w names a writable directory, -x a hidden path, -v a mount. The exit status
 * is the command's, 128+n by signal n, 125 when the container did not start.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sandbox/sandbox.h"

#define MAX_LIST 16

static struct sock_filter allow_all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
static const char *writable[MAX_LIST + 1], *hidden[MAX_LIST + 1];
static struct sandbox_mount mounts[MAX_LIST];
extern char **environ;

static void copy_pty(const struct sandbox *s)
{
	char data[4096];
	ssize_t n;

	while ((n = read(s->pty_fd, data, sizeof(data))) > 0)
		if (write(1, data, (size_t)n) < 0)
			return;
}

static int wait_for_end(struct sandbox *s)
{
	struct pollfd fds[2] = { { .fd = s->control_fd, .events = POLLIN },
				 { .fd = s->pty_fd, .events = POLLIN } };
	struct sandbox_event e;
	int status = 125, r = 0;

	while (r != 1 || e.type == SANDBOX_STOPPED) {
		if (poll(fds, 2, -1) < 0)
			return 125;
		if (fds[1].revents) {
			char data[4096];
			ssize_t n = read(s->pty_fd, data, sizeof(data));

			if (n < 0)
				fds[1].fd = -1;
			else if (write(1, data, (size_t)n) < 0)
				return 125;
		}
		r = fds[0].revents ? sandbox_next_event(s, &e) : -EAGAIN;
		if (r != -EAGAIN && r < 1)
			return 125;
	}
	if (s->pty_fd >= 0)
		copy_pty(s);
	if (e.type == SANDBOX_FAILED) {
		(void)fprintf(stderr, "drive: cannot execute: %s\n", strerror(e.status));
		status = e.status == ENOENT ? 127 : 126;
	} else {
		status = WIFSIGNALED(e.status) ? 128 + WTERMSIG(e.status) : WEXITSTATUS(e.status);
	}
	return status;
}

static int run(const struct sandbox_options *o)
{
	struct sandbox s = SANDBOX_INIT;
	struct err err = { 0 };
	int status = 125;

	if (sandbox_start(o, &s, &err) < 0) {
		(void)fprintf(stderr, "drive: %s\n", err.text);
		return status;
	}
	if (sandbox_release(&s) >= 0)
		status = wait_for_end(&s);
	sandbox_done(&s);
	return status;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int measure(const struct sandbox_options *o, size_t n)
{
	uint64_t *start = calloc(n, sizeof(*start)), *end = calloc(n, sizeof(*end));

	for (size_t i = 0; i < n; i++) {
		struct sandbox s = SANDBOX_INIT;
		struct err err = { 0 };
		uint64_t began = clock_monotonic_ns();

		if (sandbox_start(o, &s, &err) < 0) {
			(void)fprintf(stderr, "drive: %s\n", err.text);
			return 125;
		}
		start[i] = clock_monotonic_ns() - began;
		sandbox_done(&s);
		end[i] = clock_monotonic_ns() - began - start[i];
		/* The kernel takes the last one's network apart meanwhile; a session does not start
		 * amid that. */
		(void)poll(NULL, 0, 100);
	}
	qsort(start, n, sizeof(*start), compare);
	qsort(end, n, sizeof(*end), compare);
	(void)printf("start: min %.2f, median %.2f, max %.2f ms; end: median %.2f ms\n",
		     (double)start[0] / 1e6, (double)start[n / 2] / 1e6, (double)start[n - 1] / 1e6,
		     (double)end[n / 2] / 1e6);
	free(start);
	free(end);
	return 0;
}

static void add(const char **list, const char *path)
{
	size_t n = 0;

	while (list[n])
		n++;
	if (n < MAX_LIST)
		list[n] = path;
}

static void add_mount(struct sandbox_options *o, char *text)
{
	char *colon = strchr(text, ':');

	if (!colon || o->n_mounts == MAX_LIST)
		exit(2);
	*colon = 0;
	mounts[o->n_mounts++] = (struct sandbox_mount){ .source = text, .target = colon + 1 };
}

int main(int argc, char **argv)
{
	char cwd[4096];
	struct sandbox_options o = { .envp = environ,
				     .cwd = getcwd(cwd, sizeof(cwd)),
				     .workspace = cwd,
				     .home = secure_getenv("HOME"),
				     .hostname = "leash",
				     .window = { .ws_row = 31, .ws_col = 77 },
				     .stdio_fds = { 0, 1, 2 },
				     .mounts = mounts,
				     .writable = writable,
				     .hidden = hidden,
				     .resolv_conf = SPAN("nameserver 127.0.0.53\n") };
	size_t times = 0;
	int c;

	while ((c = getopt(argc, argv, "+lpt:w:x:v:n:")) != -1) {
		switch (c) {
		case 'l':
			o.filter = (struct sock_fprog){ 1, allow_all };
			break;
		case 'p':
			o.want_pty = true;
			break;
		case 't':
			times = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			o.limits.max_pids = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'w':
			add(writable, optarg);
			break;
		case 'x':
			add(hidden, optarg);
			break;
		case 'v':
			add_mount(&o, optarg);
			break;
		default:
			return 2;
		}
	}
	if (optind == argc)
		return 2;
	o.argv = argv + optind;
	o.program = o.argv[0];
	return times ? measure(&o, times) : run(&o);
}
