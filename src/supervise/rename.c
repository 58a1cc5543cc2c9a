/*
 * Renaming: the old name goes, the new one comes. A directory takes with it
 * everything below, and each of those names changes too, so each is decided:
 * nothing may leave a place where it may not be removed, arrive where it may
 * not be made, or become readable or executable by its new name alone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervise/handlers.h"
#include "supervise/mutate.h"

#define MAX_ENTRIES 20000 /* beyond: EXDEV, so that mv copies, file by file and each governed */
#define MAX_DEPTH 128

struct move {
	struct worker *w;
	struct target from, to;
	struct verdict verdict;
	size_t n_entries;
	char old[2 * LIMIT_PATH], new[2 * LIMIT_PATH]; /* names while walking */
};

/* What may not be done under the old name must not become possible under the new one. */
static bool widens(struct worker *w, enum policy_action action, struct span old, struct span new,
		   bool is_directory, struct verdict *v)
{
	if (decide_would_permit(w, action, old, is_directory) ||
	    !decide_would_permit(w, action, new, is_directory))
		return false;
	/* keep the decision that forbids it for the record */
	(void)decide_path(w, action, old, is_directory, false, v);
	return true;
}

/* One name that becomes another. */
static int decide_one(struct move *m, struct span old, struct span new, mode_t type)
{
	bool is_directory = S_ISDIR(type);
	struct worker *w = m->w;

	if (!decide_path(w, POLICY_FILE_DELETE, old, is_directory, false, &m->verdict) ||
	    !decide_create(w, new, type, &m->verdict) ||
	    widens(w, POLICY_FILE_OPEN_READ_ONLY, old, new, is_directory, &m->verdict) ||
	    (!is_directory && widens(w, POLICY_PROCESS_EXEC, old, new, false, &m->verdict)))
		return -EACCES;
	return 0;
}

static int decide_tree(struct move *m, int dir_fd, struct span old, struct span new,
		       unsigned depth);

static int decide_entry(struct move *m, int dir_fd, const char *name, struct span old,
			struct span new, unsigned depth)
{
	struct stat st;
	int r;

	if (++m->n_entries > MAX_ENTRIES)
		return -EXDEV;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = canonical_append(&old, m->old, sizeof(m->old), span_of(name));
	if (r == 0)
		r = canonical_append(&new, m->new, sizeof(m->new), span_of(name));
	if (r == 0)
		r = decide_one(m, old, new, st.st_mode);
	if (r == 0 && S_ISDIR(st.st_mode)) {
		int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return -EACCES; /* what is in there cannot be seen, so it cannot be decided
					 */
		r = decide_tree(m, fd, old, new, depth + 1);
	}
	return r;
}

/* Takes over dir_fd. */
static int decide_tree(struct move *m, int dir_fd, struct span old, struct span new, unsigned depth)
{
	DIR *dir = depth < MAX_DEPTH ? fdopendir(dir_fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		fd_close(dir_fd);
		return -EXDEV;
	}
	while (r == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			r = errno ? -errno : 0;
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = decide_entry(m, dirfd(dir), entry->d_name, old, new, depth);
	}
	(void)closedir(dir);
	return r;
}

static void copy_name(char *to, size_t size, struct span from)
{
	size_t len = MIN(from.len, size - 1);

	memcpy(to, from.p, len);
	to[len] = 0;
}

/* What stands at `from` moves to where `to` is, with all that is below. */
static int decide_move(struct move *m, const struct target *from, const struct target *to)
{
	bool is_directory = S_ISDIR(from->st.st_mode);
	char name[NAME_MAX + 2];
	int fd, r = decide_one(m, from->path, to->path, from->st.st_mode);

	if (r < 0 || !is_directory)
		return r;
	copy_name(name, sizeof(name), span_of(from->place.name));
	if (from->place.has_slash)
		name[strlen(name) - 1] = 0;
	fd = openat(from->place.parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -EACCES;
	copy_name(m->old, sizeof(m->old), from->path);
	copy_name(m->new, sizeof(m->new), to->path);
	return decide_tree(m, fd, span_make(m->old, from->path.len),
			   span_make(m->new, to->path.len), 0);
}

static int decide_rename(struct move *m, unsigned flags)
{
	int r = decide_move(m, &m->from, &m->to);

	if (r == 0 && flags & RENAME_EXCHANGE)
		return decide_move(m, &m->to, &m->from);
	if (r == 0 && m->to.exists &&
	    !decide_path(m->w, POLICY_FILE_DELETE, m->to.path, S_ISDIR(m->to.st.st_mode), false,
			 &m->verdict))
		return -EACCES;
	return r;
}

static bool same_file(const struct target *a, const struct target *b)
{
	return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino;
}

static int check_names(const struct move *m, unsigned flags)
{
	if (!m->from.exists)
		return -ENOENT;
	if (m->to.exists && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (!m->to.exists && flags & RENAME_EXCHANGE)
		return -ENOENT;
	return 0;
}

static int rename_locked(struct move *m, unsigned flags)
{
	struct worker *w = m->w;
	struct event e = { .kind = EVENT_FILE_RENAME };
	int r = target_look(w, &m->from, w->name);

	if (r == 0)
		r = target_look(w, &m->to, w->name2);
	if (r == 0)
		r = check_names(m, flags);
	if (r < 0)
		return r;
	if (m->to.exists && same_file(&m->from, &m->to) && !(flags & RENAME_EXCHANGE))
		return 0; /* two names of one file: rename(2) does nothing */
	r = decide_rename(m, flags);
	e.path = m->from.path;
	e.target = m->to.path;
	e.error = -r;
	if (r == -EXDEV) {
		e.message = SPAN("the directory is too large to be decided as a whole");
		m->verdict.outcome = EVENT_DENY;
	}
	decide_record(w, &e, &m->verdict);
	if (r < 0)
		return r;
	/* a FIFO, or a directory that may hold one */
	if (!S_ISREG(m->from.st.st_mode) || flags & RENAME_EXCHANGE)
		regular_void(w->s);
	return syscall(SYS_renameat2, m->from.place.parent_fd, m->from.place.name,
		       m->to.place.parent_fd, m->to.place.name, flags) < 0
		       ? -errno
		       : 0;
}

/* Is a directory to be moved? Looked at again under the lock that this decides on. */
static bool moves_directory(const struct target *t)
{
	char name[NAME_MAX + 2];
	struct stat st;

	copy_name(name, sizeof(name), span_of(t->place.name));
	if (t->place.has_slash)
		name[strlen(name) - 1] = 0;
	return fstatat(t->place.parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static int rename_shared(struct move *m, unsigned flags)
{
	int r;

	(void)pthread_rwlock_rdlock(&m->w->s->tree_lock);
	r = moves_directory(&m->from) || (flags & RENAME_EXCHANGE && moves_directory(&m->to))
		    ? -EAGAIN
		    : rename_locked(m, flags);
	(void)pthread_rwlock_unlock(&m->w->s->tree_lock);
	return r;
}

static int64_t rename_paths(struct worker *w, const int dir_fds[2], const uint64_t paths[2],
			    unsigned flags)
{
	struct move m = { .w = w, .from = TARGET_INIT, .to = TARGET_INIT };
	int r;

	if (flags & RENAME_WHITEOUT)
		return -EPERM; /* makes a device node */
	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	r = target_find(w, dir_fds[0], paths[0], w->path, &m.from);
	if (r == 0)
		r = target_find(w, dir_fds[1], paths[1], w->path2, &m.to);
	if (r == 0 && (m.from.place.is_special || m.to.place.is_special))
		r = -EBUSY;
	if (r == 0)
		r = rename_shared(&m, flags);
	if (r == -EAGAIN) {
		(void)pthread_rwlock_wrlock(&w->s->tree_lock);
		m.verdict = (struct verdict){ 0 };
		r = rename_locked(&m, flags);
		(void)pthread_rwlock_unlock(&w->s->tree_lock);
	}
	target_done(&m.from);
	target_done(&m.to);
	return r;
}

int64_t handle_rename(struct worker *w, const uint64_t args[6])
{
	return rename_paths(w, (int[2]){ AT_FDCWD, AT_FDCWD }, args, 0);
}

int64_t handle_renameat(struct worker *w, const uint64_t args[6])
{
	return rename_paths(w, (int[2]){ (int)args[0], (int)args[2] },
			    (uint64_t[2]){ args[1], args[3] }, 0);
}

int64_t handle_renameat2(struct worker *w, const uint64_t args[6])
{
	return rename_paths(w, (int[2]){ (int)args[0], (int)args[2] },
			    (uint64_t[2]){ args[1], args[3] }, (unsigned)args[4]);
}
