/*
 * Published ports: connections to a listener on the host, joined to a server
 * inside the container. The proxy cannot enter the container; the supervisor
 * connects there and hands the socket over.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "proxy/proxy-private.h"
#include "proxy/relay.h"
#include "proxy/stream.h"
#include "supervise/supervise.h"

#define DIAL_TIMEOUT_MS 10000

struct published {
	struct proxy *proxy;
	uv_poll_t poll;
	int fd;
	uint16_t port; /* inside the container */
};

/* A connection from outside. */
struct visit {
	LIST_ENTRY(visit) entry;
	struct proxy *proxy;
	uv_timer_t timer;
	uint32_t id; /* of the request to the supervisor */
	int fd;	     /* until the relay has it */
	uint16_t port;
	struct endpoint from;
	struct relay *relay;
	bool is_closing;
};

static LIST_HEAD(, visit) visits;
static size_t n_pending;
static uint32_t last_id;

static struct proxy_question question(const struct visit *v)
{
	return (struct proxy_question){ .address = &v->from.address,
					.port = v->port,
					.protocol = SPAN("tcp") };
}

static void on_closed(uv_handle_t *handle)
{
	xfree(handle->data);
}

static void visit_close(struct visit *v, bool abort)
{
	struct proxy_question q = question(v);
	struct event e = { .kind = EVENT_NET_CLOSE, .message = SPAN("published port") };

	if (v->is_closing)
		return;
	v->is_closing = true;
	LIST_REMOVE(v, entry);
	if (v->relay) {
		e.bytes_in = relay_bytes(v->relay, RELAY_CLIENT);
		e.bytes_out = relay_bytes(v->relay, RELAY_SERVER);
		proxy_report_plain(v->proxy, &e, &q, EVENT_DECISION_NONE);
		relay_free(v->relay, abort);
	} else {
		n_pending--;
	}
	if (v->fd >= 0) {
		if (abort)
			socket_set_abort(v->fd);
		fd_close(TAKE_FD(v->fd));
	}
	uv_close((uv_handle_t *)&v->timer, on_closed);
}

static void on_relay_end(void *ctx, int error)
{
	visit_close(ctx, error < 0);
}

static void on_timeout(uv_timer_t *timer)
{
	visit_close(timer->data, true);
}

void publish_dialled(struct proxy *p, uint32_t id, int fd)
{
	static const struct relay_events events = { on_relay_end, NULL };
	struct visit *v;

	LIST_FOREACH(v, &visits, entry)
	if (v->id == id && !v->relay)
		break;
	if (!v || fd < 0 || fd_set_nonblock(fd, true) < 0) {
		if (fd >= 0)
			fd_close(fd);
		if (v)
			visit_close(v, true);
		return;
	}
	(void)uv_timer_stop(&v->timer);
	n_pending--;
	v->relay = relay_new(&p->loop, TAKE_FD(v->fd), fd, p->scratch, &events, v);
	relay_start(v->relay, /* is_tapped = */ false);
}

static void report_visit(const struct visit *v)
{
	struct proxy_question q = question(v);
	struct event e = { .kind = EVENT_NET_CONNECT };
	char address[ADDRESS_TEXT_MAX], message[ADDRESS_TEXT_MAX + 64];

	(void)address_format(&v->from.address, address);
	(void)snprintf(message, sizeof(message), "published port, from %s port %u", address,
		       v->from.port);
	e.message = span_of(message);
	proxy_report_plain(v->proxy, &e, &q, EVENT_ALLOW);
}

static void visit_new(struct published *l, int fd, const struct endpoint *from)
{
	struct visit *v = xnew(struct visit);

	*v = (struct visit){
		.proxy = l->proxy, .id = ++last_id, .fd = fd, .port = l->port, .from = *from
	};
	(void)uv_timer_init(&l->proxy->loop, &v->timer);
	v->timer.data = v;
	LIST_INSERT_HEAD(&visits, v, entry);
	n_pending++;
	report_visit(v);
	if (ipc_send(l->proxy->supervisor_fd, SUPERVISE_PROXY_DIAL, v->id,
		     span_make(&v->port, sizeof(v->port)), NULL, 0) < 0)
		visit_close(v, true);
	else
		(void)uv_timer_start(&v->timer, on_timeout, DIAL_TIMEOUT_MS, 0);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct published *l = poll->data;
	struct sockaddr_storage client = { 0 };
	socklen_t len = sizeof(client);
	struct endpoint from;
	int fd;

	(void)status;
	(void)events;
	fd = accept4(l->fd, (struct sockaddr *)&client, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (n_pending >= LIMIT_PROXY_PUBLISH_PENDING || endpoint_from_sockaddr(&client, &from) < 0)
		fd_close(fd);
	else
		visit_new(l, fd, &from);
}

int publish_listen(struct proxy *p, uint16_t port, int fd, struct err *err)
{
	struct published *l = xnew(struct published);
	int r = fd_set_nonblock(fd, true);

	*l = (struct published){ .proxy = p, .fd = fd, .port = port };
	if (r == 0)
		r = uv_poll_init(&p->loop, &l->poll, fd);
	if (r < 0) {
		xfree(l);
		return err_set(err, r, "watch the listener of published port %u", port);
	}
	l->poll.data = l;
	r = uv_poll_start(&l->poll, UV_READABLE, on_listener);
	return r < 0 ? err_set(err, r, "watch the listener of published port %u", port) : 0;
}
