/*
 * The HTTP API of one session, served on the daemon's own loop: what the page,
 * scripts and `leash token` users see and change. Nothing here blocks, and
 * nothing is done while nobody is connected.
 *
 * The session itself is behind struct api_host: the daemon fills it in.
 */
#pragma once

#include <uv.h>

#include "api/listen.h"
#include "base/buf.h"
#include "event/event.h"
#include "policy/policy.h"

/* What GET /api/session says; strings live as long as the session. */
struct api_facts {
	const char *runtime; /* "native", "docker", ... */
	pid_t pid;	     /* of leash, as the machine numbers it */
	const char *id;
	const char *directory; /* of the session's records */
	char *const *argv;
	const char *agent, *workspace, *home, *backend;
	const char *profile;	 /* empty where a policy file replaces it */
	const char *policy_file; /* or NULL */
	uint64_t started_ns;	 /* real clock */
	enum policy_mode mode;
	uint64_t generation; /* in force */
	size_t n_policies;
	uint64_t n_events, n_denied, n_would_deny, n_lost;
	bool is_ready; /* a policy is in force, and everybody decides by it */
	bool is_ending;
};

/* One of the texts that make up the policy, as it is in force. */
struct api_layer {
	enum policy_layer layer;
	const char *name;  /* its file, or what stands for it */
	struct span text;  /* of those that are not built in */
	bool is_in_memory; /* kept by this session alone */
	bool is_there;	   /* else it has no policy */
	bool is_trusted;   /* a project's: its permits count */
	size_t n_ignored;  /* permits that do not */
};

#define API_MAX_LAYERS 6

struct api_layers {
	struct api_layer items[API_MAX_LAYERS];
	size_t n;
	size_t editable; /* index of the user's own, which may be replaced */
	size_t session;	 /* index of the one that was added while it runs */
};

/* What is to become of the policy; a span that is not set stays as it is. */
struct api_change {
	bool has_text, has_session, has_mode;
	struct span text;    /* of the editable layer */
	struct span session; /* of the session's own, without what the command line permits */
	enum policy_mode mode;
};

struct api_applied {
	uint64_t generation; /* with which it is in force once api_applied is told of that */
	bool is_in_memory;   /* no file could be written */
	const char *name;    /* of the editable layer */
};

struct api_host {
	void *ctx;
	void (*describe)(void *ctx, struct api_facts *ret);
	/* As SIGTERM would; the second time for good. */
	void (*stop)(void *ctx);
	/* api_publish is called for each event from now on, or no longer. */
	void (*watch)(void *ctx, bool on);
	/* All that has happened by now can be read from the record. */
	void (*flush)(void *ctx);
	/* Something that takes long is going on: look after what else there is. */
	void (*breathe)(void *ctx);
	/* In force; texts are valid until the next apply. */
	void (*layers)(void *ctx, struct api_layers *ret);
	/* The policies in force; valid until the next apply. */
	struct policy_source *(*source)(void *ctx);
	/*
	 * What the policies would be. -EINVAL with the findings, or another errno
	 * where a layer cannot be read. The caller frees *ret.
	 */
	int (*load)(void *ctx, const struct api_change *change, struct policy_findings *list,
		    struct buf *report, struct policy_source **ret, struct err *err);
	/* The same, and puts it into force; api_applied follows. */
	int (*apply)(void *ctx, const struct api_change *change, struct policy_findings *list,
		     struct buf *report, struct api_applied *ret, struct err *err);
};

struct api;

/*
 * Serves on the socket that listen holds, which is the API's from now on.
 * token_file is written (0600) with the URL and the token.
 */
int api_start(uv_loop_t *loop, struct api_listen *listen, const struct api_host *host,
	      const char *token_file, struct api **ret, struct err *err) _must_check_;
/* "http://127.0.0.1:18080/#token=..." */
const char *api_url(const struct api *a);
/* An event was just recorded; its spans are valid during the call. */
void api_publish(struct api *a, uint64_t seq, struct span json, const struct event *e);
/* Everybody decides by that generation now. ms: since it was handed out. */
void api_applied(struct api *a, uint64_t generation, double ms);
/*
 * Says good-bye to those who are connected, takes the token file away and closes
 * everything. Freed by the loop, if that runs on; NULL is fine.
 */
void api_stop(struct api *a);
