/*
 * The container's resolver: takes each question apart, decides it, answers it
 * itself or asks the host's resolvers, and remembers which name gave an address.
 */
#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "proxy/dial.h"
#include "proxy/resolve.h"

#define LOCAL_TTL 60 /* of answers from /etc/hosts, seconds */

enum {
	STREAM_HEADER = 2,    /* RFC 1035 §4.2.2 */
	DATAGRAM_ROUNDS = 16, /* queries before others have their turn */
};

struct stream;

/* One question under way. */
struct query {
	TAILQ_ENTRY(query) entry;
	struct proxy *proxy;
	struct dns_question question;
	struct dns_request *request;
	/* Where the answer goes: a stream, or an address over a datagram socket. */
	struct stream *stream;
	int fd;
	struct sockaddr_storage client;
	socklen_t client_len;
};

/* A client over TCP. */
struct stream {
	TAILQ_ENTRY(stream) entry;
	struct proxy *proxy;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	struct buf in, out;
	struct process process;
	TAILQ_HEAD(, query) queries;
	int n_handles;
	bool is_closing, is_eof;
};

struct dns_server {
	struct proxy *proxy;
	uv_poll_t datagram[2], listener[2];
	int fds[4];
	size_t n_streams;
};

static struct dns_server server;

static void stream_close(struct stream *s);
static void stream_update(struct stream *s);

/* ---- Answering ---------------------------------------------------------------- */

static void query_free(struct query *q)
{
	dns_request_cancel(q->request);
	if (q->stream)
		TAILQ_REMOVE(&q->stream->queries, q, entry);
	xfree(q);
}

static int queue(struct stream *s, const struct buf *message)
{
	char len[STREAM_HEADER] = { (char)(message->len >> 8), (char)message->len };

	if (buf_append(&s->out, len, sizeof(len)) < 0 ||
	    buf_append_span(&s->out, buf_span(message)) < 0)
		return -EMSGSIZE;
	return 0;
}

/* Sends the answer and frees the query. */
static void reply(struct query *q, struct buf *message)
{
	struct stream *s = q->stream;
	int r = 0;

	if (s) {
		r = queue(s, message);
	} else {
		dns_truncate(&q->question, message);
		/* A full socket loses datagrams, as a network would. */
		(void)sendto(q->fd, message->data, message->len, MSG_DONTWAIT | MSG_NOSIGNAL,
			     (struct sockaddr *)&q->client, q->client_len);
	}
	query_free(q);
	if (s && r < 0)
		stream_close(s);
	else if (s)
		stream_update(s);
}

static void reply_error(struct query *q, enum dns_rcode rcode)
{
	_cleanup_buf_ struct buf message = BUF_INIT(LIMIT_DNS_MESSAGE);

	if (dns_write_error(&q->question, rcode, &message) == 0)
		reply(q, &message);
	else
		query_free(q);
}

static void record_address(void *ctx, const struct policy_address *address, uint32_t ttl)
{
	struct query *q = ctx;

	names_record(q->proxy->names, address, &q->question.name, ttl, uv_now(&q->proxy->loop));
}

static void on_answer(void *ctx, struct span answer)
{
	_cleanup_buf_ struct buf message = BUF_INIT(LIMIT_DNS_MESSAGE);
	struct query *q = ctx;

	q->request = NULL;
	if (answer.len == 0 ||
	    dns_take_answer(&q->question, answer, record_address, q, &message) < 0)
		reply_error(q, DNS_SERVFAIL);
	else
		reply(q, &message);
}

static void reply_addresses(struct query *q, const struct policy_address *addresses, size_t n)
{
	_cleanup_buf_ struct buf message = BUF_INIT(LIMIT_DNS_MESSAGE);

	for (size_t i = 0; i < n; i++)
		if (!names_is_synthetic(&addresses[i]) && !address_is_loopback(&addresses[i]))
			record_address(q, &addresses[i], LOCAL_TTL);
	if (dns_write_addresses(&q->question, addresses, n, LOCAL_TTL, &message) == 0)
		reply(q, &message);
	else
		reply_error(q, DNS_SERVFAIL);
}

/* ---- Names that leash answers itself ------------------------------------------- */

/* RFC 6761 §6.3: these are the asking machine, here the container. */
static bool is_localhost(const struct name *name)
{
	return span_eq_str(name_span(name), "localhost") ||
	       span_ends_with(name_span(name), SPAN(".localhost"));
}

static void reply_localhost(struct query *q)
{
	static const struct policy_address loopback[2] = {
		{ .bytes = { 127, 0, 0, 1 } }, { .bytes = { [15] = 1 }, .is_v6 = true }
	};

	reply_addresses(q, loopback, 2);
}

/*
 * A loopback address in the host's file means the host, which the container
 * cannot call so: a synthetic address stands for it. An unspecified one (a list
 * against advertisements) means that there is nothing.
 */
static void reply_hosts(struct query *q, const struct hosts_entry *entries, size_t n)
{
	struct policy_address addresses[DIAL_MAX_ADDRESSES];
	size_t count = 0;
	bool is_host = false;

	for (size_t i = 0; i < n && count < DIAL_MAX_ADDRESSES; i++) {
		if (address_is_loopback(&entries[i].address))
			is_host = true;
		else if (!address_is_undiallable(&entries[i].address))
			addresses[count++] = entries[i].address;
	}
	if (is_host) {
		count = 0;
		if (names_synthesise(q->proxy->names, &q->question.name,
				     q->question.type == DNS_AAAA, &addresses[0]) == 0)
			count = 1;
	}
	reply_addresses(q, addresses, count);
}

/* ---- Deciding ------------------------------------------------------------------- */

static void serve(struct query *q, const struct process *process)
{
	struct proxy *p = q->proxy;
	const struct hosts_entry *entries;
	struct policy_decision d;
	size_t n;

	if (is_localhost(&q->question.name)) {
		reply_localhost(q);
		return;
	}
	if (!dns_type_is_known(q->question.type)) {
		reply_error(q, DNS_REFUSED);
		return;
	}
	if (!resolve_decide(p, &q->question, process, q->stream ? SPAN("tcp") : SPAN("udp"), &d)) {
		reply_error(q, DNS_REFUSED);
		return;
	}
	entries = hosts_find(p->hosts, &q->question.name, uv_now(&p->loop), &n);
	if (entries) {
		reply_hosts(q, entries, n);
		return;
	}
	/* They can carry keys for encrypted server names: clients do without. */
	if (q->question.type == DNS_HTTPS || q->question.type == DNS_SVCB) {
		reply_error(q, DNS_NOERROR);
		return;
	}
	q->request =
		dns_upstream_ask(p->upstream, &q->question.name, q->question.type, on_answer, q);
	if (!q->request)
		reply_error(q, DNS_SERVFAIL);
}

/* Reads a message; a query that cannot be served is answered here. NULL: nothing to serve. */
static struct query *query_new(struct proxy *p, struct span message, const struct query *from,
			       bool *ret_is_bad)
{
	struct dns_question question = { 0 };
	enum dns_rcode rcode = DNS_FORMERR;
	struct query *q;
	int r = dns_read_query(message, &question, &rcode);

	*ret_is_bad = r == -EBADMSG;
	if (r == -EBADMSG)
		return NULL;
	q = xnew(struct query);
	*q = *from;
	q->proxy = p;
	q->question = question;
	if (q->stream)
		TAILQ_INSERT_TAIL(&q->stream->queries, q, entry);
	if (r < 0 || !p->policy) {
		reply_error(q, r < 0 ? rcode : DNS_SERVFAIL);
		return NULL;
	}
	return q;
}

/* ---- Datagrams ------------------------------------------------------------------- */

/* Whose it is was told before the question was sent, but that may not have been read yet. */
static const struct process *asker(struct proxy *p, const struct process_key *key)
{
	proxy_read_supervisor(p);
	return processes_look(p->processes, key, uv_now(&p->loop));
}

static bool receive(int fd)
{
	char message[4096]; /* of queries: a name, a question, EDNS */
	struct query from = { .fd = fd, .client_len = sizeof(from.client) };
	struct process_key key = { .protocol = IPPROTO_UDP };
	struct endpoint client;
	struct query *q;
	bool is_bad;
	ssize_t n = recvfrom(fd, message, sizeof(message), MSG_DONTWAIT,
			     (struct sockaddr *)&from.client, &from.client_len);

	if (n < 0)
		return false;
	if (endpoint_from_sockaddr(&from.client, &client) < 0)
		return true;
	key.family = (uint8_t)from.client.ss_family;
	key.port = client.port;
	q = query_new(server.proxy, span_make(message, (size_t)n), &from, &is_bad);
	if (q)
		serve(q, asker(server.proxy, &key));
	return true;
}

static void on_datagram(uv_poll_t *poll, int status, int events)
{
	int fd = server.fds[poll == &server.datagram[1]];

	(void)status;
	(void)events;
	for (int i = 0; i < DATAGRAM_ROUNDS && receive(fd); i++)
		;
	/* libuv stops watching a socket in error (an ICMP error that came back); reading has
	 * cleared it. */
	(void)uv_poll_start(poll, UV_READABLE, on_datagram);
}

/* ---- Streams ---------------------------------------------------------------------- */

static void on_stream_closed(uv_handle_t *handle)
{
	struct stream *s = handle->data;

	if (--s->n_handles)
		return;
	buf_done(&s->in);
	buf_done(&s->out);
	process_done(&s->process);
	xfree(s);
}

static void stream_close(struct stream *s)
{
	if (s->is_closing)
		return;
	s->is_closing = true;
	server.n_streams--;
	while (!TAILQ_EMPTY(&s->queries))
		query_free(TAILQ_FIRST(&s->queries));
	(void)uv_poll_stop(&s->poll);
	fd_close(TAKE_FD(s->fd));
	uv_close((uv_handle_t *)&s->poll, on_stream_closed);
	uv_close((uv_handle_t *)&s->timer, on_stream_closed);
}

static void on_idle(uv_timer_t *timer)
{
	stream_close(timer->data);
}

static void on_stream(uv_poll_t *poll, int status, int events);

/* Sends what there is; then waits for what is due. */
static void stream_update(struct stream *s)
{
	if (s->is_closing)
		return;
	if (s->out.len) {
		ssize_t n = send(s->fd, s->out.data, s->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN) {
			stream_close(s);
			return;
		}
		buf_consume(&s->out, (size_t)MAX(n, 0));
	}
	if (s->is_eof && s->out.len == 0 && TAILQ_EMPTY(&s->queries)) {
		stream_close(s);
		return;
	}
	(void)uv_timer_start(&s->timer, on_idle, LIMIT_DNS_IDLE_MS, 0);
	/* Who does not read answers may not ask more. */
	(void)uv_poll_start(&s->poll,
			    (s->out.len ? UV_WRITABLE : 0) |
				    (s->is_eof || s->out.len ? 0 : UV_READABLE),
			    on_stream);
}

static void serve_stream(struct stream *s)
{
	while (!s->is_closing && s->in.len >= STREAM_HEADER) {
		size_t len =
			(size_t)(unsigned char)s->in.data[0] << 8 | (unsigned char)s->in.data[1];
		struct query from = { .stream = s, .fd = -1 };
		struct query *q;
		bool is_bad;

		if (s->in.len < STREAM_HEADER + len)
			return;
		q = query_new(s->proxy, span_make(s->in.data + STREAM_HEADER, len), &from, &is_bad);
		if (is_bad) {
			stream_close(s);
			return;
		}
		buf_consume(&s->in, STREAM_HEADER + len);
		if (q)
			serve(q, &s->process);
	}
}

static void on_stream(uv_poll_t *poll, int status, int events)
{
	struct stream *s = poll->data;
	char chunk[4096];
	ssize_t n;

	if (status < 0) {
		stream_close(s);
		return;
	}
	if (events & UV_READABLE) {
		n = recv(s->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN) {
			stream_close(s);
			return;
		}
		s->is_eof = n == 0;
		if (n > 0 && buf_append(&s->in, chunk, (size_t)n) < 0) {
			stream_close(s);
			return;
		}
		serve_stream(s);
	}
	stream_update(s);
}

static void stream_new(int fd, const struct sockaddr_storage *client)
{
	struct stream *s = xnew(struct stream);
	struct process_key key = { (uint8_t)client->ss_family, IPPROTO_TCP, 0 };
	struct endpoint e;

	s->proxy = server.proxy;
	s->fd = fd;
	s->in = (struct buf)BUF_INIT(LIMIT_DNS_MESSAGE + STREAM_HEADER);
	s->out = (struct buf)BUF_INIT(LIMIT_DNS_MESSAGE * 4);
	TAILQ_INIT(&s->queries);
	if (endpoint_from_sockaddr(client, &e) == 0) {
		key.port = e.port;
		(void)processes_take(s->proxy->processes, &key, &s->process);
	}
	(void)uv_poll_init(&s->proxy->loop, &s->poll, fd);
	(void)uv_timer_init(&s->proxy->loop, &s->timer);
	s->poll.data = s->timer.data = s;
	s->n_handles = 2;
	server.n_streams++;
	stream_update(s);
}

static void on_stream_client(uv_poll_t *poll, int status, int events)
{
	int listener = server.fds[2 + (poll == &server.listener[1])];
	struct sockaddr_storage client;
	socklen_t len = sizeof(client);
	int fd;

	(void)status;
	(void)events;
	fd = accept4(listener, (struct sockaddr *)&client, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (server.n_streams >= LIMIT_DNS_CONNECTIONS)
		fd_close(fd);
	else
		stream_new(fd, &client);
}

int dns_server_listen(struct proxy *p, const int fds[4], struct err *err)
{
	server.proxy = p;
	memcpy(server.fds, fds, sizeof(server.fds));
	for (int i = 0; i < 4; i++) {
		uv_poll_t *poll = i < 2 ? &server.datagram[i] : &server.listener[i - 2];
		int r = fd_set_nonblock(fds[i], true);

		if (r == 0)
			r = uv_poll_init(&p->loop, poll, fds[i]);
		if (r < 0)
			return err_set(err, r, "watch the resolver's socket");
	}
	return 0;
}

void dns_server_serve(void)
{
	for (int i = 0; i < 2; i++) {
		(void)uv_poll_start(&server.datagram[i], UV_READABLE, on_datagram);
		(void)uv_poll_start(&server.listener[i], UV_READABLE, on_stream_client);
	}
}
