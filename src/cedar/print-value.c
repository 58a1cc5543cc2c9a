#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "cedar/print-private.h"

static int print_scalar(uint32_t c, bool is_alone, struct span bytes, struct buf *out)
{
	static const char plain[] = "\"\\'\n\r\t";
	static const char letters[] = "\"\\'nrt";
	const char *found = c && c < 0x80 ? strchr(plain, (int)c) : NULL;

	if (c == 0)
		return buf_append_str(out, "\\0");
	if (found)
		return buf_printf(out, "\\%c", letters[found - plain]);
	if (print_must_escape(c) || (is_alone && print_extends(c)))
		return buf_printf(out, "\\u{%x}", (unsigned int)c);
	return buf_append_span(out, bytes);
}

/* How much of the text needs no second look. */
static size_t plain_run(struct span text)
{
	size_t n = 0;

	while (n < text.len && text.p[n] >= ' ' && text.p[n] < 0x7f && !strchr("\"'\\*", text.p[n]))
		n++;
	return n;
}

int print_escaped(struct span text, bool for_pattern, struct buf *out)
{
	const char *begin = text.p;

	while (text.len) {
		uint32_t c;
		size_t n = plain_run(text);
		int r;

		if (n) {
			if (buf_append(out, text.p, n) < 0)
				return -EMSGSIZE;
			text = span_from(text, n);
			continue;
		}
		n = utf8_decode(text, &c);
		/* Only an embedder's own string can be something else than UTF-8. */
		if (n == 0)
			return -EINVAL;
		if (for_pattern && c == '*')
			r = buf_append_str(out, "\\*");
		else
			r = print_scalar(c, for_pattern || text.p == begin,
					 (struct span){ text.p, n }, out);
		if (r < 0)
			return r;
		text = span_from(text, n);
	}
	return 0;
}

int print_string(struct span text, struct buf *out)
{
	int r;

	(void)buf_append_char(out, '"');
	r = print_escaped(text, /* for_pattern = */ false, out);
	return r < 0 ? r : buf_append_char(out, '"');
}

int print_uid(struct cedar_entity_uid uid, struct buf *out)
{
	(void)buf_append_span(out, uid.type);
	(void)buf_append_str(out, "::");
	return print_string(uid.id, out);
}

static int print_decimal(int64_t n, struct buf *out)
{
	/* The least i64 has no positive twin. */
	uint64_t magnitude = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	return buf_printf(out, "decimal(\"%s%llu.%04llu\")", n < 0 ? "-" : "",
			  (unsigned long long)(magnitude / 10000),
			  (unsigned long long)(magnitude % 10000));
}

/* The longest run of at least two zero groups becomes "::" (RFC 5952 §4.2). */
static void find_gap(const unsigned char *bytes, size_t *ret_begin, size_t *ret_len)
{
	size_t len = 0;

	*ret_begin = 8;
	*ret_len = 0;
	for (size_t i = 0; i < 8; i++) {
		len = bytes[2 * i] || bytes[2 * i + 1] ? 0 : len + 1;
		if (len > 1 && len > *ret_len) {
			*ret_len = len;
			*ret_begin = i + 1 - len;
		}
	}
}

static int print_v6(const unsigned char *bytes, struct buf *out)
{
	size_t gap, gap_len;
	int r = 0;

	find_gap(bytes, &gap, &gap_len);
	for (size_t i = 0; r == 0 && i < 8; i++) {
		if (i == gap) {
			r = buf_append_str(out, "::");
			i += gap_len - 1;
			continue;
		}
		if (i > 0 && i != gap + gap_len)
			(void)buf_append_char(out, ':');
		r = buf_printf(out, "%x", (unsigned int)bytes[2 * i] << 8 | bytes[2 * i + 1]);
	}
	return r;
}

static int print_ip(const struct cedar_ipaddr *ip, struct buf *out)
{
	const unsigned char *b = ip->bytes;

	(void)buf_append_str(out, "ip(\"");
	if (ip->is_v6)
		(void)print_v6(b, out);
	else
		(void)buf_printf(out, "%d.%d.%d.%d", b[0], b[1], b[2], b[3]);
	if (ip->prefix != (ip->is_v6 ? 128 : 32))
		(void)buf_printf(out, "/%d", ip->prefix);
	return buf_append_str(out, "\")");
}

static int print_set(const struct cedar_value *v, struct buf *out)
{
	int r = buf_append_char(out, '[');

	for (size_t i = 0; r == 0 && i < v->set.len; i++) {
		if (i > 0)
			(void)buf_append_str(out, ", ");
		r = cedar_value_print(v->set.items[i], out);
	}
	return r < 0 ? r : buf_append_char(out, ']');
}

static int print_record(const struct cedar_value *v, struct buf *out)
{
	int r = buf_append_char(out, '{');

	for (size_t i = 0; r == 0 && i < v->record.len; i++) {
		if (i > 0)
			(void)buf_append_str(out, ", ");
		r = print_string(v->record.entries[i].key, out);
		if (r < 0)
			return r;
		(void)buf_append_str(out, ": ");
		r = cedar_value_print(v->record.entries[i].value, out);
	}
	return r < 0 ? r : buf_append_char(out, '}');
}

int cedar_value_print(const struct cedar_value *v, struct buf *out)
{
	switch (v->kind) {
	case CEDAR_BOOL:
		return buf_append_str(out, v->boolean ? "true" : "false");
	case CEDAR_LONG:
		return buf_printf(out, "%lld", (long long)v->integer);
	case CEDAR_STRING:
		return print_string(v->string, out);
	case CEDAR_ENTITY:
		return print_uid(v->uid, out);
	case CEDAR_SET:
		return print_set(v, out);
	case CEDAR_RECORD:
		return print_record(v, out);
	case CEDAR_DECIMAL:
		return print_decimal(v->integer, out);
	case CEDAR_IPADDR:
		return print_ip(&v->ip, out);
	case CEDAR_DATETIME:
		return buf_printf(out, "datetime(\"1970-01-01\").offset(duration(\"%lldms\"))",
				  (long long)v->integer);
	case CEDAR_DURATION:
		return buf_printf(out, "duration(\"%lldms\")", (long long)v->integer);
	case CEDAR_UNKNOWN:
		(void)buf_append_str(out, "unknown(");
		return print_string(v->string, out) < 0 ? -EINVAL : buf_append_char(out, ')');
	}
	return -EINVAL;
}
