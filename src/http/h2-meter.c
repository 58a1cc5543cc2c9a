#include "http/h2-meter.h"

#include "base/limits.h"

/* RFC 9113 §6, §7 */
enum {
	FRAME_DATA = 0,
	FRAME_HEADERS = 1,
	FRAME_RST_STREAM = 3,
	FRAME_PUSH_PROMISE = 5,
	FRAME_WINDOW_UPDATE = 8,
	FRAME_CONTINUATION = 9,
	FLAG_END_STREAM = 1,
	FLAG_END_HEADERS = 4,
	PROTOCOL_ERROR = 1,
	ENHANCE_YOUR_CALM = 11,
	PREFACE_LEN = 24,
};

static bool take(struct h2_bucket *b, uint64_t now_ms, uint32_t burst, uint32_t per_second)
{
	uint64_t more;

	if (now_ms > b->at_ms) {
		more = (now_ms - b->at_ms) * per_second / 1000;
		if (more) {
			b->left = (uint32_t)MIN(b->left + more, (uint64_t)burst);
			b->at_ms = now_ms;
		}
	}
	if (b->left == 0)
		return false;
	b->left--;
	return true;
}

static void fail(struct h2_meter *m, uint32_t code, const char *why)
{
	if (m->error)
		return;
	m->error = why;
	m->code = code;
}

void h2_meter_init(struct h2_meter *m, bool is_from_client)
{
	*m = (struct h2_meter){ .is_from_client = is_from_client,
				.rest = is_from_client ? PREFACE_LEN : 0 };
	m->resets.left = LIMIT_H2_RESETS;
	m->noise.left = LIMIT_H2_NOISE;
}

/* Only a client can make work by giving streams up: a server has none but those it was asked for.
 */
static void count_reset(struct h2_meter *m, uint64_t now_ms)
{
	if (m->is_from_client &&
	    !take(&m->resets, now_ms, LIMIT_H2_RESETS, LIMIT_H2_RESETS_PER_SECOND))
		fail(m, ENHANCE_YOUR_CALM, "too many streams were given up");
}

void h2_meter_count_reset(struct h2_meter *m)
{
	count_reset(m, m->resets.at_ms);
}

void h2_meter_forgive(struct h2_meter *m)
{
	m->noise.left = LIMIT_H2_NOISE;
}

static void count_noise(struct h2_meter *m, uint64_t now_ms)
{
	if (!take(&m->noise, now_ms, LIMIT_H2_NOISE, LIMIT_H2_NOISE_PER_SECOND))
		fail(m, ENHANCE_YOUR_CALM, "too many frames that carry nothing");
}

/* The compressed head; what it grows to is its reader's to count. */
static void count_block(struct h2_meter *m, uint8_t flags, size_t len)
{
	m->block_len += len;
	m->is_in_block = !(flags & FLAG_END_HEADERS);
	if (m->block_len > LIMIT_HTTP_HEAD)
		fail(m, ENHANCE_YOUR_CALM, "a head is too long");
}

static void take_frame(struct h2_meter *m, uint64_t now_ms)
{
	const unsigned char *h = m->head;
	size_t len = (size_t)h[0] << 16 | (size_t)h[1] << 8 | h[2];
	uint8_t type = h[3], flags = h[4];

	m->rest = len;
	m->head_len = 0;
	if (m->is_in_block && type != FRAME_CONTINUATION) {
		fail(m, PROTOCOL_ERROR, "a head was not ended");
		return;
	}
	switch (type) {
	case FRAME_DATA:
		if (len)
			h2_meter_forgive(m);
		else if (!(flags & FLAG_END_STREAM))
			count_noise(m, now_ms);
		break;
	case FRAME_HEADERS:
		m->block_len = m->n_continuations = 0;
		count_block(m, flags, len);
		break;
	case FRAME_CONTINUATION:
		if (!m->is_in_block)
			fail(m, PROTOCOL_ERROR, "a head goes on that did not begin");
		else if (++m->n_continuations > LIMIT_H2_CONTINUATIONS)
			fail(m, ENHANCE_YOUR_CALM, "a head is in too many pieces");
		else
			count_block(m, flags, len);
		break;
	case FRAME_RST_STREAM:
		count_reset(m, now_ms);
		break;
	case FRAME_PUSH_PROMISE:
		fail(m, PROTOCOL_ERROR, "a response is pushed that nobody asked for");
		break;
	case FRAME_WINDOW_UPDATE:
		break;
	default:
		count_noise(m, now_ms);
		break;
	}
}

size_t h2_meter_feed(struct h2_meter *m, struct span bytes, uint64_t now_ms)
{
	size_t at = 0, frame_at = 0;

	while (at < bytes.len && !m->error) {
		size_t n = MIN(m->rest, bytes.len - at);

		if (n) {
			m->rest -= n;
			at += n;
			continue;
		}
		if (m->head_len == 0)
			frame_at = at;
		m->head[m->head_len++] = (unsigned char)bytes.p[at++];
		if (m->head_len == sizeof(m->head))
			take_frame(m, now_ms);
	}
	/* What has come of the bad frame in earlier bytes is less than a frame's head. */
	return m->error ? frame_at : at;
}
