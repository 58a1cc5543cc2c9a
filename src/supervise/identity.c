#include "supervise/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "supervise/caps.h"
#include "supervise/process.h"
#include "supervise/worker.h"

/* Ten digits and a blank for each group, and the other lines. */
#define STATUS_MAX (IDENTITY_MAX_GROUPS * 11 + 4096)
#define FS_ID 3 /* "real, effective, saved, file system" */

/* The next number of a list; false at its end. */
static bool next_number(const char **text, unsigned long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoul(*text, &end, 10);
	if (end == *text || errno || *ret >= UINT32_MAX)
		return false;
	*text = end;
	return true;
}

static int read_fs_id(const char *status, const char *name, uint32_t *ret)
{
	char value[64];
	const char *rest = value;
	unsigned long id = 0;

	if (!process_find_field(status, name, value, sizeof(value)))
		return -ENODATA;
	for (size_t i = 0; i <= FS_ID; i++)
		if (!next_number(&rest, &id))
			return -ENODATA;
	*ret = (uint32_t)id;
	return 0;
}

static int read_groups(const char *status, struct identity *ret)
{
	char value[IDENTITY_MAX_GROUPS * 11 + 2];
	const char *rest = value;
	unsigned long id;

	if (!process_find_field(status, "Groups", value, sizeof(value)))
		return -ENODATA;
	for (ret->n_groups = 0; next_number(&rest, &id); ret->n_groups++) {
		if (ret->n_groups == IDENTITY_MAX_GROUPS)
			return -E2BIG;
		ret->groups[ret->n_groups] = (gid_t)id;
	}
	return rest[strspn(rest, " ")] ? -E2BIG : 0;
}

int identity_read(const char *status, struct identity *ret)
{
	char value[32];
	char *end;
	int r = read_fs_id(status, "Uid", &ret->uid);

	if (r == 0)
		r = read_fs_id(status, "Gid", &ret->gid);
	if (r == 0)
		r = read_groups(status, ret);
	if (r < 0)
		return r;
	/* It comes last: what was cut off ends here. */
	if (!process_find_field(status, "CapEff", value, sizeof(value)) || strlen(value) != 16)
		return -ENODATA;
	ret->effective = strtoull(value, &end, 16);
	return *end ? -ENODATA : 0;
}

static bool is_same(const struct identity *a, const struct identity *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->effective == b->effective &&
	       a->n_groups == b->n_groups &&
	       memcmp(a->groups, b->groups, a->n_groups * sizeof(a->groups[0])) == 0;
}

int identity_take(struct worker *w)
{
	char status[STATUS_MAX];
	struct identity now;
	int r;

	if (!w->s->has_many_users)
		return 0;
	r = process_read_file(w->process->dir_fd, "status", status, sizeof(status));
	if (r == 0)
		r = identity_read(status, &now);
	if (r < 0 || (w->has_identity && is_same(&now, &w->identity)))
		return r;
	w->has_identity = false;
	r = caps_become(now.uid, now.gid, now.n_groups, now.groups, now.effective);
	if (r < 0)
		return r;
	w->identity = now;
	w->has_identity = true;
	return 0;
}

int identity_mount_of(int fd, uint64_t *ret)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return -errno;
	*ret = stx.stx_mnt_id;
	return stx.stx_mask & STATX_MNT_ID ? 0 : -ENODATA;
}

/* By the mount and not the device: an engine may keep its images beside the user's files. */
bool identity_allows_mode(const struct worker *w, int fd, const struct stat *st, mode_t mode)
{
	uint64_t mount;

	return !w->s->has_many_users || !(mode & (S_ISUID | S_ISGID)) || S_ISDIR(st->st_mode) ||
	       (identity_mount_of(fd, &mount) == 0 && mount == w->s->root_mount);
}

mode_t identity_new_mode(const struct worker *w)
{
	return w->s->has_many_users ? ~(mode_t)(S_ISUID | S_ISGID) : ~(mode_t)0;
}
