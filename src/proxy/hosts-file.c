#include "proxy/hosts-file.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"

static struct span entry_name(const struct hosts_file *h, const struct hosts_entry *e)
{
	return span_make(h->text.data + e->name_at, e->name_len);
}

/* The next word of a line; empty at its end. */
static struct span take_word(struct span *line)
{
	struct span word;

	while (line->len && memchr(" \t\r\v\f", line->p[0], 5))
		*line = span_from(*line, 1);
	word = span_make(line->p, 0);
	while (word.len < line->len && !memchr(" \t\r\v\f", line->p[word.len], 5))
		word.len++;
	*line = span_from(*line, word.len);
	return word;
}

static int add(struct hosts_file *h, const struct policy_address *address, const struct name *name)
{
	struct hosts_entry e = { *address, (uint32_t)h->text.len, (uint32_t)name->len,
				 (uint32_t)h->n_entries };

	/* The several names of an address follow one another; the several addresses of a name
	 * seldom do. */
	if (buf_append(&h->text, name->text, name->len) < 0)
		return -EMSGSIZE;
	if (h->n_entries == h->n_allocated) {
		h->n_allocated = h->n_allocated ? h->n_allocated * 2 : 16;
		h->entries = xrealloc_array(h->entries, h->n_allocated, sizeof(e));
	}
	h->entries[h->n_entries++] = e;
	return 0;
}

static int read_line(struct hosts_file *h, struct span line)
{
	const char *comment = line.len ? memchr(line.p, '#', line.len) : NULL;
	struct policy_address address;
	struct span word;

	if (comment)
		line.len = (size_t)(comment - line.p);
	if (address_parse(take_word(&line), &address) < 0)
		return 0;
	for (word = take_word(&line); word.len; word = take_word(&line)) {
		struct name name;

		if (name_parse(word, &name) == 0 && add(h, &address, &name) < 0)
			return -EMSGSIZE;
	}
	return 0;
}

static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct hosts_entry *a = pa, *b = pb;
	const struct hosts_file *h = ctx;
	int c = span_cmp(entry_name(h, a), entry_name(h, b));

	return c ? c : (a->order > b->order) - (a->order < b->order);
}

int hosts_file_parse(struct span text, struct hosts_file *ret)
{
	struct hosts_file h = { .text = BUF_INIT(LIMIT_HOSTS_FILE) };

	if (text.len > LIMIT_HOSTS_FILE)
		return -EMSGSIZE;
	while (text.len) {
		const char *end = memchr(text.p, '\n', text.len);
		size_t len = end ? (size_t)(end - text.p) : text.len;

		if (read_line(&h, span_make(text.p, len)) < 0) {
			hosts_file_done(&h);
			return -EMSGSIZE;
		}
		text = span_from(text, len + 1);
	}
	if (h.n_entries)
		qsort_r(h.entries, h.n_entries, sizeof(*h.entries), compare, &h);
	*ret = h;
	return 0;
}

void hosts_file_done(struct hosts_file *h)
{
	buf_done(&h->text);
	xfree(h->entries);
	*h = (struct hosts_file){ 0 };
}

const struct hosts_entry *hosts_file_find(const struct hosts_file *h, struct span name,
					  size_t *ret_n)
{
	size_t low = 0, high = h->n_entries, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (span_cmp(entry_name(h, &h->entries[middle]), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < h->n_entries && span_eq(entry_name(h, &h->entries[low + n]), name))
		n++;
	*ret_n = n;
	return n ? &h->entries[low] : NULL;
}
