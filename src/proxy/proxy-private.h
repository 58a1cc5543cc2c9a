/*
 * What the parts of the proxy share: one struct proxy per process, its loop,
 * its tables, and how a decision is asked for and reported.
 */
#pragma once

#include <sys/queue.h>
#include <uv.h>

#include "event/event.h"
#include "event/ring.h"
#include "proxy/dns-upstream.h"
#include "proxy/hosts.h"
#include "proxy/leaves.h"
#include "proxy/names.h"
#include "proxy/processes.h"
#include "proxy/proxy.h"
#include "proxy/secrets.h"
#include "proxy/tls.h"

struct connection;
struct dns_budget;
struct pool;
TAILQ_HEAD(connection_list, connection);

struct proxy {
	uv_loop_t loop;
	int control_fd, supervisor_fd;
	int keys_fd; /* to the signer */
	struct tls *tls;
	struct leaves *leaves;
	struct pool *pool;
	uv_poll_t control, supervisor;
	struct proxy_start start;
	struct event_ring *ring;
	struct policy
		*policy; /* NULL until the first has come: nothing is decided, nothing served */
	struct policy_decider *decider;
	struct names *names;
	struct hosts *hosts;
	struct dns_budget *budget;
	struct secrets_instruction *instructions; /* of policy; what secrets has */
	struct secrets *secrets;		  /* never NULL; empty where the session has none */
	struct processes *processes;
	struct dns_upstream *upstream;
	struct connection_list connections, waiting;
	size_t n_connections, max_connections;
	uv_poll_t tcp_listeners[2];
	int tcp_fds[2];
	bool has_listeners, has_dns, is_ready, is_accepting;
	int exit_status;
	char *scratch; /* LIMIT_PROXY_RELAY bytes, for one read and the write that follows */
};

/* Reports a fatal problem to the daemon and ends the loop. */
void proxy_fail(struct proxy *p, const char *why);

/* Takes what the supervisor has sent so far. */
void proxy_read_supervisor(struct proxy *p);

/* ---- decide.c ---- */

struct proxy_question {
	enum policy_action action;
	const struct name *name;	      /* NULL or empty: no name is known */
	const struct policy_address *address; /* NULL: not known */
	uint16_t port;			      /* 0: not known */
	struct span protocol;
	const struct policy_http *http; /* of HttpRequest; else NULL */
	const struct process *process; /* NULL: unknown */
};

/* May it go ahead? Asks about an IPv4 address inside an IPv6 one as well, and about leash's own
 * ports. */
bool proxy_decide(struct proxy *p, const struct proxy_question *q, struct policy_decision *ret);
/* A refusal that no policy and no mode can lift, under the id that events and answers show. */
struct policy_decision proxy_own_denial(const struct proxy *p, const char *id);
/* Writes the event of a decision: adds decision, policies, process, names. e has kind, latency and
 * message. */
void proxy_report(struct proxy *p, struct event *e, const struct proxy_question *q,
		  const struct policy_decision *d);
/* Writes an event that no policy decided (d as decision). */
void proxy_report_plain(struct proxy *p, struct event *e, const struct proxy_question *q,
			enum event_decision d);

/* ---- connection.c: TCP out of the container ---- */

/* As many as there can be descriptors. Before the proxy confines itself: after that it cannot ask.
 */
void connection_set_limit(struct proxy *p);
int connection_listen(struct proxy *p, const int fds[2], struct err *err) _must_check_;
/* The first policy has come: accepting begins. */
void connection_serve(struct proxy *p);
/* At the end. What came of the connections is recorded. */
void connection_close_all(struct proxy *p);
/* A process was announced: connections that wait for it go on. */
void connection_process_arrived(struct proxy *p, const struct process_key *key);

/* ---- dns-server.c ---- */

/* UDP v4, v6, TCP v4, v6. */
int dns_server_listen(struct proxy *p, const int fds[4], struct err *err) _must_check_;
/* The first policy has come: what was asked meanwhile is answered by it. */
void dns_server_serve(void);

/* ---- publish.c: ports of the container on the host ---- */

int publish_listen(struct proxy *p, uint16_t port, int fd, struct err *err) _must_check_;
/* The supervisor's answer; takes fd. */
void publish_dialled(struct proxy *p, uint32_t id, int fd);

/* ---- confine.c ---- */

/* Gives up everything that serving connections does not need, and tests that it is gone. */
int drop_privileges(struct err *err) _must_check_;
