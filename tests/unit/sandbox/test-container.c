/*
 * The container as the command in it sees it: who it is, what it sees of
 * files, processes and the kernel, and what it cannot do.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "harness.h"
#include "unit.h"

static const char *in_dir(const char *name)
{
	static char paths[16][512];
	static size_t next;
	char *path = paths[next++ % 16];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", harness_dir(), name);
	return path;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("\"%s\" is missing in:\n%s", part, text);                         \
	} while (0)
#define assert_lacks(text, part)                                                                   \
	do {                                                                                       \
		if (strstr(text, part))                                                            \
			fail_msg("\"%s\" should not be in:\n%s", part, text);                      \
	} while (0)

static void test_ids_are_those_outside(void **state)
{
	char expected[64];
	const char *out = harness_output(harness_options("echo $(id -u):$(id -g); hostname"));

	(void)state;
	(void)snprintf(expected, sizeof(expected), "%u:%u\ninside\n", geteuid(), getegid());
	assert_string_equal(out, expected);
}

static void test_no_privilege_is_left(void **state)
{
	const char *out = harness_output(harness_options("cat /proc/self/status"));

	(void)state;
	for (const char *const *set = (const char *const[]){ "CapInh", "CapPrm", "CapEff", "CapBnd",
							     "CapAmb", NULL };
	     *set; set++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "%s:\t0000000000000000\n", *set);
		assert_contains(out, line);
	}
	assert_contains(out, "NoNewPrivs:\t1\n");
}

/* With many users: root's six capabilities, for good, and nobody else's. */
static void test_many_users_root(void **state)
{
	const struct sandbox_user root = { 0 };
	struct sandbox_options o = harness_options(
		"cat /proc/self/status; cut -c 1-10 /proc/self/setgroups; kill -9 1; ls -ldn /tmp");
	const char *out;

	(void)state;
	if (geteuid() != 0)
		return; /* who may map all ids is root */
	o.user = &root;
	out = harness_output(o);
	assert_contains(out, "Uid:\t0\t0\t0\t0\n");
	assert_contains(out, "CapEff:\t00000000000000eb\n");
	assert_contains(out, "CapPrm:\t00000000000000eb\n");
	assert_contains(out, "CapBnd:\t00000000000000eb\n");
	assert_contains(out, "CapAmb:\t0000000000000000\n");
	assert_contains(out, "NoNewPrivs:\t1\n");
	assert_contains(out, "allow");
}

static void test_many_users_other(void **state)
{
	const gid_t groups[] = { 4712, 4713 };
	const struct sandbox_user user = { 4711, 4710, groups, 2 };
	struct sandbox_options o =
		harness_options("id -u; id -G; cat /proc/self/status; ! setpriv --reuid=0 true");
	const char *out;

	(void)state;
	if (geteuid() != 0)
		return; /* who may map all ids is root */
	o.user = &user;
	out = harness_output(o);
	assert_contains(out, "4711\n4710 4712 4713\n");
	for (const char *const *set = (const char *const[]){ "CapInh", "CapPrm", "CapEff", "CapBnd",
							     "CapAmb", NULL };
	     *set; set++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "%s:\t0000000000000000\n", *set);
		assert_contains(out, line);
	}
}

/* Neither root nor whom it becomes reaches init, or makes a namespace. */
static void test_many_users_keep_init(void **state)
{
	const struct sandbox_user root = { 0 };
	struct sandbox_options o = harness_options(
		"exec 2>/dev/null\n"
		"cat /proc/1/maps && echo maps\n"
		"ls /proc/1/root/ && echo root\n"
		"readlink /proc/1/fd/0 && echo descriptor\n"
		"echo 5 >/proc/1/oom_score_adj && echo score\n"
		"unshare -Ur true && echo user\n"
		"unshare -m true && echo mounts\n"
		"mount -t tmpfs none /mnt && echo mount\n"
		"mknod /tmp/n c 1 1 && echo node\n"
		"setpriv --reuid=4711 --regid=4711 --clear-groups sh -c '"
		"cat /proc/1/maps; touch /root/x && echo x; id -u; grep CapEff /proc/self/status'");

	(void)state;
	if (geteuid() != 0)
		return; /* who may map all ids is root */
	o.user = &root;
	assert_string_equal(harness_output(o), "4711\nCapEff:\t0000000000000000\n");
}

static void test_every_namespace_is_its_own(void **state)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "user", "uts" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64], outside[64] = { 0 }, script[128];

		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		(void)snprintf(script, sizeof(script), "readlink %s", path);
		assert_true(readlink(path, outside, sizeof(outside) - 1) > 0);
		assert_lacks(harness_output(harness_options(script)), outside);
	}
}

static void test_only_its_own_processes_are_seen(void **state)
{
	const char *out = harness_output(harness_options(
		"cd /proc; for p in [0-9]*; do echo $p; done; tr -d '\\0' <1/cmdline"));

	(void)state;
	assert_string_equal(out, "1\n2\nleash-init");
}

/* Also those that the C library keeps for itself and that a parent may have ignored. */
static void set_disposition(int signal, bool ignored)
{
	struct {
		unsigned long handler, flags, restorer;
		uint64_t mask;
	} action = { .handler = ignored ? 1 : 0 };

	assert_int_equal(syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof(action.mask)), 0);
}

static void test_signals_are_as_a_program_expects(void **state)
{
	static const int signals[] = { SIGINT, SIGPIPE, 32, 33, 64 };
	sigset_t set, before;
	const char *out;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		set_disposition(signals[i], true);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &before), 0);
	out = harness_output(harness_options("exec cat /proc/self/status"));
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		set_disposition(signals[i], false);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	assert_contains(out, "SigIgn:\t0000000000000000\n");
	assert_contains(out, "SigBlk:\t0000000000000000\n");
}

static void test_no_descriptor_leaks(void **state)
{
	int leak = open("/", O_RDONLY | O_DIRECTORY); /* not close-on-exec */
	const char *out = harness_output(harness_options("ls /proc/$$/fd; true"));

	(void)state;
	assert_string_equal(out, "0\n1\n2\n");
	assert_int_equal(close(leak), 0);
}

static void test_tree_is_read_only_but_for_the_writable(void **state)
{
	const char *writable[] = { in_dir("open"), NULL };
	struct sandbox_options o;
	char script[1024];
	const char *out;

	(void)state;
	assert_int_equal(mkdir(in_dir("open"), 0755), 0);
	write_file(in_dir("closed"), "before\n");
	(void)snprintf(script, sizeof(script),
		       "cd %s; echo in >open/new; mkdir open/sub; (echo x >closed) 2>&1; (echo x "
		       ">new) 2>&1; "
		       "(touch closed) 2>&1; (touch /etc/x) 2>&1; cat closed",
		       harness_dir());
	o = harness_options(script);
	o.writable = writable;
	out = harness_output(o);
	assert_contains(out, "cannot create closed: Read-only file system");
	assert_contains(out, "cannot create new: Read-only file system");
	assert_contains(out, "cannot touch '/etc/x': Read-only file system");
	assert_contains(out, "before\n");
	assert_true(exists(in_dir("open/new")));
	assert_true(exists(in_dir("open/sub")));
	assert_false(exists(in_dir("new")));
}

static void test_a_writable_root_keeps_the_private_places(void **state)
{
	const char *writable[] = { "/", NULL };
	struct sandbox_options o;
	char script[512];
	const char *out;

	(void)state;
	(void)snprintf(script, sizeof(script),
		       "echo x >%s/anywhere; ls -A /run /tmp; (echo x >/proc/sys/kernel/hostname) "
		       "2>&1; true",
		       harness_dir());
	o = harness_options(script);
	o.writable = writable;
	out = harness_output(o);
	assert_string_equal(out,
			    "/run:\n\n/tmp:\n/bin/sh: 1: cannot create /proc/sys/kernel/hostname: "
			    "Read-only file system\n");
	assert_true(exists(in_dir("anywhere")));
}

static void test_tmp_is_private(void **state)
{
	char path[] = "/tmp/leash-outside-XXXXXX", script[256];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)snprintf(script, sizeof(script),
		       "ls -A /tmp /var/tmp; echo x >/tmp/%s-in && cat /tmp/%s-in", path + 5,
		       path + 5);
	assert_string_equal(harness_output(harness_options(script)), "/tmp:\n\n/var/tmp:\nx\n");
	assert_true(exists(path));
	(void)snprintf(script, sizeof(script), "%s-in", path);
	assert_false(exists(script));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(close(fd), 0);
}

static void test_a_workspace_below_tmp_is_there(void **state)
{
	char path[] = "/tmp/leash-work-XXXXXX", script[512];
	const char *writable[] = { path, NULL };
	struct sandbox_options o;

	(void)state;
	assert_non_null(mkdtemp(path));
	(void)snprintf(script, sizeof(script), "pwd; ls /tmp; (echo x >file) 2>&1; true");
	o = harness_options(script);
	o.workspace = o.cwd = path;
	assert_contains(harness_output(o), "Read-only");
	o.writable = writable;
	assert_lacks(harness_output(o), "Read-only");
	(void)snprintf(script, sizeof(script), "%s/file", path);
	assert_int_equal(unlink(script), 0);
	assert_int_equal(rmdir(path), 0);
}

/* What a policy says of /tmp is meant for the container's own. */
static void test_the_hosts_tmp_is_never_the_policys(void **state)
{
	char path[] = "/tmp/leash-other-XXXXXX";
	const char *writable[] = { "/tmp", path, "/", NULL };
	struct sandbox_options o = harness_options("ls -A /tmp; pwd");

	(void)state;
	assert_non_null(mkdtemp(path));
	o.writable = writable;
	assert_string_equal(harness_output(o), "/\n");
	assert_int_equal(rmdir(path), 0);
}

static void test_hidden_things_are_empty(void **state)
{
	const char *hidden[] = { in_dir("secret"), in_dir("secrets"), in_dir("absent"), NULL };
	const char *writable[] = { harness_dir(), NULL };
	struct sandbox_options o;
	char script[512];

	(void)state;
	write_file(in_dir("secret"), "password");
	assert_int_equal(mkdir(in_dir("secrets"), 0755), 0);
	write_file(in_dir("secrets/key"), "password");
	(void)snprintf(script, sizeof(script),
		       "cd %s; cat secret; ls -A secrets; (echo x >secret) 2>/dev/null || echo no; "
		       "(echo x >secrets/new) 2>/dev/null || echo no; mv secret other 2>/dev/null "
		       "|| echo no",
		       harness_dir());
	o = harness_options(script);
	o.writable = writable;
	o.hidden = hidden;
	assert_string_equal(harness_output(o), "no\nno\nno\n");
}

static void test_mounts_are_made_in_order(void **state)
{
	struct sandbox_mount mounts[] = { { in_dir("source"), "/tmp/deep/target", false },
					  { in_dir("source/file"), "/tmp/one", true },
					  { in_dir("source"), in_dir("place"), true } };
	struct sandbox_options o;
	char script[512];

	(void)state;
	assert_int_equal(mkdir(in_dir("source"), 0755), 0);
	assert_int_equal(mkdir(in_dir("place"), 0755), 0);
	write_file(in_dir("source/file"), "text\n");
	(void)snprintf(
		script, sizeof(script),
		"cat /tmp/deep/target/file /tmp/one %s/place/file; echo x >/tmp/deep/target/new; "
		"(echo x >/tmp/one) 2>/dev/null || echo no; "
		"(echo x >%s/place/new) 2>/dev/null || echo no",
		harness_dir(), harness_dir());
	o = harness_options(script);
	o.mounts = mounts;
	o.n_mounts = ARRAY_SIZE(mounts);
	assert_string_equal(harness_output(o), "text\ntext\ntext\nno\nno\n");
	assert_true(exists(in_dir("source/new")));
}

/* Files that are written after the start: over those of the host, behind a link too, and where
 * there is none. */
static void test_files_that_come_later(void **state)
{
	const char *const places[] = { in_dir("roots/one"),
				       in_dir("roots/link"),
				       in_dir("roots/absent"),
				       in_dir("roots/dir"),
				       "/etc/hostname-that-is-not-there",
				       NULL };
	const char *const none[] = { NULL };
	const struct sandbox_file files[] = { { "/run/leash/a", places },
					      { "/run/leash/b", none } };
	const char *const writable[] = { harness_dir(), NULL };
	char script[2048];
	struct sandbox_options o;

	(void)state;
	assert_int_equal(mkdir(in_dir("roots"), 0700), 0);
	assert_int_equal(mkdir(in_dir("roots/dir"), 0700), 0);
	write_file(in_dir("roots/one"), "the host's\n");
	write_file(in_dir("roots/two"), "the host's\n");
	assert_int_equal(symlink("two", in_dir("roots/link")), 0);
	(void)snprintf(
		script, sizeof(script),
		"cd %s/roots; cat one two link /run/leash/a /run/leash/b; ls; stat -c %%a one; "
		"for f in one two /run/leash/a /run/leash/b; do "
		"(echo x >$f) 2>/dev/null && echo written; rm -f $f 2>/dev/null && echo removed; "
		"mv $f $f.x 2>/dev/null && echo moved; chmod 600 $f 2>/dev/null && echo changed; "
		"done; true",
		harness_dir());
	o = harness_options(script);
	o.files = files;
	o.n_files = ARRAY_SIZE(files);
	o.writable = writable;
	assert_string_equal(harness_output(o), "written\nwritten\nwritten\nwritten\nwritten\n"
					       "dir\nlink\none\ntwo\n444\n");
	assert_false(exists(in_dir("roots/absent")));
}

static void test_a_mount_onto_nothing_is_refused(void **state)
{
	struct sandbox_mount mount = { harness_dir(), "/etc/not-there", false };
	struct sandbox_options o = harness_options("true");
	struct sandbox s = SANDBOX_INIT;
	struct err err = { 0 };

	(void)state;
	o.mounts = &mount;
	o.n_mounts = 1;
	assert_int_equal(sandbox_start(&o, &s, &err), -EROFS);
	assert_contains(err.text, "/etc/not-there does not exist on the host");
	assert_int_equal(s.init_pidfd, -1);
	o.n_mounts = 0;
	o.cwd = "/not/there";
	assert_int_equal(sandbox_start(&o, &s, &err), -ENOENT);
	assert_contains(err.text, "/not/there");
}

static void test_mounts_can_be_widened(void **state)
{
	struct sandbox_options o;
	const char *hidden[] = { in_dir("wide/hidden"), NULL };
	struct sandbox_event e;
	struct sandbox s;
	struct err err = { 0 };
	char script[512];

	(void)state;
	assert_int_equal(mkdir(in_dir("wide"), 0755), 0);
	write_file(in_dir("wide/hidden"), "password");
	(void)snprintf(
		script, sizeof(script),
		"cd %s/wide; echo x 2>/dev/null >early && exit 9; kill -STOP $$; cd %s/wide; "
		"echo x >late || exit 8; test -s hidden && exit 7; (echo x >hidden) 2>/dev/null && "
		"exit 6; "
		"exit 0",
		harness_dir(), harness_dir());
	o = harness_options(script);
	o.hidden = hidden;
	o.want_pty = true;
	s = harness_begin(o);
	e = harness_event(&s);
	assert_int_equal(e.type, SANDBOX_STOPPED);
	assert_int_equal(sandbox_make_writable(&s, in_dir("wide"), &err), 0);
	assert_int_equal(sandbox_make_writable(&s, "/proc/sys", &err), 0);
	assert_int_equal(sandbox_signal(&s, SIGCONT), 0);
	e = harness_event(&s);
	assert_int_equal(e.type, SANDBOX_EXITED);
	assert_int_equal(e.status, 0);
	assert_true(exists(in_dir("wide/late")));
	sandbox_done(&s);
}

static void test_resolv_conf_is_replaced(void **state)
{
	(void)state;
	if (!exists("/etc/resolv.conf"))
		skip();
	assert_string_equal(harness_output(harness_options("cat /etc/resolv.conf")),
			    "nameserver 127.0.0.53\n");
}

static void test_hosts_has_its_own_name_alone(void **state)
{
	(void)state;
	if (!exists("/etc/hosts"))
		skip();
	assert_string_equal(harness_output(harness_options("cat /etc/hosts")),
			    "127.0.0.1\tlocalhost inside\n::1\tlocalhost inside\n");
}

static void test_devices_are_few_and_work(void **state)
{
	const char *out = harness_output(harness_options(
		"cd /dev; echo *; echo x >null; head -c 4 zero | od -An -tx1; head -c 8 urandom | "
		"wc -c; "
		"(echo x >full) 2>/dev/null || echo full; echo x >shm/y; cat shm/y; "
		"(: >/dev/new) 2>/dev/null || echo no; chmod 600 /dev/null 2>/dev/null || echo "
		"no"));

	(void)state;
	assert_string_equal(
		out,
		"fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero\n"
		" 00 00 00 00\n8\nfull\nx\nno\nno\n");
}

static void test_kernel_is_out_of_reach(void **state)
{
	const char *out = harness_output(harness_options(
		"cat /proc/kallsyms /proc/keys 2>/dev/null | wc -c;"
		"for f in /proc/sys/kernel/hostname /proc/sysrq-trigger "
		"/proc/sys/net/ipv4/ip_forward "
		"/sys/kernel/mm/transparent_hugepage/enabled /sys/fs/cgroup/cgroup.procs; do "
		"(echo 1 >$f) 2>/dev/null && echo wrote $f; done;"
		"mount -t tmpfs none /mnt 2>/dev/null && echo mounted;"
		"umount /proc/sys 2>/dev/null && echo unmounted;"
		"unshare -U true 2>/dev/null && echo nested; ls /sys/class/net; ls -A "
		"/sys/firmware"));

	(void)state;
	assert_string_equal(out, "0\nlo\n");
}

static void test_nesting_can_be_allowed(void **state)
{
	struct sandbox_options o = harness_options("unshare -U true && echo nested");

	(void)state;
	o.allow_nesting = true;
	assert_string_equal(harness_output(o), "nested\n");
}

static void test_init_is_out_of_reach_inside(void **state)
{
	const char *out = harness_output(harness_options(
		"cd /proc/1; for f in environ maps mem exe root cwd fd/0 fd/3 ns/mnt; do "
		"(cat $f || readlink $f) >/dev/null 2>&1 && echo $f; done; (echo 900 "
		">oom_score_adj) 2>/dev/null && "
		"echo written; (: <../kmsg) 2>/dev/null && echo kmsg; kill -9 1; echo $?"));

	(void)state;
	assert_string_equal(out, "0\n"); /* the signal is sent, and ignored */
}

/* A process with the container's ids and no capabilities, but not held by Landlock or the filter.
 */
static int trace_without_capabilities(void *arg)
{
	const pid_t *pid = arg;
	struct {
		uint32_t version;
		int pid;
	} header = { 0x20080522, 0 };
	uint32_t none[6] = { 0 };

	if (syscall(SYS_capset, &header, none) < 0)
		return 100;
	return ptrace(PTRACE_SEIZE, *pid, 0, 0) < 0 ? errno : 0;
}

static int trace(void *arg)
{
	const pid_t *pid = arg;

	return ptrace(PTRACE_SEIZE, *pid, 0, 0) < 0 ? errno : 0;
}

static void test_init_is_out_of_reach_for_its_like(void **state)
{
	struct sandbox s = harness_begin(harness_options("exec sleep 1000"));

	(void)state;
	assert_int_equal(harness_inside(&s, CLONE_NEWUSER, trace_without_capabilities, &s.init_pid),
			 EPERM);
	/* The supervisor stands so, with the capabilities of the namespace's creator. */
	assert_int_equal(harness_inside(&s, CLONE_NEWUSER, trace, &s.command_pid), 0);
	sandbox_done(&s);
}

static void test_terminal_is_its_own(void **state)
{
	struct sandbox_options o = harness_options("tty; stty size; test -t 0 && test -t 1 && test "
						   "-t 2 && echo three; echo direct >/dev/tty; "
						   "ps -o tty= -p $$; readlink /proc/self/fd/2");

	(void)state;
	o.want_pty = true;
	o.window = (struct winsize){ .ws_row = 33, .ws_col = 99 };
	assert_string_equal(harness_output(o), "/dev/pts/0\r\n33 99\r\nthree\r\ndirect\r\npts/0\r\n"
					       "/dev/pts/0\r\n");
}

static void test_terminal_sends_signals(void **state)
{
	struct sandbox_options o = harness_options("echo ready; exec sleep 1000");
	struct sandbox_event e;
	struct sandbox s;
	char c[64];

	(void)state;
	o.want_pty = true;
	s = harness_begin(o);
	assert_true(read(s.pty_fd, c, sizeof(c)) > 0);
	assert_int_equal(write(s.pty_fd, "\003", 1), 1);
	e = harness_event(&s);
	assert_int_equal(e.type, SANDBOX_EXITED);
	assert_true(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGINT);
	sandbox_done(&s);
}

static void test_ctrl_z_stops_the_command(void **state)
{
	struct sandbox_options o = harness_options("echo ready; exec sleep 1000");
	struct sandbox_event e;
	struct sandbox s;
	char c[64];

	(void)state;
	o.want_pty = true;
	s = harness_begin(o);
	assert_true(read(s.pty_fd, c, sizeof(c)) > 0);
	assert_int_equal(write(s.pty_fd, "\032", 1), 1);
	e = harness_event(&s);
	assert_int_equal(e.type, SANDBOX_STOPPED);
	assert_int_equal(e.status, SIGTSTP);
	sandbox_done(&s);
}

static void test_no_terminal_without_asking(void **state)
{
	(void)state;
	assert_string_equal(
		harness_output(harness_options("(: </dev/tty) 2>/dev/null || echo none")),
		"none\n");
}

static void test_exit_status_is_told(void **state)
{
	struct sandbox_options o = harness_options("true");
	struct outcome r;

	(void)state;
	assert_int_equal(harness_run(o).status, 0);
	r = harness_run(harness_options("exit 3"));
	assert_true(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 3);
	r = harness_run(harness_options("kill -SEGV $$"));
	assert_true(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGSEGV && !WCOREDUMP(r.status));
	o = harness_options("true");
	o.program = "/not/there";
	assert_int_equal(harness_run(o).error, ENOENT);
	o.program = "/etc/passwd";
	assert_int_equal(harness_run(o).error, EACCES);
}

static void test_signals_are_passed_on(void **state)
{
	struct sandbox_options o = harness_options("sleep 1000 & kill -STOP $$; wait");
	struct sandbox_event e;
	struct sandbox s;

	(void)state;
	o.want_pty = true;
	s = harness_begin(o);
	e = harness_event(&s);
	assert_int_equal(e.type, SANDBOX_STOPPED);
	assert_int_equal(e.status, SIGSTOP);
	assert_int_equal(sandbox_next_event(&s, &e), -EAGAIN);
	assert_int_equal(sandbox_signal(&s, SIGCONT), 0);
	assert_int_equal(sandbox_signal(&s, SIGTERM), 0);
	e = harness_event(&s);
	assert_int_equal(e.type, SANDBOX_EXITED);
	assert_true(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGTERM);
	sandbox_done(&s);
}

static int open_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	assert_true(fd >= 0);
	return fd;
}

/* The first child of the container's command, found from outside. */
static pid_t first_child(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%d", &child) != 1)
		child = 0;
	if (f)
		assert_int_equal(fclose(f), 0);
	return child;
}

static void test_everything_ends_with_the_command(void **state)
{
	struct sandbox_options o = harness_options("setsid sleep 1000 & kill -STOP $$; exit 0");
	struct sandbox_event e;
	struct sandbox s;
	pid_t child;
	int pidfd;

	(void)state;
	o.want_pty = true;
	s = harness_begin(o);
	e = harness_event(&s);
	child = first_child(s.command_pid);
	assert_int_equal(e.type, SANDBOX_STOPPED);
	assert_true(child > 0);
	pidfd = open_pidfd(child);
	assert_int_equal(sandbox_signal(&s, SIGCONT), 0);
	assert_int_equal(harness_event(&s).type, SANDBOX_EXITED);
	assert_true(harness_is_gone(pidfd));
	assert_int_equal(close(pidfd), 0);
	sandbox_done(&s);
}

static void test_done_ends_everything(void **state)
{
	struct sandbox_options o =
		harness_options("trap '' TERM INT HUP; while :; do sleep 1000; done");
	struct sandbox s = harness_begin(o);
	int pidfd = open_pidfd(s.command_pid);

	(void)state;
	sandbox_done(&s);
	assert_true(harness_is_gone(pidfd));
	assert_int_equal(close(pidfd), 0);
	assert_int_equal(s.init_pidfd, -1);
}

/* Starts a container, tells the command's number, and waits to be killed. */
_noreturn_ static void doomed_caller(int out_fd, bool release)
{
	struct sandbox_options o =
		harness_options("trap '' HUP TERM; while :; do sleep 1000; done");
	struct sandbox s = SANDBOX_INIT;

	if (sandbox_start(&o, &s, NULL) < 0 || (release && sandbox_release(&s) < 0) ||
	    write(out_fd, &s.command_pid, sizeof(s.command_pid)) != sizeof(s.command_pid))
		_exit(1);
	for (;;)
		(void)pause();
}

static void kill_the_caller(bool release)
{
	int fds[2], pidfd, status;
	pid_t caller, command;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	caller = fork();
	assert_true(caller >= 0);
	if (caller == 0)
		doomed_caller(fds[1], release);
	assert_int_equal(read(fds[0], &command, sizeof(command)), sizeof(command));
	pidfd = open_pidfd(command);
	assert_int_equal(kill(caller, SIGKILL), 0);
	assert_int_equal(waitpid(caller, &status, 0), caller);
	assert_true(harness_is_gone(pidfd));
	assert_int_equal(close(pidfd), 0);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
}

static void test_everything_dies_with_the_caller(void **state)
{
	(void)state;
	kill_the_caller(/* release = */ true);
	kill_the_caller(/* release = */ false);
}

static void test_processes_are_limited(void **state)
{
	struct sandbox_options o = harness_options(
		"ulimit -c; i=0; while [ $i -lt 40 ]; do sleep 1000 & i=$((i+1)); done; echo all");
	struct sandbox s = SANDBOX_INIT;
	struct outcome r;
	struct err err;
	bool is_limited;

	(void)state;
	o.limits.max_pids = 20;
	assert_int_equal(sandbox_start(&o, &s, &err), 0);
	is_limited = !(s.limits_not_applied & 2);
	sandbox_done(&s);
	if (geteuid() != 0)
		assert_true(is_limited);
	r = harness_run(o);
	assert_int_equal(strncmp(r.output, "0\n", 2), 0);
	if (is_limited) {
		assert_contains(r.output, "fork");
		assert_lacks(r.output, "all");
	} else {
		assert_contains(r.output, "all");
	}
}

static void test_limits_that_fail_are_told(void **state)
{
	struct sandbox_options o = harness_options("true");
	struct sandbox s = SANDBOX_INIT;
	struct err err;

	(void)state;
	o.limits = (struct sandbox_limits){ .memory_bytes = 1 << 28, .cpu_percent = 50 };
	assert_int_equal(sandbox_start(&o, &s, &err), 0);
	if (s.cgroup.fd < 0)
		assert_int_equal(s.limits_not_applied, 1 | 4);
	else
		assert_int_equal(s.limits_not_applied & ~5, 0);
	sandbox_done(&s);
}

static void test_probe_agrees(void **state)
{
	struct sandbox_probe rows[16];
	size_t n = sandbox_probe(rows, ARRAY_SIZE(rows));

	(void)state;
	assert_true(n >= 5);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].is_required && !rows[i].is_present)
			fail_msg("%s: %s", rows[i].name, rows[i].detail);
		if (!rows[i].is_present)
			assert_true(rows[i].detail[0]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_are_those_outside),
		cmocka_unit_test(test_no_privilege_is_left),
		cmocka_unit_test(test_many_users_root),
		cmocka_unit_test(test_many_users_other),
		cmocka_unit_test(test_many_users_keep_init),
		cmocka_unit_test(test_every_namespace_is_its_own),
		cmocka_unit_test(test_only_its_own_processes_are_seen),
		cmocka_unit_test(test_signals_are_as_a_program_expects),
		cmocka_unit_test(test_no_descriptor_leaks),
		cmocka_unit_test(test_tree_is_read_only_but_for_the_writable),
		cmocka_unit_test(test_a_writable_root_keeps_the_private_places),
		cmocka_unit_test(test_tmp_is_private),
		cmocka_unit_test(test_a_workspace_below_tmp_is_there),
		cmocka_unit_test(test_the_hosts_tmp_is_never_the_policys),
		cmocka_unit_test(test_hidden_things_are_empty),
		cmocka_unit_test(test_mounts_are_made_in_order),
		cmocka_unit_test(test_a_mount_onto_nothing_is_refused),
		cmocka_unit_test(test_files_that_come_later),
		cmocka_unit_test(test_mounts_can_be_widened),
		cmocka_unit_test(test_resolv_conf_is_replaced),
		cmocka_unit_test(test_hosts_has_its_own_name_alone),
		cmocka_unit_test(test_devices_are_few_and_work),
		cmocka_unit_test(test_kernel_is_out_of_reach),
		cmocka_unit_test(test_nesting_can_be_allowed),
		cmocka_unit_test(test_init_is_out_of_reach_inside),
		cmocka_unit_test(test_init_is_out_of_reach_for_its_like),
		cmocka_unit_test(test_terminal_is_its_own),
		cmocka_unit_test(test_terminal_sends_signals),
		cmocka_unit_test(test_ctrl_z_stops_the_command),
		cmocka_unit_test(test_no_terminal_without_asking),
		cmocka_unit_test(test_exit_status_is_told),
		cmocka_unit_test(test_signals_are_passed_on),
		cmocka_unit_test(test_everything_ends_with_the_command),
		cmocka_unit_test(test_done_ends_everything),
		cmocka_unit_test(test_everything_dies_with_the_caller),
		cmocka_unit_test(test_processes_are_limited),
		cmocka_unit_test(test_limits_that_fail_are_told),
		cmocka_unit_test(test_probe_agrees),
	};
	int r = fd_open_stdio();

	if (r < 0)
		return 99;
	r = harness_start(argc, argv);

	return r >= 0 ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
