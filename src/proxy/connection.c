#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "proxy/answer.h"
#include "proxy/connection-private.h"

/* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST, whose headers clash with the C library's. */
#define ORIGINAL_DESTINATION 80

enum {
	ACCEPTS = 16,	 /* connections taken before others have their turn */
	SPARE_FDS = 256, /* for the resolver, published ports and the process itself */
};

static void on_client(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

/* ---- The end ------------------------------------------------------------------- */

static void update_listeners(struct proxy *p);

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	if (--c->n_handles)
		return;
	process_done(&c->process);
	sniff_done(&c->sniff);
	xfree(c);
}

static void stop_polling(struct connection *c)
{
	if (!c->has_poll)
		return;
	c->has_poll = false;
	(void)uv_poll_stop(&c->poll);
	uv_close((uv_handle_t *)&c->poll, on_closed);
}

static void settle_process(struct connection *c)
{
	if (!c->is_process_settled)
		TAILQ_REMOVE(&c->proxy->waiting, c, waiting);
	c->is_process_settled = true;
}

static uint64_t bytes_from(const struct connection *c, int side)
{
	if (c->relay)
		return relay_bytes(c->relay, side);
	return c->exchange ? exchange_bytes(c->exchange, side)
			   : h2_exchange_bytes(c->h2_exchange, side);
}

static void report_end(struct connection *c)
{
	struct proxy_question q = connection_question(c);
	struct event e = { .kind = EVENT_NET_CLOSE };
	uint64_t ms = uv_now(&c->proxy->loop) - c->relayed_ms;
	char message[64];

	if (c->decided_name.len)
		q.name = &c->decided_name;
	q.address = &c->dialled.address;
	e.bytes_out = bytes_from(c, RELAY_CLIENT);
	e.bytes_in = bytes_from(c, RELAY_SERVER);
	(void)snprintf(message, sizeof(message), "open for %llu.%03llu s",
		       (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
	e.message = span_of(message);
	proxy_report_plain(c->proxy, &e, &q, EVENT_DECISION_NONE);
}

void connection_close(struct connection *c, bool abort)
{
	struct proxy *p = c->proxy;

	if (c->phase == PHASE_CLOSED)
		return;
	request_lose_all(c);
	if (c->relay || c->exchange || c->h2_exchange)
		report_end(c);
	connection_pool_server(c);
	c->phase = PHASE_CLOSED;
	settle_process(c);
	TAILQ_REMOVE(&p->connections, c, entry);
	p->n_connections--;
	dns_request_cancel(TAKE_PTR(c->request));
	dial_cancel(TAKE_PTR(c->dial));
	relay_free(TAKE_PTR(c->relay), abort);
	exchange_free(TAKE_PTR(c->exchange), abort);
	intercept_free(TAKE_PTR(c->intercept));
	h2_exchange_free(TAKE_PTR(c->h2_exchange), abort);
	h2_session_free(TAKE_PTR(c->pooled));
	stop_polling(c);
	if (c->fd >= 0) {
		if (abort)
			socket_set_abort(c->fd);
		fd_close(TAKE_FD(c->fd));
	}
	uv_close((uv_handle_t *)&c->timer, on_closed);
	update_listeners(p);
}

void connection_close_all(struct proxy *p)
{
	while (!TAILQ_EMPTY(&p->connections))
		connection_close(TAILQ_FIRST(&p->connections), /* abort = */ true);
}

void connection_refuse(struct connection *c, struct span response)
{
	bool is_sent;

	if (response.len && c->fd >= 0 && c->sniff.kind == SNIFF_TLS) {
		stop_polling(c);
		c->phase = PHASE_ANSWERING;
		(void)uv_timer_stop(&c->timer);
		connection_answer_in_tls(c, stream_new(&c->proxy->loop, TAKE_FD(c->fd)), response);
		return;
	}
	is_sent = response.len && c->fd >= 0 &&
		  send(c->fd, response.p, response.len, MSG_NOSIGNAL) == (ssize_t)response.len;

	if (!is_sent || c->is_client_eof) {
		connection_close(c, /* abort = */ !is_sent);
		return;
	}
	/* Closing with unread input would send RST, which can overtake the response: read on until
	 * the end. */
	(void)shutdown(c->fd, SHUT_WR);
	c->phase = PHASE_ANSWERING;
	(void)uv_timer_start(&c->timer, on_timer, LIMIT_PROXY_ANSWER_MS, 0);
	(void)uv_poll_start(&c->poll, UV_READABLE, on_client);
}

struct proxy_question connection_question(const struct connection *c)
{
	return (struct proxy_question){ .action = POLICY_NETWORK_CONNECT,
					.name = &c->name,
					.address = &c->to.address,
					.port = c->to.port,
					.protocol = SPAN("tcp"),
					.process = &c->process };
}

/* ---- Time ------------------------------------------------------------------------ */

static uint64_t age_ms(const struct connection *c)
{
	return uv_now(&c->proxy->loop) - c->accepted_ms;
}

static bool is_silent(const struct connection *c)
{
	return !c->sniff.seen.len && !c->is_client_eof && age_ms(c) >= LIMIT_PROXY_SILENCE_MS;
}

/* The next moment at which something must be looked at. */
static void arm(struct connection *c)
{
	uint64_t now = uv_now(&c->proxy->loop), at = UINT64_MAX;

	/* An answer's timer is set once, when it is sent. */
	if (c->phase == PHASE_CLOSED || c->phase == PHASE_ANSWERING)
		return;
	if (!c->is_process_settled)
		at = c->accepted_ms + LIMIT_PROXY_PROCESS_MS;
	if (c->phase == PHASE_OPENING && !c->sniff.seen.len && age_ms(c) < LIMIT_PROXY_SILENCE_MS)
		at = MIN(at, c->accepted_ms + LIMIT_PROXY_SILENCE_MS);
	if ((c->claim == CLAIM_SNIFFING && c->sniff.seen.len) || c->awaits_server)
		at = MIN(at, c->first_byte_ms + LIMIT_PROXY_HEAD_MS);
	if (at == UINT64_MAX)
		(void)uv_timer_stop(&c->timer);
	else
		(void)uv_timer_start(&c->timer, on_timer, at > now ? at - now : 1, 0);
}

/* Closes it, and says why. */
static void give_up(struct connection *c, struct span why)
{
	struct proxy_question q = connection_question(c);
	struct event e = { .kind = EVENT_NET_CONNECT, .message = why };

	proxy_report_plain(c->proxy, &e, &q, EVENT_DENY);
	connection_close(c, /* abort = */ true);
}

/*
 * What is neither HTTP nor TLS could hold requests all the same, for a server that
 * overlooks what comes before them. One that speaks first is none of HTTP.
 */
static bool must_await_server(struct connection *c, struct policy_decision *d)
{
	return c->sniff.kind == SNIFF_RAW && relay_bytes(c->relay, RELAY_SERVER) == 0 &&
	       !connection_unseen_may_go(c, request_question(c), d);
}

/* It has said nothing. True if that was the end. */
static bool give_up_on_server(struct connection *c)
{
	struct policy_decision d;

	c->awaits_server = false;
	if (!must_await_server(c, &d))
		return false;
	connection_refuse_unseen(c, request_question(c), &d,
				 SPAN("a policy looks at requests to this host; this is neither "
				      "HTTP nor TLS, and the server says nothing"));
	return true;
}

static void on_timer(uv_timer_t *timer)
{
	struct connection *c = timer->data;
	uint64_t now = uv_now(&c->proxy->loop);

	if (c->phase == PHASE_ANSWERING) {
		connection_close(c, true);
		return;
	}
	if (c->claim == CLAIM_SNIFFING && c->sniff.seen.len &&
	    now - c->first_byte_ms >= LIMIT_PROXY_HEAD_MS) {
		give_up(c, SPAN("the first bytes took too long"));
		return;
	}
	if (c->awaits_server && now - c->first_byte_ms >= LIMIT_PROXY_HEAD_MS &&
	    give_up_on_server(c))
		return;
	if (!c->is_process_settled && age_ms(c) >= LIMIT_PROXY_PROCESS_MS) {
		/* On a busy machine the word may be here and not yet read. If not, it stays
		 * unknown. */
		proxy_read_supervisor(c->proxy);
		settle_process(c);
	}
	connection_step(c);
}

/* ---- Dialling and relaying -------------------------------------------------------- */

static void on_relay_end(void *ctx, int error)
{
	connection_close(ctx, error < 0);
}

/* Bytes from the client on a connection where the server spoke first. */
static void on_tapped(void *ctx, struct span bytes)
{
	struct connection *c = ctx;

	if (c->first_byte_ms == 0)
		c->first_byte_ms = uv_now(&c->proxy->loop);
	if (bytes.len == 0)
		c->is_client_eof = true;
	else
		(void)sniff_feed(&c->sniff, bytes);
	connection_step(c);
}

static void on_server_spoke(void *ctx)
{
	struct connection *c = ctx;

	if (c->awaits_server)
		connection_step(c);
}

static void stop_opening(struct connection *c)
{
	stop_polling(c);
	c->phase = PHASE_RELAYING;
	c->relayed_ms = uv_now(&c->proxy->loop);
}

static void begin_speaking(struct connection *c, struct stream *server)
{
	stop_opening(c);
	connection_speak(c, stream_new(&c->proxy->loop, TAKE_FD(c->fd)), server);
}

static void begin_relay(struct connection *c, int server_fd)
{
	static const struct relay_events events = { on_relay_end, on_tapped, on_server_spoke };

	if (connection_speaks(c)) {
		begin_speaking(c, stream_new(&c->proxy->loop, server_fd));
		return;
	}
	stop_opening(c);
	c->relay = relay_new(&c->proxy->loop, TAKE_FD(c->fd), server_fd, c->proxy->scratch, &events,
			     c);
	relay_start(c->relay, /* is_tapped = */ true);
	if (c->claim != CLAIM_SNIFFING)
		relay_pause(c->relay);
	connection_step(c);
}

static void report_unreachable(struct connection *c, int error, const struct endpoint *to)
{
	_cleanup_buf_ struct buf response = BUF_INIT(0);
	struct proxy_question q = connection_question(c);
	struct event e = { .kind = EVENT_NET_CLOSE,
			   .error = -error,
			   .message = SPAN("cannot connect") };

	q.name = &c->decided_name;
	q.address = &to->address;
	proxy_report_plain(c->proxy, &e, &q, EVENT_DECISION_NONE);
	if (connection_can_be_told(c))
		(void)answer_unreachable(&q, error, &response);
	connection_refuse(c, buf_span(&response));
}

static void on_dialled(void *ctx, int fd, const struct endpoint *to)
{
	struct connection *c = ctx;

	c->dial = NULL;
	c->dialled = *to;
	if (fd >= 0)
		begin_relay(c, fd);
	else
		report_unreachable(c, fd, to);
}

static size_t on_no_answer(void *ctx, struct endpoint ret[DIAL_MAX_ADDRESSES])
{
	return connection_decide_others(ctx, ret);
}

/* Only after the connection was joined did the client say what it speaks. */
static void switch_from_relay(struct connection *c)
{
	int client_fd, server_fd;

	/* The server's settings have gone to the client, which will not take ours for the first. */
	if (c->sniff.kind == SNIFF_HTTP2 && relay_bytes(c->relay, RELAY_SERVER)) {
		give_up(c, SPAN("the server spoke before the client did, which then spoke HTTP/2"));
		return;
	}
	if (relay_release(c->relay, &client_fd, &server_fd) < 0) {
		connection_close(c, true);
		return;
	}
	c->relay = NULL;
	connection_speak(c, stream_new(&c->proxy->loop, client_fd),
			 stream_new(&c->proxy->loop, server_fd));
}

/*
 * The client's bytes may go. If it spoke after the connection was decided on,
 * what it said may have another name, or hide its requests: then it is decided again.
 */
static void release(struct connection *c)
{
	struct policy_decision d;
	struct endpoint to[DIAL_MAX_ADDRESSES];
	bool is_new = c->is_by_address ? c->decided_name.len > 0
				       : c->name.len > 0 && !span_eq(name_span(&c->name),
								     name_span(&c->decided_name));

	if ((is_new || connection_hides_requests(c) != c->hid_requests) &&
	    connection_decide(c, to) == 0)
		return;
	if (connection_speaks(c)) {
		switch_from_relay(c);
		return;
	}
	c->awaits_server = must_await_server(c, &d);
	if (c->awaits_server)
		return;
	relay_send(c->relay, buf_span(&c->sniff.seen));
	sniff_done(&c->sniff);
	if (c->relay)
		relay_untap(c->relay);
}

static void advance(struct connection *c)
{
	struct endpoint to[DIAL_MAX_ADDRESSES];
	struct stream *server;
	size_t n;

	if (c->phase == PHASE_CLOSED || c->phase == PHASE_ANSWERING || !c->is_process_settled)
		return;
	if (c->claim == CLAIM_SNIFFING && c->sniff.kind == SNIFF_MORE && c->is_client_eof)
		c->sniff.kind =
			c->sniff.is_tls || c->sniff.head.has_request_line ? SNIFF_BAD : SNIFF_RAW;
	if (c->claim == CLAIM_SNIFFING && c->sniff.kind != SNIFF_MORE) {
		if (c->relay)
			relay_pause(c->relay);
		connection_settle_claim(c);
	}
	if (c->phase == PHASE_RELAYING && c->relay && c->claim == CLAIM_SETTLED) {
		release(c);
		return;
	}
	if (c->phase != PHASE_OPENING ||
	    (c->claim != CLAIM_SETTLED && !(c->claim == CLAIM_SNIFFING && is_silent(c))))
		return;
	n = connection_decide(c, to);
	if (n == 0)
		return;
	server = connection_take_pooled(c, to, n);
	if (server) {
		begin_speaking(c, server);
		return;
	}
	c->phase = PHASE_DIALLING;
	c->dial = dial_start(&c->proxy->loop, to, n, on_dialled, on_no_answer, c);
}

static void watch_client(struct connection *c);

void connection_step(struct connection *c)
{
	advance(c);
	watch_client(c);
	arm(c);
}

/* ---- The client's first bytes ------------------------------------------------------ */

/* Read only what has to be judged; the rest waits in the kernel. */
static void watch_client(struct connection *c)
{
	bool want = (c->phase == PHASE_ANSWERING ||
		     (c->phase < PHASE_RELAYING && c->claim == CLAIM_SNIFFING &&
		      c->sniff.kind == SNIFF_MORE)) &&
		    !c->is_client_eof;

	if (!c->has_poll)
		return;
	if (want)
		(void)uv_poll_start(&c->poll, UV_READABLE, on_client);
	else
		(void)uv_poll_stop(&c->poll);
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct connection *c = poll->data;
	char *scratch = c->proxy->scratch;
	ssize_t n;

	(void)events;
	n = status < 0 ? -1 : recv(c->fd, scratch, LIMIT_PROXY_RELAY, 0);
	if (n < 0 && status == 0 && errno == EAGAIN)
		return;
	if (n < 0 || (n == 0 && c->phase == PHASE_ANSWERING)) {
		connection_close(c, n < 0);
		return;
	}
	if (c->phase == PHASE_ANSWERING) {
		c->n_ignored += (size_t)n;
		if (c->n_ignored > LIMIT_PROXY_IGNORED)
			connection_close(c, /* abort = */ true);
		return;
	}
	if (n == 0)
		c->is_client_eof = true;
	if (c->first_byte_ms == 0)
		c->first_byte_ms = uv_now(&c->proxy->loop);
	(void)sniff_feed(&c->sniff, span_make(scratch, (size_t)n));
	connection_step(c);
}

/* ---- Accepting ----------------------------------------------------------------------- */

/* Where the client wanted to go before the redirection. -ENOENT for who came to the listener
 * itself. */
static int original_destination(int fd, struct endpoint *ret)
{
	struct sockaddr_storage to = { 0 }, own = { 0 };
	socklen_t len = sizeof(to), own_len = sizeof(own);
	struct endpoint listener;
	int r;

	if (getsockname(fd, (struct sockaddr *)&own, &own_len) < 0)
		return -errno;
	r = own.ss_family == AF_INET ? getsockopt(fd, SOL_IP, ORIGINAL_DESTINATION, &to, &len)
				     : getsockopt(fd, SOL_IPV6, ORIGINAL_DESTINATION, &to, &len);
	if (r < 0)
		return -errno;
	if (endpoint_from_sockaddr(&to, ret) < 0 || endpoint_from_sockaddr(&own, &listener) < 0)
		return -ENOENT;
	return ret->port == listener.port && address_eq(&ret->address, &listener.address) ? -ENOENT
											  : 0;
}

static void refuse_direct(struct proxy *p, int fd)
{
	struct proxy_question q = { .protocol = SPAN("tcp") };
	struct event e = { .kind = EVENT_NET_CONNECT,
			   .message =
				   SPAN("a connection to the proxy itself instead of through it") };

	proxy_report_plain(p, &e, &q, EVENT_DENY);
	socket_set_abort(fd);
	fd_close(fd);
}

static void connection_new(struct proxy *p, int fd, const struct endpoint *to,
			   const struct process_key *key)
{
	struct connection *c = xnew(struct connection);

	c->proxy = p;
	c->fd = fd;
	c->to = *to;
	c->key = *key;
	c->accepted_ms = uv_now(&p->loop);
	c->accepted_ns = clock_monotonic_ns();
	TAILQ_INIT(&c->records);
	sniff_init(&c->sniff);
	(void)uv_poll_init(&p->loop, &c->poll, fd);
	(void)uv_timer_init(&p->loop, &c->timer);
	c->poll.data = c->timer.data = c;
	c->has_poll = true;
	c->n_handles = 2;
	TAILQ_INSERT_TAIL(&p->connections, c, entry);
	p->n_connections++;
	c->is_process_settled = processes_take(p->processes, &c->key, &c->process);
	if (!c->is_process_settled)
		TAILQ_INSERT_TAIL(&p->waiting, c, waiting);
	connection_step(c);
}

static bool accept_one(struct proxy *p, int listener)
{
	struct sockaddr_storage client = { 0 };
	socklen_t len = sizeof(client);
	struct endpoint from, to;
	struct process_key key;
	int fd = accept4(listener, (struct sockaddr *)&client, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return false;
	if (endpoint_from_sockaddr(&client, &from) < 0 || original_destination(fd, &to) < 0) {
		refuse_direct(p, fd);
		return true;
	}
	key = (struct process_key){ (uint8_t)client.ss_family, IPPROTO_TCP, from.port };
	connection_new(p, fd, &to, &key);
	return true;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct proxy *p = poll->data;
	int listener = p->tcp_fds[poll == &p->tcp_listeners[1]];

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPTS && p->is_accepting && accept_one(p, listener); i++)
		update_listeners(p);
}

/* At the limit the next connections wait in the kernel's queue. */
static void update_listeners(struct proxy *p)
{
	bool want = p->policy && p->n_connections < p->max_connections;

	if (!p->has_listeners || want == p->is_accepting)
		return;
	p->is_accepting = want;
	for (int i = 0; i < 2; i++) {
		if (want)
			(void)uv_poll_start(&p->tcp_listeners[i], UV_READABLE, on_listener);
		else
			(void)uv_poll_stop(&p->tcp_listeners[i]);
	}
}

void connection_set_limit(struct proxy *p)
{
	struct rlimit limit;

	p->max_connections = 64;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max > SPARE_FDS + 2 * 64)
		p->max_connections =
			MIN(((size_t)limit.rlim_max - SPARE_FDS) / 2, LIMIT_PROXY_CONNECTIONS);
}

int connection_listen(struct proxy *p, const int fds[2], struct err *err)
{
	for (int i = 0; i < 2; i++) {
		int r = fd_set_nonblock(fds[i], true);

		p->tcp_fds[i] = fds[i];
		if (r == 0)
			r = uv_poll_init(&p->loop, &p->tcp_listeners[i], fds[i]);
		if (r < 0)
			return err_set(err, r, "watch the container's listener");
		p->tcp_listeners[i].data = p;
	}
	p->has_listeners = true;
	update_listeners(p);
	return 0;
}

void connection_serve(struct proxy *p)
{
	update_listeners(p);
}

void connection_process_arrived(struct proxy *p, const struct process_key *key)
{
	struct connection *c;

	TAILQ_FOREACH(c, &p->waiting, waiting)
	{
		if (c->key.port != key->port || !processes_take(p->processes, &c->key, &c->process))
			continue;
		settle_process(c);
		connection_step(c);
		return;
	}
}
