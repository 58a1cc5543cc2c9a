/*
 * Names that come and go: unlink, rmdir, mkdir, mknod, symlink, link. Each is
 * decided on its directory's canonical path and the name, and performed by the
 * supervisor relative to that directory. As in the kernel, a name that exists,
 * or does not, is told before permission is asked for.
 */
#include "supervise/mutate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervise/handlers.h"

void target_done(struct target *t)
{
	place_done(&t->place);
}

int target_find(struct worker *w, int dir_fd, uint64_t address, char *text, struct target *ret)
{
	return caller_resolve(w, dir_fd, address, 0, RESOLVE_PARENT, text, &ret->place);
}

int target_look(struct worker *w, struct target *t, char *name)
{
	struct canonical dir;
	struct span last = span_of(t->place.name);
	struct stat st;
	int r;

	if (fstat(t->place.parent_fd, &st) < 0)
		return -errno;
	r = canonical_of(w->s, t->place.parent_fd, &st, name, sizeof(w->name), &dir);
	if (r < 0)
		return r;
	if (dir.is_nameless || dir.is_deleted)
		return -ENOENT;
	if (t->place.has_slash)
		last.len--;
	t->path = dir.path;
	r = canonical_append(&t->path, name, sizeof(w->name), last);
	if (r < 0)
		return r;
	/* without the final slash, which would follow a symlink */
	t->place.name[last.len] = 0;
	t->exists = fstatat(t->place.parent_fd, t->place.name, &t->st, AT_SYMLINK_NOFOLLOW) == 0;
	r = t->exists || errno == ENOENT ? 0 : -errno;
	if (t->place.has_slash) {
		t->place.name[last.len] = '/';
		t->place.name[last.len + 1] = 0;
	}
	return r;
}

static bool decide_name(struct worker *w, struct target *t, enum policy_action action,
			bool is_directory, struct event *e)
{
	struct verdict v = { 0 };
	bool may = decide_path(w, action, t->path, is_directory, false, &v);

	e->path = t->path;
	e->error = may ? 0 : EACCES;
	decide_record(w, e, &v);
	return may;
}

/* ---- removing ---- */

static int remove_locked(struct worker *w, struct target *t, int flags)
{
	struct event e = { .kind = EVENT_FILE_DELETE };
	int r = target_look(w, t, w->name);

	if (r < 0)
		return r;
	if (!t->exists)
		return -ENOENT;
	/* let the kernel say what is wrong where no policy is needed to refuse */
	if (S_ISDIR(t->st.st_mode) == !!(flags & AT_REMOVEDIR) &&
	    !decide_name(w, t, POLICY_FILE_DELETE, S_ISDIR(t->st.st_mode), &e))
		return -EACCES;
	if (S_ISDIR(t->st.st_mode) != !!(flags & AT_REMOVEDIR))
		return flags & AT_REMOVEDIR ? -ENOTDIR : -EISDIR;
	return unlinkat(t->place.parent_fd, t->place.name, flags) < 0 ? -errno : 0;
}

static int64_t remove_name(struct worker *w, int dir_fd, uint64_t path, int flags)
{
	_cleanup_target_ struct target t = TARGET_INIT;
	int r;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	r = target_find(w, dir_fd, path, w->path, &t);
	if (r < 0)
		return r;
	if (t.place.is_special) {
		if (!(flags & AT_REMOVEDIR))
			return -EISDIR;
		return strcmp(t.place.name, ".") == 0	? -EINVAL
		       : strcmp(t.place.name, "/") == 0 ? -EBUSY
							: -ENOTEMPTY;
	}
	(void)pthread_rwlock_rdlock(&w->s->tree_lock);
	r = remove_locked(w, &t, flags);
	(void)pthread_rwlock_unlock(&w->s->tree_lock);
	return r;
}

int64_t handle_unlink(struct worker *w, const uint64_t args[6])
{
	return remove_name(w, AT_FDCWD, args[0], 0);
}

int64_t handle_unlinkat(struct worker *w, const uint64_t args[6])
{
	return remove_name(w, (int)args[0], args[1], (int)args[2]);
}

int64_t handle_rmdir(struct worker *w, const uint64_t args[6])
{
	return remove_name(w, AT_FDCWD, args[0], AT_REMOVEDIR);
}

/* ---- making ---- */

struct making {
	mode_t mode; /* with the file type for mknod */
	dev_t device;
	const char *text; /* of a symlink, else NULL */
};

static int make_node(const struct target *t, const struct making *m)
{
	int dir = t->place.parent_fd;
	const char *name = t->place.name;

	if (m->text)
		return symlinkat(m->text, dir, name);
	if (S_ISDIR(m->mode))
		return mkdirat(dir, name, m->mode & 07777);
	return mknodat(dir, name, m->mode, m->device);
}

static int make_locked(struct worker *w, struct target *t, const struct making *m)
{
	struct event e = { .kind = EVENT_FILE_CREATE,
			   .mode_bits = m->mode,
			   .has_mode_bits = !m->text,
			   .target = span_of(m->text) };
	struct verdict v = { 0 };
	bool may;
	int r = target_look(w, t, w->name);

	if (r < 0)
		return r;
	if (t->exists)
		return -EEXIST;
	if (t->place.has_slash && !S_ISDIR(m->mode))
		return -ENOENT;
	may = decide_create(w, t->path, m->text ? S_IFLNK : m->mode, &v);
	e.path = t->path;
	e.error = may ? 0 : EACCES;
	decide_record(w, &e, &v);
	if (!may)
		return -EACCES;
	if (S_ISFIFO(m->mode))
		regular_void(w->s);
	return make_node(t, m) < 0 ? -errno : 0;
}

static int64_t make(struct worker *w, int dir_fd, uint64_t path, const struct making *m)
{
	_cleanup_target_ struct target t = TARGET_INIT;
	int r = target_find(w, dir_fd, path, w->path, &t);

	if (r == 0 && !m->text)
		r = worker_take_umask(w);
	if (r < 0)
		return r;
	if (t.place.is_special)
		return -EEXIST;
	(void)pthread_rwlock_rdlock(&w->s->tree_lock);
	r = make_locked(w, &t, m);
	(void)pthread_rwlock_unlock(&w->s->tree_lock);
	return r;
}

static int64_t make_directory(struct worker *w, int dir_fd, uint64_t path, uint64_t mode)
{
	struct making m = { .mode = S_IFDIR | ((mode_t)mode & 07777) };

	return make(w, dir_fd, path, &m);
}

int64_t handle_mkdir(struct worker *w, const uint64_t args[6])
{
	return make_directory(w, AT_FDCWD, args[0], args[1]);
}

int64_t handle_mkdirat(struct worker *w, const uint64_t args[6])
{
	return make_directory(w, (int)args[0], args[1], args[2]);
}

static int64_t make_special(struct worker *w, int dir_fd, uint64_t path, uint64_t mode,
			    uint64_t device)
{
	struct making m = { .mode = (mode_t)mode, .device = (dev_t)device };

	if (!(m.mode & S_IFMT))
		m.mode |= S_IFREG;
	m.mode &= identity_new_mode(w);
	if (S_ISCHR(m.mode) || S_ISBLK(m.mode))
		return -EPERM;
	if (!S_ISREG(m.mode) && !S_ISFIFO(m.mode) && !S_ISSOCK(m.mode))
		return S_ISDIR(m.mode) ? -EPERM : -EINVAL;
	return make(w, dir_fd, path, &m);
}

int64_t handle_mknod(struct worker *w, const uint64_t args[6])
{
	return make_special(w, AT_FDCWD, args[0], args[1], args[2]);
}

int64_t handle_mknodat(struct worker *w, const uint64_t args[6])
{
	return make_special(w, (int)args[0], args[1], args[2], args[3]);
}

static int64_t make_symlink(struct worker *w, uint64_t text, int dir_fd, uint64_t path)
{
	struct making m = { .text = w->path2 };
	int r = caller_read_path(w, text, w->path2);

	if (r < 0)
		return r;
	if (w->path2[0] == 0)
		return -ENOENT;
	return make(w, dir_fd, path, &m);
}

int64_t handle_symlink(struct worker *w, const uint64_t args[6])
{
	return make_symlink(w, args[0], AT_FDCWD, args[1]);
}

int64_t handle_symlinkat(struct worker *w, const uint64_t args[6])
{
	return make_symlink(w, args[0], (int)args[1], args[2]);
}

/* ---- a second name ---- */

/*
 * The new name must not allow more than the old one: with it the file is
 * reached by the rules of its new place.
 */
static bool decide_link(struct worker *w, struct target *t, struct span source, struct verdict *v)
{
	bool may;

	may = decide_path(w, POLICY_FILE_OPEN_READ_WRITE, source, false, true, v);
	if (may)
		may = decide_path(w, POLICY_FILE_LINK, t->path, false, false, v);
	if (may && !decide_would_permit(w, POLICY_PROCESS_EXEC, source, false) &&
	    decide_would_permit(w, POLICY_PROCESS_EXEC, t->path, false))
		may = decide_path(w, POLICY_PROCESS_EXEC, source, false, false, v);
	return may;
}

static int link_locked(struct worker *w, const struct place *source, struct target *t)
{
	struct canonical name;
	struct verdict v = { 0 };
	struct event e = { .kind = EVENT_FILE_LINK };
	char number[16];
	bool may;
	int r = target_look(w, t, w->name2);

	if (r == 0)
		r = canonical_of(w->s, source->fd, &source->st, w->name, sizeof(w->name), &name);
	if (r < 0)
		return r;
	if (t->exists)
		return -EEXIST;
	if (S_ISDIR(source->st.st_mode))
		return -EPERM;
	if (name.is_nameless)
		return -EXDEV;
	may = decide_link(w, t, name.path, &v);
	e.path = name.path;
	e.target = t->path;
	e.error = may ? 0 : EACCES;
	decide_record(w, &e, &v);
	if (!may)
		return -EACCES;
	if (!S_ISREG(source->st.st_mode))
		regular_void(w->s);
	(void)snprintf(number, sizeof(number), "%d", source->fd);
	return linkat(AT_FDCWD, number, t->place.parent_fd, t->place.name, AT_SYMLINK_FOLLOW) < 0
		       ? -errno
		       : 0;
}

static int64_t make_link(struct worker *w, const int dir_fds[2], const uint64_t paths[2],
			 unsigned flags)
{
	_cleanup_place_ struct place source = PLACE_INIT;
	_cleanup_target_ struct target t = TARGET_INIT;
	int r;

	if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = caller_resolve(w, dir_fds[0], paths[0], flags & AT_EMPTY_PATH,
			   flags & AT_SYMLINK_FOLLOW ? RESOLVE_OBJECT : RESOLVE_LINK, w->path,
			   &source);
	if (r == 0)
		r = target_find(w, dir_fds[1], paths[1], w->path2, &t);
	if (r < 0)
		return r;
	if (t.place.is_special)
		return -EEXIST;
	(void)pthread_rwlock_rdlock(&w->s->tree_lock);
	r = link_locked(w, &source, &t);
	(void)pthread_rwlock_unlock(&w->s->tree_lock);
	return r;
}

int64_t handle_link(struct worker *w, const uint64_t args[6])
{
	return make_link(w, (int[2]){ AT_FDCWD, AT_FDCWD }, args, 0);
}

int64_t handle_linkat(struct worker *w, const uint64_t args[6])
{
	return make_link(w, (int[2]){ (int)args[0], (int)args[2] },
			 (uint64_t[2]){ args[1], args[3] }, (unsigned)args[4]);
}
