#include "http/message.h"

#include <string.h>

bool http_is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_token_char(s.p[i]))
			return false;
	return s.len > 0;
}

bool http_is_target(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
			return false;
	return s.len > 0;
}

bool http_is_value(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

const struct http_field *http_field_find(const struct http_head *h, const char *lower_name)
{
	const struct span name = span_of(lower_name);

	for (size_t i = 0; i < h->n_fields; i++)
		if (span_eq(h->fields[i].name, name))
			return &h->fields[i];
	return NULL;
}

static bool list_has(struct span list, struct span token)
{
	while (list.len) {
		const char *comma = memchr(list.p, ',', list.len);
		size_t len = comma ? (size_t)(comma - list.p) : list.len;

		if (span_eq_nocase(span_trim(span_make(list.p, len)), token))
			return true;
		list = span_from(list, comma ? len + 1 : len);
	}
	return false;
}

bool http_list_has(const struct http_head *h, const char *lower_name, struct span token)
{
	const struct span name = span_of(lower_name);

	for (size_t i = 0; i < h->n_fields; i++)
		if (span_eq(h->fields[i].name, name) && list_has(h->fields[i].value, token))
			return true;
	return false;
}

bool http_is_sent_on(const struct http_head *h, const struct http_field *f)
{
	static const char *const always[] = { "connection", "content-length", "host",
					      "transfer-encoding", "upgrade" };

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (span_eq_str(f->name, always[i]))
			return true;
	if (span_eq_str(f->name, "sec-websocket-extensions"))
		return false;
	return !http_list_has(h, "connection", f->name);
}

bool http_keeps_alive(const struct http_head *h)
{
	if (http_list_has(h, "connection", SPAN("close")))
		return false;
	return h->minor == 1 || http_list_has(h, "connection", SPAN("keep-alive"));
}
