#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/private.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "event/store.h"

#define SWEEP_MS 1000

struct api_facts api_describe(const struct api *a)
{
	struct api_facts f = { 0 };

	a->host.describe(a->host.ctx, &f);
	return f;
}

uint64_t api_now(const struct api *a)
{
	return uv_now(a->loop);
}

/* ---- The end --------------------------------------------------------------------- */

void api_handle_closed(struct api *a)
{
	if (--a->n_handles > 0)
		return;
	event_reader_free(a->reader);
	policy_decider_free(a->decider);
	policy_unref(a->policy);
	api_seen_free(a->seen);
	for (size_t i = 0; i < a->texts.len; i++)
		buf_done(&a->texts.items[i].text);
	vec_done(&a->texts);
	explicit_bzero(&a->auth, sizeof(a->auth));
	if (a->url)
		explicit_bzero(a->url, strlen(a->url));
	xfree(a->url);
	xfree(a->token_file);
	xfree(a);
}

static void on_handle_closed(uv_handle_t *handle)
{
	api_handle_closed(handle->data);
}

static void close_handle(struct api *a, uv_handle_t *handle)
{
	handle->data = a;
	uv_close(handle, on_handle_closed);
}

void api_stop(struct api *a)
{
	if (!a || a->is_stopping)
		return;
	a->is_stopping = true;
	if (a->token_file)
		(void)unlink(a->token_file);
	live_stop(a);
	while (a->connections)
		connection_close(a->connections);
	close_handle(a, (uv_handle_t *)&a->live.flush);
	close_handle(a, (uv_handle_t *)&a->live.beat);
	close_handle(a, (uv_handle_t *)&a->sweep);
	close_handle(a, (uv_handle_t *)&a->listener);
}

/* ---- Connections ----------------------------------------------------------------- */

static void on_sweep(uv_timer_t *timer)
{
	struct api *a = timer->data;
	struct api_connection *next;

	for (struct api_connection *c = a->connections; c; c = next) {
		next = c->next;
		connection_sweep(c);
	}
	if (!a->connections) {
		(void)uv_timer_stop(timer);
		a->is_sweeping = false;
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct api *a = listener->data;

	if (status < 0 || connection_accept(a) < 0 || a->is_sweeping)
		return;
	a->is_sweeping = true;
	(void)uv_timer_start(&a->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

/* ---- Events and policies ----------------------------------------------------------- */

void api_publish(struct api *a, uint64_t seq, struct span json, const struct event *e)
{
	if (a->live.n)
		live_publish(a, seq, json, e);
}

void api_applied(struct api *a, uint64_t generation, double ms)
{
	struct api_connection *next;

	for (struct api_connection *c = a->connections; c; c = next) {
		next = c->next;
		if (c->state != CONNECTION_WAITING || !c->call.awaits ||
		    c->call.awaits > generation)
			continue;
		c->call.awaits = 0;
		c->call.in_force(&c->call, generation, ms);
		connection_answer(c);
	}
	/* Whoever changed it: it can be gone back to. */
	if (a->texts.len)
		policies_remember(a);
	live_tell(a);
}

/* ---- The start ------------------------------------------------------------------- */

/* For whoever the user is: `leash token` and `leash ui` read it. */
static int write_token(struct api *a, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct json_writer w = { .out = &out };
	struct span above = path_directory(span_of(a->token_file));
	_cleanup_free_ char *directory = xmemdup0(above.p, above.len);
	int r = mkdir_all(directory, 0700);

	if (r < 0)
		return err_set(err, r, "make the runtime directory %s", directory);
	json_begin_object(&w);
	json_key_string(&w, "url", span_make(a->url, strcspn(a->url, "#")));
	json_key_string(&w, "token", span_of(a->auth.token));
	json_key_int(&w, "pid", getpid());
	json_end_object(&w);
	(void)buf_append_char(&out, '\n');
	r = file_replace(a->token_file, buf_span(&out), 0600, /* want_sync = */ false, err);
	explicit_bzero(out.data, out.len);
	return r;
}

static char *make_url(const struct api_auth *auth)
{
	const char *host = api_listen_is_any(&auth->listen) ? "127.0.0.1" : auth->listen.address;

	return xasprintf(strchr(host, ':') ? "http://[%s]:%u/#token=%s" : "http://%s:%u/#token=%s",
			 host, auth->listen.port, auth->token);
}

static int init_handles(struct api *a, struct api_listen *listen)
{
	int r = uv_tcp_init(a->loop, &a->listener);

	if (r < 0)
		return r;
	(void)uv_timer_init(a->loop, &a->sweep);
	(void)uv_timer_init(a->loop, &a->live.flush);
	(void)uv_timer_init(a->loop, &a->live.beat);
	a->n_handles = 4;
	a->listener.data = a->sweep.data = a->live.flush.data = a->live.beat.data = a;
	r = uv_tcp_open(&a->listener, listen->fd);
	if (r < 0)
		return r;
	listen->fd = -1;
	return uv_listen((uv_stream_t *)&a->listener, SOMAXCONN, on_connection);
}

int api_start(uv_loop_t *loop, struct api_listen *listen, const struct api_host *host,
	      const char *token_file, struct api **ret, struct err *err)
{
	struct api *a = xnew(struct api);
	int r;

	a->loop = loop;
	a->host = *host;
	r = api_auth_init(&a->auth, listen);
	if (r >= 0)
		r = init_handles(a, listen);
	if (r < 0) {
		(void)err_set(err, r, "serve on %s port %u", listen->address, listen->port);
		if (a->n_handles)
			api_stop(a);
		else
			xfree(a);
		return r;
	}
	a->url = make_url(&a->auth);
	a->token_file = xstrdup(token_file);
	r = write_token(a, err);
	if (r < 0) {
		api_stop(a);
		return r;
	}
	*ret = a;
	return 0;
}

const char *api_url(const struct api *a)
{
	return a->url;
}
