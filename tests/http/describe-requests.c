/*
 * Reads lines of hexadecimal digits, each a stream of HTTP/1 requests, and writes
 * for each what the reader makes of it: a JSON array of the requests that it read
 * whole, with names, values and bodies in hexadecimal.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "http/h1-reader.h"

static void put_hex(struct buf *out, struct span bytes)
{
	(void)buf_append_char(out, '"');
	for (size_t i = 0; i < bytes.len; i++)
		(void)buf_printf(out, "%02x", (unsigned char)bytes.p[i]);
	(void)buf_append_char(out, '"');
}

static void put_head(struct buf *out, const struct http_head *h)
{
	(void)buf_append_str(out, "[");
	put_hex(out, h->method);
	(void)buf_append_char(out, ',');
	put_hex(out, h->target);
	(void)buf_append_str(out, ",[");
	for (size_t i = 0; i < h->n_fields; i++) {
		(void)buf_append_str(out, i ? ",[" : "[");
		put_hex(out, h->fields[i].name);
		(void)buf_append_char(out, ',');
		put_hex(out, h->fields[i].value);
		(void)buf_append_char(out, ']');
	}
	(void)buf_append_str(out, "],");
}

static void describe(struct span bytes, struct buf *out)
{
	struct h1_reader *r = h1_reader_new(H1_REQUESTS);
	_cleanup_buf_ struct buf one = BUF_INIT(0);
	_cleanup_buf_ struct buf body = BUF_INIT(0);
	enum h1_event event = H1_MORE;
	size_t n = 0;

	(void)buf_append_char(out, '[');
	while (event != H1_BAD && (bytes.len || h1_reader_has_ended(r))) {
		struct span data;
		size_t used;

		event = h1_reader_feed(r, bytes, &used, &data);
		bytes = span_from(bytes, used);
		if (event == H1_HEAD)
			put_head(&one, h1_reader_head(r));
		if (event == H1_DATA)
			(void)buf_append_span(&body, data);
		if (event != H1_END)
			continue;
		put_hex(&one, buf_span(&body));
		(void)buf_append_str(out, n++ ? "," : "");
		(void)buf_append_span(out, buf_span(&one));
		(void)buf_append_char(out, ']');
		buf_reset(&one);
		buf_reset(&body);
	}
	(void)buf_append_char(out, ']');
	h1_reader_free(r);
}

static int hex_digit(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		_cleanup_buf_ struct buf bytes = BUF_INIT(0);
		_cleanup_buf_ struct buf out = BUF_INIT(0);

		for (ssize_t i = 0; i + 1 < len && line[i] != '\n'; i += 2)
			(void)buf_append_char(&bytes, (char)(hex_digit(line[i]) * 16 + hex_digit(line[i + 1])));
		describe(buf_span(&bytes), &out);
		if (puts(out.data) < 0 || fflush(stdout) != 0)
			return 1;
	}
	free(line);
	return 0;
}
