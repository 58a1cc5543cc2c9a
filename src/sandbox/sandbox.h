/*
 * The native container: namespaces around the host's own file tree, made by
 * an unprivileged user in milliseconds. This room knows mounts, ids, ptys and
 * limits; it knows nothing of policies. The seccomp filter is handed in as a
 * compiled program and the listener that it makes is handed out.
 *
 * sandbox_start returns when the command stands at the gate: everything is set
 * up, the filter is in force, and the next thing the command's process does is
 * execve. sandbox_release opens the gate. All resources end with the init
 * process, which ends when the caller dies or closes the control socket. The
 * caller has one thread; that one's end counts as its death.
 */
#pragma once

#include <linux/filter.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/span.h"
#include "sandbox/request.h"

#define SANDBOX_MAX_FILES 4
#define SANDBOX_NO_FILES                                                                           \
	{                                                                                          \
		-1, -1, -1, -1                                                                     \
	} /* descriptors of as many */

/*
 * A file whose content the caller writes after the start and before the release.
 * It is empty until then, and read-only inside.
 */
struct sandbox_file {
	const char *path;	   /* where it is shown, below /run */
	const char *const *places; /* files of the host that it covers where they exist, behind
				      links too; NULL-terminated */
};

struct sandbox_options {
	const char *program; /* absolute path to execute */
	char *const *argv, *const *envp;
	const char *cwd, *workspace, *home;
	const char *hostname;
	bool want_pty; /* else stdio_fds become 0, 1, 2 */
	struct winsize window;
	int stdio_fds[3];
	const struct sandbox_mount *mounts; /* -v and the like; applied in order */
	size_t n_mounts;
	const struct sandbox_file *files;
	size_t n_files; /* at most SANDBOX_MAX_FILES */
	const char *const
		*writable; /* host paths that stay writable at mount level; NULL-terminated */
	/*
	 * Or who finds them, called once the container has begun to build itself; they
	 * must stay valid until sandbox_start returns. A negative errno ends the start.
	 */
	int (*find_writable)(void *ctx, const char *const **ret, struct err *err);
	const char *const *hidden; /* files or directories covered by empty ones; NULL-terminated */
	struct span resolv_conf;   /* content of /etc/resolv.conf */
	struct sandbox_limits limits;
	const struct sandbox_user *user; /* NULL: the caller, and no id but his */
	bool allow_nesting; /* user namespaces inside may be made; else the kernel refuses them */
	/*
	 * With a filter the command can do nothing to files and the network by
	 * its own power (Landlock): all that is permitted is done for it by who
	 * answers the filter's listener. Without one (len 0) neither is in force.
	 */
	struct sock_fprog filter;
	unsigned int filter_flags; /* for seccomp(2), SECCOMP_FILTER_FLAG_NEW_LISTENER among them */
	/* What else can be done meanwhile, or NULL; a negative errno ends the start. */
	int (*meanwhile)(void *ctx, struct err *err);
	void *ctx; /* of both */
};

/* The container's own cgroup, where the limits are kept; descriptors -1 where there is none. */
struct sandbox_cgroup {
	int parent_fd, fd;
	char name[32];
};

struct sandbox {
	pid_t init_pid;	   /* pid 1 of the container, as the host numbers it */
	pid_t command_pid; /* the command's first process, as the host numbers it */
	int init_pidfd;
	int control_fd;	       /* talks with init; poll for POLLIN, then sandbox_next_event */
	int seccomp_fd;	       /* the listener of the notification filter */
	int pty_fd;	       /* master of the container's pty, or -1 */
	int tcp_listen_fds[2]; /* where every TCP connection arrives: 127.0.0.1 and [::1] (idle
				  without IPv6) */
	int dns_udp_fds[2];    /* where every DNS datagram arrives */
	int dns_tcp_fds[2];    /* and DNS over TCP */
	uint16_t proxy_port, dns_port;	 /* of those listeners, inside the container */
	int gate_fd;			 /* sandbox_release writes here */
	int file_fds[SANDBOX_MAX_FILES]; /* to write the files with; the caller may close them, and
					    sets those to -1 */
	struct sandbox_cgroup cgroup;
	uint64_t limits_not_applied; /* bit 0 memory, 1 pids, 2 cpu: asked for but not to be had
					here */
};

#define SANDBOX_INIT                                                                               \
	{                                                                                          \
		.init_pidfd = -1, .control_fd = -1, .seccomp_fd = -1, .pty_fd = -1, .gate_fd = -1, \
		.tcp_listen_fds = { -1, -1 }, .dns_udp_fds = { -1, -1 },                           \
		.dns_tcp_fds = { -1, -1 }, .file_fds = SANDBOX_NO_FILES, .cgroup = {               \
			.parent_fd = -1,                                                           \
			.fd = -1                                                                   \
		}                                                                                  \
	}

enum sandbox_event_type {
	SANDBOX_EXITED,	 /* status as waitpid(2) gives it; the container is ending */
	SANDBOX_STOPPED, /* the command was stopped at its pty (status: the signal) */
	SANDBOX_FAILED,	 /* the command could not be executed (status: errno) */
};

struct sandbox_event {
	enum sandbox_event_type type;
	int status;
};

int sandbox_start(const struct sandbox_options *o, struct sandbox *ret,
		  struct err *err) _must_check_;
int sandbox_release(struct sandbox *s) _must_check_;
/* Returns 1 with an event, 0 when init is gone, -EAGAIN, or another negative errno. */
int sandbox_next_event(struct sandbox *s, struct sandbox_event *ret);
/*
 * Makes a directory that was read-only at mount level writable from now on,
 * because a changed policy may permit writing there.
 */
int sandbox_make_writable(struct sandbox *s, const char *path, struct err *err) _must_check_;
/* Sends a signal to the command's process group (SIGCONT after a stop too). */
int sandbox_signal(struct sandbox *s, int signal_number);
/* Kills everything in the container, waits for it, closes all descriptors. */
void sandbox_done(struct sandbox *s);

/* One thing the kernel must offer, for `leash doctor`. */
struct sandbox_probe {
	const char *name; /* "user namespaces" */
	bool is_present, is_required;
	char detail[256]; /* what is missing and how to get it, or a version */
};

/* Fills up to max rows; returns how many. Tries for real, in a child process. */
size_t sandbox_probe(struct sandbox_probe *rows, size_t max);
