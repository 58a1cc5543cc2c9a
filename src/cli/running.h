/*
 * Sessions that run, as other commands find them: by what they have recorded of
 * themselves, and by the lock that each holds.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"

#define RUNNING_NAME_FORM "a letter, then letters, digits, '_', '.' and '-', 63 characters at most"

struct running {
	char *id, *directory;
	struct arena arena;
	const struct json *summary; /* session.json, in the arena */
	struct span name;	    /* empty: it has none */
	struct span runtime;	    /* "native" */
	struct span workspace;
	char *url; /* of its API, or NULL */
	bool is_detached;
	pid_t pid;
};

void running_done(struct running *r);

/* Can a session be called that? */
bool running_is_name(const char *text);
/*
 * The running session that is meant, as state_session_find has it; NULL: the newest that runs.
 * -ENOENT, -ESRCH (it is over), -ENOTUNIQ.
 */
int running_find(const char *name, struct running *ret, struct err *err) _must_check_;
/* Calls fn for each, the newest first; a negative value of it ends that and is returned. */
int running_each(int (*fn)(const struct running *r, void *ctx), void *ctx,
		 struct err *err) _must_check_;
/*
 * Takes the name until the descriptor, and all its copies, are closed. -EEXIST where a
 * session has it that runs, or is about to.
 */
int running_claim_name(const char *state, const char *name, int *ret_fd,
		       struct err *err) _must_check_;

/*
 * The process that runs it, in a way that can mean no other: running-process-linux.c and
 * running-process-posix.c, one of which is built.
 */
struct running_process {
	int fd; /* -1: there are none for processes here */
	const struct running *session;
};

/* -ESRCH: it is over. */
int running_process_open(const struct running *r, struct running_process *ret,
			 struct err *err) _must_check_;
void running_process_close(struct running_process *p);
/* Sends the signal; one that is over is none that could be told. */
int running_process_signal(const struct running_process *p, int number) _must_check_;
/* 1 once it is over, 0 when it is not by then. */
int running_process_wait(const struct running_process *p, uint64_t wait_ms) _must_check_;
