/*
 * Ways out of a container, and to leash beside it, tried one after the other from inside: prints
 * "refused NAME" or "DONE NAME" for each, and "all" at last. As root they would lead to the
 * machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *name, long result)
{
	printf("%s %s\n", result < 0 ? "refused" : "DONE", name);
	fflush(stdout);
}

/* In a child: what works there changes nothing for the next. */
static void try(const char *name, long (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn() < 0 ? 1 : 0);
	tell(name, pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0 ? -1 : 0);
}

static long open_path(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC);
}

static long write_path(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : write(fd, text, strlen(text));
}

static long do_unshare_user(void)
{
	return unshare(CLONE_NEWUSER);
}
static long do_unshare_mounts(void)
{
	return unshare(CLONE_NEWNS);
}
static long do_unshare_network(void)
{
	return unshare(CLONE_NEWNET);
}
static long do_mount(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}
static long do_uncover(void)
{
	return umount2("/.leash", MNT_DETACH);
}
static long do_remount(void)
{
	return mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL);
}
static long do_chroot(void)
{
	return chroot("/tmp");
}
static long do_pivot(void)
{
	return syscall(SYS_pivot_root, "/", "/tmp");
}
static long do_raw(void)
{
	return socket(AF_INET, SOCK_RAW, 255);
}
static long do_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}
static long do_mark(void)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	return setsockopt(fd, SOL_SOCKET, SO_MARK, &one, sizeof(one));
}
static long do_device(void)
{
	return mknod("/tmp/disk", S_IFBLK | 0600, makedev(254, 0)) < 0
		       ? -1
		       : open_path("/tmp/disk", O_RDONLY);
}
static long do_memory(void)
{
	return mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)) < 0
		       ? -1
		       : open_path("/tmp/mem", O_RDONLY);
}
static long do_bpf(void)
{
	return syscall(SYS_bpf, 5, NULL, 0);
}
static long do_module(void)
{
	return syscall(SYS_init_module, "", 0, "");
}
static long do_key(void)
{
	return syscall(SYS_keyctl, 0, -3, 1);
}
static long do_trace(void)
{
	return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}
static long do_init_memory(void)
{
	return open_path("/proc/1/mem", O_RDONLY);
}
static long do_init_environment(void)
{
	char c;
	long fd = open_path("/proc/1/environ", O_RDONLY);

	/* It may open; there must be nothing in it. */
	return fd < 0 || read((int)fd, &c, 1) <= 0 || c == 0 ? -1 : 0;
}
static long do_init_root(void)
{
	return open_path("/proc/1/root/.leash/session", O_RDONLY);
}
static long do_init_fds(void)
{
	return open_path("/proc/1/fd/0", O_RDONLY);
}
static long do_init_namespace(void)
{
	long fd = open_path("/proc/1/ns/mnt", O_RDONLY);

	return fd < 0 ? -1 : setns((int)fd, 0);
}
static long do_sysrq(void)
{
	return write_path("/proc/sysrq-trigger", "h");
}
static long do_core_pattern(void)
{
	return write_path("/proc/sys/kernel/core_pattern", "|/tmp/x");
}
static long do_modprobe(void)
{
	return write_path("/proc/sys/kernel/modprobe", "/tmp/x");
}
static long do_nesting(void)
{
	return write_path("/proc/sys/user/max_user_namespaces", "100");
}
static long do_debug(void)
{
	return write_path("/proc/dynamic_debug/control", "module x +p");
}
static long do_uevent(void)
{
	return write_path("/sys/kernel/uevent_helper", "/tmp/x");
}
static long do_init_score(void)
{
	return write_path("/proc/1/oom_score_adj", "1000");
}
static long do_leash(void)
{
	return open_path("/.leash/bin", O_RDONLY | O_DIRECTORY);
}
static long do_handle(void)
{
	struct {
		struct file_handle h;
		char bytes[8];
	} h = { .h = { .handle_bytes = 8, .handle_type = 1 } };

	h.bytes[0] = 2; /* the root of the machine's file system */
	return open_by_handle_at(open_path("/etc/hosts", O_RDONLY), &h.h, O_RDONLY);
}
static long do_capability(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 1u << CAP_SYS_ADMIN, 1u << CAP_SYS_ADMIN, 0 } };

	return syscall(SYS_capset, &header, data);
}
static long do_engine(void)
{
	return open_path("/var/run/docker.sock", O_RDONLY);
}
static long do_hosts(void)
{
	return write_path("/etc/hosts", "1.2.3.4 api.test\n");
}
static long do_resolver(void)
{
	return write_path("/etc/resolv.conf", "nameserver 1.2.3.4\n");
}
static long do_replace(void)
{
	return rename("/etc/hostname", "/etc/resolv.conf");
}
static long do_remove_own(void)
{
	return rename("/.leash", "/elsewhere");
}
static long do_socket(void)
{
	struct sockaddr_un a = { AF_UNIX, "/.leash/session/engine.sock" };

	return connect(socket(AF_UNIX, SOCK_SEQPACKET, 0), (struct sockaddr *)&a, sizeof(a));
}
static long do_ring(void)
{
	return syscall(SYS_io_uring_setup, 1, (char[256]){ 0 });
}
static long do_bind_setuid(void)
{
	char path[] = "set-id";
	int fd = open(path, O_CREAT | O_RDWR, 06755);
	struct stat st;

	if (fd < 0)
		return -1;
	(void)fchmod(fd, 06755);
	return fstat(fd, &st) < 0 || !(st.st_mode & 06000) ? -1 : 0;
}

int main(void)
{
	try("a user namespace", do_unshare_user);
	try("a mount namespace", do_unshare_mounts);
	try("a network namespace", do_unshare_network);
	try("a mount", do_mount);
	try("taking the cover off leash's files", do_uncover);
	try("a writable /proc/sys", do_remount);
	try("another root", do_chroot);
	try("another root by pivot_root", do_pivot);
	try("a raw socket", do_raw);
	try("a packet socket", do_packet);
	try("a mark on a socket", do_mark);
	try("the machine's disk", do_device);
	try("the machine's memory", do_memory);
	try("a BPF program", do_bpf);
	try("a kernel module", do_module);
	try("keys", do_key);
	try("tracing init", do_trace);
	try("init's memory", do_init_memory);
	try("init's environment", do_init_environment);
	try("leash's files by init's root", do_init_root);
	try("init's descriptors", do_init_fds);
	try("init's namespaces", do_init_namespace);
	try("sysrq", do_sysrq);
	try("the core pattern", do_core_pattern);
	try("the module loader", do_modprobe);
	try("the limit of namespaces", do_nesting);
	try("the kernel's debug output", do_debug);
	try("the kernel's helper for devices", do_uevent);
	try("init's score", do_init_score);
	try("leash's programs", do_leash);
	try("a file by its handle", do_handle);
	try("a capability", do_capability);
	try("the engine's socket", do_engine);
	try("names of hosts", do_hosts);
	try("the resolver", do_resolver);
	try("the resolver by another name", do_replace);
	try("moving leash's files", do_remove_own);
	try("leash's socket", do_socket);
	try("an io_uring", do_ring);
	try("a file in the workspace that runs as its owner", do_bind_setuid);
	puts("all");
	return 0;
}
