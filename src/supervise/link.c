#include "supervise/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervise/worker.h"

const struct ipc_type supervise_supervisor_to_proxy[SUPERVISE_PROXY_MESSAGE_MAX] = {
	[SUPERVISE_PROXY_CONNECTION] = { "connection", sizeof(struct supervise_connection) + 3,
					 sizeof(struct supervise_connection) + 3 * (LIMIT_PATH + 1),
					 0 },
	[SUPERVISE_PROXY_DIALLED] = { "dialled", sizeof(int32_t), sizeof(int32_t), 1 },
	[SUPERVISE_PROXY_DIAL_FAILED] = { "dial failed", sizeof(int32_t), sizeof(int32_t), 0 },
};

const struct ipc_type supervise_proxy_to_supervisor[SUPERVISE_PROXY_MESSAGE_MAX] = {
	[SUPERVISE_PROXY_DIAL] = { "dial", sizeof(uint16_t), sizeof(uint16_t), 0 },
};

int link_announce(struct worker *w, struct supervise_connection *c)
{
	const struct process *p = w->process;
	_cleanup_buf_ struct buf b = BUF_INIT(sizeof(*c) + 3 * (LIMIT_PATH + 1));
	int r;

	c->pid = p->tgid;
	c->ppid = p->ppid;
	c->uid = p->uid;
	(void)buf_append(&b, c, sizeof(*c));
	(void)buf_append(&b, p->exe, strlen(p->exe) + 1);
	(void)buf_append(&b, p->comm, strlen(p->comm) + 1);
	r = buf_append(&b, p->cwd, strlen(p->cwd) + 1);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&w->s->proxy_lock);
	/* without a proxy nobody accepts */
	r = w->s->proxy_fd < 0 ? -ENETUNREACH
			       : ipc_send(w->s->proxy_fd, SUPERVISE_PROXY_CONNECTION, 0,
					  buf_span(&b), NULL, 0);
	(void)pthread_mutex_unlock(&w->s->proxy_lock);
	return r;
}

/* The container's loopback: whoever listens there accepts at once or has a full backlog. */
static int dial_one(const struct sockaddr *address, socklen_t len)
{
	_cleanup_close_ int fd =
		socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, address, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}

static int dial(uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = dial_one((const struct sockaddr *)&v4, sizeof(v4));

	return fd >= 0 ? fd : dial_one((const struct sockaddr *)&v6, sizeof(v6));
}

static int answer_dial(struct supervisor *s, const struct ipc_message *m)
{
	uint16_t port;
	int32_t result = 0;
	_cleanup_close_ int fd = -1;
	int r;

	memcpy(&port, m->payload.data, sizeof(port));
	/* the proxy's own listeners would send the connection round in a circle */
	fd = port == s->proxy_port || port == s->dns_port ? -EACCES : dial(port);
	if (fd < 0)
		result = -fd;
	(void)pthread_mutex_lock(&s->proxy_lock);
	r = ipc_send(s->proxy_fd, fd < 0 ? SUPERVISE_PROXY_DIAL_FAILED : SUPERVISE_PROXY_DIALLED,
		     m->id, span_make(&result, sizeof(result)), &fd, fd < 0 ? 0 : 1);
	(void)pthread_mutex_unlock(&s->proxy_lock);
	return r;
}

bool link_handle(struct supervisor *s)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(s->proxy_fd, supervise_proxy_to_supervisor, SUPERVISE_PROXY_MESSAGE_MAX,
			    &m);

	if (r == -EAGAIN)
		return true;
	return r > 0 && answer_dial(s, &m) == 0;
}
