#include "supervise/top-links.h"

#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "supervise/program.h"

static bool is_root_fixed(void)
{
	struct statvfs fs;
	struct stat st;

	return statvfs("/", &fs) == 0 && stat("/", &st) == 0 &&
	       (fs.f_flag & ST_RDONLY || program_is_out_of_reach(&st));
}

/* "usr/lib" and nothing that would have to be walked. */
static bool is_simple(const char *target)
{
	return strncmp(target, "usr/", 4) == 0 && target[4] && !strchr(target + 4, '/') &&
	       target[4] != '.';
}

void top_links_read(struct top_links *l)
{
	static const struct span names[] = { SPAN("/bin"),   SPAN("/sbin"),  SPAN("/lib"),
					     SPAN("/lib32"), SPAN("/lib64"), SPAN("/libx32") };

	if (!is_root_fixed())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names) && l->n < TOP_LINKS; i++) {
		struct top_link *one = &l->items[l->n];
		char target[TOP_LINK_TEXT - 1];
		ssize_t n = readlink(names[i].p, target, sizeof(target) - 1);

		if (n <= 0 || (size_t)n >= sizeof(target) - 1)
			continue;
		target[n] = 0;
		if (!is_simple(target))
			continue;
		one->name = names[i];
		one->target_len =
			(size_t)snprintf(one->target, sizeof(one->target), "/%s", target);
		l->n++;
	}
}

struct span top_links_follow(const struct top_links *l, struct span path, char *out, size_t size)
{
	for (size_t i = 0; i < l->n; i++) {
		struct span name = l->items[i].name;
		struct span target = span_make(l->items[i].target, l->items[i].target_len);

		if (!span_starts_with(path, name) || path.len == name.len || path.p[name.len] != '/')
			continue;
		if (target.len + path.len - name.len >= size)
			return path;
		memcpy(out, target.p, target.len);
		memcpy(out + target.len, path.p + name.len, path.len - name.len);
		out[target.len + path.len - name.len] = 0;
		return span_make(out, target.len + path.len - name.len);
	}
	return path;
}
