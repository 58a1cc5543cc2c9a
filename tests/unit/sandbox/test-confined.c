/*
 * The command under a filter: its listener is handed out, execve is the first
 * call that is held, and by its own power the command changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "unit.h"

#define LOAD_NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)

static struct sock_filter allow_all[] = { RETURN(SECCOMP_RET_ALLOW) };
static struct sock_filter hold_execve[] = { LOAD_NUMBER,
					    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
					    RETURN(SECCOMP_RET_USER_NOTIF),
					    RETURN(SECCOMP_RET_ALLOW) };

static struct sandbox_options confined(const char *script)
{
	struct sandbox_options o = harness_options(script);

	o.filter = (struct sock_fprog){ 1, allow_all };
	return o;
}

static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

static struct sandbox begin_held(const char *script)
{
	struct sandbox_options o = harness_options(script);

	o.filter = (struct sock_fprog){ 4, hold_execve };
	o.filter_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return harness_begin(o);
}

static struct seccomp_notif receive(const struct sandbox *s)
{
	struct seccomp_notif n = { 0 };
	struct pollfd p = { .fd = s->seccomp_fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(ioctl(s->seccomp_fd, SECCOMP_IOCTL_NOTIF_RECV, &n), 0);
	return n;
}

struct where {
	pid_t pid;
	uint64_t address;
};

/* As the supervisor stands: in the container's user namespace, outside its pid namespace. */
static int read_program(void *arg)
{
	const struct where *w = arg;
	char name[16] = { 0 };
	struct iovec local = { name, sizeof("/bin/sh") },
		     remote = { (void *)(uintptr_t)w->address, sizeof("/bin/sh") };

	if (process_vm_readv(w->pid, &local, 1, &remote, 1, 0) < 0)
		return errno;
	return strcmp(name, "/bin/sh") != 0;
}

static void test_execve_is_the_first_call_that_is_held(void **state)
{
	struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	struct sandbox s = begin_held("exit 5");
	struct seccomp_notif n = receive(&s);
	struct where w = { s.command_pid, n.data.args[0] };
	struct sandbox_event e;

	(void)state;
	assert_int_equal(n.data.nr, SYS_execve);
	assert_int_equal(n.pid, s.command_pid);
	assert_int_equal(
		harness_inside(&s, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET, read_program, &w),
		0);
	answer.id = n.id;
	assert_int_equal(ioctl(s.seccomp_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
	e = harness_event(&s);
	assert_int_equal(e.type, SANDBOX_EXITED);
	assert_int_equal(WEXITSTATUS(e.status), 5);
	sandbox_done(&s);
}

static void test_a_refused_execve_is_told(void **state)
{
	struct sandbox s = begin_held("exit 5");
	struct seccomp_notif n = receive(&s);
	struct seccomp_notif_resp answer = { .id = n.id, .error = -EACCES };
	struct sandbox_event e;

	(void)state;
	assert_int_equal(ioctl(s.seccomp_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
	e = harness_event(&s);
	assert_int_equal(e.type, SANDBOX_FAILED);
	assert_int_equal(e.status, EACCES);
	assert_int_equal(harness_event(&s).type, SANDBOX_EXITED);
	sandbox_done(&s);
}

static void test_without_an_answerer_nothing_is_executed(void **state)
{
	struct sandbox s = begin_held("exit 5");
	struct sandbox_event e;

	(void)state;
	(void)receive(&s);
	assert_int_equal(close(s.seccomp_fd), 0);
	s.seccomp_fd = -1;
	e = harness_event(&s);
	assert_int_equal(e.type, SANDBOX_FAILED);
	assert_int_equal(e.status, ENOSYS);
	sandbox_done(&s);
}

static void make_file(const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", harness_dir(), name);
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), 0);
}

static void test_the_command_changes_nothing_by_itself(void **state)
{
	static const char *const commands[] = { "echo x >new",	     "echo x >old",
						"mkdir d",	     "ln -s a b",
						"mkfifo p",	     "rm gone",
						"mv moved other",    "echo x >/tmp/x",
						"echo x >/dev/null", "echo 0 >/proc/self/comm" };
	const char *writable[] = { harness_dir(), NULL };

	(void)state;
	if (landlock_version() < 1)
		skip();
	make_file("old");
	make_file("gone");
	make_file("moved");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char script[512];
		struct sandbox_options o;

		(void)snprintf(script, sizeof(script), "cd %s; (%s) 2>&- && echo done; true",
			       harness_dir(), commands[i]);
		o = confined(script);
		o.writable = writable;
		assert_string_equal(harness_output(o), "");
		o.filter.len = 0; /* without Landlock it works, else the above proves nothing */
		assert_string_equal(harness_output(o), "done\n");
	}
}

static void test_the_command_connects_nowhere_by_itself(void **state)
{
	(void)state;
	if (landlock_version() < 4 || access("/bin/bash", X_OK) < 0)
		skip();
	assert_non_null(
		strstr(harness_output(confined("bash -c ': </dev/tcp/1.2.3.4/80' 2>&1 || true")),
		       "Permission denied"));
	assert_string_equal(harness_output(harness_options(
				    "bash -c ': </dev/tcp/1.2.3.4/80' 2>&1 && echo connected")),
			    "connected\n");
}

static void test_the_command_signals_nobody_outside(void **state)
{
	(void)state;
	if (landlock_version() < 6)
		skip();
	assert_string_equal(harness_output(confined(
				    "kill -0 1 2>&- || echo no; sleep 100 & kill $! && echo yes")),
			    "no\nyes\n");
}

static void test_ordinary_work_goes_on(void **state)
{
	struct sandbox_options o =
		confined("ls / >&2; cat /etc/passwd | wc -l >&2; cat <<X\nhere\nX");
	struct outcome r = harness_run(o);

	(void)state;
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.output, "etc\n"));
	o = confined("stty size; stty -echo; echo out; (: </dev/tty) && echo tty");
	o.want_pty = true;
	o.window = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	assert_string_equal(harness_output(o), "24 80\r\nout\r\ntty\r\n");
}

static void test_given_descriptors_keep_their_rights(void **state)
{
	char path[512];
	struct sandbox_options o;
	struct sandbox s;
	struct stat st;
	int fd;

	(void)state;
	if (access("/usr/bin/perl", X_OK) < 0)
		skip();
	(void)snprintf(path, sizeof(path), "%s/given", harness_dir());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, "long content", 12), 12);
	o = confined("exec perl -e 'truncate(STDOUT, 4) or exit 9'");
	o.stdio_fds[1] = fd;
	s = harness_begin(o);
	assert_int_equal(harness_event(&s).status, 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(close(fd), 0);
	sandbox_done(&s);
}

static void test_message_queues_work(void **state)
{
	char path[4096] = { 0 };
	struct sandbox_options o = confined("");
	char *argv[] = { path, (char[]){ "queue" }, NULL };

	(void)state;
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	if (landlock_version() < 1 || access(path, X_OK) < 0)
		skip();
	o.program = path;
	o.argv = argv;
	assert_string_equal(harness_output(o), "");
}

/* What test_message_queues_work runs inside. */
static int use_queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	mqd_t q = mq_open("/leash-test", O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	char text[8];

	if (q < 0 || mq_send(q, "hello", 5, 0) < 0 || mq_receive(q, text, sizeof(text), NULL) != 5)
		perror("queue");
	else if (mq_unlink("/leash-test") < 0)
		perror("unlink");
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_execve_is_the_first_call_that_is_held),
		cmocka_unit_test(test_a_refused_execve_is_told),
		cmocka_unit_test(test_without_an_answerer_nothing_is_executed),
		cmocka_unit_test(test_the_command_changes_nothing_by_itself),
		cmocka_unit_test(test_the_command_connects_nowhere_by_itself),
		cmocka_unit_test(test_the_command_signals_nobody_outside),
		cmocka_unit_test(test_ordinary_work_goes_on),
		cmocka_unit_test(test_message_queues_work),
		cmocka_unit_test(test_given_descriptors_keep_their_rights),
	};
	int r;

	if (argc > 1 && strcmp(argv[1], "queue") == 0)
		return use_queue();
	r = harness_start(argc, argv);

	return r >= 0 ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
