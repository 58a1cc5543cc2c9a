/*
 * A small container with a supervisor, without the sandbox room: fresh user,
 * mount, pid, network and ipc namespaces, no capabilities, the real filter, the
 * real supervisor process and a real policy. Functions of the test program are
 * run inside, each in a process of its own.
 */
#pragma once

#include "../unit.h"

#include "event/event.h"

/* Runs inside the container; 0, or the line of the check that failed. */
typedef int (*inside_fn)(void);

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return inside_failed(__LINE__, #condition);                                \
	} while (0)
#define CHECK_FAILS(call, error) CHECK((call) == -1 && errno == (error))

int inside_failed(int line, const char *what);
/* True in the child that fn makes; the test waits for it: 0, its exit status, or 128 + signal. */
int inside_fork(inside_fn fn);

/* What was recorded: copies of the fields that tests look at. */
struct seen {
	enum event_kind kind;
	enum event_decision decision;
	int error;
	char path[512], target[512], argv[512], message[256], access[32], exe[256];
};

/* Starts container and supervisor; the policy may say ${DIR} for the test's directory. Skips the
 * test program where it cannot. */
void harness_start(const char *policy);
void harness_stop(void);
/* Replaces the policy and waits until it is in force. */
void harness_policy(const char *policy);
/* Gives the supervisor a socket to a proxy; returns the proxy's end. Once. */
int harness_proxy(void);
/* The test's own directory, on the host and in the container. */
extern char harness_dir[64];
/* Number of workers to ask for; 0: the supervisor chooses. */
extern unsigned harness_workers;

/* Runs fn in the container and returns what it returned (its exit status). */
int harness_run(inside_fn fn);
/* Asserts that fn succeeds inside. */
#define assert_inside(fn) assert_int_equal(harness_run(fn), 0)

/* Events since the last call. Returns how many; at most max are kept. */
size_t harness_events(struct seen *out, size_t max);
/* Forgets what was recorded so far. */
void harness_forget_events(void);
/* Starts a thread that reads and drops events as they come. */
void harness_drain_forever(void);
/* Is there an event like this? path NULL: any. */
bool harness_has_event(enum event_kind kind, enum event_decision decision, const char *path);

/* Paths below the test's directory; one of eight buffers in turn. */
const char *at(const char *name);
/* Writes a file there, from outside the container. */
void put(const char *name, const char *content, unsigned mode);
void put_dir(const char *name);
