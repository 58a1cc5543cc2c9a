#include "proxy/dns-upstream.h"

#include <ares.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/limits.h"

#define RESOLV_CONF "/etc/resolv.conf"

enum {
	CLASS_IN = 1,
	TRY_MS = 3000,
	TRIES = 3,
	CHECK_MS = 2000, /* how often a change of resolv.conf is looked for */
};

/* One c-ares channel; an old one lives on until its last query is answered. */
struct channel {
	struct dns_upstream *upstream;
	ares_channel ares;
	uv_timer_t timer;
	LIST_HEAD(, server_socket) sockets;
	size_t n_pending;
	bool is_old, is_closing;
};

struct dns_upstream {
	uv_loop_t *loop;
	struct channel *channel;
	struct timespec changed; /* of resolv.conf */
	ino_t inode;
	uint64_t checked_ms;
};

struct server_socket {
	LIST_ENTRY(server_socket) entry;
	uv_poll_t poll;
	struct channel *channel;
	ares_socket_t fd;
};

struct dns_request {
	struct channel *channel;
	dns_answer_fn fn; /* NULL: cancelled */
	void *ctx;
	bool is_asking;
	bool has_failed;
};

static void on_timer_closed(uv_handle_t *handle)
{
	xfree(handle->data);
}

static void channel_free_if_done(struct channel *c)
{
	if (!c->is_old || c->n_pending || c->is_closing)
		return;
	c->is_closing = true;
	ares_destroy(c->ares);
	uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

static void schedule(struct channel *c);

static void on_timer(uv_timer_t *timer)
{
	struct channel *c = timer->data;

	ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	schedule(c);
	channel_free_if_done(c);
}

static void schedule(struct channel *c)
{
	struct timeval most = { .tv_sec = 1 }, tv;

	if (c->n_pending == 0) {
		(void)uv_timer_stop(&c->timer);
		return;
	}
	(void)ares_timeout(c->ares, &most, &tv);
	(void)uv_timer_start(&c->timer, on_timer,
			     (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1, 0);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct server_socket *s = poll->data;
	struct channel *c = s->channel;
	ares_socket_t fd = s->fd;

	/* s may be closed by what c-ares does now; c is not, as only this function's end frees it.
	 */
	ares_process_fd(c->ares, status < 0 || events & UV_READABLE ? fd : ARES_SOCKET_BAD,
			status < 0 || events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
	schedule(c);
	channel_free_if_done(c);
}

static void on_socket_closed(uv_handle_t *handle)
{
	xfree(handle->data);
}

static struct server_socket *socket_of(struct channel *c, ares_socket_t fd)
{
	struct server_socket *s = LIST_FIRST(&c->sockets);

	while (s && s->fd != fd)
		s = LIST_NEXT(s, entry);
	return s;
}

static void on_socket_state(void *ctx, ares_socket_t fd, int readable, int writable)
{
	struct channel *c = ctx;
	struct server_socket *s = socket_of(c, fd);

	if (!readable && !writable) {
		if (s) {
			LIST_REMOVE(s, entry);
			uv_close((uv_handle_t *)&s->poll, on_socket_closed);
		}
		return;
	}
	if (!s) {
		s = xnew(struct server_socket);
		s->channel = c;
		s->fd = fd;
		if (uv_poll_init(c->upstream->loop, &s->poll, fd) < 0) {
			xfree(s);
			return;
		}
		s->poll.data = s;
		LIST_INSERT_HEAD(&c->sockets, s, entry);
	}
	(void)uv_poll_start(&s->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
			    on_ready);
}

static int channel_new(struct dns_upstream *u, struct channel **ret)
{
	struct channel *c = xnew(struct channel);
	struct ares_options options = { .flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH |
						 ARES_FLAG_NOALIASES,
					.timeout = TRY_MS,
					.tries = TRIES,
					.ednspsz = 1232,
					.sock_state_cb = on_socket_state,
					.sock_state_cb_data = c };
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
		   ARES_OPT_SOCK_STATE_CB;

	c->upstream = u;
	if (ares_init_options(&c->ares, &options, mask) != ARES_SUCCESS) {
		xfree(c);
		return -EIO;
	}
	(void)uv_timer_init(u->loop, &c->timer);
	c->timer.data = c;
	*ret = c;
	return 0;
}

int dns_upstream_new(uv_loop_t *loop, struct dns_upstream **ret, struct err *err)
{
	struct dns_upstream *u = xnew(struct dns_upstream);
	struct stat st;

	u->loop = loop;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
	    channel_new(u, &u->channel) < 0) {
		xfree(u);
		return err_say(err, -EIO, "cannot set up the resolver from " RESOLV_CONF);
	}
	if (stat(RESOLV_CONF, &st) == 0) {
		u->changed = st.st_mtim;
		u->inode = st.st_ino;
	}
	*ret = u;
	return 0;
}

/* A laptop changes networks while an agent works. */
static void reload_if_changed(struct dns_upstream *u)
{
	_cleanup_close_ int fd = -1;
	uint64_t now = uv_now(u->loop);
	struct channel *new;
	struct stat st;

	if (now - u->checked_ms < CHECK_MS)
		return;
	u->checked_ms = now;
	if (stat(RESOLV_CONF, &st) < 0 ||
	    (st.st_ino == u->inode && st.st_mtim.tv_sec == u->changed.tv_sec &&
	     st.st_mtim.tv_nsec == u->changed.tv_nsec))
		return;
	u->changed = st.st_mtim;
	u->inode = st.st_ino;
	/* c-ares would fall back to 127.0.0.1 if it could not read the file, silently. */
	fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || channel_new(u, &new) < 0)
		return;
	u->channel->is_old = true;
	channel_free_if_done(u->channel);
	u->channel = new;
}

static void on_answer(void *ctx, int status, int timeouts, unsigned char *answer, int len)
{
	struct dns_request *r = ctx;

	(void)timeouts;
	(void)status; /* NXDOMAIN and the like come with their message */
	r->channel->n_pending--;
	if (r->is_asking) {
		r->has_failed = true;
		return;
	}
	if (r->fn)
		r->fn(r->ctx,
		      answer && len > 0 ? span_make(answer, (size_t)len) : (struct span){ 0 });
	xfree(r);
}

struct dns_request *dns_upstream_ask(struct dns_upstream *u, const struct name *name, uint16_t type,
				     dns_answer_fn fn, void *ctx)
{
	struct dns_request *r;

	reload_if_changed(u);
	if (u->channel->n_pending >= LIMIT_DNS_PENDING)
		return NULL;
	r = xnew(struct dns_request);
	*r = (struct dns_request){ u->channel, fn, ctx, true, false };
	u->channel->n_pending++;
	ares_query(u->channel->ares, name->text, CLASS_IN, type, on_answer, r);
	r->is_asking = false;
	schedule(u->channel);
	if (r->has_failed) {
		xfree(r);
		return NULL;
	}
	return r;
}

void dns_request_cancel(struct dns_request *r)
{
	if (r)
		r->fn = NULL;
}
