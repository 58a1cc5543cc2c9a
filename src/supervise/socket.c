/*
 * connect, bind, listen: the address is copied once and decided, and the call
 * made by the supervisor on the caller's own socket, which it borrows.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervise/blocking.h"
#include "supervise/caller.h"
#include "supervise/canonical.h"
#include "supervise/decide.h"
#include "supervise/give.h"
#include "supervise/handlers.h"
#include "supervise/link.h"
#include "supervise/memory.h"
#include "supervise/mutate.h"
#include "supervise/notify.h"

/* Names are asked for at this port of whatever server, loopback too: the proxy answers. */
#define DNS_PORT 53

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

struct peer {
	union address address;
	socklen_t len;
	int fd; /* the caller's socket, borrowed */
	int domain, type;
	bool is_ip;
	struct policy_address ip;
	uint16_t port;
	char text[INET6_ADDRSTRLEN];
};

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -errno : value;
}

static void describe(struct peer *p)
{
	(void)inet_ntop(p->ip.is_v6 ? AF_INET6 : AF_INET, p->ip.bytes, p->text, sizeof(p->text));
}

/* An IPv4 address in whatever clothes is an IPv4 address. */
static void take_v6(struct peer *p, const struct sockaddr_in6 *a)
{
	p->is_ip = true;
	p->port = ntohs(a->sin6_port);
	p->ip = (struct policy_address){ .is_v6 = !IN6_IS_ADDR_V4MAPPED(&a->sin6_addr) };
	if (p->ip.is_v6)
		memcpy(p->ip.bytes, &a->sin6_addr, 16);
	else
		memcpy(p->ip.bytes, a->sin6_addr.s6_addr + 12, 4);
	describe(p);
}

static void take_v4(struct peer *p, const struct sockaddr_in *a)
{
	p->is_ip = true;
	p->port = ntohs(a->sin_port);
	p->ip = (struct policy_address){ 0 };
	memcpy(p->ip.bytes, &a->sin_addr, 4);
	describe(p);
}

static int take_address(struct peer *p)
{
	if (p->address.any.sa_family == AF_INET && p->len >= sizeof(p->address.v4))
		take_v4(p, &p->address.v4);
	else if (p->address.any.sa_family == AF_INET6 &&
		 p->len >= offsetof(struct sockaddr_in6, sin6_scope_id))
		take_v6(p, &p->address.v6);
	else if (p->address.any.sa_family == AF_INET || p->address.any.sa_family == AF_INET6)
		return -EINVAL;
	return 0;
}

static int read_peer(struct worker *w, const uint64_t args[6], struct peer *p)
{
	int r;

	*p = (struct peer){ .fd = -1 };
	if ((int)args[2] < 0 || (uint32_t)args[2] > sizeof(p->address.storage))
		return -EINVAL;
	p->len = (socklen_t)args[2];
	r = memory_read((pid_t)w->call->pid, args[1], &p->address, p->len);
	if (r < 0)
		return r;
	p->fd = process_take_fd(w->process, (int)args[0]);
	if (p->fd < 0)
		return p->fd;
	if (!worker_is_call_valid(w))
		return -ESRCH;
	p->domain = option(p->fd, SO_DOMAIN);
	p->type = option(p->fd, SO_TYPE);
	if (p->domain < 0 || p->type < 0)
		return p->domain < 0 ? p->domain : p->type;
	if (p->len < sizeof(sa_family_t))
		return -EINVAL;
	return take_address(p);
}

static bool is_inet(const struct peer *p)
{
	return p->domain == AF_INET || p->domain == AF_INET6;
}

static bool is_loopback(const struct policy_address *a)
{
	static const unsigned char zero[16] = { 0 };

	if (!a->is_v6)
		return a->bytes[0] == 127 || memcmp(a->bytes, zero, 4) == 0;
	return memcmp(a->bytes, zero, 15) == 0 && a->bytes[15] <= 1;
}

static bool is_any(const struct policy_address *a)
{
	static const unsigned char zero[16] = { 0 };

	return memcmp(a->bytes, zero, a->is_v6 ? 16 : 4) == 0;
}

static bool is_own_port(const struct supervisor *s, uint16_t port)
{
	return port != 0 && (port == s->proxy_port || port == s->dns_port);
}

static struct event ip_event(enum event_kind kind, const struct peer *p)
{
	return (struct event){ .kind = kind,
			       .ip = span_of(p->text),
			       .port = p->port,
			       .has_port = true,
			       .protocol = p->type == SOCK_STREAM ? SPAN("tcp") : SPAN("udp"),
			       .family = p->ip.is_v6 ? SPAN("inet6") : SPAN("inet") };
}

static bool decide_ip(struct worker *w, enum policy_action action, enum event_kind kind,
		      const struct peer *p)
{
	struct policy_request r = { .action = action,
				    .address = p->ip,
				    .has_address = true,
				    .port = p->port,
				    .protocol =
					    p->type == SOCK_STREAM ? SPAN("tcp") : SPAN("udp") };
	struct event e = ip_event(kind, p);
	struct verdict v = { 0 };
	bool may = decide_request(w, &r, &v);

	e.error = may ? 0 : EACCES;
	decide_record(w, &e, &v);
	return may;
}

/* ---- connect ---- */

/* On the borrowed socket; it may wait for a backlog. */
static int do_connect(struct worker *w, const struct peer *p)
{
	int r = fcntl(p->fd, F_GETFL);

	if (r >= 0 && r & O_NONBLOCK)
		return connect(p->fd, &p->address.any, p->len) < 0 ? -errno : 0;
	r = blocking_begin(w);
	if (r < 0)
		return r;
	r = connect(p->fd, &p->address.any, p->len) < 0 ? -errno : 0;
	blocking_end(w);
	return blocking_error(w, r);
}

/* Gives the socket its local port now, so that the proxy knows whose it is before it sees it. */
static int local_port(const struct peer *p, uint16_t *ret)
{
	union address a = { 0 };
	socklen_t len = sizeof(a);

	for (int i = 0; i < 2; i++) {
		uint16_t port;

		if (getsockname(p->fd, &a.any, &len) < 0)
			return -errno;
		port = p->domain == AF_INET6 ? ntohs(a.v6.sin6_port) : ntohs(a.v4.sin_port);
		if (port) {
			*ret = port;
			return 0;
		}
		/* what it is bound to stays; only the port is chosen */
		if (i == 0 && bind(p->fd, &a.any, len) < 0 && errno != EINVAL)
			return -errno;
		len = sizeof(a);
	}
	return -EADDRNOTAVAIL;
}

static int connect_out(struct worker *w, struct peer *p)
{
	bool is_datagram = p->type != SOCK_STREAM;
	struct supervise_connection c = { .family = (uint8_t)(p->ip.is_v6 ? AF_INET6 : AF_INET),
					  .protocol = is_datagram ? IPPROTO_UDP : IPPROTO_TCP };
	int r = local_port(p, &c.local_port);

	if (r == 0)
		r = link_announce(w, &c);
	if (r < 0)
		return r;
	return do_connect(w, p);
}

static int64_t connect_ip(struct worker *w, struct peer *p)
{
	struct event e = ip_event(EVENT_NET_CONNECT, p);
	bool is_question = p->port == DNS_PORT;
	bool is_datagram = p->type != SOCK_STREAM && !is_question;

	if (is_own_port(w->s, p->port) && is_loopback(&p->ip)) {
		e.error = EACCES;
		e.message = SPAN("the session's own listener");
		decide_note(w, &e, EVENT_DENY);
		return -EACCES;
	}
	if (is_loopback(&p->ip)) {
		decide_note(w, &e, EVENT_ALLOW);
		return is_question ? connect_out(w, p) : do_connect(w, p);
	}
	/* the proxy decides TCP and what is asked for names, by name */
	if (is_datagram && !decide_ip(w, POLICY_NETWORK_DATAGRAM, EVENT_NET_DATAGRAM, p))
		return -EACCES;
	return is_datagram ? do_connect(w, p) : connect_out(w, p);
}

/* Copies a path name out of the address; false for abstract and unnamed sockets. */
static bool unix_path(const struct peer *p, char *out)
{
	size_t len = p->len - offsetof(struct sockaddr_un, sun_path);

	if (p->len <= offsetof(struct sockaddr_un, sun_path) || p->address.un.sun_path[0] == 0)
		return false;
	len = strnlen(p->address.un.sun_path, MIN(len, sizeof(p->address.un.sun_path)));
	memcpy(out, p->address.un.sun_path, len);
	out[len] = 0;
	return true;
}

static bool decide_socket(struct worker *w, enum policy_action action, enum event_kind kind,
			  struct span path)
{
	struct verdict v = { 0 };
	struct event e = {
		.kind = kind, .path = path, .family = SPAN("unix"), .access = SPAN("read-write")
	};
	bool may = decide_path(w, action, path, false, action != POLICY_FILE_CREATE, &v);

	e.error = may ? 0 : EACCES;
	decide_record(w, &e, &v);
	return may;
}

static int64_t connect_unix(struct worker *w, struct peer *p)
{
	_cleanup_close_ int base_fd = -1;
	_cleanup_place_ struct place place = PLACE_INIT;
	struct canonical name;
	int r;

	if (!unix_path(p, w->path))
		return do_connect(w, p); /* the network namespace confines abstract names */
	r = caller_open_base(w, AT_FDCWD, w->path, &base_fd);
	if (r == 0)
		r = resolve(w, base_fd, w->path, RESOLVE_OBJECT, 0, &place);
	if (r == 0 && !worker_is_call_valid(w))
		r = -ESRCH;
	if (r == 0)
		r = canonical_of(w->s, place.fd, &place.st, w->name, sizeof(w->name), &name);
	if (r < 0)
		return r;
	if (!S_ISSOCK(place.st.st_mode) || name.is_nameless)
		return -ECONNREFUSED;
	if (!decide_socket(w, POLICY_FILE_OPEN_READ_WRITE, EVENT_NET_CONNECT, name.path))
		return -EACCES;
	/* the very socket file that was decided, by the descriptor of it */
	p->address.un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(p->address.un.sun_path, sizeof(p->address.un.sun_path), "%d", place.fd);
	p->len = sizeof(p->address.un);
	return do_connect(w, p);
}

int64_t handle_connect(struct worker *w, const uint64_t args[6])
{
	struct peer p;
	int64_t result;
	int r = read_peer(w, args, &p);

	if (r < 0)
		result = r;
	else if (p.is_ip)
		result = is_inet(&p) ? connect_ip(w, &p) : -EINVAL;
	else if (p.address.any.sa_family == AF_UNIX)
		result = p.domain == AF_UNIX ? connect_unix(w, &p) : -EAFNOSUPPORT;
	else if (p.address.any.sa_family == AF_UNSPEC || p.domain == AF_NETLINK)
		result = do_connect(w, &p); /* dissolves a connection */
	else
		result = -EAFNOSUPPORT;
	cleanup_close(&p.fd);
	return result;
}

/* ---- bind ---- */

static int decide_bind(struct worker *w, struct target *t)
{
	int r = target_look(w, t, w->name);

	if (r < 0)
		return r;
	if (t->exists)
		return -EADDRINUSE;
	if (t->place.has_slash)
		return -ENOENT;
	return decide_socket(w, POLICY_FILE_CREATE, EVENT_FILE_CREATE, t->path) ? 0 : -EACCES;
}

/*
 * Does the caller's spelling, looked up by us, lead to the directory that was
 * resolved for the caller? Not if it goes through /proc/self and the like.
 */
static bool means_the_same(const char *path, const struct target *t)
{
	_cleanup_close_ int fd = -1;
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 0;
	struct stat a, b;

	if (len >= sizeof(dir))
		return false;
	memcpy(dir, path, len);
	dir[len] = 0;
	fd = open(len ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fstat(fd, &a) == 0 && fstat(t->place.parent_fd, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * The address stays as the caller wrote it, because getsockname shows it to
 * others. It is looked up once more, but with the tree locked nobody in the
 * container can change what it means.
 */
static int bind_in(struct worker *w, const struct peer *p, int base_fd, const struct target *t)
{
	int r = 0;

	if (base_fd >= 0 && fchdir(base_fd) < 0)
		return -errno;
	if (!means_the_same(w->path, t))
		r = -EACCES;
	else if (bind(p->fd, &p->address.any, p->len) < 0)
		r = -errno;
	if (fchdir(w->s->own_fds_fd) < 0)
		abort();
	return r;
}

static int bind_locked(struct worker *w, const struct peer *p)
{
	_cleanup_target_ struct target t = TARGET_INIT;
	_cleanup_close_ int base_fd = -1;
	int r = caller_open_base(w, AT_FDCWD, w->path, &base_fd);

	if (r == 0)
		r = resolve(w, base_fd, w->path, RESOLVE_PARENT, 0, &t.place);
	if (r == 0 && !worker_is_call_valid(w))
		r = -ESRCH;
	if (r == 0)
		r = worker_take_umask(w);
	if (r == 0)
		r = t.place.is_special ? -EADDRINUSE : decide_bind(w, &t);
	return r < 0 ? r : bind_in(w, p, base_fd, &t);
}

static int64_t bind_unix(struct worker *w, const struct peer *p)
{
	int r;

	if (!unix_path(p, w->path))
		return bind(p->fd, &p->address.any, p->len) < 0 ? -errno : 0;
	(void)pthread_rwlock_wrlock(&w->s->tree_lock);
	r = bind_locked(w, p);
	(void)pthread_rwlock_unlock(&w->s->tree_lock);
	return r;
}

static int64_t bind_ip(struct worker *w, const struct peer *p)
{
	struct event e = ip_event(EVENT_NET_LISTEN, p);

	if (is_own_port(w->s, p->port)) {
		e.error = EACCES;
		e.message = SPAN("the session's own port");
		decide_note(w, &e, EVENT_DENY);
		return -EACCES;
	}
	return bind(p->fd, &p->address.any, p->len) < 0 ? -errno : 0;
}

int64_t handle_bind(struct worker *w, const uint64_t args[6])
{
	struct peer p;
	int64_t result;
	int r = read_peer(w, args, &p);

	/* an IPv4 socket takes "unspecified" for IPv4 (inet_bind in the kernel) */
	if (r == 0 && p.address.any.sa_family == AF_UNSPEC && p.domain == AF_INET &&
	    p.len >= sizeof(p.address.v4))
		take_v4(&p, &p.address.v4);
	if (r < 0)
		result = r;
	else if (p.is_ip)
		result = is_inet(&p) ? bind_ip(w, &p) : -EINVAL;
	else if (p.address.any.sa_family == AF_UNIX)
		result = p.domain == AF_UNIX ? bind_unix(w, &p) : -EAFNOSUPPORT;
	else if (p.domain == AF_NETLINK)
		result = bind(p.fd, &p.address.any, p.len) < 0 ? -errno : 0;
	else
		result = -EAFNOSUPPORT;
	cleanup_close(&p.fd);
	return result;
}

/* ---- listen ---- */

static int local_address(struct peer *p)
{
	p->len = sizeof(p->address);
	memset(&p->address, 0, sizeof(p->address));
	if (getsockname(p->fd, &p->address.any, &p->len) < 0)
		return -errno;
	return take_address(p);
}

static int64_t listen_ip(struct worker *w, struct peer *p, int backlog)
{
	uint16_t port;
	int r = p->type == SOCK_STREAM ? local_port(p, &port) : -EOPNOTSUPP;

	/* now it is bound, and cannot be bound to anything else while we decide */
	if (r == 0)
		r = local_address(p);
	if (r < 0)
		return r;
	if ((!is_loopback(&p->ip) || is_any(&p->ip)) &&
	    !decide_ip(w, POLICY_NETWORK_LISTEN, EVENT_NET_LISTEN, p))
		return -EACCES;
	return listen(p->fd, backlog) < 0 ? -errno : 0;
}

int64_t handle_listen(struct worker *w, const uint64_t args[6])
{
	struct peer p = { .fd = process_take_fd(w->process, (int)args[0]) };
	int64_t result;

	if (p.fd < 0)
		return p.fd;
	if (!worker_is_call_valid(w)) {
		result = -ESRCH;
	} else {
		p.domain = option(p.fd, SO_DOMAIN);
		p.type = option(p.fd, SO_TYPE);
		if (p.domain < 0)
			result = p.domain;
		else if (is_inet(&p))
			result = listen_ip(w, &p, (int)args[1]);
		else
			result = listen(p.fd, (int)args[1]) < 0 ? -errno : 0;
	}
	cleanup_close(&p.fd);
	return result;
}

/* ---- socket and socketpair, of kinds that the filter does not let pass ---- */

int64_t handle_refused_socket(struct worker *w, const uint64_t args[6])
{
	int domain = (int)args[0];
	int type = (int)args[1] & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct event e = { .kind = EVENT_REFUSED,
			   .access = SPAN("socket"),
			   .message = SPAN(
				   "a kind of socket that is never allowed in the container") };

	if (domain == AF_INET || domain == AF_INET6)
		e.error = type == SOCK_RAW || type == SOCK_PACKET ? EPERM : EPROTONOSUPPORT;
	else
		e.error =
			domain == AF_UNIX || domain == AF_NETLINK ? EPROTONOSUPPORT : EAFNOSUPPORT;
	decide_note(w, &e, EVENT_DENY);
	return -e.error;
}

/*
 * A pair of datagram sockets could send to any other one by address, unseen.
 * Message sockets that keep to their pair (SOCK_SEQPACKET) serve whoever wants a
 * pair: messages stay whole, and an address given with one is ignored.
 */
int64_t handle_socketpair(struct worker *w, const uint64_t args[6])
{
	int flags = (int)args[1] & (SOCK_NONBLOCK | SOCK_CLOEXEC);
	int type = (int)args[1] & ~flags;
	int own[2], theirs[2];
	int r = 0;

	if ((int)args[0] != AF_UNIX || (type != SOCK_DGRAM && type != SOCK_RAW) || args[2] != 0)
		return handle_refused_socket(w, args);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (flags & SOCK_NONBLOCK), 0, own) <
	    0)
		return -errno;
	for (int i = 0; i < 2 && r >= 0; i++) {
		r = give(w, own[i], flags & SOCK_CLOEXEC);
		theirs[i] = r;
	}
	fd_close(own[0]);
	fd_close(own[1]);
	return r < 0 ? r : memory_write((pid_t)w->call->pid, args[3], theirs, sizeof(theirs));
}

/*
 * sendto with an address. The firewall of the network namespace lets no datagram
 * out but those to the resolver, whatever the address in the agent's memory is
 * by then; so the call may run when it has been decided and recorded.
 */
int64_t handle_sendto(struct worker *w, const uint64_t args[6])
{
	const uint64_t as_connect[6] = { args[0], args[4], args[5] };
	struct peer p;
	int r = read_peer(w, as_connect, &p);
	bool may = true;

	/* A connection that opens with its first data would come to the proxy unannounced. */
	if (r == 0 && p.type == SOCK_STREAM && (args[3] & MSG_FASTOPEN))
		r = -EOPNOTSUPP;
	if (r == 0 && p.is_ip && is_inet(&p) && p.type == SOCK_DGRAM && !is_loopback(&p.ip) &&
	    p.port != 53)
		may = decide_ip(w, POLICY_NETWORK_DATAGRAM, EVENT_NET_DATAGRAM, &p);
	cleanup_close(&p.fd);
	if (r < 0 || !may)
		return r < 0 ? r : -EACCES;
	r = notify_continue(w->s->listener_fd, w->call->id);
	return r < 0 ? r : CALL_IS_ANSWERED;
}
