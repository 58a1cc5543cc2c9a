#include "daemon/causes.h"

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/map.h"

#define N_EXECS 4096
#define N_OTHERS 512

/* key 0 is a free slot; a keyed hash, so nobody chooses two that are the same. */
struct known {
	uint64_t key, seq;
	bool has_forgotten; /* another key was pushed out of it */
};

struct causes {
	struct known execs[N_EXECS];	 /* by pid: what began its program */
	struct known names[N_OTHERS];	 /* by host: the latest answer */
	struct known connects[N_OTHERS]; /* by process and peer: the latest connection */
};

struct causes *causes_new(void)
{
	return xnew(struct causes);
}

void causes_free(struct causes *c)
{
	xfree(c);
}

static uint64_t find(const struct known *table, size_t n, uint64_t key)
{
	const struct known *k = &table[key % n];

	return key && k->key == key ? k->seq : 0;
}

static void put(struct known *table, size_t n, uint64_t key, uint64_t seq)
{
	struct known *k = &table[key % n];

	if (!key)
		return;
	k->has_forgotten |= k->key && k->key != key;
	k->key = key;
	k->seq = seq;
}

/* Names are asked for and used in either case; longer than this there is none. */
static uint64_t host_key(struct span host)
{
	char lower[256];

	if (host.len == 0 || host.len > sizeof(lower))
		return 0;
	for (size_t i = 0; i < host.len; i++)
		lower[i] = ascii_lower(host.p[i]);
	return hash_bytes(lower, host.len);
}

static uint64_t peer_key(const struct event *e)
{
	struct {
		uint64_t pid, port, host, ip;
	} peer = { (uint64_t)(uint32_t)e->pid, e->port, host_key(e->host),
		   e->ip.len ? hash_bytes(e->ip.p, e->ip.len) : 0 };

	return hash_bytes(&peer, sizeof(peer));
}

static uint64_t exec_of(const struct causes *c, int32_t pid)
{
	return find(c->execs, N_EXECS, (uint64_t)(uint32_t)pid);
}

static uint64_t special_cause(const struct causes *c, const struct event *e)
{
	switch ((int)e->kind) {
	case EVENT_NET_CONNECT:
		return find(c->names, N_OTHERS, host_key(e->host));
	case EVENT_NET_CLOSE:
	case EVENT_HTTP_REQUEST:
	case EVENT_HTTP_REWRITE:
	case EVENT_WS_OPEN:
		return find(c->connects, N_OTHERS, peer_key(e));
	default:
		return 0;
	}
}

void causes_find(const struct causes *c, struct event *e)
{
	e->exec = exec_of(c, e->pid);
	/* What was forked and began no program of its own, or none that was forgotten, runs its
	 * parent's. */
	if (!e->exec && !c->execs[(uint32_t)e->pid % N_EXECS].has_forgotten)
		e->exec = exec_of(c, e->ppid);
	if (e->cause)
		return;
	e->cause = special_cause(c, e);
	if (!e->cause)
		e->cause = e->exec;
}

void causes_note(struct causes *c, const struct event *e, uint64_t seq)
{
	switch ((int)e->kind) {
	case EVENT_PROC_EXEC:
		/* One that was denied, or failed, began nothing. */
		if (e->decision != EVENT_DENY && !e->error)
			put(c->execs, N_EXECS, (uint64_t)(uint32_t)e->pid, seq);
		return;
	case EVENT_PROC_EXIT:
		put(c->execs, N_EXECS, (uint64_t)(uint32_t)e->pid, 0);
		return;
	case EVENT_DNS_QUERY:
		if (e->decision != EVENT_DENY)
			put(c->names, N_OTHERS, host_key(e->host), seq);
		return;
	case EVENT_NET_CONNECT:
		put(c->connects, N_OTHERS, peer_key(e), seq);
		return;
	default:
		return;
	}
}
