#include "event/wal.h"

#include <errno.h>
#include <string.h>

#include "base/big-endian.h"

#define MAGIC UINT32_C(0x377f0682) /* sums over words with the low byte first */
#define VERSION 3007000
#define FRAME_HEADER_LEN ((size_t)24)
#define MIN_PAGE 512
#define MAX_PAGE 65536
#define PAGE_ONE_HEADER 100
/* Of the database's header: 2 where it needs a log, 1 where not. */
#define WRITE_VERSION 18
#define READ_VERSION 19

static const unsigned char *bytes_at(struct span s, size_t at)
{
	return (const unsigned char *)s.p + at;
}

struct sums {
	uint32_t a, b;
};

static uint32_t load_le32(const unsigned char *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void add(struct sums *s, const unsigned char *p, size_t len)
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		s->a += load_le32(p + i) + s->b;
		s->b += load_le32(p + i + 4) + s->a;
	}
}

static bool is_sum(const struct sums *s, const unsigned char *p)
{
	return load_be32(p) == s->a && load_be32(p + 4) == s->b;
}

struct wal {
	struct span frames;
	const unsigned char *salts;
	struct sums sums;
	size_t page_len;
};

/* 1, or 0 where it has not been begun. */
static int read_header(struct span text, struct wal *ret)
{
	const unsigned char *p = bytes_at(text, 0);
	struct wal w = { 0 };

	if (text.len < WAL_HEADER_LEN)
		return 0;
	w.salts = p + 16;
	w.page_len = load_be32(p + 8);
	if (load_be32(p) != MAGIC || load_be32(p + 4) != VERSION || w.page_len < MIN_PAGE ||
	    w.page_len > MAX_PAGE || (w.page_len & (w.page_len - 1)))
		return -EBADMSG;
	add(&w.sums, p, 24);
	if (!is_sum(&w.sums, p + 24))
		return 0;
	w.frames = span_from(text, WAL_HEADER_LEN);
	*ret = w;
	return 1;
}

/* How many frames are whole and committed; and how many pages the database has after them. */
static size_t count_frames(const struct wal *w, uint32_t *ret_n_pages)
{
	size_t frame_len = FRAME_HEADER_LEN + w->page_len, n = 0;
	struct sums sums = w->sums;

	for (size_t i = 0; (i + 1) * frame_len <= w->frames.len; i++) {
		const unsigned char *p = bytes_at(w->frames, i * frame_len);

		if (memcmp(p + 8, w->salts, 8) != 0)
			break;
		add(&sums, p, 8);
		add(&sums, p + FRAME_HEADER_LEN, w->page_len);
		if (!is_sum(&sums, p + 16) || load_be32(p) == 0)
			break;
		if (load_be32(p + 4)) {
			n = i + 1;
			*ret_n_pages = load_be32(p + 4);
		}
	}
	return n;
}

static int set_size(struct buf *database, size_t size)
{
	size_t more = size > database->len ? size - database->len : 0;
	char *room = more ? buf_reserve(database, more) : NULL;

	if (more && !room)
		return -EMSGSIZE;
	if (more) {
		memset(room, 0, more);
		buf_grow(database, more);
	}
	database->len = size;
	return 0;
}

int wal_apply(struct buf *database, struct span text)
{
	struct wal w = { 0 };
	uint32_t n_pages = 0;
	size_t n = 0;
	int r = read_header(text, &w);

	if (r > 0)
		n = count_frames(&w, &n_pages);
	r = n ? set_size(database, n_pages * w.page_len) : MIN(r, 0);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const unsigned char *p = bytes_at(w.frames, i * (FRAME_HEADER_LEN + w.page_len));
		uint32_t page = load_be32(p);

		/* One that a later commit has cut off again is not there any more. */
		if (page <= n_pages)
			memcpy(database->data + (page - 1) * w.page_len, p + FRAME_HEADER_LEN,
			       w.page_len);
	}
	if (database->len >= PAGE_ONE_HEADER)
		database->data[WRITE_VERSION] = database->data[READ_VERSION] = 1;
	return 0;
}
