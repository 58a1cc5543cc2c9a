/*
 * open, openat, openat2, creat: decided on the object that the path leads to,
 * opened through that very object, and put into the caller's table.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervise/blocking.h"
#include "supervise/caller.h"
#include "supervise/canonical.h"
#include "supervise/decide.h"
#include "supervise/give.h"
#include "supervise/handlers.h"
#include "supervise/memory.h"
#include "supervise/notify.h"
#include "supervise/program.h"
#include "supervise/watch.h"

#define MAX_RETRIES 32
#define TMPFILE_NAME "#tmpfile"
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

struct opening {
	int dir_fd;
	uint32_t flags; /* of open(2) */
	mode_t mode;
	uint64_t how; /* RESOLVE_* */
};

static bool writes(uint32_t flags)
{
	return !(flags & O_PATH) &&
	       ((flags & O_ACCMODE) != O_RDONLY || flags & (O_TRUNC | TMPFILE_BIT));
}

static bool reads(uint32_t flags)
{
	return (flags & O_ACCMODE) != O_WRONLY;
}

static struct span access_name(uint32_t flags)
{
	if (flags & O_PATH)
		return SPAN("path");
	if (!writes(flags))
		return SPAN("read");
	return reads(flags) ? SPAN("read-write") : SPAN("write");
}

static bool decide_open(struct worker *w, enum policy_action action, struct span path,
			bool is_directory, const struct opening *o)
{
	struct verdict v = { 0 };
	struct event e = { .kind = action == POLICY_FILE_CREATE ? EVENT_FILE_CREATE
								: EVENT_FILE_OPEN,
			   .path = path,
			   .access = access_name(o->flags),
			   .flags = o->flags,
			   .has_flags = true,
			   .mode_bits = o->mode,
			   .has_mode_bits = action == POLICY_FILE_CREATE };
	bool also_reads = action != POLICY_FILE_OPEN_READ_ONLY && reads(o->flags);
	bool may = decide_path(w, action, path, is_directory, also_reads, &v);

	e.error = may ? 0 : EACCES;
	decide_record(w, &e, &v);
	return may;
}

/*
 * Hands the descriptor over and closes ours; the call is answered with its
 * number unless that fails. One that can write is closed before the caller
 * goes on: it may execute the file next, which fails while anybody has it open
 * for writing (ETXTBSY).
 */
static int64_t give_opened(struct worker *w, int *fd, const struct opening *o)
{
	bool close_on_exec = o->flags & O_CLOEXEC;
	int r;

	if (writes(o->flags)) {
		r = give(w, *fd, close_on_exec);
		fd_close(TAKE_FD(*fd));
		return r;
	}
	r = give_and_answer(w, *fd, close_on_exec);
	fd_close(TAKE_FD(*fd));
	return r < 0 ? r : CALL_IS_ANSWERED;
}

/* A path to a descriptor of ours, from a worker's working directory. */
struct own_path {
	char text[16];
};

static struct own_path own_path(int fd)
{
	struct own_path p;

	(void)snprintf(p.text, sizeof(p.text), "%d", fd);
	return p;
}

/* /dev/null and its like, terminals' masters, pseudo-terminals: opened all the time. */
static bool never_waits(unsigned int device_major)
{
	return device_major == 1 || device_major == 5 ||
	       (device_major >= 136 && device_major <= 143);
}

/* May opening it wait for somebody else? */
static bool may_wait(const struct stat *st, uint32_t flags)
{
	if (S_ISFIFO(st->st_mode))
		return !(flags & O_NONBLOCK) && (flags & O_ACCMODE) != O_RDWR;
	if (S_ISCHR(st->st_mode))
		return !never_waits(major(st->st_rdev));
	return S_ISBLK(st->st_mode);
}

static int open_through(struct worker *w, int fd, const struct stat *st, const struct opening *o)
{
	/* O_EXCL has a meaning of its own with O_TMPFILE */
	uint32_t drop = O_CREAT | O_NOFOLLOW | (o->flags & TMPFILE_BIT ? 0U : O_EXCL);
	uint32_t flags = (o->flags & ~drop) | O_NOCTTY | O_CLOEXEC;
	bool waits = may_wait(st, flags);
	int r = waits ? blocking_begin(w) : 0;

	if (r < 0)
		return r;
	r = openat(AT_FDCWD, own_path(fd).text, (int)flags, o->mode);
	if (r < 0)
		r = -errno;
	if (waits) {
		blocking_end(w);
		r = blocking_error(w, r);
	}
	return r;
}

/* /dev/tty is the terminal of whoever opens it, and that must not be us. */
static int open_terminal(struct worker *w, struct place *terminal)
{
	char path[32];
	dev_t number;
	struct place p = PLACE_INIT;
	int r = process_terminal(w->process, &number);

	if (r < 0)
		return r;
	if (major(number) < 136 || major(number) > 143) /* pseudo-terminals */
		return -ENXIO;
	(void)snprintf(path, sizeof(path), "/dev/pts/%u",
		       minor(number) + (major(number) - 136) * 256U);
	r = resolve(w, -1, path, RESOLVE_LINK, RESOLVE_NO_SYMLINKS, &p);
	if (r < 0)
		return -ENXIO;
	if (!S_ISCHR(p.st.st_mode) || p.st.st_rdev != number) {
		place_done(&p);
		return -ENXIO;
	}
	*terminal = p;
	return 0;
}

static bool is_dev_tty(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(5, 0);
}

/* What open(2) says about the kind of object before it asks for permission. */
static int check_kind(const struct stat *st, uint32_t flags)
{
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (S_ISLNK(st->st_mode) && !(flags & O_PATH))
		return -ELOOP;
	if (flags & O_DIRECTORY && !S_ISDIR(st->st_mode))
		return -ENOTDIR;
	if (S_ISDIR(st->st_mode) && (flags & O_CREAT || (writes(flags) && !(flags & TMPFILE_BIT))))
		return -EISDIR;
	return 0;
}

/* A dynamic loader that opens an ELF file first thing is about to run it. */
static bool may_load(struct worker *w, int fd, const struct stat *st, struct span path)
{
	struct watch_entry entry;
	struct verdict v = { 0 };
	struct event e = { .kind = EVENT_PROC_EXEC, .path = path };
	bool may;

	if (!watch_find(w->s->watch, w->process->tgid, WATCH_LOADER, &entry))
		return true;
	if (!S_ISREG(st->st_mode) || !program_is_elf(fd))
		return true;
	watch_remove(w->s->watch, w->process->tgid, WATCH_LOADER);
	may = decide_path(w, POLICY_PROCESS_EXEC, path, false, false, &v);
	e.error = may ? 0 : EACCES;
	if (!may)
		decide_record(w, &e, &v);
	return may;
}

static bool decide_existing(struct worker *w, const struct place *p, const struct canonical *name,
			    const struct opening *o)
{
	/* what has no name is the agent's own: it holds a descriptor of it already */
	return name->is_nameless || decide_open(w,
						writes(o->flags) ? POLICY_FILE_OPEN_READ_WRITE
								 : POLICY_FILE_OPEN_READ_ONLY,
						name->path, S_ISDIR(p->st.st_mode), o);
}

static int64_t open_decided(struct worker *w, const struct place *p, const struct canonical *name,
			    const struct opening *o)
{
	_cleanup_place_ struct place terminal = PLACE_INIT;
	_cleanup_close_ int fd = -1;
	const struct place *object = p;
	int r;

	if (is_dev_tty(&p->st)) {
		r = open_terminal(w, &terminal);
		if (r < 0)
			return r;
		object = &terminal;
	}
	fd = open_through(w, object->fd, &object->st, o);
	if (fd < 0)
		return fd;
	/* it may have waited, and the policy may have changed meanwhile */
	if (w->may_rest && worker_renew_policy(w) && !decide_existing(w, p, name, o))
		return -EACCES;
	if (!writes(o->flags) && !name->is_nameless && !may_load(w, fd, &object->st, name->path))
		return -EACCES;
	return give_opened(w, &fd, o);
}

/*
 * The kernel gives no O_PATH descriptor from one process to another, so it
 * opens this one itself, once it has been decided. That the caller may change
 * the path meanwhile gains it nothing: such a descriptor reads and writes
 * nothing, every use of it that does is decided again, on the object that it
 * stands for, and the flags are in a register (openat2, where they are not,
 * does not come here).
 */
static int64_t open_path_alone(struct worker *w)
{
	int r = notify_continue(w->s->listener_fd, w->call->id);

	return r < 0 ? r : CALL_IS_ANSWERED;
}

static int64_t open_existing(struct worker *w, const struct place *p, const struct opening *o)
{
	struct canonical name;
	int r = check_kind(&p->st, o->flags);

	if (r == 0)
		r = canonical_of(w->s, p->fd, &p->st, w->name, sizeof(w->name), &name);
	if (r < 0)
		return r;
	if (!decide_existing(w, p, &name, o))
		return -EACCES;
	return o->flags & O_PATH ? open_path_alone(w) : open_decided(w, p, &name, o);
}

/* An unnamed file in a directory: a name for it to be decided by, below that directory. */
static int64_t open_tmpfile(struct worker *w, const struct place *p, const struct opening *o)
{
	struct canonical name;
	int fd, r;

	if (!S_ISDIR(p->st.st_mode))
		return -ENOTDIR;
	r = canonical_of(w->s, p->fd, &p->st, w->name, sizeof(w->name), &name);
	if (r == 0)
		r = canonical_append(&name.path, w->name, sizeof(w->name), SPAN(TMPFILE_NAME));
	if (r == 0)
		r = worker_take_umask(w);
	if (r < 0)
		return r;
	if (!decide_open(w, POLICY_FILE_CREATE, name.path, false, o))
		return -EACCES;
	fd = open_through(w, p->fd, &p->st, o);
	if (fd < 0)
		return fd;
	return give_opened(w, &fd, o);
}

/* With the tree lock held, so that the directory is still called so when the file comes into being.
 */
static int create_file(struct worker *w, const struct place *p, const struct opening *o)
{
	struct canonical name;
	struct stat parent;
	int fd, r;

	if (fstat(p->parent_fd, &parent) < 0)
		return -errno;
	r = canonical_of(w->s, p->parent_fd, &parent, w->name, sizeof(w->name), &name);
	if (r < 0)
		return r;
	if (name.is_nameless || name.is_deleted)
		return -ENOENT;
	r = canonical_append(&name.path, w->name, sizeof(w->name), span_of(p->name));
	if (r < 0)
		return r;
	if (!decide_open(w, POLICY_FILE_CREATE, name.path, false, o))
		return -EACCES;
	fd = openat(p->parent_fd, p->name,
		    (int)(o->flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC),
		    o->mode);
	return fd < 0 ? -errno : fd;
}

/* -EEXIST: somebody was faster; look again. */
static int64_t create(struct worker *w, const struct place *p, const struct opening *o)
{
	int fd, r;

	if (p->has_slash)
		return -EISDIR;
	r = worker_take_umask(w);
	if (r < 0)
		return r;
	(void)pthread_rwlock_rdlock(&w->s->tree_lock);
	fd = create_file(w, p, o);
	(void)pthread_rwlock_unlock(&w->s->tree_lock);
	if (fd < 0)
		return fd;
	return give_opened(w, &fd, o);
}

/* ---- the short way ---- */

/* Nothing in it that a walk would have to work out, but for symlinks. */
static bool is_plain(const char *path)
{
	const char *p = path + (path[0] == '/');

	if (!*p)
		return false;
	for (;;) {
		size_t len = strcspn(p, "/");

		if (len == 0 || (p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.'))))
			return false;
		if (!p[len])
			return true;
		p += len + 1;
	}
}

/* The canonical path that a plain path has if there are no symlinks on it. */
static int guess_name(struct worker *w, int base_fd, struct span *ret)
{
	struct span path = span_of(w->path);
	struct canonical base;
	struct stat st;
	int r;

	if (path.p[0] == '/') {
		*ret = top_links_follow(&w->s->links, path, w->name, sizeof(w->name));
		return 0;
	}
	if (fstat(base_fd, &st) < 0)
		return -errno;
	r = canonical_of(w->s, base_fd, &st, w->name, sizeof(w->name), &base);
	if (r < 0)
		return r;
	if (base.is_nameless || base.is_deleted || !S_ISDIR(st.st_mode))
		return -ENOENT;
	*ret = base.path;
	return canonical_append(ret, w->name, sizeof(w->name), path);
}

/* extra: O_NONBLOCK or 0 */
static int open_plain(int base_fd, const char *path, const struct opening *o, uint32_t extra)
{
	struct open_how how = {
		.flags = (o->flags & ~(uint32_t)(O_CREAT | O_EXCL)) | extra | O_NOCTTY | O_CLOEXEC,
		.resolve = o->how | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, base_fd, path, &how, sizeof(how));
}

/* Opening a FIFO or a device, even for a moment, is seen at its other end. */
static bool is_safe_to_open(int base_fd, const char *path)
{
	struct stat st;

	return fstatat(base_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* Is what was opened of a kind that needs no more care? Remembers it for the next time. */
static bool is_simple(struct worker *w, uint64_t hash, mode_t mode)
{
	if (S_ISREG(mode))
		regular_add(&w->regular, hash);
	else
		regular_remove(&w->regular, hash);
	return S_ISREG(mode) || S_ISDIR(mode);
}

static bool is_allowed(struct worker *w, struct span name, bool is_directory,
		       const struct opening *o, struct verdict *v)
{
	enum policy_action action =
		writes(o->flags) ? POLICY_FILE_OPEN_READ_WRITE : POLICY_FILE_OPEN_READ_ONLY;

	return decide_path(w, action, name, is_directory, writes(o->flags) && reads(o->flags), v) &&
	       v->outcome == EVENT_ALLOW;
}

#define CHANGEABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

/* What is to be opened by the short way. */
struct short_open {
	int base_fd;
	const char *path; /* for the kernel */
	struct span name; /* canonical, and permitted for a file */
	uint64_t hash;
	const struct opening *o;
};

/*
 * What was opened is looked at: is it of a kind that needs no more care, and
 * may it be opened if it is a directory? (One belongs to itself too, and other
 * policies may apply.) False where that takes the long way, or *ret is an error.
 */
static bool look_at(struct worker *w, const struct short_open *s, int fd, int64_t *ret)
{
	const struct opening *o = s->o;
	struct verdict v = { 0 };
	struct stat st;

	if (fstat(fd, &st) < 0 || !is_simple(w, s->hash, st.st_mode))
		return false;
	if (S_ISDIR(st.st_mode) &&
	    (o->flags & O_CREAT || !is_allowed(w, s->name, /* is_directory = */ true, o, &v)))
		return false;
	*ret = !writes(o->flags) && !may_load(w, fd, &st, s->name) ? -EACCES : 0;
	return true;
}

/*
 * A name that stood for a regular file the last time is most likely one still.
 * If it may be opened whatever it is now, and is nothing that a loader is about to
 * run, nobody need look: the open is the one system call that it takes. It would
 * wait for a FIFO's other end, but nothing inside gives a FIFO a name unseen.
 */
static bool need_not_look(struct worker *w, const struct short_open *s)
{
	struct watch_entry entry;
	struct verdict v = { 0 };

	return !(s->o->flags & O_CREAT) &&
	       is_allowed(w, s->name, /* is_directory = */ true, s->o, &v) &&
	       !watch_find(w->s->watch, w->process->tgid, WATCH_LOADER, &entry);
}

/* Returns the descriptor, an error for the caller, or -EAGAIN where it takes the long way. */
static int64_t open_by_name(struct worker *w, const struct short_open *s)
{
	bool is_known = regular_is_known(&w->regular, w->s, s->hash);
	uint32_t extra = is_known ? 0 : O_NONBLOCK; /* a FIFO by now must not hold us up */
	_cleanup_close_ int fd = -1;
	int64_t r = 0;

	if (!is_known && !is_safe_to_open(s->base_fd, s->path))
		return -EAGAIN;
	fd = open_plain(s->base_fd, s->path, s->o, extra);
	if (fd < 0)
		return -EAGAIN;
	if (!(is_known && need_not_look(w, s)) && !look_at(w, s, fd, &r))
		return -EAGAIN;
	if (r == 0 && extra & ~s->o->flags && fcntl(fd, F_SETFL, s->o->flags & CHANGEABLE) < 0)
		return -EAGAIN;
	return r < 0 ? r : TAKE_FD(fd);
}

/*
 * Most paths are plain and hold no symlink; then the path is the name. So it
 * is decided first, and the kernel, told to follow no link, then opens that
 * name or nothing. Returns false where it takes the long way to know: for
 * everything but a permitted, existing regular file or directory.
 */
static bool open_short(struct worker *w, int base_fd, const struct opening *o, int64_t *ret)
{
	struct verdict v = { 0 };
	struct event e = { .kind = EVENT_FILE_OPEN,
			   .access = access_name(o->flags),
			   .flags = o->flags,
			   .has_flags = true };
	struct short_open s = { .base_fd = base_fd, .path = w->path, .o = o };
	_cleanup_close_ int fd = -1;
	int64_t r;

	if (o->flags & (O_PATH | O_EXCL | TMPFILE_BIT) || o->how || !is_plain(w->path) ||
	    guess_name(w, base_fd, &s.name) < 0 ||
	    !is_allowed(w, s.name, /* is_directory = */ false, o, &v))
		return false;
	if (w->path[0] == '/')
		s.path = s.name.p; /* w->path, or w->name where a link was followed */
	s.hash = regular_hash(s.name);
	r = open_by_name(w, &s);
	if (r == -EAGAIN)
		return false;
	if (r < 0) {
		*ret = r;
		return true;
	}
	fd = (int)r;
	*ret = give_opened(w, &fd, o);
	e.path = s.name;
	if (*ret != -ENOENT)
		decide_record(w, &e, &v);
	return true;
}

/* With the tree locked for a relative path: its directory keeps the name that is decided on. */
static bool open_short_locked(struct worker *w, int base_fd, const struct opening *o, int64_t *ret)
{
	bool is_done;

	if (w->path[0] == '/')
		return open_short(w, base_fd, o, ret);
	(void)pthread_rwlock_rdlock(&w->s->tree_lock);
	is_done = open_short(w, base_fd, o, ret);
	(void)pthread_rwlock_unlock(&w->s->tree_lock);
	return is_done;
}

static enum resolve_want want(uint32_t flags)
{
	bool link = flags & O_NOFOLLOW || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);

	if (flags & O_CREAT)
		return link ? RESOLVE_CREATE_LINK : RESOLVE_CREATE;
	return link ? RESOLVE_LINK : RESOLVE_OBJECT;
}

static int64_t try_open(struct worker *w, int base_fd, const struct opening *o)
{
	_cleanup_place_ struct place p = PLACE_INIT;
	int r = resolve(w, base_fd, w->path, want(o->flags), o->how, &p);

	if (r < 0)
		return r;
	/* What was read and opened by the task's number must be of the task that asked. */
	if (!worker_is_call_valid(w))
		return -ESRCH;
	if (p.fd < 0)
		return create(w, &p, o);
	if (o->flags & TMPFILE_BIT && !(o->flags & O_PATH))
		return open_tmpfile(w, &p, o);
	return open_existing(w, &p, o);
}

static int64_t do_open(struct worker *w, uint64_t path_address, const struct opening *o)
{
	_cleanup_close_ int base_fd = -1;
	int r = caller_read_path(w, path_address, w->path);
	int64_t result = -EEXIST;

	/* a walk that is confined to a directory starts there even for an absolute path */
	if (r == 0)
		r = caller_open_base(w, o->dir_fd,
				     o->how & (RESOLVE_IN_ROOT | RESOLVE_BENEATH) ? "." : w->path,
				     &base_fd);
	if (r < 0)
		return r;
	/*
	 * What was read and opened by the task's number must be of the task that
	 * asked. An existing file opened for reading is given to that task or to
	 * nobody, and changes nothing: there it need not be asked.
	 */
	if ((writes(o->flags) || o->flags & O_CREAT) && !worker_is_call_valid(w))
		return -ESRCH;
	if (open_short_locked(w, base_fd, o, &result))
		return result;
	for (int i = 0; i < MAX_RETRIES && result == -EEXIST; i++) {
		result = try_open(w, base_fd, o);
		if (o->flags & O_EXCL)
			break;
	}
	return result;
}

#define KNOWN_FLAGS                                                                                \
	((uint32_t)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |    \
		    O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | 0100000 | O_DIRECTORY |  \
		    O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE))
#define PATH_FLAGS ((uint32_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))

/* open and openat ignore what they do not know; see build_open_how in the kernel. */
static int64_t open_old(struct worker *w, int dir_fd, uint64_t path, uint64_t flags, uint64_t mode)
{
	struct opening o = { .dir_fd = dir_fd,
			     .flags = (uint32_t)flags & KNOWN_FLAGS,
			     .mode = (mode_t)mode & 07777 & identity_new_mode(w) };

	if (o.flags & O_PATH)
		o.flags &= PATH_FLAGS;
	if (!(o.flags & O_CREAT) && !(o.flags & TMPFILE_BIT))
		o.mode = 0;
	if (o.flags & TMPFILE_BIT &&
	    (!(o.flags & O_DIRECTORY) || o.flags & O_CREAT || !writes(o.flags)))
		return -EINVAL;
	if (o.flags & TMPFILE_BIT && (o.flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	if ((o.flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	return do_open(w, path, &o);
}

int64_t handle_open(struct worker *w, const uint64_t args[6])
{
	return open_old(w, AT_FDCWD, args[0], args[1], args[2]);
}

int64_t handle_creat(struct worker *w, const uint64_t args[6])
{
	return open_old(w, AT_FDCWD, args[0], O_CREAT | O_WRONLY | O_TRUNC, args[1]);
}

int64_t handle_openat(struct worker *w, const uint64_t args[6])
{
	return open_old(w, (int)args[0], args[1], args[2], args[3]);
}

#define KNOWN_HOW                                                                                  \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |         \
	 RESOLVE_IN_ROOT | RESOLVE_CACHED)

/* openat2 refuses what it does not know, and so do we; a larger struct is of a newer kernel. */
static int check_how(const struct open_how *how)
{
	if (how->flags & ~(uint64_t)KNOWN_FLAGS || how->resolve & ~(uint64_t)KNOWN_HOW)
		return -EINVAL;
	if (how->resolve & RESOLVE_BENEATH && how->resolve & RESOLVE_IN_ROOT)
		return -EINVAL;
	if (how->mode & ~UINT64_C(07777) || (how->mode && !(how->flags & (O_CREAT | TMPFILE_BIT))))
		return -EINVAL;
	if (how->flags & O_PATH && how->flags & ~(uint64_t)PATH_FLAGS)
		return -EINVAL;
	if (how->flags & O_PATH)
		return -ENOSYS; /* see open_path_alone; programs fall back to openat */
	if (how->resolve & RESOLVE_CACHED)
		return -EAGAIN; /* "not in the cache": callers then ask without it */
	return 0;
}

int64_t handle_openat2(struct worker *w, const uint64_t args[6])
{
	struct open_how how = { 0 };
	struct opening o = { .dir_fd = (int)args[0] };
	int r;

	if (args[3] < sizeof(how))
		return -EINVAL;
	if (args[3] > sizeof(how))
		return -E2BIG;
	r = memory_read((pid_t)w->call->pid, args[2], &how, sizeof(how));
	if (r == 0)
		r = check_how(&how);
	if (r < 0)
		return r;
	o.how = how.resolve;
	o.flags = (uint32_t)how.flags;
	o.mode = (mode_t)how.mode & identity_new_mode(w);
	if (o.flags & TMPFILE_BIT &&
	    (!(o.flags & O_DIRECTORY) || o.flags & O_CREAT || (o.flags & O_ACCMODE) == O_RDONLY))
		return -EINVAL;
	if ((o.flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	return do_open(w, args[1], &o);
}
