#include "proxy/hosts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"

#define HOSTS "/etc/hosts"
#define CHECK_MS 2000

struct hosts {
	struct hosts_file file;
	struct stat seen;
	uint64_t checked_ms;
};

/* What can't be read leaves what was read before. */
static void load(struct hosts *h)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_HOSTS_FILE);
	struct hosts_file file;

	if (file_read_at(AT_FDCWD, HOSTS, &text) < 0 ||
	    hosts_file_parse(buf_span(&text), &file) < 0)
		return;
	hosts_file_done(&h->file);
	h->file = file;
}

struct hosts *hosts_new(void)
{
	struct hosts *h = xnew(struct hosts);

	(void)stat(HOSTS, &h->seen);
	load(h);
	return h;
}

void hosts_free(struct hosts *h)
{
	if (!h)
		return;
	hosts_file_done(&h->file);
	xfree(h);
}

static void reload_if_changed(struct hosts *h, uint64_t now_ms)
{
	struct stat st;

	if (now_ms - h->checked_ms < CHECK_MS)
		return;
	h->checked_ms = now_ms;
	if (stat(HOSTS, &st) < 0 || (st.st_ino == h->seen.st_ino && st.st_size == h->seen.st_size &&
				     st.st_mtim.tv_sec == h->seen.st_mtim.tv_sec &&
				     st.st_mtim.tv_nsec == h->seen.st_mtim.tv_nsec))
		return;
	h->seen = st;
	load(h);
}

const struct hosts_entry *hosts_find(struct hosts *h, const struct name *name, uint64_t now_ms,
				     size_t *ret_n)
{
	reload_if_changed(h, now_ms);
	return hosts_file_find(&h->file, name_span(name), ret_n);
}
