#include "engine/frame.h"

#include <errno.h>

static const struct {
	size_t min, max;
} lengths[FRAME_MAX] = {
	[FRAME_HELLO] = { 1, FRAME_HELLO_MAX },
	[FRAME_DATA] = { 1, FRAME_DATA_MAX },
	[FRAME_END] = { 0, 0 },
	[FRAME_WINDOW] = { sizeof(struct frame_window), sizeof(struct frame_window) },
	[FRAME_SIGNAL] = { sizeof(uint32_t), sizeof(uint32_t) },
};

static bool is_valid(uint32_t type, size_t len)
{
	return type > FRAME_NONE && type < FRAME_MAX && len >= lengths[type].min &&
	       len <= lengths[type].max;
}

int frame_put(struct buf *out, enum frame_type type, struct span payload)
{
	const uint32_t header[2] = { type, (uint32_t)payload.len };

	_Static_assert(sizeof(header) == FRAME_HEADER_LEN, "a frame's header");
	if (!is_valid(type, payload.len))
		return -EMSGSIZE;
	(void)buf_append(out, header, sizeof(header));
	return buf_append_span(out, payload);
}

int frame_take(struct span read, struct frame *ret, size_t *ret_len)
{
	uint32_t header[2];

	if (read.len < FRAME_HEADER_LEN)
		return 0;
	memcpy(header, read.p, sizeof(header));
	if (!is_valid(header[0], header[1]))
		return -EBADMSG;
	if (read.len - FRAME_HEADER_LEN < header[1])
		return 0;
	*ret = (struct frame){ (enum frame_type)header[0],
			       span_make(read.p + FRAME_HEADER_LEN, header[1]) };
	*ret_len = FRAME_HEADER_LEN + header[1];
	return 1;
}
