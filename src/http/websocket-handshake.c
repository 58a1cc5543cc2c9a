#include "http/websocket-handshake.h"

#include "base/limits.h"

/* RFC 6455 §4.1: Base64 of 16 bytes. */
#define KEY_BYTES 16

bool websocket_is_asked_for(const struct http_head *h)
{
	const struct http_field *f = http_field_find(h, "upgrade");

	return f && h->minor == 1 && http_list_has(h, "connection", SPAN("upgrade")) &&
	       span_eq_nocase(f->value, SPAN("websocket"));
}

/* The field of that name if there is one, and one only. */
static const struct http_field *find_one(const struct http_head *h, const char *name)
{
	const struct http_field *found = NULL;

	for (size_t i = 0; i < h->n_fields; i++) {
		if (!span_eq_str(h->fields[i].name, name))
			continue;
		if (found)
			return NULL;
		found = &h->fields[i];
	}
	return found;
}

static bool is_key(struct span text)
{
	char bytes[KEY_BYTES + 2];

	return text.len == BASE64_LEN(KEY_BYTES) && base64_decode(text, bytes) == KEY_BYTES;
}

/* RFC 6455 §4.2.2, step 5.4 */
static void answer_key(struct span key, char out[WEBSOCKET_ACCEPT_LEN])
{
	static const char id[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char sum[SHA1_LEN];
	struct sha1 h;

	sha1_init(&h);
	sha1_update(&h, key.p, key.len);
	sha1_update(&h, id, sizeof(id) - 1);
	sha1_final(&h, sum);
	base64_encode(span_make(sum, sizeof(sum)), out);
}

const char *websocket_read_offer(const struct http_head *h, bool has_body,
				 struct websocket_offer *offer)
{
	const struct http_field *key = find_one(h, "sec-websocket-key");
	const struct http_field *version = find_one(h, "sec-websocket-version");

	if (!span_eq_str(h->method, "GET") || has_body)
		return "a WebSocket is asked for by something else than a plain GET";
	if (!version || !span_eq_str(version->value, "13"))
		return "a WebSocket is asked for in another version than 13";
	if (!key || !is_key(key->value))
		return "a WebSocket is asked for without a key of 16 bytes";
	answer_key(key->value, offer->accept);
	offer->protocols = (struct buf)BUF_INIT(LIMIT_HTTP_HEAD);
	for (size_t i = 0; i < h->n_fields; i++)
		if (span_eq_str(h->fields[i].name, "sec-websocket-protocol") &&
		    (buf_append_span(&offer->protocols, h->fields[i].value) < 0 ||
		     buf_append_char(&offer->protocols, ',') < 0))
			return "a WebSocket is asked for with too many protocols";
	return NULL;
}

/* RFC 6455 §4.2.2: none, or one of those that were asked for. */
static bool is_protocol_offered(const struct http_head *h, const struct websocket_offer *offer)
{
	const struct http_field asked = { .name = SPAN("protocols"),
					  .value = buf_span(&offer->protocols) };
	const struct http_head list = { .fields = &asked, .n_fields = 1 };
	const struct http_field *f = find_one(h, "sec-websocket-protocol");

	if (!f)
		return !http_field_find(h, "sec-websocket-protocol");
	return http_is_token(f->value) && http_list_has(&list, "protocols", f->value);
}

/* RFC 6455 §4.1, what a client has to check */
const char *websocket_check_answer(const struct http_head *h, const struct websocket_offer *offer)
{
	const struct http_field *upgrade = find_one(h, "upgrade");
	const struct http_field *accept = find_one(h, "sec-websocket-accept");

	if (!upgrade || !span_eq_nocase(upgrade->value, SPAN("websocket")) ||
	    !http_list_has(h, "connection", SPAN("upgrade")))
		return "the server agrees to something else than a WebSocket";
	if (!accept || !span_eq(accept->value, span_make(offer->accept, sizeof(offer->accept))))
		return "the server's answer to the WebSocket's key is wrong";
	if (http_field_find(h, "sec-websocket-extensions"))
		return "the server uses an extension of WebSocket that was not asked for";
	if (!is_protocol_offered(h, offer))
		return "the server speaks a protocol in the WebSocket that was not asked for";
	return NULL;
}

void websocket_offer_done(struct websocket_offer *offer)
{
	buf_done(&offer->protocols);
}
