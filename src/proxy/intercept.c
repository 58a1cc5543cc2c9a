#include "proxy/intercept.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

enum intercept_state {
	WITH_SERVER, /* shaking hands */
	FOR_LEAF,    /* waiting for the certificate */
	WITH_CLIENT, /* shaking hands */
	FOR_REQUEST, /* about to be answered; something has to be asked first */
	ANSWERING,
	OVER,
};

struct intercept {
	uv_loop_t *loop;
	struct tls *tls;
	struct leaves *leaves;
	char *scratch;
	struct intercept_events events;
	void *ctx;
	enum intercept_state state;
	struct stream *client, *server;
	struct leaf_request *leaf;
	struct buf hello, answer;
	unsigned int offers;
	enum tls_protocol protocol; /* that the server agreed to */
	bool has_name;
	struct name name;
	struct policy_address address;
	uv_timer_t timer;
	size_t n_ignored; /* bytes of a client that is answered */
};

static void on_timer(uv_timer_t *timer);

/* ---- The end ---- */

static void end(struct intercept *i)
{
	if (i->state == OVER)
		return;
	i->state = OVER;
	i->events.ended(i->ctx);
}

static void fail_client(struct intercept *i, const char *why, bool is_mistrust)
{
	i->events.client_failed(i->ctx, why, is_mistrust);
	end(i);
}

static void limit_time(struct intercept *i, uint64_t ms)
{
	(void)uv_timer_start(&i->timer, on_timer, ms, 0);
}

/* ---- With the client ---- */

static void answer_client(struct intercept *i)
{
	int r = stream_flush(i->client);
	ssize_t n = 1;

	if (r == 0 && !stream_has_output(i->client))
		stream_shut(i->client);
	/* Read on until the end: closing with unread input would overtake the answer. */
	for (int round = 0; r == 0 && n > 0 && round < STREAM_ROUNDS; round++) {
		n = stream_read(i->client, i->scratch, LIMIT_PROXY_RELAY);
		i->n_ignored += n > 0 ? (size_t)n : 0;
	}
	if (r < 0 || (n <= 0 && n != -EAGAIN) || i->n_ignored > LIMIT_PROXY_IGNORED)
		end(i);
	else
		stream_wait(i->client, /* may_read = */ true);
}

static void await_request(struct intercept *i)
{
	ssize_t n = stream_read(i->client, i->scratch, LIMIT_PROXY_RELAY);

	if (n == -EAGAIN) {
		stream_wait(i->client, /* may_read = */ true);
		return;
	}
	if (n <= 0) {
		end(i);
		return;
	}
	i->state = ANSWERING;
	limit_time(i, LIMIT_PROXY_ANSWER_MS);
	(void)buf_append_span(stream_out(i->client), buf_span(&i->answer));
	answer_client(i);
}

static void join(struct intercept *i)
{
	/* Arguments are evaluated in any order: it is asked before it is handed over. */
	enum tls_protocol agreed = tls_agreed(stream_tls(i->client));

	i->state = OVER;
	stream_wait(i->client, false);
	stream_wait(i->server, false);
	i->events.joined(i->ctx, TAKE_PTR(i->client), TAKE_PTR(i->server), agreed);
}

static void shake_with_client(struct intercept *i)
{
	int r = stream_handshake(i->client);

	if (r == -EAGAIN) {
		stream_wait(i->client, /* may_read = */ true);
	} else if (r < 0) {
		fail_client(i,
			    r == -EPROTO || r == -ECONNRESET ? stream_error(i->client)
							     : strerror(-r),
			    tls_is_mistrust(stream_tls_error(i->client)));
	} else if (i->server) {
		join(i);
	} else {
		i->state = FOR_REQUEST;
		await_request(i);
	}
}

static void on_leaf(void *ctx, X509 *certificate)
{
	struct intercept *i = ctx;
	SSL *tls = certificate ? tls_to_client(i->tls, certificate, i->protocol) : NULL;

	i->leaf = NULL;
	if (!tls || stream_start_tls(i->client, tls, buf_span(&i->hello)) < 0) {
		fail_client(i, "no certificate can be made for this name", false);
		return;
	}
	buf_done(&i->hello);
	i->state = WITH_CLIENT;
	limit_time(i, LIMIT_PROXY_HANDSHAKE_MS);
	shake_with_client(i);
}

/* Whom the client means; text has room for an address. */
static struct span subject(const struct intercept *i, char *text)
{
	return i->has_name ? name_span(&i->name) : address_format(&i->address, text);
}

static void get_leaf(struct intercept *i)
{
	char text[ADDRESS_TEXT_MAX];

	i->state = FOR_LEAF;
	i->leaf = leaves_get(i->leaves, subject(i, text), on_leaf, i);
}

/* ---- With the server ---- */

static void fail_server(struct intercept *i, int error)
{
	const char *certificate = tls_verify_error(stream_tls(i->server));
	const char *why = certificate	     ? certificate
			  : error == -EPROTO ? stream_error(i->server)
					     : strerror(-error);

	i->events.server_failed(i->ctx, why, certificate != NULL, &i->answer);
	stream_free(TAKE_PTR(i->server), /* abort = */ true);
	i->protocol = TLS_PROTOCOL_HTTP1;
	get_leaf(i);
}

static void shake_with_server(struct intercept *i)
{
	int r = stream_handshake(i->server);

	if (r == -EAGAIN) {
		stream_wait(i->server, /* may_read = */ true);
		return;
	}
	stream_wait(i->server, false);
	if (r < 0) {
		fail_server(i, r);
		return;
	}
	i->protocol = tls_agreed(stream_tls(i->server));
	get_leaf(i);
}

/* ---- The loop ---- */

static void on_client(void *ctx, struct stream *s, int status)
{
	struct intercept *i = ctx;

	(void)s;
	/* What came before a socket's error can still be read: it may say why. */
	if (i->state == WITH_CLIENT)
		shake_with_client(i);
	else if (i->state == FOR_REQUEST)
		await_request(i);
	else if (i->state == ANSWERING)
		answer_client(i);
	if (status >= 0)
		return;
	if (i->state == WITH_CLIENT)
		fail_client(i, strerror(ECONNRESET), /* is_mistrust = */ false);
	else
		end(i);
}

static void on_server(void *ctx, struct stream *s, int status)
{
	struct intercept *i = ctx;

	(void)s;
	(void)status; /* TLS finds out */
	if (i->state == WITH_SERVER)
		shake_with_server(i);
	else
		end(i);
}

static void on_timer(uv_timer_t *timer)
{
	struct intercept *i = timer->data;

	if (i->state == WITH_SERVER)
		fail_server(i, -ETIMEDOUT);
	else if (i->state == WITH_CLIENT)
		fail_client(i, "it took too long", /* is_mistrust = */ false);
	else
		end(i);
}

static void begin(uv_timer_t *timer)
{
	struct intercept *i = timer->data;
	char text[ADDRESS_TEXT_MAX];
	SSL *tls;

	if (i->server && stream_tls(i->server)) /* it has served another client */
		i->protocol = tls_agreed(stream_tls(i->server));
	if (!i->server || stream_tls(i->server)) {
		get_leaf(i);
		return;
	}
	tls = tls_to_server(i->tls, i->has_name ? &i->name : NULL, &i->address, i->offers);
	if (!tls || stream_start_tls(i->server, tls, (struct span){ 0 }) < 0) {
		end(i);
		return;
	}
	limit_time(i, LIMIT_PROXY_HANDSHAKE_MS);
	shake_with_server(i);
	/* The signer works while the server does. It is shown to nobody before the server is known.
	 */
	if (i->state == WITH_SERVER)
		leaves_prepare(i->leaves, subject(i, text));
}

struct intercept *intercept_start(const struct intercept_options *o,
				  const struct intercept_events *events, void *ctx)
{
	struct intercept *i = xnew(struct intercept);

	i->loop = o->loop;
	i->tls = o->tls;
	i->leaves = o->leaves;
	i->scratch = o->scratch;
	i->events = *events;
	i->ctx = ctx;
	i->offers = o->offers;
	i->protocol = TLS_PROTOCOL_HTTP1; /* where no server says so, an answer is */
	i->has_name = o->name != NULL;
	if (o->name)
		i->name = *o->name;
	i->address = *o->address;
	(void)buf_append_span(&i->hello, o->hello);
	(void)buf_append_span(&i->answer, o->answer);
	i->client = o->client;
	stream_set_owner(i->client, on_client, i);
	i->server = o->server;
	if (i->server)
		stream_set_owner(i->server, on_server, i);
	(void)uv_timer_init(o->loop, &i->timer);
	i->timer.data = i;
	(void)uv_timer_start(&i->timer, begin, 0, 0);
	return i;
}

static void on_closed(uv_handle_t *handle)
{
	struct intercept *i = handle->data;

	xfree(i);
}

void intercept_free(struct intercept *i)
{
	if (!i)
		return;
	i->state = OVER;
	leaf_request_cancel(TAKE_PTR(i->leaf));
	stream_free(TAKE_PTR(i->client), /* abort = */ false);
	stream_free(TAKE_PTR(i->server), /* abort = */ false);
	buf_done(&i->hello);
	buf_done(&i->answer);
	uv_close((uv_handle_t *)&i->timer, on_closed);
}
