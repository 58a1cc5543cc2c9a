#include "api/page.h"

#include "api/private.h"

static const struct page_file *find(struct span path)
{
	if (span_eq_str(path, "/"))
		path = SPAN("/index.html");
	for (size_t i = 0; i < n_page_files; i++)
		if (span_eq_str(path, page_files[i].path))
			return &page_files[i];
	return NULL;
}

/* RFC 9110 §12.5.3: without the field any coding will do. */
static bool takes_gzip(const struct http_head *head)
{
	const struct http_field *f = http_field_find(head, "accept-encoding");
	struct span rest = f ? f->value : SPAN("gzip");

	while (rest.len) {
		const char *comma = memchr(rest.p, ',', rest.len);
		struct span item = span_make(rest.p, comma ? (size_t)(comma - rest.p) : rest.len);
		const char *weight = memchr(item.p, ';', item.len);
		struct span name =
			span_trim(span_make(item.p, weight ? (size_t)(weight - item.p) : item.len));

		if ((span_eq_nocase(name, SPAN("gzip")) || span_eq_str(name, "*")) &&
		    !(weight && memmem(weight, (size_t)(item.p + item.len - weight), "q=0", 3) &&
		      !memmem(weight, (size_t)(item.p + item.len - weight), "q=0.", 4)))
			return true;
		rest = span_from(rest, item.len + 1);
	}
	return false;
}

static bool is_known(const struct http_head *head, const struct page_file *f)
{
	return http_list_has(head, "if-none-match", span_of(f->tag));
}

void page_serve(struct api_call *c)
{
	const struct page_file *f = find(c->path);

	if (!f) {
		api_problem(c, 404, "there is nothing here");
		return;
	}
	if (f->is_packed && !takes_gzip(c->head)) {
		api_problem(c, 406, "this is there with gzip only");
		return;
	}
	api_answer_field(c, "etag", span_of(f->tag));
	api_answer_field(c, "cache-control",
			 f->is_hashed ? SPAN("public, max-age=31536000, immutable")
				      : SPAN("no-cache"));
	if (f->is_packed) {
		api_answer_field(c, "content-encoding", SPAN("gzip"));
		api_answer_field(c, "vary", SPAN("accept-encoding"));
	}
	if (is_known(c->head, f)) {
		c->status = 304;
		return;
	}
	c->status = 200;
	c->type = f->type;
	c->file = f->bytes;
}
