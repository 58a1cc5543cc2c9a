#include "proxy/pool.h"

#include <errno.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/limits.h"

struct idle {
	TAILQ_ENTRY(idle) entry;
	struct pool *pool;
	struct pool_key key;
	struct stream *stream;
	struct h2_session *session;
	uint64_t since_ms; /* of the loop's clock */
};

TAILQ_HEAD(idle_list, idle);

struct pool {
	uv_timer_t timer;
	struct idle_list idle; /* the oldest first */
	size_t n_idle;
};

static void on_timer(uv_timer_t *timer);

/* Ends the entry, and gives out what it holds. */
static struct stream *remove_idle(struct idle *i, struct h2_session **ret_session)
{
	struct stream *stream = i->stream;

	*ret_session = i->session;
	TAILQ_REMOVE(&i->pool->idle, i, entry);
	i->pool->n_idle--;
	xfree(i);
	return stream;
}

static void drop(struct idle *i)
{
	struct h2_session *session;
	struct stream *stream = remove_idle(i, &session);

	stream_free(stream, /* abort = */ false);
	h2_session_free(session);
}

/* What TLS has to say between its ends is no harm; a byte or the end is. */
static bool is_quiet(struct stream *s)
{
	char byte;

	return stream_read(s, &byte, 1) == -EAGAIN;
}

static void on_ready(void *ctx, struct stream *s, int status)
{
	if (status < 0 || !is_quiet(s))
		drop(ctx);
}

/* Not exact: whose time is over is looked for every now and then. */
static void arm(struct pool *p)
{
	if (TAILQ_EMPTY(&p->idle))
		(void)uv_timer_stop(&p->timer);
	else if (!uv_is_active((uv_handle_t *)&p->timer))
		(void)uv_timer_start(&p->timer, on_timer, LIMIT_PROXY_IDLE_LOOK_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct pool *p = timer->data;
	uint64_t now = uv_now(timer->loop);
	struct idle *i;

	while ((i = TAILQ_FIRST(&p->idle)) && now >= i->since_ms + LIMIT_PROXY_IDLE_MS)
		drop(i);
	arm(p);
}

static bool is_same(const struct pool_key *a, const struct pool_key *b)
{
	return a->is_tls == b->is_tls && a->offers == b->offers && a->to.port == b->to.port &&
	       address_eq(&a->to.address, &b->to.address) &&
	       span_eq(name_span(&a->name), name_span(&b->name));
}

void pool_put(struct pool *p, const struct pool_key *key, struct stream *stream,
	      struct h2_session *session)
{
	struct idle *i = xnew(struct idle);

	if (p->n_idle >= LIMIT_PROXY_IDLE)
		drop(TAILQ_FIRST(&p->idle));
	i->pool = p;
	i->key = *key;
	i->stream = stream;
	i->session = session;
	i->since_ms = uv_now(p->timer.loop);
	TAILQ_INSERT_TAIL(&p->idle, i, entry);
	p->n_idle++;
	stream_set_owner(stream, on_ready, i);
	stream_wait(stream, /* may_read = */ true);
	arm(p);
}

static struct idle *find(const struct pool *p, const struct pool_key *key)
{
	struct idle *i;

	TAILQ_FOREACH_REVERSE(i, &p->idle, idle_list, entry)
	if (is_same(&i->key, key))
		return i;
	return NULL;
}

struct stream *pool_take(struct pool *p, const struct pool_key *key,
			 struct h2_session **ret_session)
{
	struct idle *i;

	while ((i = find(p, key))) {
		/* What came in this very turn of the loop has not been looked at yet. */
		if (is_quiet(i->stream)) {
			stream_wait(i->stream, /* may_read = */ false);
			return remove_idle(i, ret_session);
		}
		drop(i);
	}
	*ret_session = NULL;
	return NULL;
}

/* ---- Life ---- */

struct pool *pool_new(uv_loop_t *loop)
{
	struct pool *p = xnew(struct pool);

	TAILQ_INIT(&p->idle);
	(void)uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	return p;
}
