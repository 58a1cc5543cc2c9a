#include "http/h1-writer.h"

#include <errno.h>

static int write_fields(struct buf *out, const struct http_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!http_is_token(fields[i].name) || !http_is_value(fields[i].value))
			return -EINVAL;
		(void)buf_append_span(out, fields[i].name);
		(void)buf_append_span(out, SPAN(": "));
		(void)buf_append_span(out, fields[i].value);
		(void)buf_append_span(out, SPAN("\r\n"));
	}
	return buf_append_span(out, SPAN("\r\n"));
}

int h1_write_request(struct buf *out, const struct http_head *h)
{
	if (!http_is_token(h->method) || !http_is_target(h->target))
		return -EINVAL;
	(void)buf_append_span(out, h->method);
	(void)buf_append_char(out, ' ');
	(void)buf_append_span(out, h->target);
	(void)buf_append_span(out, SPAN(" HTTP/1.1\r\n"));
	return write_fields(out, h->fields, h->n_fields);
}

int h1_write_response(struct buf *out, const struct http_head *h)
{
	if (h->status < 100 || h->status > 599 || !http_is_value(h->reason))
		return -EINVAL;
	(void)buf_append_span(out, SPAN("HTTP/1.1 "));
	for (int unit = 100; unit; unit /= 10)
		(void)buf_append_char(out, (char)('0' + h->status / unit % 10));
	(void)buf_append_char(out, ' ');
	(void)buf_append_span(out, h->reason);
	(void)buf_append_span(out, SPAN("\r\n"));
	return write_fields(out, h->fields, h->n_fields);
}

int h1_write_chunk(struct buf *out, struct span data)
{
	if (data.len == 0)
		return 0;
	(void)buf_printf(out, "%zx\r\n", data.len);
	(void)buf_append_span(out, data);
	return buf_append_span(out, SPAN("\r\n"));
}

int h1_write_last_chunk(struct buf *out, const struct http_field *trailers, size_t n)
{
	(void)buf_append_span(out, SPAN("0\r\n"));
	return write_fields(out, trailers, n);
}
