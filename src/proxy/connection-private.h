/*
 * One TCP connection out of the container, as connection.c (its life) and
 * claim.c (its name and its decision) see it.
 */
#pragma once

#include "proxy/dial.h"
#include "proxy/dns-message.h"
#include "proxy/exchange.h"
#include "proxy/proxy-private.h"
#include "proxy/relay.h"
#include "proxy/secrets.h"
#include "proxy/sniff.h"

/* What is known of whom the client wants to talk to. */
enum claim_state {
	CLAIM_SNIFFING,	 /* not enough bytes yet */
	CLAIM_RESOLVING, /* the name is being checked against its own addresses */
	CLAIM_SETTLED,
};

enum connection_phase {
	PHASE_OPENING, /* nothing decided */
	PHASE_DIALLING,
	PHASE_RELAYING,
	PHASE_ANSWERING, /* refused; the client is being told why */
	PHASE_CLOSED,
};

struct connection {
	TAILQ_ENTRY(connection) entry, waiting; /* waiting: for word of the process */
	struct proxy *proxy;
	enum connection_phase phase;
	int fd; /* the client's, until the relay has it */
	uv_poll_t poll;
	uv_timer_t timer;
	bool has_poll;
	int n_handles;
	uint64_t accepted_ms, first_byte_ms, relayed_ms; /* of the loop's clock */
	uint64_t accepted_ns;
	struct endpoint to; /* where the client wanted to go */

	struct process_key key;
	struct process process;
	bool is_process_settled;

	struct sniff sniff;
	bool is_client_eof;
	enum claim_state claim;
	/* Set when claimed: name, or an address that is meant as such (name empty). */
	struct name name;
	bool is_by_address;
	struct dns_question question; /* while resolving */
	bool has_matched;
	struct dns_request *request;

	struct name decided_name; /* what the relay or dial in progress was permitted for */
	bool hid_requests;	  /* connection_hides_requests, as it was known by then */
	struct dial *dial;
	struct endpoint dialled; /* and where it goes */
	/* One of the two, once there is a server: bytes, or HTTP/1's messages. */
	struct relay *relay;
	struct exchange *exchange;
	struct request_record *record; /* of the request in progress */
	struct secrets_edit *edit;     /* with what was put into it; or NULL */
	bool is_verified_tls;	       /* the server has shown a certificate for decided_name */
};

/* ---- claim.c ---- */

/* The first bytes are complete: settles the name, or refuses the connection, or begins to resolve.
 */
void connection_settle_claim(struct connection *c);
/*
 * Decides on the connection with the name as far as it is known, and reports.
 * Returns how many addresses may be dialled; on 0 the connection was refused.
 */
size_t connection_decide(struct connection *c, struct endpoint ret[DIAL_MAX_ADDRESSES]);

/* Are there requests that only its two ends can read? */
bool connection_hides_requests(const struct connection *c);

/* ---- request.c ---- */

/*
 * May this request go to the connection's server? Then target and host hold what
 * is to be asked for, and Host's value; else answer holds the response. Reports.
 * Returns the head to be sent, which is another one where secrets were put in
 * (valid until the response begins), or NULL.
 */
const struct http_head *request_judge(struct connection *c, const struct http_head *head,
				      struct buf *target, struct buf *host, struct buf *answer);
/* The response to the request that was judged last has begun: now it can be recorded whole. */
void request_answered(struct connection *c, int status);
/* It will not come. NULL-safe: there may be no request. */
void request_lost(struct connection *c);
/* The request in progress is refused after all: there is nothing to record of it. */
void request_forget(struct connection *c);
/* The client's message is out of form. */
void request_refuse_malformed(struct connection *c, struct span why, struct buf *answer);

/* The server's is. */
void request_refuse_response(struct connection *c, struct span why, struct buf *answer);

/* ---- request-secrets.c ---- */

/* The head to be sent of a request that may go; NULL where a secret may not: then answer is filled.
 */
const struct http_head *request_put_in_secrets(struct connection *c, const struct http_head *head,
					       struct span path, struct buf *answer);
/* What was put in is not needed any more. */
void request_forget_secrets(struct connection *c);

/* ---- connection.c ---- */

/* Goes on with whatever has become possible. */
void connection_step(struct connection *c);
/* Closes it, telling a client on clear HTTP why (response may be empty). */
void connection_refuse(struct connection *c, struct span response);
struct proxy_question connection_question(const struct connection *c);
