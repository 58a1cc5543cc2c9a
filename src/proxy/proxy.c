#include "proxy/proxy.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "proxy/dns-budget.h"
#include "proxy/pool.h"
#include "proxy/proxy-private.h"
#include "supervise/supervise.h"

#define CACHED_DECISIONS 1024

void proxy_fail(struct proxy *p, const char *why)
{
	/* A daemon that cannot be told sees the end of the socket. */
	int r = ipc_send(p->control_fd, PROXY_FAILED, 0, span_of(why), NULL, 0);

	p->exit_status = r < 0 ? 2 : 1;
	uv_stop(&p->loop);
}

/* ---- From the daemon -------------------------------------------------------------- */

static void say_ready(struct proxy *p)
{
	if (p->is_ready || !p->has_listeners || !p->has_dns || !p->leaves || !p->policy)
		return;
	p->is_ready = true;
	connection_serve(p);
	dns_server_serve();
	if (ipc_send(p->control_fd, PROXY_READY, 0, (struct span){ 0 }, NULL, 0) < 0)
		uv_stop(&p->loop);
}

/* The policy's HttpRewrite instructions, whose texts live as long as it. */
static int apply_instructions(struct proxy *p, const struct policy *policy, struct err *err)
{
	size_t n;
	const struct policy_instruction *from = policy_instructions(policy, &n);
	struct secrets_instruction *items = xnew_array(struct secrets_instruction, n + 1);
	int r;

	for (size_t i = 0; i < n; i++)
		items[i] = (struct secrets_instruction){ from[i].policy, from[i].host, from[i].port,
							 from[i].header, from[i].value };
	r = secrets_instruct(p->secrets, items, n, err);
	xfree(p->instructions);
	p->instructions = items;
	return r;
}

static int apply_policy(struct proxy *p, int bundle_fd, struct err *err)
{
	struct policy *policy;
	uint64_t generation;
	int r = policy_open(bundle_fd, &policy, err);

	if (r >= 0)
		r = apply_instructions(p, policy, err);
	if (r < 0)
		return r;
	policy_unref(p->policy);
	p->policy = policy;
	generation = policy_generation(policy);
	r = ipc_send(p->control_fd, PROXY_POLICY_APPLIED, 0,
		     span_make(&generation, sizeof(generation)), NULL, 0);
	return r < 0 ? err_set(err, r, "answer the daemon") : 0;
}

static int take_publish(struct proxy *p, struct ipc_message *m, struct err *err)
{
	uint16_t port;
	int r;

	memcpy(&port, m->payload.data, sizeof(port));
	r = publish_listen(p, port, m->fds[0], err);
	if (r == 0)
		m->n_fds = 0; /* they are the listener's now */
	return r;
}

static int take_dns(struct proxy *p, struct ipc_message *m, struct err *err)
{
	int r = p->has_dns ? -EBADMSG : dns_server_listen(p, m->fds, err);

	if (r < 0)
		return r;
	m->n_fds = 0;
	p->has_dns = true;
	return 0;
}

static int take_listeners(struct proxy *p, struct ipc_message *m, struct err *err)
{
	int r = p->has_listeners ? -EBADMSG : connection_listen(p, m->fds, err);

	if (r == 0)
		m->n_fds = 0;
	return r;
}

static int take_trust(struct proxy *p, struct ipc_message *m, struct err *err)
{
	_cleanup_buf_ struct buf roots = BUF_INIT(LIMIT_TRUSTED_ROOTS);
	_cleanup_buf_ struct buf key = BUF_INIT(0);
	int r;

	if (p->leaves)
		return -EBADMSG;
	r = fd_read_all(m->fds[1], &roots);
	if (r < 0)
		return err_set(err, r, "read the host's trusted certificates");
	r = tls_new(buf_span(&roots), &p->tls, err);
	if (r == 0)
		r = tls_public_key(p->tls, &key);
	if (r == 0)
		r = leaves_new(&p->loop, m->fds[0], buf_span(&key), &p->leaves, err);
	if (r < 0)
		return r;
	p->keys_fd = TAKE_FD(m->fds[0]);
	return 0;
}

/* The message is wiped: its memory goes back to the heap. */
static int take_secret(struct proxy *p, struct ipc_message *m, struct err *err)
{
	struct secret_rule rule;
	int r = p->policy ? -EBADMSG : secret_rule_read(buf_span(&m->payload), &rule);

	r = r < 0 ? err_say(err, r, "the daemon sent a malformed secret")
		  : secrets_add(p->secrets, &rule, err);
	explicit_bzero(m->payload.data, m->payload.cap);
	return r;
}

static int take_message(struct proxy *p, struct ipc_message *m, struct err *err)
{
	switch ((enum proxy_message)m->type) {
	case PROXY_LISTENERS:
		return take_listeners(p, m, err);
	case PROXY_DNS:
		return take_dns(p, m, err);
	case PROXY_PUBLISH:
		return take_publish(p, m, err);
	case PROXY_SECRET:
		return take_secret(p, m, err);
	case PROXY_TRUST:
		return take_trust(p, m, err);
	case PROXY_POLICY:
		return apply_policy(p, m->fds[0], err);
	case PROXY_NONE:
	case PROXY_START:
	case PROXY_POLICY_APPLIED:
	case PROXY_READY:
	case PROXY_FAILED:
	case PROXY_MESSAGE_MAX:
		break;
	}
	return err_say(err, -EBADMSG, "the daemon sent a message out of order");
}

static void on_control(uv_poll_t *poll, int status, int events)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct proxy *p = poll->data;
	struct err err = { 0 };
	int r;

	(void)events;
	r = status < 0 ? 0 : ipc_receive(p->control_fd, proxy_to_proxy, PROXY_MESSAGE_MAX, &m);
	if (r == -EAGAIN)
		return;
	if (r == 0) { /* the daemon is gone: so is the way out */
		uv_stop(&p->loop);
		return;
	}
	if (r < 0)
		(void)err_set(&err, r, "read from the daemon");
	else
		r = take_message(p, &m, &err);
	if (r < 0)
		proxy_fail(p, err.text[0] ? err.text : "a message of the daemon's is malformed");
	else
		say_ready(p);
}

/* ---- From the supervisor ----------------------------------------------------------- */

static int take_supervised(struct proxy *p, struct ipc_message *m)
{
	struct process_key key;
	int r;

	switch ((enum supervise_proxy_message)m->type) {
	case SUPERVISE_PROXY_CONNECTION:
		r = processes_announce(p->processes, buf_span(&m->payload), uv_now(&p->loop), &key);
		if (r == 0 && key.protocol == IPPROTO_TCP)
			connection_process_arrived(p, &key);
		return r;
	case SUPERVISE_PROXY_DIALLED:
		publish_dialled(p, m->id, m->fds[0]);
		m->n_fds = 0;
		return 0;
	case SUPERVISE_PROXY_DIAL_FAILED:
		publish_dialled(p, m->id, -1);
		return 0;
	case SUPERVISE_PROXY_NONE:
	case SUPERVISE_PROXY_DIAL:
	case SUPERVISE_PROXY_MESSAGE_MAX:
		break;
	}
	return -EBADMSG;
}

void proxy_read_supervisor(struct proxy *p)
{
	for (;;) {
		_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
		int r = ipc_receive(p->supervisor_fd, supervise_supervisor_to_proxy,
				    SUPERVISE_PROXY_MESSAGE_MAX, &m);

		if (r == -EAGAIN)
			return;
		if (r == 0) { /* without the supervisor the session is over */
			uv_stop(&p->loop);
			return;
		}
		if (r < 0 || take_supervised(p, &m) < 0) {
			proxy_fail(p, "a message of the supervisor's is malformed");
			return;
		}
	}
}

static void on_supervisor(uv_poll_t *poll, int status, int events)
{
	struct proxy *p = poll->data;

	(void)events;
	if (status < 0)
		uv_stop(&p->loop);
	else
		proxy_read_supervisor(p);
}

/* ---- Start --------------------------------------------------------------------------- */

static int watch(struct proxy *p, uv_poll_t *poll, int fd, uv_poll_cb handler, struct err *err)
{
	int r = fd_set_nonblock(fd, true);

	if (r == 0)
		r = uv_poll_init(&p->loop, poll, fd);
	if (r == 0) {
		poll->data = p;
		r = uv_poll_start(poll, UV_READABLE, handler);
	}
	return r < 0 ? err_set(err, r, "watch a socket of leash's own") : 0;
}

/* The first message, before anything else can come. */
static int receive_start(struct proxy *p, int ret_ring_fds[2], struct err *err)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(p->control_fd, proxy_to_proxy, PROXY_MESSAGE_MAX, &m);

	if (r == 0)
		r = -ECONNRESET;
	if (r < 0)
		return err_set(err, r, "read from the daemon");
	if (m.type != PROXY_START)
		return err_say(err, -EBADMSG, "the daemon did not begin with the start message");
	memcpy(&p->start, m.payload.data, sizeof(p->start));
	ret_ring_fds[0] = m.fds[0];
	ret_ring_fds[1] = m.fds[1];
	p->supervisor_fd = m.fds[2];
	m.n_fds = 0;
	return 0;
}

static int set_up(struct proxy *p, const int ring_fds[2], struct err *err)
{
	int r = event_ring_open_writer(ring_fds[0], ring_fds[1], &p->ring);

	if (r < 0)
		return err_set(err, r, "open the event ring");
	r = uv_loop_init(&p->loop);
	if (r < 0)
		return err_set(err, r, "make the event loop");
	connection_set_limit(p);
	TAILQ_INIT(&p->connections);
	TAILQ_INIT(&p->waiting);
	p->scratch = xnew_array(char, LIMIT_PROXY_RELAY);
	p->pool = pool_new(&p->loop);
	p->names = names_new();
	p->hosts = hosts_new();
	p->budget = dns_budget_new();
	p->secrets = secrets_new();
	p->processes = processes_new();
	p->decider = policy_decider_new(CACHED_DECISIONS);
	r = dns_upstream_new(&p->loop, &p->upstream, err);
	if (r < 0)
		return r;
	r = watch(p, &p->supervisor, p->supervisor_fd, on_supervisor, err);
	return r < 0 ? r : watch(p, &p->control, p->control_fd, on_control, err);
}

static int start(struct proxy *p, struct err *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	int ring_fds[2] = { -1, -1 };
	int r;

	/* Whatever else was inherited is not ours to hold. */
	if ((p->control_fd > 3 &&
	     syscall(SYS_close_range, 3, (unsigned)p->control_fd - 1, 0) < 0) ||
	    syscall(SYS_close_range, (unsigned)p->control_fd + 1, ~0u, 0) < 0)
		return err_set(err, -errno, "close inherited descriptors");
	if (sigaction(SIGPIPE, &ignore, NULL) < 0)
		return err_set(err, -errno, "ignore SIGPIPE");
	r = receive_start(p, ring_fds, err);
	if (r == 0)
		r = set_up(p, ring_fds, err);
	return r < 0 ? r : drop_privileges(err);
}

int proxy_main(int control_fd)
{
	/* All that hangs on it lives as long as the process. */
	static struct proxy proxy;
	struct err err = { 0 };

	proxy.control_fd = control_fd;
	if (start(&proxy, &err) < 0) {
		proxy_fail(&proxy, err.text);
		return proxy.exit_status;
	}
	(void)uv_run(&proxy.loop, UV_RUN_DEFAULT);
	/* What came of them is recorded, and of the requests that nobody has answered. */
	connection_close_all(&proxy);
	return proxy.exit_status;
}
