#include "proxy/leaves.h"

#include <errno.h>
#include <openssl/x509.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/map.h"
#include "proxy/keys.h"

struct leaf {
	TAILQ_ENTRY(leaf) entry; /* by use, or while waiting */
	char *subject;
	X509 *certificate; /* NULL while the signer is at it */
	uint64_t made_ms;
	uint32_t id;
	TAILQ_HEAD(leaf_requests, leaf_request) requests;
};

struct leaf_request {
	TAILQ_ENTRY(leaf_request) entry;
	struct leaf *leaf;
	leaf_fn fn;
	void *ctx;
};

TAILQ_HEAD(leaf_list, leaf);

struct leaves {
	uv_loop_t *loop;
	uv_poll_t poll;
	int signer_fd;
	struct map by_subject;
	struct leaf_list by_use; /* most recent first */
	struct leaf_list waiting;
	size_t n_kept, n_waiting;
	uint32_t last_id;
	bool is_broken; /* the signer is gone: the session is about to end */
};

static void leaf_free(struct leaves *l, struct leaf *leaf)
{
	(void)map_remove(&l->by_subject, span_of(leaf->subject));
	X509_free(leaf->certificate);
	xfree(leaf->subject);
	xfree(leaf);
}

static void forget(struct leaves *l, struct leaf *leaf)
{
	TAILQ_REMOVE(&l->by_use, leaf, entry);
	l->n_kept--;
	leaf_free(l, leaf);
}

/* ---- The signer's answers ---- */

static void answer(struct leaf *leaf, X509 *certificate)
{
	struct leaf_request *r;

	while ((r = TAILQ_FIRST(&leaf->requests))) {
		leaf_fn fn = r->fn;
		void *ctx = r->ctx;

		leaf_request_cancel(r);
		fn(ctx, certificate);
	}
}

static void settle(struct leaves *l, struct leaf *leaf, X509 *certificate)
{
	TAILQ_REMOVE(&l->waiting, leaf, entry);
	l->n_waiting--;
	leaf->certificate = certificate;
	leaf->made_ms = uv_now(l->loop);
	if (certificate) {
		TAILQ_INSERT_HEAD(&l->by_use, leaf, entry);
		l->n_kept++;
	}
	answer(leaf, certificate);
	if (!certificate)
		leaf_free(l, leaf);
	while (l->n_kept > LIMIT_PROXY_LEAVES)
		forget(l, TAILQ_LAST(&l->by_use, leaf_list));
}

static struct leaf *find_waiting(struct leaves *l, uint32_t id)
{
	struct leaf *leaf;

	TAILQ_FOREACH(leaf, &l->waiting, entry)
	if (leaf->id == id)
		return leaf;
	return NULL;
}

static void give_up(struct leaves *l)
{
	struct leaf *leaf;

	l->is_broken = true;
	(void)uv_poll_stop(&l->poll);
	while ((leaf = TAILQ_FIRST(&l->waiting)))
		settle(l, leaf, NULL);
}

static void on_signer(uv_poll_t *poll, int status, int events)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct leaves *l = poll->data;
	const unsigned char *der;
	struct leaf *leaf;
	int r;

	(void)events;
	r = status < 0 ? status : ipc_receive(l->signer_fd, keys_to_proxy, KEYS_MESSAGE_MAX, &m);
	if (r == -EAGAIN)
		return;
	leaf = r > 0 ? find_waiting(l, m.id) : NULL;
	if (!leaf) {
		give_up(l);
		return;
	}
	der = (const unsigned char *)m.payload.data;
	settle(l, leaf, m.type == KEYS_SIGNED ? d2i_X509(NULL, &der, (long)m.payload.len) : NULL);
}

/* ---- Asking ---- */

static struct leaf *ask(struct leaves *l, struct span subject)
{
	struct leaf *leaf;

	if (l->is_broken || l->n_waiting >= LIMIT_PROXY_LEAVES_WAITING ||
	    ipc_send(l->signer_fd, KEYS_SIGN, ++l->last_id, subject, NULL, 0) < 0)
		return NULL;
	leaf = xnew(struct leaf);
	leaf->subject = xmemdup0(subject.p, subject.len);
	leaf->id = l->last_id;
	TAILQ_INIT(&leaf->requests);
	TAILQ_INSERT_TAIL(&l->waiting, leaf, entry);
	l->n_waiting++;
	(void)map_put(&l->by_subject, subject, leaf);
	return leaf;
}

static struct leaf *find(struct leaves *l, struct span subject)
{
	struct leaf *leaf = map_get(&l->by_subject, subject);

	if (leaf && leaf->certificate && uv_now(l->loop) - leaf->made_ms >= LIMIT_PROXY_LEAF_MS) {
		forget(l, leaf);
		return NULL;
	}
	return leaf;
}

struct leaf_request *leaves_get(struct leaves *l, struct span subject, leaf_fn fn, void *ctx)
{
	struct leaf *leaf = find(l, subject);
	struct leaf_request *r;

	if (leaf && leaf->certificate) {
		TAILQ_REMOVE(&l->by_use, leaf, entry);
		TAILQ_INSERT_HEAD(&l->by_use, leaf, entry);
		fn(ctx, leaf->certificate);
		return NULL;
	}
	if (!leaf)
		leaf = ask(l, subject);
	if (!leaf) {
		fn(ctx, NULL);
		return NULL;
	}
	r = xnew(struct leaf_request);
	*r = (struct leaf_request){ .leaf = leaf, .fn = fn, .ctx = ctx };
	TAILQ_INSERT_TAIL(&leaf->requests, r, entry);
	return r;
}

void leaves_prepare(struct leaves *l, struct span subject)
{
	if (!find(l, subject))
		(void)ask(l, subject);
}

void leaf_request_cancel(struct leaf_request *r)
{
	if (!r)
		return;
	TAILQ_REMOVE(&r->leaf->requests, r, entry);
	xfree(r);
}

int leaves_new(uv_loop_t *loop, int signer_fd, struct span public_key, struct leaves **ret,
	       struct err *err)
{
	struct leaves *l = xnew(struct leaves);
	int r = ipc_send(signer_fd, KEYS_LEAF_KEY, 0, public_key, NULL, 0);

	l->loop = loop;
	l->signer_fd = signer_fd;
	TAILQ_INIT(&l->by_use);
	TAILQ_INIT(&l->waiting);
	l->poll.data = l;
	if (r >= 0)
		r = fd_set_nonblock(signer_fd, true);
	if (r >= 0)
		r = uv_poll_init(loop, &l->poll, signer_fd);
	if (r >= 0)
		r = uv_poll_start(&l->poll, UV_READABLE, on_signer);
	if (r < 0) {
		xfree(l);
		return err_set(err, r, "talk to the signer");
	}
	*ret = l;
	return 0;
}
