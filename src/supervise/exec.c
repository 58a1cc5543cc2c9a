/*
 * execve and execveat. Nobody can execute for another, so the kernel must
 * read the arguments again, out of memory that may have changed: what it made
 * of them is compared with what was decided before the new program runs.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "supervise/blocking.h"
#include "supervise/caller.h"
#include "supervise/canonical.h"
#include "supervise/caps.h"
#include "supervise/decide.h"
#include "supervise/exits.h"
#include "supervise/handlers.h"
#include "supervise/image.h"
#include "supervise/memory.h"
#include "supervise/notify.h"
#include "supervise/program.h"
#include "supervise/trace.h"
#include "supervise/watch.h"

#define MAX_INTERPRETERS 5 /* as the kernel follows */
#define MAX_AUXV 64
#define MAX_COMM ((size_t)15)	    /* TASK_COMM_LEN without its NUL */
#define AT_EXECVE_CHECK_BIT 0x10000 /* Linux 6.14 */
#define POLL_ROUNDS 50
#define POLL_NS 1000000

struct plan {
	int dir_fd;
	unsigned at_flags;
	uint64_t path_address;
	struct place file;	/* what the call names */
	struct stat image;	/* what /proc/<pid>/exe is to be */
	enum program_kind kind; /* of the file */
	enum program_kind last; /* of the image */
	struct verdict verdict;
	struct event event;
	struct buf after; /* argv as the new image has it */
	bool is_after_cut;
	bool begins_in_loader; /* see image.h */
};

static int read_argv(struct worker *w)
{
	int r;

	if (w->has_argv)
		return 0;
	buf_reset(&w->argv);
	r = memory_read_strings((pid_t)w->call->pid, w->argv_address, LIMIT_ARGV, &w->argv,
				&w->is_argv_cut);
	if (r < 0)
		return r;
	w->has_argv = true;
	return 0;
}

static int64_t deny(struct worker *w, struct plan *p)
{
	if (read_argv(w) == 0) {
		p->event.argv = buf_span(&w->argv);
		p->event.argv_cut = w->is_argv_cut;
	}
	p->event.error = EACCES;
	decide_record(w, &p->event, &p->verdict);
	return -EACCES;
}

/* A program without a name, or whose name is gone, is asked about as "memfd:". */
static int name_of(struct worker *w, const struct place *place, char *out, size_t size,
		   struct span *ret)
{
	struct canonical name;
	int r = canonical_of(w->s, place->fd, &place->st, out, size, &name);

	if (r < 0)
		return r;
	*ret = name.is_nameless || name.is_deleted ? SPAN("memfd:") : name.path;
	return 0;
}

/* ---- interpreters and loaders ---- */

/* Decides the interpreters of a script, one after the other. 0, -EACCES when denied, or an errno.
 */
static int decide_interpreters(struct worker *w, struct plan *p, struct program *program)
{
	_cleanup_place_ struct place place = PLACE_INIT;

	for (int depth = 0; program->kind == PROGRAM_SCRIPT; depth++) {
		_cleanup_close_ int base_fd = -1;
		struct span name;
		int r;

		if (depth == MAX_INTERPRETERS)
			return -ELOOP;
		place_done(&place);
		r = caller_open_base(w, AT_FDCWD, program->interpreter, &base_fd);
		if (r == 0)
			r = resolve(w, base_fd, program->interpreter, RESOLVE_OBJECT, 0, &place);
		if (r == 0)
			r = name_of(w, &place, w->name2, sizeof(w->name2), &name);
		if (r < 0)
			return r;
		if (!decide_path(w, POLICY_PROCESS_EXEC, name, false, false, &p->verdict)) {
			p->event.target = name;
			return -EACCES;
		}
		p->image = place.st;
		r = program_look_up(&w->programs, place.fd, &place.st, program);
		if (r < 0)
			return r;
	}
	p->last = program->kind;
	return 0;
}

/* Options of glibc's loader that take a value in the next argument. */
static bool takes_value(const char *option)
{
	static const char *const names[] = {
		"--library-path",	  "--inhibit-rpath",	"--audit", "--preload", "--argv0",
		"--glibc-hwcaps-prepend", "--glibc-hwcaps-mask"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(option, names[i]) == 0)
			return true;
	return false;
}

/* The file that a loader is told to run, or NULL. */
static const char *loaded_file(const struct buf *argv)
{
	const char *p = argv->data;
	const char *end = p ? p + argv->len : NULL;

	if (!p || argv->len == 0 || end[-1] != 0)
		return NULL;
	for (p += strlen(p) + 1; p < end; p += strlen(p) + 1) {
		if (p[0] != '-')
			return p;
		if (takes_value(p))
			p += strlen(p) + 1;
		if (p >= end)
			break;
	}
	return NULL;
}

static int decide_loaded(struct worker *w, struct plan *p)
{
	_cleanup_place_ struct place place = PLACE_INIT;
	_cleanup_close_ int base_fd = -1;
	const char *file;
	struct span name;
	int r = read_argv(w);

	if (r < 0)
		return r;
	file = loaded_file(&w->argv);
	if (!file)
		return 0;
	r = caller_open_base(w, AT_FDCWD, file, &base_fd);
	if (r == 0)
		r = resolve(w, base_fd, file, RESOLVE_OBJECT, 0, &place);
	if (r < 0)
		return 0; /* the loader searches for it; its open will be seen */
	r = name_of(w, &place, w->name2, sizeof(w->name2), &name);
	if (r < 0)
		return r;
	if (decide_path(w, POLICY_PROCESS_EXEC, name, false, false, &p->verdict))
		return 0;
	p->event.target = name;
	return -EACCES;
}

static int decide_plan(struct worker *w, struct plan *p)
{
	struct program program;
	struct span name;
	int r;

	if (S_ISLNK(p->file.st.st_mode))
		return -ELOOP;
	if (!S_ISREG(p->file.st.st_mode))
		return -EACCES;
	r = name_of(w, &p->file, w->name, sizeof(w->name), &name);
	if (r < 0)
		return r;
	p->event.path = name;
	r = program_look_up(&w->programs, p->file.fd, &p->file.st, &program);
	if (r < 0)
		return r;
	p->kind = p->last = program.kind;
	p->image = p->file.st;
	if (!decide_path(w, POLICY_PROCESS_EXEC, name, false, false, &p->verdict))
		return (int)deny(w, p);
	if (p->kind == PROGRAM_SCRIPT) {
		r = read_argv(w);
		if (r == 0)
			r = decide_interpreters(w, p, &program);
	}
	if (r == 0 && p->last == PROGRAM_LOADER)
		r = decide_loaded(w, p);
	if (r == -EACCES && p->verdict.outcome == EVENT_DENY)
		return (int)deny(w, p);
	return r;
}

/* ---- after the exec ---- */

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool stat_exe(int dir_fd, struct stat *ret)
{
	bool ok = fstatat(dir_fd, "exe", ret, 0) == 0;

	if (!ok && errno == EACCES) {
		caps_raise();
		ok = fstatat(dir_fd, "exe", ret, 0) == 0;
		caps_lower();
	}
	return ok;
}

static struct span after_first(struct span argv)
{
	const char *end = argv.len ? memchr(argv.p, 0, argv.len) : NULL;

	return end ? span_from(argv, (size_t)(end - argv.p) + 1) : span_from(argv, argv.len);
}

/*
 * Is the new image's argv what was decided about? A script's interpreter gets
 * words put before the script's own arguments, and argv[0] is lost.
 */
static bool is_argv_same(const struct worker *w, const struct plan *p)
{
	struct span decided = buf_span(&w->argv);
	struct span actual = buf_span(&p->after);

	if (w->is_argv_cut || p->is_after_cut)
		return p->kind == PROGRAM_SCRIPT || span_starts_with(actual, decided) ||
		       span_starts_with(decided, actual);
	if (decided.len == 0)
		decided =
			span_make("", 1); /* the kernel puts an empty argv[0] where there is none */
	if (p->kind == PROGRAM_SCRIPT)
		return span_ends_with(actual, after_first(decided));
	return span_eq(decided, actual);
}

/* The path that the kernel was given in the end, from the new image's auxiliary vector. */
static bool is_path_same(const struct worker *w, pid_t pid, int dir_fd, const struct plan *p)
{
	_cleanup_close_ int fd = process_open(dir_fd, "auxv", O_RDONLY);
	Elf64_auxv_t auxv[MAX_AUXV];
	char wanted[LIMIT_PATH + 32], actual[LIMIT_PATH + 32];
	ssize_t n;

	if (fd < 0)
		return false;
	if (w->path[0] == '/' || (p->dir_fd == AT_FDCWD && w->path[0]))
		(void)snprintf(wanted, sizeof(wanted), "%s", w->path);
	else
		(void)snprintf(wanted, sizeof(wanted), "/dev/fd/%d%s%s", p->dir_fd,
			       w->path[0] ? "/" : "", w->path);
	n = read(fd, auxv, sizeof(auxv));
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(auxv[0]); i++)
		if (auxv[i].a_type == AT_EXECFN)
			return memory_read_string(pid, auxv[i].a_un.a_val, actual,
						  sizeof(actual)) >= 0 &&
			       strcmp(actual, wanted) == 0;
	return false;
}

/* The script is opened again by its interpreter; at least now its name must still mean the same
 * file. */
static bool is_script_same(struct worker *w, pid_t pid, int dir_fd, const struct plan *p)
{
	_cleanup_close_ int base_fd = -1;
	_cleanup_place_ struct place again = PLACE_INIT;

	if (!is_path_same(w, pid, dir_fd, p))
		return false;
	if (!w->path[0])
		return true; /* by descriptor */
	/* relative to a descriptor that exec may have closed: the interpreter could not open it
	 * either */
	if (w->path[0] != '/' && p->dir_fd != AT_FDCWD)
		return true;
	if (w->path[0] != '/') {
		base_fd = process_open(dir_fd, "cwd", O_PATH | O_DIRECTORY);
		if (base_fd < 0)
			return false;
	}
	return resolve(w, base_fd, w->path, RESOLVE_OBJECT, 0, &again) == 0 &&
	       same(&again.st, &p->file.st);
}

/* What binfmt_misc runs is known only now; the process has not run yet, so it can still be decided.
 */
static bool decide_actual(struct worker *w, struct plan *p, int dir_fd)
{
	char path[LIMIT_PATH + 1];
	ssize_t n = readlinkat(dir_fd, "exe", path, sizeof(path) - 1);

	if (n <= 0)
		return false;
	return decide_path(w, POLICY_PROCESS_EXEC, span_make(path, (size_t)n), false, false,
			   &p->verdict);
}

/* Looks at a task that stands at its exec stop. NULL if all is as decided, or what is not. */
static const char *find_tampering(struct worker *w, struct plan *p, pid_t pid, int dir_fd)
{
	struct stat exe;

	if (!stat_exe(dir_fd, &exe))
		return "the program that runs cannot be seen";
	if (!same(&exe, &p->image) && p->last == PROGRAM_UNKNOWN)
		return decide_actual(w, p, dir_fd) ? NULL : "the program's interpreter is denied";
	if (!same(&exe, &p->image))
		return "another program runs than was decided";
	if (p->last == PROGRAM_ELF && !image_is_permitted(w, dir_fd, &p->image, &p->verdict,
							  &p->event.target, &p->begins_in_loader))
		return "the program's interpreter is denied";
	if (process_arguments(dir_fd, &p->after, &p->is_after_cut) < 0)
		return "the arguments cannot be seen";
	if (w->has_argv && !is_argv_same(w, p))
		return "the arguments changed after they were decided";
	if (p->kind == PROGRAM_SCRIPT && !is_script_same(w, pid, dir_fd, p))
		return "another script runs than was decided";
	return NULL;
}

static void record_exec(struct worker *w, struct plan *p)
{
	struct span argv = w->has_argv ? buf_span(&w->argv) : buf_span(&p->after);

	p->event.argv_cut = w->has_argv ? w->is_argv_cut : p->is_after_cut;
	p->event.argv = argv;
	decide_record(w, &p->event, &p->verdict);
}

/* To be told of its end: as what it is now. NULL: it is gone already. */
static void watch_end(struct worker *w, const struct plan *p, const struct process *now)
{
	if (now)
		exits_add(w->s->exits, &(struct event){ .pid = now->tgid,
							.ppid = now->ppid,
							.uid = now->uid,
							.path = p->event.path,
							.exe = span_of(now->exe),
							.comm = span_of(now->comm),
							.cwd = span_of(now->cwd) });
}

static void record_tamper(struct worker *w, struct plan *p, const char *what)
{
	struct event e = p->event;

	e.kind = EVENT_TAMPER;
	e.message = span_of(what);
	e.argv = buf_span(&p->after);
	decide_note(w, &e, EVENT_DENY);
}

/* Where the task of the call is not the one that stands there: a thread that took its leader's number. */
static int open_proc(struct worker *w, pid_t pid)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	return openat(w->s->outer_proc_fd, number, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void check_executed(struct worker *w, struct plan *p, pid_t pid)
{
	bool is_caller = pid == w->process->tid;
	bool is_taken;
	_cleanup_close_ int other_fd = is_caller ? -1 : open_proc(w, pid);
	int dir_fd = is_caller ? w->process->dir_fd : other_fd;
	const char *problem =
		dir_fd < 0 ? "the process cannot be seen" : find_tampering(w, p, pid, dir_fd);

	if (!problem && p->last == PROGRAM_LOADER &&
	    !watch_add(w->s->watch,
		       &(struct watch_entry){ .tgid = w->process->tgid, .kind = WATCH_LOADER }))
		problem = "too many loaders run";
	if (problem) {
		trace_kill(w, pid);
		record_tamper(w, p, problem);
		return;
	}
	watch_remove(w->s->watch, w->process->tgid, WATCH_EXEC);
	if (p->last != PROGRAM_LOADER)
		watch_remove(w->s->watch, w->process->tgid, WATCH_LOADER);
	record_exec(w, p);
	is_taken = is_caller && p->kind == PROGRAM_ELF && p->event.path.p[0] == '/' &&
		   process_take_exec(w, p->event.path, w->path);
	if (!is_taken)
		process_note_exec(w->s, w->process->tgid);
	watch_end(w, p, is_taken ? w->process : process_find(w, pid));
	trace_release(w, pid, p->begins_in_loader);
}

/* ---- a task that somebody else traces ---- */

/*
 * Looks at what runs in a process that could not be followed. True while it
 * must be looked at again; a wrong program is killed.
 */
static bool check_watched(struct worker *w, pid_t tgid, const struct watch_entry *e)
{
	struct event tamper = { .kind = EVENT_TAMPER,
				.message = SPAN("another program runs than was decided") };
	struct stat exe;

	if (!stat_exe(w->process->dir_fd, &exe))
		return false; /* gone */
	if (exe.st_dev == e->before_dev && exe.st_ino == e->before_ino)
		return true; /* not yet, or it failed */
	watch_remove(w->s->watch, tgid, WATCH_EXEC);
	process_note_exec(w->s, tgid);
	if (exe.st_dev == e->wanted_dev && exe.st_ino == e->wanted_ino)
		return false;
	(void)kill(tgid, SIGKILL);
	decide_note(w, &tamper, EVENT_DENY);
	return false;
}

void exec_check(struct worker *w)
{
	struct watch_entry e;

	if (watch_find(w->s->watch, w->process->tgid, WATCH_EXEC, &e))
		(void)check_watched(w, w->process->tgid, &e);
}

/*
 * A debugger inside holds the task, so its exec stop is not ours to see: the new
 * program may run before anybody looks at what was executed. That is for a
 * policy that lets everything be executed; any other must refuse.
 */
static int64_t exec_untraced(struct worker *w, struct plan *p)
{
	struct watch_entry e = { .tgid = w->process->tgid, .kind = WATCH_EXEC };
	struct timespec pause = { 0, POLL_NS };
	struct stat exe;
	int r;

	if (policy_restricts(w->policy, POLICY_PROCESS_EXEC)) {
		p->event.error = EPERM;
		p->event.message = SPAN("traced by another process, so it cannot be checked what is executed");
		decide_note(w, &p->event, EVENT_DENY);
		return -EPERM;
	}
	if (!stat_exe(w->process->dir_fd, &exe))
		return -EPERM;
	/* only a program whose image is known can be checked afterwards */
	if (p->last == PROGRAM_UNKNOWN || read_argv(w) < 0)
		return -EPERM;
	e.before_dev = exe.st_dev;
	e.before_ino = exe.st_ino;
	e.wanted_dev = p->image.st_dev;
	e.wanted_ino = p->image.st_ino;
	if (!watch_add(w->s->watch, &e))
		return -EAGAIN;
	r = blocking_begin(w);
	if (r < 0)
		return r;
	record_exec(w, p);
	process_note_exec(w->s, w->process->tgid);
	if (notify_continue(w->s->listener_fd, w->call->id) < 0) {
		blocking_end(w);
		return CALL_IS_ANSWERED;
	}
	for (int i = 0; i < POLL_ROUNDS && check_watched(w, e.tgid, &e); i++)
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	blocking_end(w);
	watch_end(w, p, process_find(w, e.tgid));
	return CALL_IS_ANSWERED;
}

/* ---- the calls ---- */

/* A debugger inside the container is the one good reason for a task that cannot be followed. */
static bool has_tracer(struct worker *w)
{
	char tracer[16];

	return process_status_field(w->process->dir_fd, "TracerPid", tracer, sizeof(tracer)) >= 0 &&
	       strcmp(tracer, "0") != 0;
}

/* Nothing that can be seen beforehand will make it fail. */
static bool will_succeed(const struct plan *p)
{
	const mode_t all = S_IXUSR | S_IXGRP | S_IXOTH;

	return p->last == PROGRAM_ELF && (p->file.st.st_mode & all) == all &&
	       (p->image.st_mode & all) == all;
}

/*
 * An exec takes a fraction of a millisecond, so the worker waits for it without
 * calling for another; one that reads its program from a slow disk is found
 * stuck, like any other call, and replaced.
 */
static int64_t run(struct worker *w, struct plan *p)
{
	pid_t pid = 0;
	enum trace_outcome outcome = trace_exec(w, will_succeed(p) && !worker_is_crowded(w), &pid);

	if (outcome == TRACE_EXECUTED)
		check_executed(w, p, pid);
	else if (outcome == TRACE_UNTRACEABLE)
		return has_tracer(w) ? exec_untraced(w, p) : -EACCES;
	return CALL_IS_ANSWERED;
}

static int64_t execute(struct worker *w, struct plan *p)
{
	enum resolve_want want = p->at_flags & AT_SYMLINK_NOFOLLOW ? RESOLVE_LINK : RESOLVE_OBJECT;
	int r;

	if (p->at_flags & ~(unsigned)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_EXECVE_CHECK_BIT))
		return -EINVAL;
	r = caller_resolve(w, p->dir_fd, p->path_address, p->at_flags, want, w->path, &p->file);
	if (r == 0)
		r = decide_plan(w, p);
	return r < 0 ? r : run(w, p);
}

static int64_t exec(struct worker *w, struct plan *p, uint64_t argv_address)
{
	int64_t r;

	w->argv_address = argv_address;
	w->is_exec = true;
	p->after.max = LIMIT_ARGV;
	p->event.kind = EVENT_PROC_EXEC;
	p->file = (struct place)PLACE_INIT;
	r = execute(w, p);
	place_done(&p->file);
	buf_done(&p->after);
	return r;
}

int64_t handle_execve(struct worker *w, const uint64_t args[6])
{
	struct plan p = { .dir_fd = AT_FDCWD, .path_address = args[0] };

	return exec(w, &p, args[1]);
}

int64_t handle_execveat(struct worker *w, const uint64_t args[6])
{
	struct plan p = { .dir_fd = (int)args[0],
			  .path_address = args[1],
			  .at_flags = (unsigned)args[4] };

	return exec(w, &p, args[2]);
}
