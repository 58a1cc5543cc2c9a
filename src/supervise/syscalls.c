#include "supervise/syscalls.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "supervise/handlers.h"

#define ALLOWED(call) { #call, __NR_##call, SYSCALL_ALLOWED, 0, CHECK_NONE, NULL }
#define REFUSED(call, error) { #call, __NR_##call, SYSCALL_REFUSED, error, CHECK_NONE, NULL }
#define REPORTED(call, error) { #call, __NR_##call, SYSCALL_REPORTED, error, CHECK_NONE, NULL }
#define GOVERNED(call, fn) { #call, __NR_##call, SYSCALL_GOVERNED, 0, CHECK_NONE, fn }
#define CHECKED(call, check, fn) { #call, __NR_##call, SYSCALL_CHECKED, EPERM, check, fn }

/* Calls that Debian 12's headers do not name; both architectures share the numbers. */
#define NEW(number, call, class, error, fn) { #call, number, class, error, CHECK_NONE, fn }

static struct syscall_row table[] = {
	/* held and answered */
	GOVERNED(bind, handle_bind),
	GOVERNED(connect, handle_connect),
	GOVERNED(execve, handle_execve),
	GOVERNED(execveat, handle_execveat),
	GOVERNED(fchmod, handle_fchmod),
	GOVERNED(fchmodat, handle_fchmodat),
	GOVERNED(fchown, handle_fchown),
	GOVERNED(fchownat, handle_fchownat),
	GOVERNED(fremovexattr, handle_fremovexattr),
	GOVERNED(fsetxattr, handle_fsetxattr),
	GOVERNED(linkat, handle_linkat),
	GOVERNED(listen, handle_listen),
	GOVERNED(lremovexattr, handle_lremovexattr),
	GOVERNED(lsetxattr, handle_lsetxattr),
	GOVERNED(mkdirat, handle_mkdirat),
	GOVERNED(mknodat, handle_mknodat),
	GOVERNED(openat, handle_openat),
	GOVERNED(openat2, handle_openat2),
	GOVERNED(removexattr, handle_removexattr),
	GOVERNED(renameat, handle_renameat),
	GOVERNED(renameat2, handle_renameat2),
	GOVERNED(setxattr, handle_setxattr),
	GOVERNED(symlinkat, handle_symlinkat),
	GOVERNED(truncate, handle_truncate),
	GOVERNED(unlinkat, handle_unlinkat),
	GOVERNED(utimensat, handle_utimensat),
	/* by their registers */
	CHECKED(clone, CHECK_CLONE, NULL),
	CHECKED(fcntl, CHECK_FCNTL, NULL),
	CHECKED(ioctl, CHECK_IOCTL, handle_ioctl),
	CHECKED(personality, CHECK_PERSONALITY, NULL),
	CHECKED(socket, CHECK_SOCKET, handle_refused_socket),
	CHECKED(socketpair, CHECK_SOCKETPAIR, handle_refused_socket),
	CHECKED(unshare, CHECK_UNSHARE, NULL),
	/* refused and recorded */
	REPORTED(acct, EPERM),
	REPORTED(add_key, EPERM),
	REPORTED(bpf, EPERM),
	REPORTED(chroot, EPERM),
	REPORTED(delete_module, EPERM),
	REPORTED(fanotify_init, EPERM),
	REPORTED(finit_module, EPERM),
	REPORTED(fsconfig, EPERM),
	REPORTED(fsmount, EPERM),
	REPORTED(fsopen, EPERM),
	REPORTED(fspick, EPERM),
	REPORTED(init_module, EPERM),
	REPORTED(io_uring_setup, ENOSYS),
	REPORTED(kexec_file_load, EPERM),
	REPORTED(kexec_load, EPERM),
	REPORTED(keyctl, EPERM),
	REPORTED(mount, EPERM),
	REPORTED(mount_setattr, EPERM),
	REPORTED(move_mount, EPERM),
	REPORTED(open_by_handle_at, EPERM),
	REPORTED(open_tree, EPERM),
	REPORTED(perf_event_open, EPERM),
	REPORTED(pivot_root, EPERM),
	REPORTED(quotactl, EPERM),
	REPORTED(quotactl_fd, EPERM),
	REPORTED(reboot, EPERM),
	REPORTED(request_key, EPERM),
	REPORTED(setns, EPERM),
	REPORTED(swapoff, EPERM),
	REPORTED(swapon, EPERM),
	REPORTED(umount2, EPERM),
	REPORTED(userfaultfd, EPERM),
	/* refused */
	REFUSED(clone3, ENOSYS),
	REFUSED(fanotify_mark, EPERM),
	REFUSED(io_uring_enter, ENOSYS),
	REFUSED(io_uring_register, ENOSYS),
	REFUSED(lookup_dcookie, EPERM),
	REFUSED(name_to_handle_at, EOPNOTSUPP),
	REFUSED(nfsservctl, ENOSYS),
	REFUSED(syslog, EPERM),
	/* not our business */
	ALLOWED(accept), ALLOWED(accept4), ALLOWED(adjtimex), ALLOWED(brk), ALLOWED(capget),
	ALLOWED(capset), ALLOWED(chdir), ALLOWED(clock_adjtime), ALLOWED(clock_getres),
	ALLOWED(clock_gettime), ALLOWED(clock_nanosleep), ALLOWED(clock_settime), ALLOWED(close),
	ALLOWED(close_range), ALLOWED(copy_file_range), ALLOWED(dup), ALLOWED(dup3),
	ALLOWED(epoll_create1), ALLOWED(epoll_ctl), ALLOWED(epoll_pwait), ALLOWED(epoll_pwait2),
	ALLOWED(eventfd2), ALLOWED(exit), ALLOWED(exit_group), ALLOWED(faccessat),
	ALLOWED(faccessat2), ALLOWED(fadvise64), ALLOWED(fallocate), ALLOWED(fchdir),
	ALLOWED(fdatasync), ALLOWED(fgetxattr), ALLOWED(flistxattr), ALLOWED(flock),
	ALLOWED(fstat), ALLOWED(fstatfs), ALLOWED(fsync), ALLOWED(ftruncate), ALLOWED(futex),
	ALLOWED(futex_waitv), ALLOWED(get_mempolicy), ALLOWED(get_robust_list), ALLOWED(getcpu),
	ALLOWED(getcwd), ALLOWED(getdents64), ALLOWED(getegid), ALLOWED(geteuid), ALLOWED(getgid),
	ALLOWED(getgroups), ALLOWED(getitimer), ALLOWED(getpeername), ALLOWED(getpgid),
	ALLOWED(getpid), ALLOWED(getppid), ALLOWED(getpriority), ALLOWED(getrandom),
	ALLOWED(getresgid), ALLOWED(getresuid), ALLOWED(getrlimit), ALLOWED(getrusage),
	ALLOWED(getsid), ALLOWED(getsockname), ALLOWED(getsockopt), ALLOWED(gettid),
	ALLOWED(gettimeofday), ALLOWED(getuid), ALLOWED(getxattr), ALLOWED(inotify_add_watch),
	ALLOWED(inotify_init1), ALLOWED(inotify_rm_watch), ALLOWED(io_cancel),
	ALLOWED(io_destroy), ALLOWED(io_getevents), ALLOWED(io_pgetevents), ALLOWED(io_setup),
	ALLOWED(io_submit), ALLOWED(ioprio_get), ALLOWED(ioprio_set), ALLOWED(kcmp),
	ALLOWED(kill), ALLOWED(landlock_add_rule), ALLOWED(landlock_create_ruleset),
	ALLOWED(landlock_restrict_self), ALLOWED(lgetxattr), ALLOWED(listxattr),
	ALLOWED(llistxattr), ALLOWED(lseek), ALLOWED(madvise), ALLOWED(mbind),
	ALLOWED(membarrier), ALLOWED(memfd_create), ALLOWED(memfd_secret), ALLOWED(migrate_pages),
	ALLOWED(mincore), ALLOWED(mlock), ALLOWED(mlock2), ALLOWED(mlockall), ALLOWED(mmap),
	ALLOWED(move_pages), ALLOWED(mprotect), ALLOWED(mq_getsetattr), ALLOWED(mq_notify),
	ALLOWED(mq_open), ALLOWED(mq_timedreceive), ALLOWED(mq_timedsend), ALLOWED(mq_unlink),
	ALLOWED(mremap), ALLOWED(msgctl), ALLOWED(msgget), ALLOWED(msgrcv), ALLOWED(msgsnd),
	ALLOWED(msync), ALLOWED(munlock), ALLOWED(munlockall), ALLOWED(munmap),
	ALLOWED(nanosleep), ALLOWED(newfstatat), ALLOWED(pidfd_getfd), ALLOWED(pidfd_open),
	ALLOWED(pidfd_send_signal), ALLOWED(pipe2), ALLOWED(pkey_alloc), ALLOWED(pkey_free),
	ALLOWED(pkey_mprotect), ALLOWED(ppoll), ALLOWED(prctl), ALLOWED(pread64), ALLOWED(preadv),
	ALLOWED(preadv2), ALLOWED(prlimit64), ALLOWED(process_madvise), ALLOWED(process_mrelease),
	ALLOWED(process_vm_readv), ALLOWED(process_vm_writev), ALLOWED(pselect6), ALLOWED(ptrace),
	ALLOWED(pwrite64), ALLOWED(pwritev), ALLOWED(pwritev2), ALLOWED(read), ALLOWED(readahead),
	ALLOWED(readlinkat), ALLOWED(readv), ALLOWED(recvfrom), ALLOWED(recvmmsg),
	ALLOWED(recvmsg), ALLOWED(remap_file_pages), ALLOWED(restart_syscall), ALLOWED(rseq),
	ALLOWED(rt_sigaction), ALLOWED(rt_sigpending), ALLOWED(rt_sigprocmask),
	ALLOWED(rt_sigqueueinfo), ALLOWED(rt_sigreturn), ALLOWED(rt_sigsuspend),
	ALLOWED(rt_sigtimedwait), ALLOWED(rt_tgsigqueueinfo), ALLOWED(sched_get_priority_max),
	ALLOWED(sched_get_priority_min), ALLOWED(sched_getaffinity), ALLOWED(sched_getattr),
	ALLOWED(sched_getparam), ALLOWED(sched_getscheduler), ALLOWED(sched_rr_get_interval),
	ALLOWED(sched_setaffinity), ALLOWED(sched_setattr), ALLOWED(sched_setparam),
	ALLOWED(sched_setscheduler), ALLOWED(sched_yield), ALLOWED(seccomp), ALLOWED(semctl),
	ALLOWED(semget), ALLOWED(semop), ALLOWED(semtimedop), ALLOWED(sendfile),
	ALLOWED(sendmmsg), ALLOWED(sendmsg), ALLOWED(sendto), ALLOWED(set_mempolicy),
	ALLOWED(set_mempolicy_home_node), ALLOWED(set_robust_list), ALLOWED(set_tid_address),
	ALLOWED(setdomainname), ALLOWED(setfsgid), ALLOWED(setfsuid), ALLOWED(setgid),
	ALLOWED(setgroups), ALLOWED(sethostname), ALLOWED(setitimer), ALLOWED(setpgid),
	ALLOWED(setpriority), ALLOWED(setregid), ALLOWED(setresgid), ALLOWED(setresuid),
	ALLOWED(setreuid), ALLOWED(setrlimit), ALLOWED(setsid), ALLOWED(setsockopt),
	ALLOWED(settimeofday), ALLOWED(setuid), ALLOWED(shmat), ALLOWED(shmctl), ALLOWED(shmdt),
	ALLOWED(shmget), ALLOWED(shutdown), ALLOWED(sigaltstack), ALLOWED(signalfd4),
	ALLOWED(splice), ALLOWED(statfs), ALLOWED(statx), ALLOWED(sync), ALLOWED(sync_file_range),
	ALLOWED(syncfs), ALLOWED(sysinfo), ALLOWED(tee), ALLOWED(tgkill), ALLOWED(timer_create),
	ALLOWED(timer_delete), ALLOWED(timer_getoverrun), ALLOWED(timer_gettime),
	ALLOWED(timer_settime), ALLOWED(timerfd_create), ALLOWED(timerfd_gettime),
	ALLOWED(timerfd_settime), ALLOWED(times), ALLOWED(tkill), ALLOWED(umask), ALLOWED(uname),
	ALLOWED(vhangup), ALLOWED(vmsplice), ALLOWED(wait4), ALLOWED(waitid), ALLOWED(write),
	ALLOWED(writev),
	/* newer than the headers */
	NEW(451, cachestat, SYSCALL_ALLOWED, 0, NULL),
	NEW(452, fchmodat2, SYSCALL_GOVERNED, 0, handle_fchmodat2),
	NEW(453, map_shadow_stack, SYSCALL_ALLOWED, 0, NULL),
	NEW(454, futex_wake, SYSCALL_ALLOWED, 0, NULL),
	NEW(455, futex_wait, SYSCALL_ALLOWED, 0, NULL),
	NEW(456, futex_requeue, SYSCALL_ALLOWED, 0, NULL),
	NEW(457, statmount, SYSCALL_REFUSED, ENOSYS, NULL),
	NEW(458, listmount, SYSCALL_REFUSED, ENOSYS, NULL),
	NEW(459, lsm_get_self_attr, SYSCALL_REFUSED, ENOSYS, NULL),
	NEW(460, lsm_set_self_attr, SYSCALL_REFUSED, ENOSYS, NULL),
	NEW(461, lsm_list_modules, SYSCALL_REFUSED, ENOSYS, NULL),
	NEW(462, mseal, SYSCALL_ALLOWED, 0, NULL),
	NEW(463, setxattrat, SYSCALL_REFUSED, ENOSYS, NULL),
	NEW(464, getxattrat, SYSCALL_ALLOWED, 0, NULL),
	NEW(465, listxattrat, SYSCALL_ALLOWED, 0, NULL),
	NEW(466, removexattrat, SYSCALL_REFUSED, ENOSYS, NULL),
	NEW(467, open_tree_attr, SYSCALL_REPORTED, EPERM, NULL),
	NEW(468, file_getattr, SYSCALL_ALLOWED, 0, NULL),
	NEW(469, file_setattr, SYSCALL_REFUSED, ENOSYS, NULL),
#ifdef __x86_64__
	/* held and answered */
	GOVERNED(chmod, handle_chmod),
	GOVERNED(chown, handle_chown),
	GOVERNED(creat, handle_creat),
	GOVERNED(futimesat, handle_futimesat),
	GOVERNED(lchown, handle_lchown),
	GOVERNED(link, handle_link),
	GOVERNED(mkdir, handle_mkdir),
	GOVERNED(mknod, handle_mknod),
	GOVERNED(open, handle_open),
	GOVERNED(rename, handle_rename),
	GOVERNED(rmdir, handle_rmdir),
	GOVERNED(symlink, handle_symlink),
	GOVERNED(unlink, handle_unlink),
	GOVERNED(utime, handle_utime),
	GOVERNED(utimes, handle_utimes),
	/* refused and recorded */
	REPORTED(ioperm, EPERM),
	REPORTED(iopl, EPERM),
	REPORTED(modify_ldt, EPERM),
	/* refused */
	REFUSED(_sysctl, ENOSYS),
	REFUSED(afs_syscall, ENOSYS),
	REFUSED(create_module, ENOSYS),
	REFUSED(epoll_ctl_old, ENOSYS),
	REFUSED(epoll_wait_old, ENOSYS),
	REFUSED(get_kernel_syms, ENOSYS),
	REFUSED(getpmsg, ENOSYS),
	REFUSED(putpmsg, ENOSYS),
	REFUSED(query_module, ENOSYS),
	REFUSED(security, ENOSYS),
	REFUSED(sysfs, ENOSYS),
	REFUSED(tuxcall, ENOSYS),
	REFUSED(uselib, ENOSYS),
	REFUSED(ustat, ENOSYS),
	REFUSED(vserver, ENOSYS),
	/* not our business */
	ALLOWED(access), ALLOWED(alarm), ALLOWED(arch_prctl), ALLOWED(dup2),
	ALLOWED(epoll_create), ALLOWED(epoll_wait), ALLOWED(eventfd), ALLOWED(fork),
	ALLOWED(get_thread_area), ALLOWED(getdents), ALLOWED(getpgrp), ALLOWED(inotify_init),
	ALLOWED(lstat), ALLOWED(pause), ALLOWED(pipe), ALLOWED(poll), ALLOWED(readlink),
	ALLOWED(select), ALLOWED(set_thread_area), ALLOWED(signalfd), ALLOWED(stat),
	ALLOWED(time), ALLOWED(vfork),
	/* the kernel's own trampolines make these for traced programs */
	NEW(335, uretprobe, SYSCALL_ALLOWED, 0, NULL),
	NEW(336, uprobe, SYSCALL_ALLOWED, 0, NULL),
#endif
};

static int by_number(const void *a, const void *b)
{
	const struct syscall_row *x = a;
	const struct syscall_row *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static void sort(void)
{
	qsort(table, ARRAY_SIZE(table), sizeof(table[0]), by_number);
}

const struct syscall_row *syscall_table(size_t *ret_n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, sort);
	*ret_n = ARRAY_SIZE(table);
	return table;
}

const struct syscall_row *syscall_find(int number)
{
	struct syscall_row key = { .number = number };
	size_t n;
	const struct syscall_row *rows = syscall_table(&n);

	return bsearch(&key, rows, n, sizeof(key), by_number);
}
