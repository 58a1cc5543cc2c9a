#include "cedar/display-width.h"

#include "base/utf8.h"

size_t display_width(struct span text)
{
	size_t n = 0;

	for (size_t at = 0; at < text.len;) {
		uint32_t c;
		size_t len = utf8_decode(span_from(text, at), &c);

		if (len == 0)
			return text.len;
		n++;
		at += len;
	}
	return n;
}
