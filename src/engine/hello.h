/*
 * A session's options on their way into an engine's container: all that
 * session_run needs and the container cannot know by itself. Both ends are the
 * same version of leash, on the same kind of processor.
 */
#pragma once

#include <sys/ioctl.h>

#include "daemon/session.h"

struct hello {
	struct session_options options; /* points into what follows */
	struct policy_layers layers;
	struct environment environment;
	secret_specs secrets;
	published_ports ports;	  /* their descriptors -1 yet */
	struct api_listen listen; /* likewise */
	struct winsize window;
	char *user; /* as the image has it: "", "name", "1000:100" */
	VEC(char *) argv;
	VEC(struct sandbox_mount) mounts;
	VEC(char *) texts; /* owned */
};

/* What is not among a session's options. */
struct hello_extra {
	const char *user;
	struct winsize window;
};

/* Appends the message; whoever owns the buffer wipes it: secrets are in it. */
int hello_write(const struct session_options *o, const struct hello_extra *extra, struct buf *out,
		struct err *err) _must_check_;
int hello_read(struct span message, struct hello *ret, struct err *err) _must_check_;
void hello_done(struct hello *h);
