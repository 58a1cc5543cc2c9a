/*
 * The handlers of governed calls, one per call: they bring the arguments into
 * one shape and hand over to open.c, mutate.c, rename.c, attributes.c, exec.c
 * and socket.c.
 */
#pragma once

#include "supervise/syscalls.h"

#define HANDLER(name) int64_t handle_##name(struct worker *w, const uint64_t args[6])

/* open.c */
HANDLER(open);
HANDLER(openat);
HANDLER(openat2);
HANDLER(creat);

/* mutate.c */
HANDLER(unlink);
HANDLER(unlinkat);
HANDLER(rmdir);
HANDLER(symlink);
HANDLER(symlinkat);
HANDLER(mkdir);
HANDLER(mkdirat);
HANDLER(mknod);
HANDLER(mknodat);
HANDLER(link);
HANDLER(linkat);

/* rename.c */
HANDLER(rename);
HANDLER(renameat);
HANDLER(renameat2);

/* attributes.c */
HANDLER(truncate);
HANDLER(chmod);
HANDLER(fchmod);
HANDLER(fchmodat);
HANDLER(fchmodat2);
HANDLER(chown);
HANDLER(lchown);
HANDLER(fchown);
HANDLER(fchownat);
HANDLER(utime);
HANDLER(utimes);
HANDLER(futimesat);
HANDLER(utimensat);
HANDLER(setxattr);
HANDLER(lsetxattr);
HANDLER(fsetxattr);
HANDLER(removexattr);
HANDLER(lremovexattr);
HANDLER(fremovexattr);
HANDLER(ioctl);

/* inotify.c */
HANDLER(inotify_add_watch);

/* exec.c */
/* Looks again at a caller whose exec could not be followed; kills it if it runs the wrong program.
 */
void exec_check(struct worker *w);
HANDLER(execve);
HANDLER(execveat);

/* socket.c */
HANDLER(connect);
HANDLER(bind);
HANDLER(listen);
HANDLER(refused_socket);
HANDLER(socketpair);
HANDLER(sendto);

#undef HANDLER
