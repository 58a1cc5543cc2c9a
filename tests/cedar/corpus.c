#include "corpus.h"

#include <lzma.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define JSON_FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)

static _noreturn_ void die(const char *name, const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", name, what);
	exit(99);
}

const char *corpus_folder(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : secure_getenv("LEASH_CEDAR_CORPUS");

	if (!folder || access(folder, R_OK) < 0) {
		(void)printf(
			"skipped: no conformance data (give its folder as LEASH_CEDAR_CORPUS)\n");
		exit(77);
	}
	return folder;
}

static void decompress(FILE *f, const char *name, struct buf *out)
{
	lzma_stream s = LZMA_STREAM_INIT;
	unsigned char in[65536];
	lzma_ret r;

	if (lzma_stream_decoder(&s, UINT64_MAX, 0) != LZMA_OK)
		die(name, "cannot start liblzma");
	do {
		char *to = buf_reserve(out, 1 << 20);

		if (s.avail_in == 0) {
			s.next_in = in;
			s.avail_in = fread(in, 1, sizeof(in), f);
		}
		s.next_out = (unsigned char *)to;
		s.avail_out = 1 << 20;
		r = lzma_code(&s, feof(f) ? LZMA_FINISH : LZMA_RUN);
		buf_grow(out, (1 << 20) - s.avail_out);
	} while (r == LZMA_OK);
	if (r != LZMA_STREAM_END)
		die(name, "not a valid .xz file");
	lzma_end(&s);
}

void corpus_read(const char *folder, const char *name, struct buf *out)
{
	_cleanup_buf_ struct buf path = BUF_INIT(0);
	FILE *f;

	(void)buf_printf(&path, "%s/%s", folder, name);
	f = fopen(path.data, "re");
	if (!f)
		die(path.data, "cannot be opened");
	decompress(f, path.data, out);
	(void)fclose(f);
}

json_t *corpus_parse_json(struct span text)
{
	json_error_t error;
	json_t *j = json_loadb(text.p, text.len, JSON_FLAGS, &error);

	if (!j)
		die("conformance data", error.text);
	return j;
}

struct span corpus_string(const json_t *s)
{
	return (struct span){ json_string_value(s), json_string_length(s) };
}

/*
 * jansson cannot read keys with a NUL, which Cedar allows. In such a line every
 * NUL becomes U+E000, in the data (\u0000) as in the policy (\0): a renaming
 * that no comparison can tell.
 */
static void rename_nul(struct span line, struct buf *out)
{
	while (line.len) {
		size_t n = 1;

		if (span_starts_with(line, SPAN("\\u0000"))) {
			(void)buf_append_str(out, "\\ue000");
			n = 6;
		} else if (span_starts_with(line, SPAN("\\\\0"))) {
			(void)buf_append_str(out, "\\\\u{e000}");
			n = 3;
		} else {
			n = span_starts_with(line, SPAN("\\\\\\\\")) ? 4
			    : line.p[0] == '\\'			     ? 2
								     : 1;
			(void)buf_append(out, line.p, n);
		}
		line = span_from(line, n);
	}
}

static void each_line(struct span text, corpus_line_fn fn, void *ctx)
{
	_cleanup_buf_ struct buf renamed = BUF_INIT(0);
	json_error_t error;
	json_t *line = json_loadb(text.p, text.len, JSON_FLAGS, &error);

	if (!line && json_error_code(&error) == json_error_null_byte_in_key) {
		rename_nul(text, &renamed);
		line = json_loadb(renamed.data, renamed.len, JSON_FLAGS, &error);
	}
	if (!line)
		die("conformance data", error.text);
	fn(line, ctx);
	json_decref(line);
}

void corpus_each_line(const char *folder, const char *name, corpus_line_fn fn, void *ctx)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct span rest;

	corpus_read(folder, name, &text);
	rest = buf_span(&text);
	while (rest.len) {
		const char *end = memchr(rest.p, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;

		if (len)
			each_line((struct span){ rest.p, len }, fn, ctx);
		rest = span_from(rest, len + 1);
	}
}

/*
 * The header of a tar member: name at 0, size in octal at 124, type at 156. A
 * member of type L holds the next one's long name.
 */
void corpus_each_member(struct span archive,
			void (*fn)(struct span name, struct span data, void *ctx), void *ctx)
{
	struct span long_name = { 0 };

	for (size_t at = 0; at + 512 <= archive.len && archive.p[at];) {
		const char *header = archive.p + at;
		struct span name = long_name.len ? long_name
						 : (struct span){ header, strnlen(header, 100) };
		size_t size = (size_t)strtoul(header + 124, NULL, 8);

		at += 512;
		if (size > archive.len - at)
			die("archive", "is cut short");
		if (span_starts_with(name, SPAN("./")))
			name = span_from(name, 2);
		long_name = SPAN("");
		if (header[156] == 'L')
			long_name = (struct span){ archive.p + at, strnlen(archive.p + at, size) };
		else if (header[156] == '0' || header[156] == 0)
			fn(name, (struct span){ archive.p + at, size }, ctx);
		at += (size + 511) / 512 * 512;
	}
}

bool tally_check(struct tally *t, bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok) {
		t->passed++;
		return true;
	}
	t->failed++;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf("\n");
	return false;
}

int tally_end(const struct tally *t)
{
	(void)printf("%zu passed, %zu failed, %zu skipped\n", t->passed, t->failed, t->skipped);
	return t->failed || t->passed == 0 ? 1 : 0;
}
