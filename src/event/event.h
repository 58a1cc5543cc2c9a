/*
 * The event: one record for everything leash sees, and its JSON form as the
 * log and the API give it (docs/EVENTS.md). Spans belong to whoever filled
 * them. Zero values mean "absent" and are left out of the JSON.
 */
#pragma once

#include "base/buf.h"
#include "base/span.h"

/* Stored as numbers (event/store.h): new ones go to the end. */
enum event_kind {
	EVENT_NONE,
	EVENT_FILE_OPEN,
	EVENT_FILE_CREATE,
	EVENT_FILE_DELETE,
	EVENT_FILE_RENAME,
	EVENT_FILE_LINK,
	EVENT_FILE_ATTR,
	EVENT_PROC_EXEC,
	EVENT_PROC_EXIT,
	EVENT_NET_CONNECT,
	EVENT_NET_LISTEN,
	EVENT_NET_DATAGRAM,
	EVENT_NET_CLOSE,
	EVENT_DNS_QUERY,
	EVENT_HTTP_REQUEST,
	EVENT_WS_OPEN,	    /* a WebSocket was joined; its http.request came just before */
	EVENT_HTTP_REWRITE, /* a header was set, or a placeholder in it became its secret */
	EVENT_POLICY_APPLIED,
	EVENT_SESSION_START,
	EVENT_SESSION_READY,
	EVENT_SESSION_STOP,
	EVENT_TAMPER,	/* an object changed between decision and use; the process was killed */
	EVENT_MISMATCH, /* names that must agree do not (DNS, SNI, Host) */
	EVENT_REFUSED,	/* a system call that is never allowed */
	EVENT_LOST,	/* count says how many events could not be kept */
	EVENT_KIND_MAX,
};

/* Stored as numbers, likewise. */
enum event_decision {
	EVENT_DECISION_NONE,
	EVENT_ALLOW,
	EVENT_DENY,
	EVENT_WOULD_DENY, /* shadow and record: would have been denied, was allowed */
	EVENT_ASKED,
	EVENT_DECISION_MAX,
};

/* Stored as numbers, likewise. */
enum event_backend {
	EVENT_BACKEND_NONE,
	EVENT_BACKEND_SUPERVISOR,
	EVENT_BACKEND_PROXY,
	EVENT_BACKEND_KERNEL,
	EVENT_BACKEND_DAEMON,
};

struct event {
	enum event_kind kind;
	enum event_decision decision;
	enum event_backend backend;
	uint64_t time_ns; /* real clock; 0: event_ring_write fills it in */
	int32_t pid, ppid; /* as the host numbers them */
	uint32_t uid;
	bool has_uid;
	bool argv_cut; /* argv was longer than LIMIT_ARGV */
	bool is_cut;   /* another text was longer than the ring takes (RING_TEXT_MAX) */
	bool is_redacted;	   /* the daemon has put names of secrets in the place of values */
	uint32_t flags, mode_bits; /* open(2) flags; mode of a new file */
	bool has_flags, has_mode_bits;
	uint16_t port;
	bool has_port;
	int32_t error;	      /* errno the agent saw, positive; 0: none */
	uint32_t latency_us;  /* time leash added */
	uint64_t generation;  /* of the policy that decided */
	uint64_t bytes_in, bytes_out;
	uint64_t count;
	uint64_t cause; /* seq of the event this one follows from; 0: none is known */
	uint64_t
		exec; /* seq of the proc.exec that began the process; 0: unknown; not in the JSON */
	int32_t status;	      /* exit status of a session or process, HTTP status */
	bool has_status;
	struct span mode;     /* record, shadow, enforce */
	struct span policies; /* ids separated by NUL; empty on a decision means "default" */
	struct span exe, comm, cwd;
	struct span argv;     /* arguments separated by NUL */
	struct span path, target, access; /* access: "read", "write", "read-write", "path" */
	struct span host, ip, protocol, family;
	struct span method, url;
	struct span header, secret; /* the names of both, never a value */
	struct span message;  /* one sentence for people */
};

/* The texts as a table, for those who treat them alike. argv is the first. */
#define EVENT_N_TEXTS 18
extern const size_t event_text_offsets[EVENT_N_TEXTS];

static inline struct span *event_text(struct event *e, size_t i)
{
	return (struct span *)(void *)((char *)e + event_text_offsets[i]);
}

/* "file.open" and so on; static storage. */
const char *event_kind_name(enum event_kind kind);
/* EVENT_NONE when unknown. */
enum event_kind event_kind_from_name(struct span name);
const char *event_decision_name(enum event_decision d);
/* EVENT_DECISION_NONE when unknown. */
enum event_decision event_decision_from_name(struct span name);
const char *event_backend_name(enum event_backend b);

/*
 * Appends the event's JSON object without a final newline; docs/EVENTS.md names
 * the keys. seq 0, session NULL and prev_hex NULL are left out; prev comes last.
 */
int event_to_json(const struct event *e, uint64_t seq, const char *session, const char *prev_hex,
		  struct buf *out);
