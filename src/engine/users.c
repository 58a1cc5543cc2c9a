#include "engine/users.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"

#define FILE_MAX ((size_t)8 * 1024 * 1024)
#define MAX_GROUPS 200 /* the supervisor refuses more than some more (identity.h) */
#define N_FIELDS 7

/* Cuts the next line off and splits it at its colons. False at the end. */
static bool next_entry(struct span *rest, struct span fields[N_FIELDS])
{
	const char *end;
	struct span line;

	if (rest->len == 0)
		return false;
	end = memchr(rest->p, '\n', rest->len);
	line = span_make(rest->p, end ? (size_t)(end - rest->p) : rest->len);
	*rest = span_from(*rest, line.len + (end ? 1 : 0));
	for (size_t i = 0; i < N_FIELDS; i++) {
		const char *colon = line.len ? memchr(line.p, ':', line.len) : NULL;
		size_t len = colon ? (size_t)(colon - line.p) : line.len;

		fields[i] = span_make(line.p, len);
		line = span_from(line, len + (colon ? 1 : 0));
	}
	return true;
}

static bool parse_id(struct span s, uint32_t *ret)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || n > UINT32_MAX)
			return false;
		n = n * 10 + (uint64_t)(s.p[i] - '0');
	}
	*ret = (uint32_t)n;
	return s.len && n < UINT32_MAX;
}

/* A name goes before a number. */
static bool is_entry(const struct span fields[N_FIELDS], struct span text)
{
	uint32_t wanted, id;

	if (fields[0].len == 0)
		return false;
	return span_eq(fields[0], text) ||
	       (parse_id(text, &wanted) && parse_id(fields[2], &id) && wanted == id);
}

/* name: of the user, as far as there is one. */
static int find_user(struct span passwd, struct span text, struct image_user *u,
		     struct span *ret_name, struct err *err)
{
	struct span fields[N_FIELDS];

	while (next_entry(&passwd, fields)) {
		if (!is_entry(fields, text))
			continue;
		if (!parse_id(fields[2], &u->ids.uid) || !parse_id(fields[3], &u->ids.gid))
			continue;
		*ret_name = fields[0];
		if (fields[5].len && fields[5].p[0] == '/')
			u->home = xmemdup0(fields[5].p, fields[5].len);
		return 0;
	}
	if (parse_id(text, &u->ids.uid))
		return 0;
	return err_say(err, -ENOENT, "the image's user %.*s is not in its /etc/passwd",
		       SPAN_ARG(text));
}

static int find_group(struct span group, struct span text, gid_t *ret, struct err *err)
{
	struct span fields[N_FIELDS];

	while (next_entry(&group, fields))
		if (is_entry(fields, text) && parse_id(fields[2], ret))
			return 0;
	if (parse_id(text, ret))
		return 0;
	return err_say(err, -ENOENT, "the image's group %.*s is not in its /etc/group",
		       SPAN_ARG(text));
}

static bool is_listed(struct span members, struct span name)
{
	while (members.len) {
		const char *comma = memchr(members.p, ',', members.len);
		size_t len = comma ? (size_t)(comma - members.p) : members.len;

		if (span_eq(span_make(members.p, len), name))
			return true;
		members = span_from(members, len + (comma ? 1 : 0));
	}
	return false;
}

static void add_groups(struct span group, struct span name, struct image_user *u)
{
	struct span fields[N_FIELDS];
	gid_t gid;

	while (u->groups.len < MAX_GROUPS && next_entry(&group, fields))
		if (is_listed(fields[3], name) && parse_id(fields[2], &gid))
			vec_push(&u->groups, gid);
}

int image_user_find(struct span passwd, struct span group, struct span text, struct image_user *ret,
		    struct err *err)
{
	const char *colon = text.len ? memchr(text.p, ':', text.len) : NULL;
	struct span user = span_make(text.p, colon ? (size_t)(colon - text.p) : text.len);
	struct span name = { 0 };
	struct image_user u = { 0 };
	int r = find_user(passwd, user.len ? user : SPAN("0"), &u, &name, err);

	if (r >= 0 && colon)
		r = find_group(group, span_from(text, user.len + 1), &u.ids.gid, err);
	else if (r >= 0 && name.len)
		add_groups(group, name, &u);
	if (r < 0) {
		image_user_done(&u);
		return r;
	}
	if (!u.home)
		u.home = xstrdup("/");
	u.ids.groups = u.groups.items;
	u.ids.n_groups = u.groups.len;
	*ret = u;
	return 0;
}

int image_user_look_up(const char *text, struct image_user *ret, struct err *err)
{
	_cleanup_buf_ struct buf passwd = BUF_INIT(FILE_MAX), group = BUF_INIT(FILE_MAX);
	int r = file_read_at(AT_FDCWD, "/etc/passwd", &passwd);

	if (r >= 0 || r == -ENOENT)
		r = file_read_at(AT_FDCWD, "/etc/group", &group);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read the image's users");
	return image_user_find(buf_span(&passwd), buf_span(&group), span_of(text), ret, err);
}

void image_user_done(struct image_user *u)
{
	vec_done(&u->groups);
	xfree(u->home);
	*u = (struct image_user){ 0 };
}
