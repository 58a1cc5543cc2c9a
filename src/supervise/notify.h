/*
 * The seccomp notification ioctls (seccomp_unotify(2)), and our own copies of
 * what Debian 12's headers lack.
 */
#pragma once

#include <linux/seccomp.h>

#include "base/attributes.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS _IOW('!', 4, uint64_t)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (UINT64_C(1) << 0)
#endif

/* Room for a notification as this kernel writes it: never less than the struct. Negative errno. */
int notify_size(size_t *ret) _must_check_;
/* Wakes the waiting side on the same CPU. -EINVAL before Linux 6.6; then round trips are slower. */
int notify_set_sync_wake(int listener_fd);
/* Waits for the next call. -EINTR, -ENOENT when the caller died meanwhile or none is left. */
int notify_receive(int listener_fd, struct seccomp_notif *n, size_t len) _must_check_;
/* Does the caller still wait? To be asked after every read of what belongs to it. */
bool notify_is_valid(int listener_fd, uint64_t id);
/* Lets the call return value, or fail with error (a negative errno). -ENOENT: the caller is gone.
 */
int notify_answer(int listener_fd, uint64_t id, int64_t value, int error);
/* Lets the kernel run the call. Only for calls whose safety does not rest on what was read. */
int notify_continue(int listener_fd, uint64_t id) _must_check_;
/* Puts fd into the caller's table and lets the call return its number, in one step. */
int notify_give_fd(int listener_fd, uint64_t id, int fd, bool close_on_exec) _must_check_;
/* Puts fd into the caller's table and returns its number there; the call still waits for its answer. */
int notify_place_fd(int listener_fd, uint64_t id, int fd, bool close_on_exec) _must_check_;
