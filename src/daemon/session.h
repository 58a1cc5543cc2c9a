/*
 * A session's life: start order, readiness, policy reloads, teardown. One
 * session is one container, its supervisor and its proxy; whatever of them
 * ends, the session ends, and nothing runs on unwatched.
 */
#pragma once

#include "api/listen.h"
#include "base/err.h"
#include "daemon/environment.h"
#include "daemon/policy-layers.h"
#include "daemon/publish.h"
#include "daemon/secret-spec.h"
#include "sandbox/request.h"

/* leash's own failures, as docker and env number them. */
#define EXIT_LEASH_FAILED 125
#define EXIT_CANNOT_EXECUTE 126
#define EXIT_NOT_FOUND 127

struct session_options {
	const char *id;
	const char *name;	  /* that the user gave it, or NULL */
	const char *runtime;	  /* "docker": what the whole session runs in; NULL: it is native */
	bool is_far;		  /* leash outside is on a machine around this one */
	pid_t outer_pid;	  /* of leash outside, which ends it; 0: this process */
	const char *directory;	  /* exists, 0700; events.db, lock and session.json go there */
	const char *program;	  /* absolute path of the command */
	char *const *argv;
	const char *cwd, *workspace, *home;
	struct policy_layers *layers;
	struct environment *environment;
	secret_specs *secrets; /* wiped once the proxy has them */
	published_ports *ports;
	const struct sandbox_mount *mounts;
	size_t n_mounts;
	const struct sandbox_user *user; /* as struct sandbox_options has it */
	const char *const *hidden;	 /* likewise */
	struct sandbox_limits limits;
	struct api_listen *listen; /* its address empty: no API */
	const char *token_file;	   /* in the runtime directory */
	uint64_t start_timeout_ms; /* of leash's own processes; 0: a generous default */
	bool want_pty, is_verbose, want_url, want_browser;
	/* Of a detached session, which has a pty and no terminal: where others attach. Else NULL.
	 */
	const char *attach_socket;
	/* Once the command has been let go, or NULL; a negative value ends the session. */
	int (*on_released)(void *ctx);
	void *on_released_ctx;
};

/*
 * Runs the command to its end. Returns its exit code (128 + n by signal n), or
 * one of the codes above with err filled and not yet shown.
 */
int session_run(const struct session_options *o, struct err *err) _must_check_;
