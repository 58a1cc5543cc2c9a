/*
 * The API from the inside: server.c listens and owns everything, connection.c
 * reads requests and writes answers, routes.c says who answers what, live.c
 * has those who watch.
 */
#pragma once

#include "api/api.h"
#include "api/call.h"
#include "base/vec.h"
#include "http/h1-reader.h"

struct live_client;

enum connection_state {
	CONNECTION_READING,   /* a request */
	CONNECTION_WAITING,   /* for a policy to be in force */
	CONNECTION_WRITING,   /* an answer */
	CONNECTION_LIVE,      /* a WebSocket: live.c has it */
	CONNECTION_LINGERING, /* the last answer is out; what still comes is thrown away */
	CONNECTION_CLOSED,
};

struct api_connection {
	uv_tcp_t tcp;
	struct api *api;
	struct api_connection *next, *prev;
	enum connection_state state;
	struct h1_reader *reader;
	struct buf body;
	struct buf pending; /* came while an answer was being written */
	struct api_call call;
	bool keeps_alive, is_head_request, has_failed; /* the last: no further request is read */
	uint64_t deadline;			       /* by uv_now */
	struct live_client *live;
};

/* A text of the editable layer that was in force. */
struct api_text {
	uint64_t number, generation, time_ns;
	enum policy_layer layer;
	bool is_in_memory;
	size_t n_policies;
	struct buf text;
};

struct live_hub {
	struct live_client *clients;
	size_t n;
	uv_timer_t flush; /* of what has gathered */
	uv_timer_t beat;
	bool is_flushing;
	uint64_t flushed_ms; /* when it was last, as api_now */
	struct batch *open; /* gathers for everybody who wants everything */
};

struct api {
	uv_loop_t *loop;
	uv_tcp_t listener;
	uv_timer_t sweep;
	bool is_sweeping, is_stopping;
	int n_handles; /* open ones: the memory is freed with the last */
	struct api_host host;
	struct api_auth auth;
	char *url, *token_file;
	struct api_connection *connections;
	size_t n_connections;
	struct live_hub live;
	struct event_reader *reader; /* opened when first asked */
	struct policy *policy;	     /* of the generation in force, made when first asked */
	struct policy_decider *decider;
	uint64_t policy_generation;
	VEC(struct api_text) texts; /* oldest first */
	uint64_t n_texts;	    /* ever */
	struct api_seen *seen;	    /* answer-complete.c: for completion */
	char bytes[65536];	    /* what is being read */
};

/* server.c */
void api_handle_closed(struct api *a);
/* What the session is like now. */
struct api_facts api_describe(const struct api *a);
/* The time now, by the loop's clock. */
uint64_t api_now(const struct api *a);

/* connection.c */
int connection_accept(struct api *a) _must_check_;
/* Closes it at once. */
void connection_close(struct api_connection *c);
/* The answer in c->call is complete. */
void connection_answer(struct api_connection *c);
/* Every second: who has taken too long is closed. */
void connection_sweep(struct api_connection *c);

/* routes.c */
const struct api_route *api_route_find(struct span method, struct span path, bool *ret_is_known);
/* "GET, POST", for 405. */
void api_route_methods(struct span path, struct buf *out);
/* All of them, for a test. */
const struct api_route *api_routes(size_t *ret_n);

/* page.c */
void page_serve(struct api_call *c);

/* live.c */
void live_join(struct api_call *c);
/* Bytes from a client. */
void live_feed(struct api_connection *c, struct span bytes);
/*
 * The connection is closed: nothing more is sent. The client itself lasts until
 * live_free, for it can be closed from within anything that is done for another.
 */
void live_left(struct api_connection *c);
/* NULL allowed. */
void live_free(struct live_client *l);
void live_publish(struct api *a, uint64_t seq, struct span json, const struct event *e);
/* Something about the session has changed. */
void live_tell(struct api *a);
void live_stop(struct api *a);

/* answer-session.c: how many events there were, as a key of the object that is open. */
void api_json_counters(struct json_writer *w, const struct api_facts *f);

/* answer-policies.c: what the routes that change policies share. */
typedef void (*policies_answer_fn)(struct api_call *c, uint64_t generation, double ms);
/* Puts the change into force; the answer is written then, or at once what is wrong with it. */
void policies_apply(struct api_call *c, const struct api_change *change, policies_answer_fn answer);
void policies_answer_applied(struct api_call *c, uint64_t generation, double ms);
/* Opens the record of the session for reading; NULL: answered. */
struct event_reader *api_events(struct api_call *c);
/*
 * answer-sessions.c: the record of a session, by its id; empty: of this one. What
 * is in *ret_own is to be freed. NULL: answered.
 */
struct event_reader *api_events_of(struct api_call *c, struct span session,
				   struct event_reader **ret_own);
const struct api_layer *policies_layers(struct api *a, struct api_layers *ret);
/* Keeps the editable layer's text for the history, if it is another than the last one. */
void policies_remember(struct api *a);
/* Why a text cannot be used. */
void policies_refuse(struct api_call *c, const struct policy_findings *list, const struct err *err);
/* By id, or where that is empty by text. */
bool policies_find(const struct policy_source *s, const struct api_layer *l, struct span id,
		   struct span text, struct policy_item *ret);
/* Two layers of one kind are told apart by their names. */
bool policies_is_in(const struct policy_item *item, const struct api_layer *l);
/* A policy that goes takes the rest of its line and one empty line with it. */
size_t policies_end_of_removed(struct span text, size_t end);

void api_seen_free(struct api_seen *s);

struct operation;

/* answer-tools.c: a policy that is asked, and what decides by it. */
struct asked {
	struct policy *policy;
	struct policy_decider *decider;
	bool is_own; /* else the API keeps it for the next question */
};

int asked_open(struct policy_source *s, struct asked *ret, struct err *err) _must_check_;
/* What is in force. False: answered. */
bool asked_in_force(struct api_call *c, struct asked *ret) _must_check_;
/* The same, or with another text (NULL: none) of the editable layer. False: answered. */
bool asked_with(struct api_call *c, const struct json *text, struct asked *ret) _must_check_;
void asked_done(struct asked *a);

/*
 * answer-recorded.c: what a recorded event asked, of that session or (empty) of this one; the
 * operation is to be done with. False: answered.
 */
bool recorded_operation(struct api_call *c, struct span session, uint64_t seq,
			struct operation *ret) _must_check_;
