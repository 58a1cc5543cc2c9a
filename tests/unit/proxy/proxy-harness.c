/*
 * Runs the proxy as a session does, without the rest of leash: a network
 * namespace with the container's redirection rules, the proxy outside of it,
 * and a command inside. Plays daemon and supervisor. To be run where the caller
 * may make a network namespace (under `unshare -Urnm`).
 *
 * proxy-harness [-al] [-m MODE] [-o PORT] [-p HOST:CONTAINER] [-r ROOTS] [-c AUTHORITY] POLICY
 * EVENTS COMMAND… -a announces a process for each port that the command can use, -o is a port of
 * leash's own, -p publishes one, -r is a file of certificates that servers are
 * verified by, -l lets the command begin before the policy is there, -c is where the session's
 * authority is written. Events are written as JSON lines.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "event/ring.h"
#include "policy/policy.h"
#include "proxy/keys.h"
#include "proxy/proxy.h"
#include "supervise/supervise.h"

#define PROXY_PORT 1080
#define DNS_PORT 1053
#define FIRST_PORT 40000
#define LAST_PORT 40999

/* The supervisor's table, for a program without the supervisor. */
const struct ipc_type supervise_supervisor_to_proxy[SUPERVISE_PROXY_MESSAGE_MAX] = {
	[SUPERVISE_PROXY_CONNECTION] = { "connection", sizeof(struct supervise_connection) + 3,
					 16384, 0 },
	[SUPERVISE_PROXY_DIALLED] = { "dialled", 4, 4, 1 },
	[SUPERVISE_PROXY_DIAL_FAILED] = { "dial failed", 4, 4, 0 },
};

static const struct ipc_type from_proxy[SUPERVISE_PROXY_MESSAGE_MAX] = {
	[SUPERVISE_PROXY_DIAL] = { "dial", 2, 2, 0 },
};

static const char rules[] =
	"mount -t tmpfs t /mnt && echo 127.0.0.1 localhost >/mnt/hosts && mount --bind /mnt/hosts "
	"/etc/hosts && "
	"ip link set lo up && ip route add local default dev lo && ip -6 route add local default "
	"dev lo && "
	"echo 40000 40999 >/proc/sys/net/ipv4/ip_local_port_range && nft -f - <<'END'\n"
	"table inet leash {\n"
	" chain agent { type nat hook output priority -100; policy accept;\n"
	"  meta l4proto udp th dport 53 redirect to :1053\n"
	"  meta l4proto tcp th dport 53 redirect to :1053\n"
	"  ip daddr 127.0.0.0/8 accept\n"
	"  ip6 daddr ::1 accept\n"
	"  meta l4proto tcp redirect to :1080\n"
	" }\n"
	"}\nEND\n";

struct harness {
	bool announces, is_late;
	const char *mode, *policy, *events, *roots, *authority;
	int keys_fd; /* to the signer, for life */
	uint16_t own_port, host_port, container_port;
	char **command;
	int control_fd, gate_fd, supervisor_fd, netns_fd, own_netns_fd;
	int listeners[6];
	int ring_fd, wake_fd;
	pid_t proxy, container;
	struct event_ring *ring;
	FILE *out;
	uint64_t seq;
};

static void die(const char *what)
{
	fprintf(stderr, "proxy-harness: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void check(int r, const char *what)
{
	if (r < 0) {
		errno = -r;
		die(what);
	}
}

static int listen_on(int family, int type, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = in6addr_loopback };
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, family == AF_INET ? (void *)&v4 : (void *)&v6,
		 family == AF_INET ? sizeof(v4) : sizeof(v6)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 1024) < 0))
		die("listen");
	return fd;
}

static const struct ipc_type listener_table[2] = { [1] = { "listeners", 0, 0, 2 } };

static void run_container(const struct harness *h, int fd)
{
	int status = -1;
	char go;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		die("unshare");
	if (system(rules) != 0)
		die("rules");
	for (int i = 0; i < 3; i++) {
		int pair[2] = { listen_on(AF_INET, i == 1 ? SOCK_DGRAM : SOCK_STREAM,
					  i ? DNS_PORT : PROXY_PORT),
				listen_on(AF_INET6, i == 1 ? SOCK_DGRAM : SOCK_STREAM,
					  i ? DNS_PORT : PROXY_PORT) };

		check(ipc_send(fd, 1, 0, (struct span){ 0 }, pair, 2), "send listeners");
		fd_close(pair[0]);
		fd_close(pair[1]);
	}
	if (recv(fd, &go, 1, 0) != 1)
		exit(98);
	status = execvp(h->command[0], h->command);
	(void)status;
	die(h->command[0]);
}

static void start_container(struct harness *h)
{
	int pair[2];
	char path[64];

	check(ipc_socketpair(pair), "socketpair");
	h->container = fork();
	if (h->container == 0) {
		fd_close(pair[0]);
		run_container(h, pair[1]);
	}
	fd_close(pair[1]);
	for (int i = 0; i < 3; i++) {
		struct ipc_message m = IPC_MESSAGE_INIT;

		if (ipc_receive(pair[0], listener_table, 2, &m) != 1)
			die("receive listeners");
		h->listeners[i * 2] = m.fds[0];
		h->listeners[i * 2 + 1] = m.fds[1];
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)h->container);
	h->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	h->own_netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	h->control_fd = pair[0]; /* for now: the gate */
}

static int make_bundle(const struct harness *h)
{
	static const char *const none[] = { NULL };
	struct policy_environment env = { .agent = "test",
					  .home = "/root",
					  .workspace = "/tmp",
					  .profile = "guarded",
					  .own_paths = none };
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s;
	struct err err = { 0 };
	int fd;

	if (policy_mode_from_name(span_of(h->mode), &env.mode) < 0)
		exit(97);
	s = policy_source_new(&env);
	if (policy_source_add_builtin(s, strcmp(h->policy, "guarded") == 0, &err) < 0 ||
	    (strcmp(h->policy, "guarded") != 0 &&
	     policy_source_add_file(s, POLICY_LAYER_FILE, h->policy, false, &report, &err) < 0)) {
		fprintf(stderr, "%s\n%.*s\n", err.text, SPAN_ARG(buf_span(&report)));
		exit(97);
	}
	fd = policy_source_bundle(s, 1, &err);
	if (fd < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(97);
	}
	policy_source_free(s);
	return fd;
}

static void announce(const struct harness *h, int family, uint16_t port)
{
	struct supervise_connection c = { (uint8_t)family, IPPROTO_TCP, port, 4321, 1, 1000 };
	_cleanup_buf_ struct buf b = BUF_INIT(0);
	static const char texts[] = "/usr/bin/some-agent\0some-agent\0/work";

	(void)buf_append(&b, &c, sizeof(c));
	(void)buf_append(&b, texts, sizeof(texts));
	check(ipc_send(h->supervisor_fd, SUPERVISE_PROXY_CONNECTION, 0, buf_span(&b), NULL, 0),
	      "announce");
}

static void write_authority(const struct harness *h, const struct buf *der)
{
	const unsigned char *at = (const unsigned char *)der->data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der->len);
	FILE *f = fopen(h->authority, "we");

	if (!f || !certificate || !PEM_write_X509(f, certificate) || fclose(f) != 0)
		die(h->authority);
	X509_free(certificate);
}

/* Starts the signer and tells the proxy of it. */
static void start_keys(struct harness *h)
{
	struct ipc_message m = IPC_MESSAGE_INIT;
	int control[2], pair[2];
	int to_proxy[2];

	check(ipc_socketpair(control), "socketpair");
	check(ipc_socketpair(pair), "socketpair");
	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Nothing else of ours may outlive us in it. */
		if (dup2(control[1], 3) < 0 || close_range(4, ~0u, 0) < 0)
			_exit(94);
		exit(keys_main(3));
	}
	fd_close(control[1]);
	h->keys_fd = control[0];
	check(ipc_send(h->keys_fd, KEYS_PROXY, 0, (struct span){ 0 }, &pair[1], 1), "keys");
	if (ipc_receive(h->keys_fd, keys_to_daemon, KEYS_MESSAGE_MAX, &m) != 1 ||
	    m.type != KEYS_AUTHORITY)
		die("receive the authority");
	if (h->authority)
		write_authority(h, &m.payload);
	ipc_message_done(&m);
	to_proxy[0] = pair[0];
	to_proxy[1] = open(h->roots ? h->roots : "/dev/null", O_RDONLY | O_CLOEXEC);
	if (to_proxy[1] < 0)
		die(h->roots);
	check(ipc_send(h->control_fd, PROXY_TRUST, 0, (struct span){ 0 }, to_proxy, 2), "trust");
	fd_close(pair[0]);
	fd_close(pair[1]);
	fd_close(to_proxy[1]);
}

static void open_gate(const struct harness *h)
{
	if (send(h->gate_fd, "g", 1, MSG_NOSIGNAL) != 1)
		die("open the gate");
}

static void send_all(struct harness *h, int supervisor_end)
{
	struct proxy_start start = { .own_ports = { h->own_port } };
	int first[3] = { h->ring_fd, h->wake_fd, supervisor_end };
	int bundle = make_bundle(h);

	check(ipc_send(h->control_fd, PROXY_START, 0, span_make(&start, sizeof(start)), first, 3),
	      "start");
	start_keys(h);
	check(ipc_send(h->control_fd, PROXY_LISTENERS, 0, (struct span){ 0 }, h->listeners, 2),
	      "listeners");
	check(ipc_send(h->control_fd, PROXY_DNS, 0, (struct span){ 0 }, h->listeners + 2, 4),
	      "dns");
	if (h->host_port) {
		int fd = listen_on(AF_INET, SOCK_STREAM, h->host_port);

		check(ipc_send(h->control_fd, PROXY_PUBLISH, 0, span_make(&h->container_port, 2),
			       &fd, 1),
		      "publish");
		fd_close(fd);
	}
	if (h->is_late) {
		open_gate(h);
		(void)poll(NULL, 0, 500);
	}
	check(ipc_send(h->control_fd, PROXY_POLICY, 0, (struct span){ 0 }, &bundle, 1), "policy");
	fd_close(bundle);
	for (int i = 0; i < 6; i++)
		fd_close(h->listeners[i]);
}

static void start_proxy(struct harness *h)
{
	int control[2], supervisor[2];
	struct err err = { 0 };

	check(ipc_socketpair(control), "socketpair");
	check(ipc_socketpair(supervisor), "socketpair");
	check(event_ring_create(RING_DEFAULT_SIZE, &h->ring_fd, &h->wake_fd, &err), "ring");
	check(event_ring_open_reader(h->ring_fd, h->wake_fd, &h->ring), "ring");
	h->proxy = fork();
	if (h->proxy == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(proxy_main(control[1]));
	}
	fd_close(control[1]);
	h->control_fd = control[0];
	h->supervisor_fd = supervisor[0];
	send_all(h, supervisor[1]);
	fd_close(supervisor[1]);
}

static void wait_ready(const struct harness *h)
{
	for (;;) {
		struct ipc_message m = IPC_MESSAGE_INIT;

		if (ipc_receive(h->control_fd, proxy_to_daemon, PROXY_MESSAGE_MAX, &m) != 1)
			die("the proxy ended");
		if (m.type == PROXY_FAILED) {
			fprintf(stderr, "proxy: %.*s\n", SPAN_ARG(buf_span(&m.payload)));
			exit(96);
		}
		if (m.type == PROXY_READY)
			return;
	}
}

static void write_event(const struct event *e, void *ctx)
{
	struct harness *h = ctx;
	_cleanup_buf_ struct buf line = BUF_INIT(0);

	if (event_to_json(e, ++h->seq, "test", NULL, &line) == 0)
		fprintf(h->out, "%.*s\n", SPAN_ARG(buf_span(&line)));
}

/* As the supervisor would: a socket made in the container's namespace. */
static void dial(const struct harness *h, const struct ipc_message *m)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int32_t error = 0;
	uint16_t port;
	int fd;

	memcpy(&port, m->payload.data, 2);
	to.sin_port = htons(port);
	if (setns(h->netns_fd, CLONE_NEWNET) < 0)
		die("setns");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		error = errno;
	if (setns(h->own_netns_fd, CLONE_NEWNET) < 0)
		die("setns");
	check(ipc_send(h->supervisor_fd,
		       error ? SUPERVISE_PROXY_DIAL_FAILED : SUPERVISE_PROXY_DIALLED, m->id,
		       span_make(&error, 4), &fd, error ? 0 : 1),
	      "answer");
	fd_close(fd);
}

static int serve(struct harness *h)
{
	struct pollfd p[3] = { { .fd = h->wake_fd, .events = POLLIN },
			       { .fd = h->supervisor_fd, .events = POLLIN },
			       { .fd = h->control_fd, .events = POLLIN } };
	int status;

	while (waitpid(h->container, &status, WNOHANG) == 0) {
		int n_events = 0;

		if (poll(p, 3, p[0].fd < 0 ? 5 : 20) < 0 && errno != EINTR)
			die("poll");
		if (p[0].revents || p[0].fd < 0)
			n_events = event_ring_drain(h->ring, write_event, h);
		if (n_events < 0)
			die("ring");
		/* As the daemon does: while there is much to record, it looks by itself. */
		p[0].fd = n_events ? -1 : h->wake_fd;
		(void)fflush(h->out);
		if (p[1].revents) {
			struct ipc_message m = IPC_MESSAGE_INIT;

			if (ipc_receive(h->supervisor_fd, from_proxy, SUPERVISE_PROXY_MESSAGE_MAX,
					&m) == 1)
				dial(h, &m);
			ipc_message_done(&m);
		}
		if (p[2].revents & POLLHUP) {
			(void)waitpid(h->proxy, &status, 0);
			fprintf(stderr, "proxy-harness: the proxy ended with status %#x\n", status);
			(void)kill(h->container, SIGKILL);
			return 95;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void parse(struct harness *h, int argc, char **argv)
{
	int c;
	unsigned host, container;

	while ((c = getopt(argc, argv, "+alm:o:p:r:c:")) >= 0) {
		if (c == 'a')
			h->announces = true;
		else if (c == 'm')
			h->mode = optarg;
		else if (c == 'l')
			h->is_late = true;
		else if (c == 'r')
			h->roots = optarg;
		else if (c == 'c')
			h->authority = optarg;
		else if (c == 'o')
			h->own_port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (c == 'p' && sscanf(optarg, "%u:%u", &host, &container) == 2)
			h->host_port = (uint16_t)host, h->container_port = (uint16_t)container;
		else
			exit(97);
	}
	if (argc - optind < 3)
		exit(97);
	h->policy = argv[optind];
	h->events = argv[optind + 1];
	h->command = argv + optind + 2;
}

int main(int argc, char **argv)
{
	struct harness h = { .mode = "enforce" };
	uint64_t began;
	int status;

	parse(&h, argc, argv);
	h.out = fopen(h.events, "we");
	if (!h.out)
		die(h.events);
	start_container(&h);
	h.gate_fd = h.control_fd;
	began = clock_monotonic_ns();
	start_proxy(&h);
	wait_ready(&h);
	fprintf(h.out, "{\"kind\":\"proxy\",\"pid\":%d,\"ready_us\":%d}\n", (int)h.proxy,
		(int)((clock_monotonic_ns() - began) / 1000));
	(void)fflush(h.out);
	for (uint16_t port = FIRST_PORT; h.announces && port <= LAST_PORT; port++) {
		announce(&h, AF_INET, port);
		announce(&h, AF_INET6, port);
	}
	if (!h.is_late)
		open_gate(&h);
	status = serve(&h);
	fd_close(h.control_fd);
	(void)waitpid(h.proxy, NULL, 0);
	(void)event_ring_drain(h.ring, write_event, &h);
	(void)fclose(h.out);
	return status;
}
