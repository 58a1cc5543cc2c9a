/*
 * The container itself, without filter and supervisor: what a shell inside
 * sees, and what the parent learns. Writing inside needs the supervisor (the
 * command has no power of its own to write), so these tests only look.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "sandbox/sandbox.h"

static char workspace[] = "/tmp/test-container-XXXXXX";

static struct sandbox_options options_for(char *const *argv, int out_fd)
{
	static const char *const writable[] = { workspace, NULL };
	static char *const environment[] = { (char *)(uintptr_t)"PATH=/usr/bin:/bin:/usr/sbin", NULL };

	return (struct sandbox_options){ .program = argv[0],
					 .argv = argv,
					 .envp = environment,
					 .cwd = workspace,
					 .workspace = workspace,
					 .home = workspace,
					 .hostname = "leash",
					 .window = { .ws_row = 33, .ws_col = 101 },
					 .stdio_fds = { out_fd, out_fd, out_fd },
					 .writable = writable,
					 .resolv_conf = SPAN("nameserver 127.0.0.53\n") };
}

static void start(const struct sandbox_options *o, struct sandbox *s)
{
	struct err err = { 0 };

	if (sandbox_start(o, s, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(sandbox_release(s), 0);
}

static struct sandbox_event next_event(struct sandbox *s)
{
	struct pollfd p = { .fd = s->control_fd, .events = POLLIN };
	struct sandbox_event e = { 0 };
	int r;

	do {
		assert_true(poll(&p, 1, 20000) > 0);
		r = sandbox_next_event(s, &e);
	} while (r == -EAGAIN);
	assert_int_equal(r, 1);
	return e;
}

/* Runs a shell script inside; returns its status and puts what it printed into out. */
static int run_shell(const char *script, struct buf *out)
{
	char *argv[] = { xstrdup("/bin/sh"), xstrdup("-c"), xstrdup(script), NULL };
	struct sandbox s = SANDBOX_INIT;
	struct sandbox_event e;
	struct sandbox_options o;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	o = options_for(argv, fds[1]);
	start(&o, &s);
	fd_close(fds[1]);
	assert_int_equal(fd_read_all(fds[0], out), 0);
	fd_close(fds[0]);
	e = next_event(&s);
	assert_int_equal(e.type, SANDBOX_EXITED);
	sandbox_done(&s);
	for (int i = 0; argv[i]; i++)
		xfree(argv[i]);
	assert_non_null(out->data);
	return e.status;
}

static void check_output(const char *script, const char *expected)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)run_shell(script, &out);
	assert_string_equal(out.data, expected);
}

static void test_ids_are_those_outside(void **state)
{
	_cleanup_free_ char *expected = xasprintf("%d %d\n", (int)getuid(), (int)getgid());

	(void)state;
	check_output("echo $(id -u) $(id -g)", expected);
}

static void test_only_its_own_processes_are_seen(void **state)
{
	(void)state;
	check_output("ls -d /proc/[0-9]* | wc -l", "4\n"); /* init, sh, ls, wc */
}

static void test_no_descriptor_leaks_in(void **state)
{
	int leaked = open("/etc/passwd", O_RDONLY); /* deliberately not close-on-exec */

	(void)state;
	assert_true(leaked >= 0);
	check_output("ls /proc/$$/fd | tr '\\n' ' '", "0 1 2 ");
	fd_close(leaked);
}

static void test_no_capability_and_no_way_to_one(void **state)
{
	(void)state;
	check_output("grep -c '^Cap[A-Za-z]*:.0000000000000000$' /proc/self/status; grep NoNewPrivs /proc/self/status",
		     "5\nNoNewPrivs:\t1\n");
}

static void test_nothing_can_be_written_by_its_own_power(void **state)
{
	_cleanup_free_ char *probe = path_join(workspace, "made-inside");

	(void)state;
	check_output("for p in made-inside /usr/x /tmp/x /dev/shm/x; do touch $p 2>&1 | grep -c -e denied -e Read-only; done",
		     "1\n1\n1\n1\n");
	assert_int_equal(access(probe, F_OK), -1);
}

static void test_temporary_directories_are_private(void **state)
{
	(void)state;
	/* The workspace lies below /tmp and is the only thing there. */
	check_output("ls /tmp | wc -l; ls /var/tmp /run /dev/shm | grep -v : | grep -vc -e ^leash- -e '^$'; ls -d $PWD | wc -l", "1\n0\n1\n");
}

static void test_init_is_out_of_reach(void **state)
{
	(void)state;
	check_output("cat /proc/1/environ /proc/1/maps /proc/1/mem 2>&1 | grep -c 'Permission denied'; "
		     "readlink /proc/1/exe || echo no; (kill -9 1; kill -STOP 1; kill -0 1) 2>&1 | grep -c 'not permitted'; ls -d /proc/1",
		     "3\nno\n3\n/proc/1\n");
}

static void test_kernel_settings_are_read_only(void **state)
{
	(void)state;
	check_output("grep -c ' /proc/sys proc ro' /proc/self/mounts; for f in /proc/kcore /proc/keys /proc/timer_list; do "
		     "[ ! -e $f ] || [ -c $f ] && echo hidden; done",
		     "1\nhidden\nhidden\nhidden\n");
}

static void test_exit_codes_and_signals(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	int status;

	(void)state;
	status = run_shell("echo; exit 7", &out);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	status = run_shell("echo; kill -TERM $$", &out);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void test_a_program_that_is_not_there(void **state)
{
	char *argv[] = { xstrdup("/no/such/program"), NULL };
	struct sandbox_options o = options_for(argv, 2);
	struct sandbox s = SANDBOX_INIT;
	struct sandbox_event e;

	(void)state;
	start(&o, &s);
	e = next_event(&s);
	assert_int_equal(e.type, SANDBOX_FAILED);
	assert_int_equal(e.status, ENOENT);
	sandbox_done(&s);
	xfree(argv[0]);
}

/* A connection that somebody in the container's network makes. */
static pid_t connect_inside(const struct sandbox *s, int family)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(8443),
				  .sin_addr.s_addr = htonl(0xc6336407) }; /* 198.51.100.7 */
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(8443),
				   .sin6_addr.s6_addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 7 } };
	pid_t pid = fork();

	if (pid == 0) {
		int fd;

		if (setns(s->init_pidfd, CLONE_NEWUSER | CLONE_NEWNET) < 0)
			_exit(1);
		fd = socket(family, SOCK_STREAM, 0);
		if (family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof(v4)) :
					connect(fd, (struct sockaddr *)&v6, sizeof(v6)))
			_exit(2);
		_exit(0);
	}
	return pid;
}

/* Where does it arrive, and where did it want to go? */
static void check_redirect(int family)
{
	char *argv[] = { xstrdup("/bin/true"), NULL };
	struct sandbox_options o = options_for(argv, 2);
	struct sandbox s = SANDBOX_INIT;
	struct sockaddr_in6 v6 = { 0 };
	struct sockaddr_in v4 = { 0 };
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
	struct err err = { 0 };
	struct pollfd p;
	int connection, status;
	pid_t pid;

	if (sandbox_start(&o, &s, &err) < 0)
		fail_msg("%s", err.text);
	pid = connect_inside(&s, family);
	p = (struct pollfd){ .fd = s.tcp_listen_fds[family == AF_INET ? 0 : 1], .events = POLLIN };
	assert_true(poll(&p, 1, 10000) > 0);
	connection = accept(p.fd, NULL, NULL);
	assert_true(connection >= 0);
	assert_int_equal(getsockopt(connection, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, 80,
				    family == AF_INET ? (void *)&v4 : (void *)&v6, &len),
			 0);
	assert_int_equal(ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port), 8443);
	if (family == AF_INET)
		assert_int_equal(ntohl(v4.sin_addr.s_addr), 0xc6336407);
	else
		assert_int_equal(v6.sin6_addr.s6_addr[15], 7);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd_close(connection);
	sandbox_done(&s);
	xfree(argv[0]);
}

static void test_every_connection_arrives_at_the_proxy(void **state)
{
	(void)state;
	check_redirect(AF_INET);
	check_redirect(AF_INET6);
}

static void test_the_command_cannot_connect_by_its_own_power(void **state)
{
	(void)state;
	check_output("bash -c 'exec 3<>/dev/tcp/198.51.100.7/8443' 2>&1 | grep -c 'connect: Permission denied'", "1\n");
}

static void test_datagrams_go_to_the_resolver_or_nowhere(void **state)
{
	char *argv[] = { xstrdup("/bin/bash"), xstrdup("-c"),
			 xstrdup("echo one > /dev/udp/198.51.100.7/53; echo two > /dev/udp/198.51.100.7/443"), NULL };
	int fds[2];
	struct sandbox_options o;
	struct sandbox s = SANDBOX_INIT;
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	char datagram[16] = "";
	struct pollfd p;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	o = options_for(argv, fds[1]);
	start(&o, &s);
	fd_close(fds[1]);
	p = (struct pollfd){ .fd = s.dns_udp_fds[0], .events = POLLIN };
	assert_true(poll(&p, 1, 10000) > 0);
	assert_int_equal(recv(p.fd, datagram, sizeof(datagram), 0), 4);
	assert_memory_equal(datagram, "one\n", 4);
	assert_int_equal(fd_read_all(fds[0], &out), 0);
	assert_non_null(strstr(out.data, "Operation not permitted"));
	assert_int_equal(recv(p.fd, datagram, sizeof(datagram), MSG_DONTWAIT), -1);
	fd_close(fds[0]);
	sandbox_done(&s);
	for (int i = 0; argv[i]; i++)
		xfree(argv[i]);
}

static void test_a_pty_of_its_own(void **state)
{
	char *argv[] = { xstrdup("/bin/sh"), xstrdup("-c"), xstrdup("tty; stty size; exec 9</dev/tty && echo controlling"),
			 NULL };
	struct sandbox_options o = options_for(argv, -1);
	struct sandbox s = SANDBOX_INIT;
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	o.want_pty = true;
	start(&o, &s);
	/* The master's end is EIO once the last slave is closed. */
	assert_int_equal(fd_read_all(s.pty_fd, &out), -EIO);
	assert_string_equal(out.data, "/dev/pts/0\r\n33 101\r\ncontrolling\r\n");
	sandbox_done(&s);
	for (int i = 0; argv[i]; i++)
		xfree(argv[i]);
}

static void test_everything_dies_with_the_caller(void **state)
{
	int fds[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		char *argv[] = { xstrdup("/bin/sh"), xstrdup("-c"), xstrdup("echo up; sleep 1000 & sleep 1000"), NULL };
		struct sandbox_options o = options_for(argv, fds[1]);
		struct sandbox s = SANDBOX_INIT;

		if (sandbox_start(&o, &s, NULL) < 0 || sandbox_release(&s) < 0)
			_exit(1);
		fd_close(fds[0]);
		pause();
	}
	fd_close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* The pipe ends when the last process inside that holds it is gone. */
	for (;;) {
		struct pollfd p = { .fd = fds[0], .events = POLLIN };

		assert_true(poll(&p, 1, 10000) > 0);
		if (read(fds[0], &byte, 1) == 0)
			break;
	}
	fd_close(fds[0]);
}

static int make_workspace(void **state)
{
	(void)state;
	return mkdtemp(workspace) ? 0 : -1;
}

static int remove_workspace(void **state)
{
	(void)state;
	return rmdir(workspace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_are_those_outside),
		cmocka_unit_test(test_only_its_own_processes_are_seen),
		cmocka_unit_test(test_no_descriptor_leaks_in),
		cmocka_unit_test(test_no_capability_and_no_way_to_one),
		cmocka_unit_test(test_nothing_can_be_written_by_its_own_power),
		cmocka_unit_test(test_temporary_directories_are_private),
		cmocka_unit_test(test_init_is_out_of_reach),
		cmocka_unit_test(test_kernel_settings_are_read_only),
		cmocka_unit_test(test_exit_codes_and_signals),
		cmocka_unit_test(test_a_program_that_is_not_there),
		cmocka_unit_test(test_every_connection_arrives_at_the_proxy),
		cmocka_unit_test(test_the_command_cannot_connect_by_its_own_power),
		cmocka_unit_test(test_datagrams_go_to_the_resolver_or_nowhere),
		cmocka_unit_test(test_a_pty_of_its_own),
		cmocka_unit_test(test_everything_dies_with_the_caller),
	};

	return cmocka_run_group_tests(tests, make_workspace, remove_workspace);
}
