/*
 * One TCP connection out of the container, as connection.c (its life) and
 * claim.c (its name and its decision) see it.
 */
#pragma once

#include "proxy/dial.h"
#include "proxy/dns-message.h"
#include "proxy/exchange.h"
#include "proxy/h2-exchange.h"
#include "proxy/intercept.h"
#include "proxy/pool.h"
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

TAILQ_HEAD(request_records, request_record);

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
	bool passes_tls;	 /* a policy wants TLS left alone */
	bool is_in_tls;		 /* the requests are */
	bool awaits_server;	 /* that speaks first: then it is none of HTTP */
	size_t n_ignored;	 /* bytes of a client that was refused */
	/* One of these, once there is a server: TLS being begun, bytes, or the messages of HTTP/1
	 * or HTTP/2. */
	struct intercept *intercept;
	struct relay *relay;
	struct exchange *exchange;
	struct h2_exchange *h2_exchange;
	struct h2_session *pooled;	/* of HTTP/2 on the server's stream, until it is used */
	struct request_records records; /* of the requests in progress */
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

/*
 * Its address does not answer: decides on the other ones of its name, and reports.
 * Returns how many may be dialled.
 */
size_t connection_decide_others(struct connection *c, struct endpoint ret[DIAL_MAX_ADDRESSES]);

/* Are there requests that only its two ends can read? */
bool connection_hides_requests(const struct connection *c);

/*
 * Requests that cannot be seen cannot be judged one by one. Where a policy
 * forbids some to this host, or looks at what they are, none may go. q: about the
 * connection; ret: what decided, where they may not.
 */
bool connection_unseen_may_go(struct connection *c, struct proxy_question q,
			      struct policy_decision *ret);
/* They may not. Reports, and closes. */
void connection_refuse_unseen(struct connection *c, struct proxy_question q,
			      const struct policy_decision *d, struct span why);

/* Could the client be told in HTTP why it is refused? */
bool connection_can_be_told(const struct connection *c);

/* ---- request.c ---- */

/* About requests on the connection: asks HttpRequest about where it was decided to lead. */
struct proxy_question request_question(const struct connection *c);
/* May this request go to the connection's server? Fills r accordingly. Reports. */
bool request_judge(struct connection *c, const struct http_head *head, struct exchange_request *r);
/* Its response has begun: now it can be recorded whole. Takes the record, as the next two do. */
void request_answered(struct connection *c, struct request_record *r, int status);
/* It will not come. */
void request_lost(struct connection *c, struct request_record *r, struct span why);
/* The server's message is out of form. r: of a request that had no response yet, or NULL. */
void request_refuse_response(struct connection *c, struct request_record *r, struct span why,
			     struct buf *answer);
/* It is refused after all: there is nothing to record of it. */
void request_forget(struct connection *c, struct request_record *r);
/* The connection ends. */
void request_lose_all(struct connection *c);
/* The client's message is out of form. */
void request_refuse_malformed(struct connection *c, struct span why, struct buf *answer);

/* ---- speak.c ---- */

/* Does the client speak what is judged request by request, perhaps in TLS? Once its claim is
 * settled. */
bool connection_speaks(const struct connection *c);
/* Then on with client and server, and with what the client has said. Takes both. */
void connection_speak(struct connection *c, struct stream *client, struct stream *server);
/* A connection to one of the addresses that another client has left; NULL: there is none. */
struct stream *connection_take_pooled(struct connection *c, const struct endpoint *to, size_t n);
/* Leaves the connection to the server to the next client, if it is of use. */
void connection_pool_server(struct connection *c);
/* Tells a client that began with TLS, and then closes. Takes the stream. */
void connection_answer_in_tls(struct connection *c, struct stream *client, struct span response);

/* ---- request-secrets.c ---- */

/*
 * Secrets in a request that may go: fills r->head and r->edit where there are
 * any. False: one may not go there; r has no record then, but an answer. Reports.
 */
bool request_put_in_secrets(struct connection *c, const struct http_head *head, struct span path,
			    struct exchange_request *r);

/* ---- connection.c ---- */

/* Goes on with whatever has become possible. */
void connection_step(struct connection *c);
void connection_close(struct connection *c, bool abort);
/* Closes it, telling a client of HTTP why (response may be empty), in TLS where it began so. */
void connection_refuse(struct connection *c, struct span response);
struct proxy_question connection_question(const struct connection *c);
