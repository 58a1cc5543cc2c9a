/*
 * Writes HTTP/1 messages from their parts, so that a strict reader reads the same
 * parts again. The caller gives all fields, those of the framing too.
 */
#pragma once

#include "base/buf.h"
#include "http/message.h"

/* Each appends to out; -EINVAL where a part has a byte that it must not have, -EMSGSIZE. */
int h1_write_request(struct buf *out, const struct http_head *h) _must_check_;
int h1_write_response(struct buf *out, const struct http_head *h) _must_check_;
/* Nothing for no data: an empty chunk would end the body. */
int h1_write_chunk(struct buf *out, struct span data) _must_check_;
int h1_write_last_chunk(struct buf *out, const struct http_field *trailers, size_t n) _must_check_;
