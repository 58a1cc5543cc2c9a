/*
 * One request and its answer, as handlers see them. A handler reads the request,
 * fills the answer and returns; or it says that the answer comes when a
 * generation is in force.
 */
#pragma once

#include "api/auth.h"
#include "base/arena.h"
#include "base/json-writer.h"
#include "base/json.h"
#include "http/message.h"
#include "policy/policy.h"

struct api;
struct api_connection;
struct api_call;

typedef void (*api_handler_fn)(struct api_call *c);

enum api_route_flag {
	API_ROUTE_OPEN = 1, /* needs no token */
	API_ROUTE_TEXT = 2, /* with the token (not the cookie), a body may be Cedar as it is */
};

struct api_route {
	const char *method, *path;
	api_handler_fn handler;
	unsigned flags;
};

#define API_MAX_FIELDS 8

struct api_field_out {
	const char *name;
	struct span value;
};

struct api_call {
	struct api *api;
	struct api_connection *connection;
	const struct api_route *route;
	/* The request; spans are valid until it is answered. */
	struct span method, path, query;
	const struct http_head *head;
	struct span body;
	enum api_who who;
	bool is_text; /* the body is Cedar, not JSON */
	struct arena arena;
	/* The answer; status 0: there is none yet. */
	int status;
	const char *type;
	struct buf out;
	struct json_writer json; /* writes to out */
	struct span file;	 /* in place of out; static */
	struct api_field_out fields[API_MAX_FIELDS];
	size_t n_fields;
	/* Or the answer comes with this generation. */
	uint64_t awaits;
	void (*in_force)(struct api_call *c, uint64_t generation, double ms);
	void *in_force_data; /* in the arena */
};

/* ---- Reading ------------------------------------------------------------------ */

/* One key that a body may have. */
struct api_key {
	const char *name;
	enum json_type type;
	bool is_needed;
	const struct json **value; /* NULL after the call where it is absent */
};

/*
 * The body as an object with these keys and no others; an empty body is an
 * empty object. False: an answer that names what is wrong was given.
 */
bool api_read_body(struct api_call *c, const struct api_key *keys, size_t n) _must_check_;
/* The same for an object inside the body; where names it for people. */
bool api_read_object(struct api_call *c, const struct json *object, const char *where,
		     const struct api_key *keys, size_t n) _must_check_;
/* A number of the body. False: answered. */
bool api_read_uint(struct api_call *c, const struct json *value, const char *key, uint64_t max,
		   uint64_t *ret) _must_check_;

/*
 * The query's next NAME=VALUE, decoded into the arena. Returns 1, 0 at its end,
 * or -1 after an answer was given.
 */
struct api_query {
	struct span rest;
	struct span name, value;
};

int api_query_next(struct api_call *c, struct api_query *q) _must_check_;
/* The query may have nothing. False: answered. */
bool api_query_is_empty(struct api_call *c) _must_check_;
bool api_query_uint(struct api_call *c, const struct api_query *q, uint64_t max,
		    uint64_t *ret) _must_check_;

/* ---- Answering ---------------------------------------------------------------- */

/* "Not Found": the status in words. */
const char *api_reason(int status);
/* Begins an answer of JSON, to be written with c->json. */
struct json_writer *api_answer_json(struct api_call *c, int status);
void api_answer_text(struct api_call *c, int status, const char *type, struct span text);
void api_answer_field(struct api_call *c, const char *name, struct span value);
/* application/problem+json; what was written before is dropped. */
void api_problem(struct api_call *c, int status, const char *fmt, ...) _printf_(3, 4);
/* The same, with the key of body or query that is wrong. */
void api_problem_key(struct api_call *c, struct span key, const char *fmt, ...) _printf_(3, 4);
/* 422 with all findings. */
void api_problem_findings(struct api_call *c, const struct policy_findings *list,
			  const char *detail);
/* A member that is JSON already, after json_key. */
void api_json_raw(struct json_writer *w, struct span json);
void api_json_ms(struct json_writer *w, double ms);
/* An array. */
void api_json_findings(struct json_writer *w, const struct policy_findings *list);

/* A copy in the call's arena, or an empty span and an answer. */
bool api_keep(struct api_call *c, struct span s, struct span *ret) _must_check_;

void api_call_init(struct api_call *c);
/* The answer is out: forget everything, for the next one. */
void api_call_reset(struct api_call *c);
void api_call_done(struct api_call *c);
