/*
 * The session's state, shared by the files that make up its life: session.c
 * (start and end), signer.c (the certificate authority), network.c (the proxy), reload.c
 * (policies), record.c (session.json).
 */
#pragma once

#include <uv.h>

#include "api/api.h"
#include "daemon/child.h"
#include "daemon/container-trust.h"
#include "daemon/detached.h"
#include "daemon/housekeeping.h"
#include "daemon/journal.h"
#include "daemon/session.h"
#include "daemon/terminal.h"
#include "sandbox/sandbox.h"

#define SESSION_MAX_WATCHES 3

struct session {
	const struct session_options *options;
	uv_loop_t loop;
	struct journal journal;
	struct redactor *redactor; /* NULL: there are no secrets */
	char **shown_argv;	   /* the command, as it may be told */
	struct housekeeping housekeeping;
	struct child supervisor, proxy, signer;
	struct sandbox sandbox;
	struct terminal *terminal; /* NULL: it is detached */
	struct detached *detached;
	uv_poll_t supervisor_control, supervisor_end, proxy_control, proxy_end, sandbox_control;
	uv_poll_t signer_control, signer_end;
	uv_poll_t ways_out[6]; /* the container's listeners, until there is a proxy */
	size_t n_ways_out;
	uv_timer_t proxy_timer;
	uv_signal_t signals[6];
	uv_timer_t start_timer;

	/* Policies. */
	uv_fs_event_t watches[SESSION_MAX_WATCHES];
	uv_timer_t reload_timer;
	uint64_t generation;	     /* of the newest bundle made */
	uint64_t supervisor_applied; /* what each has said to use */
	uint64_t proxy_applied;
	uint64_t announced;	     /* the newest generation with a policy.applied event */
	uint64_t reload_started_ns;
	size_t n_policies;
	char **writable;	     /* directories writable at mount level */
	struct policy_source *loaded; /* until it is compiled */
	struct policy_source *source; /* in force; NULL at first where there is no API */
	/* The layers' files as they were when the API last wrote one. */
	struct seen_file {
		dev_t device;
		ino_t inode;
		off_t size;
		struct timespec changed;
	} seen[SESSION_MAX_WATCHES];
	bool has_seen, is_reload_quiet;
	int bundle_fd;		      /* of the first policy, and */
	int proxy_end_fd; /* the proxy's end of its line to the supervisor, until it starts */

	int signer_fd; /* the proxy's line to the signer, until it starts */
	int roots_fd;  /* the host's trusted roots, likewise */
	struct container_trust trust;

	struct api *api; /* NULL until it serves */
	uint64_t started_ns;

	bool is_supervised, has_authority, is_proxy_ready, is_released, is_ending;
	int n_terminations; /* SIGTERM, SIGHUP, SIGINT received; the second kills */
	int exit_code;
	struct err failure;
};

/* Ends the loop: the first call decides code and reason. message may be NULL. */
void session_end(struct session *s, int exit_code, const char *message);

/* One of the processes has ended, or closed its socket: so does the session. */
void session_child_ended(struct session *s);
/* As ipc_receive; whatever is not a message ends the session. */
int session_take_message(struct child *c, const struct ipc_type *table, size_t n_types,
			 struct session *s, struct ipc_message *m) _must_check_;
int session_watch_fd(struct session *s, uv_poll_t *handle, int fd, uv_poll_cb fn) _must_check_;
/* Releases the command once all that it needs is there. */
void session_release(struct session *s);

/*
 * signer.c: the authority is made while the container is built; then the roots
 * are written into the container's files, and the authority when it is there.
 */
int session_start_signer(struct session *s, struct err *err) _must_check_;
int session_write_roots(struct session *s, struct err *err) _must_check_;
int session_watch_signer(struct session *s) _must_check_;

/* network.c: starts the proxy soon, or when the command first wants to talk. */
int session_await_network(struct session *s, struct err *err) _must_check_;

/*
 * reload.c: loads the layers for the first time, as far as building the
 * container needs them; the report of findings goes to standard error. Then
 * compiles them, once.
 */
int session_load_policy(struct session *s, struct err *err) _must_check_;
int session_compile_policy(struct session *s, int *ret_bundle_fd, struct err *err) _must_check_;
/* Watches the layers' files. */
int session_watch_policy(struct session *s, struct err *err) _must_check_;
void session_stop_watching(struct session *s);
/* One of the deciding processes says which generation it uses. */
void session_policy_applied(struct session *s, uint64_t *applied, uint64_t generation);

/* Takes the source, compiles it and hands it to everybody; session_policy_applied follows. */
int session_put_into_force(struct session *s, struct policy_source *source,
			   struct err *err) _must_check_;
/* The user's directory may be there by now. */
void session_watch_more(struct session *s);
/* The files are as the policy in force has them: what their watches still say is no news. */
void session_note_files(struct session *s);

/*
 * control.c: the session as the API sees it. Starts it once the command runs;
 * a failure is told and no reason to end a session.
 */
bool session_has_api(const struct session *s);
/* Before the command is released, where a person is to be told of the URL. */
void session_announce_api(struct session *s);
void session_start_api(struct session *s);
void session_api_applied(struct session *s, double ms);
void session_stop_api(struct session *s);

/* record.c: session.json, for `leash sessions`. Failure is no reason to end a session. */
void session_record(const struct session *s, const char *state);
