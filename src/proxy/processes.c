#include "proxy/processes.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "supervise/supervise.h"

struct announcement {
	TAILQ_ENTRY(announcement) entry;
	unsigned char key[4];
	struct process process;
	uint64_t at_ms;
};

struct processes {
	struct map by_key;
	TAILQ_HEAD(, announcement) by_age; /* oldest first */
};

void process_done(struct process *p)
{
	xfree(p->exe);
	xfree(p->comm);
	xfree(p->cwd);
	*p = (struct process){ 0 };
}

int process_fact(void *ctx, enum policy_fact fact, struct span *ret)
{
	const struct process *p = ctx;
	const char *text = fact == POLICY_FACT_EXE    ? p->exe
			   : fact == POLICY_FACT_COMM ? p->comm
			   : fact == POLICY_FACT_CWD  ? p->cwd
						      : NULL;

	if (!text)
		return -ENOENT;
	*ret = span_of(text);
	return 0;
}

struct processes *processes_new(void)
{
	struct processes *p = xnew(struct processes);

	TAILQ_INIT(&p->by_age);
	return p;
}

static void forget(struct processes *p, struct announcement *a)
{
	(void)map_remove(&p->by_key, span_make(a->key, sizeof(a->key)));
	TAILQ_REMOVE(&p->by_age, a, entry);
	process_done(&a->process);
	xfree(a);
}

void processes_free(struct processes *p)
{
	if (!p)
		return;
	while (!TAILQ_EMPTY(&p->by_age))
		forget(p, TAILQ_FIRST(&p->by_age));
	map_done(&p->by_key, NULL);
	xfree(p);
}

static void make_key(const struct process_key *k, unsigned char ret[4])
{
	ret[0] = k->family;
	ret[1] = k->protocol;
	memcpy(ret + 2, &k->port, 2);
}

static struct announcement *find_exact(struct processes *p, const struct process_key *k)
{
	unsigned char key[4];

	make_key(k, key);
	return map_get(&p->by_key, span_make(key, sizeof(key)));
}

static struct announcement *find(struct processes *p, const struct process_key *k)
{
	struct process_key other = *k;
	struct announcement *a = find_exact(p, k);

	/* An IPv6 socket that connects to a mapped address arrives as IPv4. */
	other.family = AF_INET6;
	return a || k->family != AF_INET ? a : find_exact(p, &other);
}

/* Three texts, each ended by a NUL, and nothing behind them. */
static int read_texts(struct span s, struct process *ret)
{
	char **texts[] = { &ret->exe, &ret->comm, &ret->cwd };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *end = s.len ? memchr(s.p, 0, s.len) : NULL;

		if (!end)
			return -EBADMSG;
		if (end > s.p)
			*texts[i] = xmemdup0(s.p, (size_t)(end - s.p));
		s = span_from(s, (size_t)(end - s.p) + 1);
	}
	return s.len ? -EBADMSG : 0;
}

int processes_announce(struct processes *p, struct span payload, uint64_t now_ms,
		       struct process_key *ret_key)
{
	struct supervise_connection c;
	struct process process = { .is_known = true };
	struct announcement *a;

	if (payload.len < sizeof(c))
		return -EBADMSG;
	memcpy(&c, payload.p, sizeof(c));
	if (read_texts(span_from(payload, sizeof(c)), &process) < 0) {
		process_done(&process);
		return -EBADMSG;
	}
	process.pid = c.pid;
	process.ppid = c.ppid;
	process.uid = c.uid;
	*ret_key = (struct process_key){ c.family, c.protocol, c.local_port };
	a = find_exact(p, ret_key);
	if (a)
		forget(p, a);
	else if (p->by_key.len >= LIMIT_PROXY_PROCESSES)
		forget(p, TAILQ_FIRST(&p->by_age));
	a = xnew(struct announcement);
	make_key(ret_key, a->key);
	a->process = process;
	a->at_ms = now_ms;
	TAILQ_INSERT_TAIL(&p->by_age, a, entry);
	(void)map_put(&p->by_key, span_make(a->key, sizeof(a->key)), a);
	return 0;
}

bool processes_take(struct processes *p, const struct process_key *key, struct process *ret)
{
	struct announcement *a = find(p, key);

	if (!a)
		return false;
	*ret = a->process;
	a->process = (struct process){ 0 };
	forget(p, a);
	return true;
}

const struct process *processes_look(struct processes *p, const struct process_key *key,
				     uint64_t now_ms)
{
	const struct announcement *a = find(p, key);

	return a && now_ms - a->at_ms <= LIMIT_PROXY_DATAGRAM_MS ? &a->process : NULL;
}
