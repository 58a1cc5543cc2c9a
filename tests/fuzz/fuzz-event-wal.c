/*
 * Any bytes as a write-ahead log, as they are and as frames whose sums are right: whatever it
 * says, the database ends as long as the last commit has it, with the last page of each number.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/big-endian.h"
#include "event/wal.h"

#define PAGE 512
#define FRAME_HEADER 24
#define MAX_FRAMES 200
#define DATABASE_PAGES 3
#define MAX_BYTES ((size_t)4 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static uint32_t sums[2];

static void add(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		const unsigned char *q = p + i;

		sums[0] +=
			((uint32_t)q[3] << 24 | (uint32_t)q[2] << 16 | (uint32_t)q[1] << 8 | q[0]) +
			sums[1];
		sums[1] +=
			((uint32_t)q[7] << 24 | (uint32_t)q[6] << 16 | (uint32_t)q[5] << 8 | q[4]) +
			sums[0];
	}
}

static void put_sums(unsigned char *p)
{
	store_be32(p, sums[0]);
	store_be32(p + 4, sums[1]);
}

static void make_header(struct buf *wal)
{
	unsigned char header[WAL_HEADER_LEN] = { 0 };

	store_be32(header, 0x377f0682);
	store_be32(header + 4, 3007000);
	store_be32(header + 8, PAGE);
	store_be32(header + 16, 0x5a175a17);
	sums[0] = sums[1] = 0;
	add(header, 24);
	put_sums(header + 24);
	require(buf_append(wal, header, sizeof(header)) == 0);
}

static void add_frame(struct buf *wal, uint32_t page, uint32_t n_pages, unsigned char fill)
{
	unsigned char frame[FRAME_HEADER + PAGE];

	memset(frame, 0, FRAME_HEADER);
	memset(frame + FRAME_HEADER, fill, PAGE);
	store_be32(frame, page);
	store_be32(frame + 4, n_pages);
	store_be32(frame + 8, 0x5a175a17);
	add(frame, 8);
	add(frame + FRAME_HEADER, PAGE);
	put_sums(frame + 16);
	require(buf_append(wal, frame, sizeof(frame)) == 0);
}

/* Three bytes are a frame: the page, how many there are then or 0, and what is in it. */
static void try_frames(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf wal = BUF_INIT(0), database = BUF_INIT(MAX_BYTES);
	static char first[DATABASE_PAGES * PAGE];
	size_t n = MIN(size / 3, (size_t)MAX_FRAMES), n_committed = 0;
	size_t len = sizeof(first);

	make_header(&wal);
	require(buf_append(&database, first, sizeof(first)) == 0);
	for (size_t i = 0; i < n && data[3 * i]; i++) {
		add_frame(&wal, data[3 * i], data[3 * i + 1], data[3 * i + 2]);
		if (data[3 * i + 1]) {
			n_committed = i + 1;
			len = (size_t)data[3 * i + 1] * PAGE;
		}
	}
	require(wal_apply(&database, buf_span(&wal)) == 0);
	require(database.len == len);
	for (size_t i = n_committed; i > 0; i--) {
		size_t page = data[3 * (i - 1)];
		bool is_last = page * PAGE <= len;

		for (size_t j = i; j < n_committed && is_last; j++)
			is_last = data[3 * j] != page;
		if (is_last)
			require((uint8_t)database.data[page * PAGE - 1] == data[3 * (i - 1) + 2]);
	}
}

static void try_bytes(struct span bytes)
{
	_cleanup_buf_ struct buf database = BUF_INIT(MAX_BYTES);
	size_t first_len = MIN(bytes.len, (size_t)100);

	require(buf_append(&database, bytes.p, first_len) == 0);
	if (wal_apply(&database, bytes) == 0)
		require(database.len <= MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	try_bytes(span_make(data + 1, size - 1));
	if (data[0] & 1)
		try_frames(data + 1, size - 1);
	return 0;
}
