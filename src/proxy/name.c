#include "proxy/name.h"

#include <errno.h>
#include <idn2.h>

#include "base/alloc.h"
#include "base/utf8.h"

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Would inet_aton(3) or a browser take the last label, and so the whole, for an address? */
static bool is_number(struct span label)
{
	size_t i = 0;

	if (label.len >= 2 && label.p[0] == '0' && label.p[1] == 'x') {
		for (i = 2; i < label.len; i++)
			if (!((label.p[i] >= '0' && label.p[i] <= '9') ||
			      (label.p[i] >= 'a' && label.p[i] <= 'f')))
				return false;
		return true;
	}
	while (i < label.len && label.p[i] >= '0' && label.p[i] <= '9')
		i++;
	return i == label.len;
}

static int parse_ascii(struct span text, struct name *ret)
{
	struct name n = { 0 };
	size_t label = 0;

	if (text.len && text.p[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len > NAME_MAX_LEN)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c == '.') {
			if (i == label)
				return -EINVAL;
			label = i + 1;
		} else if (!is_name_byte(c) || i - label >= 63) {
			return -EINVAL;
		}
		n.text[i] = c;
	}
	if (label == text.len || is_number(span_make(n.text + label, text.len - label)))
		return -EINVAL;
	n.len = text.len;
	*ret = n;
	return 0;
}

static int parse_international(struct span text, struct name *ret)
{
	_cleanup_free_ char *copy = NULL;
	uint8_t *ascii = NULL;
	int r;

	if (text.len > (size_t)NAME_MAX_LEN * 4 || memchr(text.p, 0, text.len) ||
	    !utf8_is_valid(text))
		return -EINVAL;
	copy = xmemdup0(text.p, text.len);
	if (idn2_lookup_u8((const uint8_t *)copy, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return -EINVAL;
	r = parse_ascii(span_of((const char *)ascii), ret);
	idn2_free(ascii);
	return r;
}

int name_parse(struct span text, struct name *ret)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] >= 0x80)
			return parse_international(text, ret);
	return parse_ascii(text, ret);
}

/* Cuts ":port" off the end. */
static int take_port(struct span *text, uint16_t *ret)
{
	size_t at = text->len;
	uint32_t port = 0;

	while (at > 0 && text->p[at - 1] >= '0' && text->p[at - 1] <= '9')
		at--;
	if (at == 0 || text->p[at - 1] != ':')
		return 0;
	if (text->len - at == 0 || text->len - at > 5)
		return -EINVAL;
	for (size_t i = at; i < text->len; i++)
		port = port * 10 + (uint32_t)(text->p[i] - '0');
	if (port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	text->len = at - 1;
	return 0;
}

int authority_parse(struct span text, struct authority *ret)
{
	struct authority a = { 0 };
	int r;

	if (text.len && text.p[0] == '[') {
		if (text.p[text.len - 1] != ']') {
			r = take_port(&text, &a.port);
			if (r < 0)
				return r;
		}
		if (text.len < 2 || text.p[text.len - 1] != ']')
			return -EINVAL;
		text = span_make(text.p + 1, text.len - 2);
		if (!memchr(text.p, ':', text.len))
			return -EINVAL;
		a.is_address = true;
		r = address_parse(text, &a.address);
	} else {
		r = take_port(&text, &a.port);
		if (r < 0)
			return r;
		if (text.len && memchr(text.p, ':', text.len))
			return -EINVAL;
		a.is_address = address_parse(text, &a.address) == 0;
		r = a.is_address ? 0 : name_parse(text, &a.name);
	}
	if (r < 0)
		return r;
	*ret = a;
	return 0;
}
