/*
 * When the proxy starts. The command runs by then, and what it says waits in the
 * kernel: without the proxy there is no way out. A proxy costs as much as a
 * small container, so a command that is over in a moment never pays for one.
 */
#include <errno.h>

#include "base/fd.h"
#include "daemon/session-private.h"
#include "proxy/proxy.h"

/* Long enough for what is over in a moment; an agent takes several times as long to load. */
#define UNTIL_PROXY_MS 25

static void stop_waiting(struct session *s)
{
	(void)uv_timer_stop(&s->proxy_timer);
	for (size_t i = 0; i < s->n_ways_out; i++)
		(void)uv_poll_stop(&s->ways_out[i]);
	s->n_ways_out = 0;
}

/* ---- What it says ---------------------------------------------------------------- */

static void on_proxy_message(uv_poll_t *handle, int status, int events)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct session *s = handle->data;
	uint64_t generation;

	(void)status;
	(void)events;
	if (session_take_message(&s->proxy, proxy_to_daemon, PROXY_MESSAGE_MAX, s, &m) <= 0)
		return;
	switch ((enum proxy_message)m.type) {
	case PROXY_READY:
		s->is_proxy_ready = true;
		return;
	case PROXY_POLICY_APPLIED:
		memcpy(&generation, m.payload.data, sizeof(generation));
		session_policy_applied(s, &s->proxy_applied, generation);
		return;
	case PROXY_FAILED:
		session_end(s, EXIT_LEASH_FAILED, m.payload.data);
		return;
	case PROXY_NONE:
	case PROXY_START:
	case PROXY_LISTENERS:
	case PROXY_DNS:
	case PROXY_PUBLISH:
	case PROXY_SECRET:
	case PROXY_TRUST:
	case PROXY_POLICY:
	case PROXY_MESSAGE_MAX:
		session_end(s, EXIT_LEASH_FAILED, "the proxy sent a message of a wrong type");
	}
}

static void on_proxy_end(uv_poll_t *handle, int status, int events)
{
	struct session *s = handle->data;

	(void)status;
	(void)events;
	session_child_ended(s);
}

/* ---- Starting it ----------------------------------------------------------------- */

/* In the message's memory, which is wiped; the kernel's copy goes when the proxy takes it. */
static int send_secret(struct span message, void *ctx, struct err *err)
{
	return child_send(ctx, PROXY_SECRET, message, NULL, 0, err);
}

static int send_secrets(struct session *s, struct err *err)
{
	int r = secret_specs_hand_on(s->options->secrets, send_secret, &s->proxy, err);

	if (s->options->secrets)
		secret_specs_wipe(s->options->secrets);
	return r;
}

static int brief_proxy(struct session *s, struct err *err)
{
	struct proxy_start start = { 0 };
	const struct journal_source *ring = &s->journal.sources[JOURNAL_PROXY];
	const int first[3] = { ring->memory_fd, ring->wake_fd, s->proxy_end_fd };
	const int dns[4] = { s->sandbox.dns_udp_fds[0], s->sandbox.dns_udp_fds[1],
			     s->sandbox.dns_tcp_fds[0], s->sandbox.dns_tcp_fds[1] };
	const int trust[2] = { s->signer_fd, s->roots_fd };
	int r;

	if (s->api)
		start.own_ports[0] = s->options->listen->port;
	start.is_far = s->options->is_far;
	r = child_send(&s->proxy, PROXY_START, span_make(&start, sizeof(start)), first, 3, err);

	if (r >= 0)
		r = child_send(&s->proxy, PROXY_LISTENERS, (struct span){ 0 },
			       s->sandbox.tcp_listen_fds, 2, err);
	if (r >= 0)
		r = child_send(&s->proxy, PROXY_DNS, (struct span){ 0 }, dns, 4, err);
	for (size_t i = 0; i < s->options->ports->len && r >= 0; i++) {
		const struct published_port *p = &s->options->ports->items[i];

		r = child_send(&s->proxy, PROXY_PUBLISH,
			       span_make(&p->container, sizeof(p->container)), &p->listen_fd, 1,
			       err);
	}
	if (r >= 0)
		r = child_send(&s->proxy, PROXY_TRUST, (struct span){ 0 }, trust, 2, err);
	if (r >= 0)
		r = send_secrets(s, err);
	if (r >= 0)
		r = child_send(&s->proxy, PROXY_POLICY, (struct span){ 0 }, &s->bundle_fd, 1, err);
	return r;
}

static int start_proxy(struct session *s, struct err *err)
{
	int r = child_start(&s->proxy, err);

	if (r >= 0)
		r = brief_proxy(s, err);
	if (r < 0)
		return r;
	fd_close(TAKE_FD(s->proxy_end_fd));
	fd_close(TAKE_FD(s->bundle_fd));
	fd_close(TAKE_FD(s->signer_fd));
	fd_close(TAKE_FD(s->roots_fd));
	r = session_watch_fd(s, &s->proxy_control, s->proxy.control_fd, on_proxy_message);
	if (r >= 0)
		r = session_watch_fd(s, &s->proxy_end, s->proxy.pidfd, on_proxy_end);
	return r < 0 ? err_set(err, r, "watch the proxy") : 0;
}

static void start(struct session *s)
{
	struct err err = { 0 };

	stop_waiting(s);
	if (s->is_ending)
		return;
	/* The proxy is told its port, to which no one inside is let. */
	session_start_api(s);
	if (start_proxy(s, &err) < 0)
		session_end(s, EXIT_LEASH_FAILED, err.text);
}

static void on_way_out(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	start(poll->data);
}

static void on_time(uv_timer_t *timer)
{
	start(timer->data);
}

static int watch_way_out(struct session *s, int fd)
{
	uv_poll_t *poll = &s->ways_out[s->n_ways_out];
	int r = uv_poll_init(&s->loop, poll, fd);

	poll->data = s;
	if (r >= 0)
		r = uv_poll_start(poll, UV_READABLE, on_way_out);
	if (r >= 0)
		s->n_ways_out++;
	return r;
}

int session_await_network(struct session *s, struct err *err)
{
	const struct sandbox *b = &s->sandbox;
	int r = uv_timer_init(&s->loop, &s->proxy_timer);

	s->proxy_timer.data = s;
	if (r >= 0)
		r = uv_timer_start(&s->proxy_timer, on_time,
				   s->options->ports->len ? 0 : UNTIL_PROXY_MS, 0);
	for (int i = 0; i < 2 && r >= 0; i++) {
		r = watch_way_out(s, b->tcp_listen_fds[i]);
		if (r >= 0)
			r = watch_way_out(s, b->dns_udp_fds[i]);
		if (r >= 0)
			r = watch_way_out(s, b->dns_tcp_fds[i]);
	}
	return r < 0 ? err_set(err, r, "watch the container's network") : 0;
}
