/*
 * Facts about the processes that ask. A small cache per worker, keyed by the
 * task's number, that holds an open /proc/<tid> directory: when the task dies
 * every use of that descriptor fails, so a number that is used again cannot
 * be taken for its predecessor. Entries are loaded anew after an exec.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

struct supervisor;
struct worker;

#define PROCESS_CACHE_SIZE 128

struct process {
	pid_t tid, tgid, ppid; /* as the host numbers them; tid 0: unused slot */
	pid_t ns_tid, ns_tgid; /* as the container numbers them; see process_load_numbers */
	uint32_t uid;
	int dir_fd;		      /* /proc/<tid>, outside */
	int pidfd; /* of the thread, once it is needed; -1: there is none to be had */
	uint32_t n_execs;	      /* of the supervisor's counter when this was loaded */
	uint64_t loaded_ns, alive_ns; /* when it was read, and last known to be there */
	char comm[64];
	char *exe, *cwd;
};

struct process_cache {
	struct process slots[PROCESS_CACHE_SIZE];
};

/*
 * The facts of a task. NULL when it is gone. The caller must check afterwards
 * that the call is still valid: then the facts are those of the task that makes
 * it. Name, parent and working directory may be STALE_NS old; what a policy
 * asks for is read anew.
 */
struct process *process_find(struct worker *w, pid_t tid);
void process_cache_init(struct process_cache *c);
void process_cache_done(struct process_cache *c);

/* A process has executed a program: what is cached about it is stale. */
void process_note_exec(struct supervisor *s, pid_t tgid);
/*
 * The same, for the task of the current call, which stands at its exec stop:
 * what an exec changes is taken from what was executed, not read again. exe is
 * the canonical path of the image, path what was given to the kernel. False
 * where the kernel would make another name of it.
 */
bool process_take_exec(struct worker *w, struct span exe, const char *path) _must_check_;

/* Fills ns_tid and ns_tgid, which few calls need. 0 or negative errno. */
int process_load_numbers(struct process *p) _must_check_;

/* The beginning of a file below a directory of /proc, NUL-terminated. 0 or negative errno. */
/*
 * Opens what a task's directory shows to those alone who may trace it: never what the agent names.
 * The descriptor or a negative errno.
 */
int process_open(int dir_fd, const char *name, int flags) _must_check_;
int process_read_file(int dir_fd, const char *name, char *out, size_t size) _must_check_;
/* Field of /proc/<tid>/status by its name ("Umask"), as text. Negative errno. */
/* One line of that file's text; false where there is none. Longer values are cut. */
bool process_find_field(const char *status, const char *name, char *out, size_t size);
int process_status_field(int dir_fd, const char *name, char *out, size_t size) _must_check_;
/* Appends the arguments of the running program, each with its NUL, as far as out's limit allows. */
int process_arguments(int dir_fd, struct buf *out, bool *ret_cut) _must_check_;
/* The working directory as it is now, into out (NUL-terminated). Length or negative errno. */
ssize_t process_read_cwd(const struct process *p, char *out, size_t size) _must_check_;
/* Device number of the controlling terminal, 0 for none; negative errno. */
int process_terminal(const struct process *p, dev_t *ret) _must_check_;
/* A descriptor of the caller's, duplicated into the supervisor; -EBADF and the like. */
int process_take_fd(struct process *p, int fd) _must_check_;
/* An O_PATH descriptor of the object behind the caller's descriptor fd. */
int process_open_fd(struct process *p, int fd) _must_check_;
/* An O_PATH descriptor of the caller's working directory. */
int process_open_cwd(const struct process *p) _must_check_;
/* Appends the paths of the programs above p, nearest first, each with a NUL. */
int process_ancestors(const struct supervisor *s, const struct process *p,
		      struct buf *out) _must_check_;
