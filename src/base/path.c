#include "base/path.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

static struct span without_final_slash(struct span s)
{
	while (s.len > 1 && s.p[s.len - 1] == '/')
		s.len--;
	return s;
}

bool path_is_below(struct span path, struct span dir)
{
	path = without_final_slash(path);
	dir = without_final_slash(dir);
	if (dir.len == 1 && dir.p[0] == '/')
		return path.len > 1 && path.p[0] == '/';
	return span_starts_with(path, dir) && path.len > dir.len && path.p[dir.len] == '/';
}

bool path_is_within(struct span path, struct span dir)
{
	return span_eq(without_final_slash(path), without_final_slash(dir)) || path_is_below(path, dir);
}

/* Drops the last component of the path that out holds from start on. */
static void drop_last(struct buf *out, size_t start)
{
	while (out->len > start && out->data[out->len - 1] != '/')
		out->len--;
	if (out->len > start)
		out->len--;
	out->data[out->len] = 0;
}

static int append_components(struct span s, size_t start, struct buf *out)
{
	size_t at = 0;

	while (at < s.len) {
		struct span part = { s.p + at, 0 };

		while (at < s.len && s.p[at] != '/')
			at++;
		part.len = (size_t)(s.p + at - part.p);
		at++;
		if (part.len == 0 || span_eq_str(part, "."))
			continue;
		if (span_eq_str(part, "..")) {
			if (out->len > start)
				drop_last(out, start);
			continue;
		}
		if (buf_append_char(out, '/') < 0 || buf_append_span(out, part) < 0)
			return -EMSGSIZE;
	}
	return 0;
}

int path_normalise(struct span base, struct span name, struct buf *out)
{
	size_t start = out->len;
	int r = 0;

	if (name.len == 0 || name.p[0] != '/')
		r = append_components(base, start, out);
	if (r >= 0)
		r = append_components(name, start, out);
	if (r >= 0 && out->len == start)
		r = buf_append_char(out, '/');
	return r;
}

char *path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	return xasprintf("%s%s%s", dir, len && dir[len - 1] == '/' ? "" : "/", name);
}

struct span path_base_name(struct span path)
{
	size_t at;

	path = without_final_slash(path);
	at = path.len;
	while (at > 0 && path.p[at - 1] != '/')
		at--;
	return span_from(path, at);
}

struct span path_directory(struct span path)
{
	path = without_final_slash(path);
	return span_make(path.p, path.len - path_base_name(path).len);
}

char *path_resolve(const char *path)
{
	_cleanup_buf_ struct buf clean = BUF_INIT(0);
	_cleanup_free_ char *head = NULL;
	size_t cut;

	if (path[0] != '/') {
		errno = EINVAL;
		return NULL;
	}
	(void)path_normalise(SPAN("/"), span_of(path), &clean);
	head = xmemdup0(clean.data, clean.len);
	for (cut = clean.len; cut > 1;) {
		_cleanup_free_ char *real = realpath(head, NULL);

		if (real)
			return xasprintf("%s%s", strcmp(real, "/") == 0 && cut < clean.len ? "" : real,
					 clean.data + cut);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return NULL;
		while (cut > 0 && head[cut - 1] != '/')
			cut--;
		if (cut > 0)
			cut--;
		head[cut] = 0;
	}
	return xmemdup0(clean.data, clean.len);
}
