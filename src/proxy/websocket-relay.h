/*
 * A WebSocket between a client and a server: both directions are followed frame by
 * frame, and what goes on is what is in form. Payloads stream; of a frame only its
 * header, and of a control frame all, waits until it is complete. A message of the
 * server's is looked through for secrets as a whole, over its fragments, which for
 * that may be cut anew (RFC 6455 §5.4 lets an intermediary do so where no extension
 * was agreed on); a frame that is a whole message stays one. No I/O.
 */
#pragma once

#include "base/buf.h"
#include "http/websocket.h"
#include "proxy/needles.h"

struct websocket_relay;

/* secrets: as in struct exchange_events; NULL: none. */
struct websocket_relay *websocket_relay_new(const struct needles *secrets);
void websocket_relay_free(struct websocket_relay *w);
/*
 * Takes bytes that came from one side (RELAY_CLIENT or RELAY_SERVER); *ret are those
 * that may go to the other: a part of bytes, or, where they are not what came, in
 * made, which is empty before. -EPROTO: they are out of form, and *ret is what came
 * before that; nothing more may come from this side. Or another negative errno, and
 * nothing goes on.
 */
int websocket_relay_feed(struct websocket_relay *w, int from, struct span bytes, struct buf *made,
			 struct span *ret) _must_check_;
/* After -EPROTO: what is wrong, for people; static. */
const char *websocket_relay_error(const struct websocket_relay *w, int from);
/*
 * After -EPROTO from that side: appends the close frame that tells a side so. Nothing
 * where it is in the middle of a frame, or has got a close frame already.
 */
int websocket_relay_close(const struct websocket_relay *w, int from, int to,
			  struct buf *out) _must_check_;
