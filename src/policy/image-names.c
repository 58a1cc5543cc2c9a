/* Names of an image being made: nodes, the order in which they lie, and the slots. */
#include <stdlib.h>

#include "policy/image-hash.h"
#include "policy/image-tables.h"

#define MAX_PROBES 16
#define MAX_SEEDS 64
#define LINE_WORDS ((size_t)16)

int subject_separator(enum image_subject subject)
{
	switch (subject) {
	case IMAGE_HOST:
		return '.';
	case IMAGE_PORT:
	case IMAGE_ADDRESS_V4:
	case IMAGE_ADDRESS_V6:
	case IMAGE_NO_SUBJECT:
		return -1;
	case IMAGE_PATH:
	case IMAGE_EXE:
	case IMAGE_COMM:
	case IMAGE_CWD:
	case IMAGE_ANCESTORS:
	case IMAGE_ARGS:
	case IMAGE_ARGV:
	case IMAGE_PROTOCOL:
	case IMAGE_TOOL:
	case IMAGE_SERVER:
		break;
	}
	return '/';
}

/* Bits: a byte of length, then the bytes. */
static bool shorten_bits(struct span *text)
{
	char *p = (char *)(uintptr_t)text->p;
	unsigned int bits = (unsigned char)p[0];
	size_t len;

	if (bits == 0)
		return false;
	p[0] = (char)--bits;
	len = (bits + 7) / 8;
	if (bits % 8)
		p[len] = (char)((unsigned char)p[len] & (0xff00u >> bits % 8));
	text->len = 1 + len;
	return true;
}

bool name_shorten(enum image_subject subject, struct span *text)
{
	int separator = subject_separator(subject);
	const char *at;

	if (separator < 0)
		return shorten_bits(text);
	if (text->len == 0)
		return false;
	at = subject == IMAGE_HOST ? memchr(text->p, separator, text->len)
				   : memrchr(text->p, separator, text->len);
	if (subject == IMAGE_HOST)
		*text = at ? span_from(*text, (size_t)(at - text->p) + 1) : span_make("", 0);
	else if (at)
		text->len = (size_t)(at - text->p);
	return subject == IMAGE_HOST || at;
}

static struct span set_key(struct tables *t, enum image_subject subject, struct span text)
{
	buf_reset(&t->key);
	(void)buf_append_char(&t->key, (char)subject);
	(void)buf_append_span(&t->key, text);
	return buf_span(&t->key);
}

static struct name *find_name(struct tables *t, enum image_subject subject, struct span text)
{
	void *known = map_get(&t->by_name, set_key(t, subject, text));

	return known ? &t->names.items[(uintptr_t)known - 1] : NULL;
}

struct name *tables_name(struct tables *t, enum image_subject subject, struct span text)
{
	struct name *known = find_name(t, subject, text);
	char *copy;

	if (known)
		return known;
	copy = arena_alloc(&t->arena, text.len + IMAGE_TEXT_PADDING);
	if (!copy) {
		t->is_out_of_memory = true;
		return NULL;
	}
	if (text.len)
		memcpy(copy, text.p, text.len);
	(void)map_put(&t->by_name, buf_span(&t->key), (void *)(uintptr_t)(t->names.len + 1));
	vec_push(&t->names, (struct name){ .subject = subject, .text = span_make(copy, text.len) });
	return &t->names.items[t->names.len - 1];
}

/* The longest shorter name that this one lies below. */
static const struct name *parent_of(struct tables *t, const struct name *n)
{
	_cleanup_buf_ struct buf copy = BUF_INIT(0);
	const struct name *parent = NULL;
	struct span text;

	(void)buf_append_span(&copy, n->text);
	text = span_make(copy.data ? copy.data : "", copy.len);
	while (!parent && name_shorten(n->subject, &text))
		parent = find_name(t, n->subject, text);
	return parent;
}

static void write_name(struct tables *t, struct name *n)
{
	const struct name *parent = parent_of(t, n);
	struct image_node node = {
		.text_len = n->text.len & IMAGE_NODE_MAX_TEXT,
		.subject = n->subject & 0xffff,
		.n_dir = (uint32_t)n->dir.len,
		.n_below = (uint32_t)n->below.len,
		.n_equal = (uint32_t)n->equal.len,
		.prefixes = tables_trie(t, &n->prefixes),
		.parent = parent ? parent->offset : 0,
	};
	size_t n_words =
		IMAGE_NODE_WORDS + (n->text.len + 3) / 4 + n->dir.len + n->below.len + n->equal.len;

	/* What fits into one line of the processor's cache is read as one. */
	while (n_words <= LINE_WORDS && t->words.len % LINE_WORDS + n_words > LINE_WORDS)
		(void)tables_words(t, (uint32_t[]){ 0 }, 1);
	n->offset = tables_words(t, &node, IMAGE_NODE_WORDS);
	/* The text has room behind it, zeroed. */
	(void)tables_words(t, n->text.p, (n->text.len + 3) / 4);
	(void)tables_words(t, n->dir.items, n->dir.len);
	(void)tables_words(t, n->below.items, n->below.len);
	(void)tables_words(t, n->equal.items, n->equal.len);
}

/* Parents before what lies below them: fewer bytes, or as many with fewer bits. */
static int by_length(const void *a, const void *b)
{
	const struct name *x = *(const struct name *const *)a, *y = *(const struct name *const *)b;

	if (x->subject != y->subject)
		return x->subject < y->subject ? -1 : 1;
	if (x->text.len != y->text.len)
		return x->text.len < y->text.len ? -1 : 1;
	if (subject_separator(x->subject) >= 0)
		return 0;
	return (int)(unsigned char)x->text.p[0] - (int)(unsigned char)y->text.p[0];
}

static uint64_t hash_name(const struct name *n, uint64_t seed)
{
	int separator = subject_separator(n->subject);
	const unsigned char *p = (const unsigned char *)n->text.p;
	uint64_t h = image_hash_start(seed, n->subject);
	size_t end = n->text.len, begin = 0;

	if (separator < 0)
		return image_hash_part(h, p, n->text.len);
	if (n->subject == IMAGE_HOST) {
		for (begin = end; begin-- > 0;) {
			if (p[begin] != separator)
				continue;
			h = image_hash_part(h, p + begin + 1, end - begin - 1);
			end = begin;
		}
		return image_hash_part(h, p, end);
	}
	for (size_t i = 0; i < end; i++) {
		if (p[i] != separator)
			continue;
		h = image_hash_part(h, p + begin, i - begin);
		begin = i + 1;
	}
	return image_hash_part(h, p + begin, end - begin);
}

static bool place(struct tables *t, const struct name *n, uint64_t hash)
{
	for (uint32_t i = 0; i < MAX_PROBES; i++) {
		struct image_slot *s = &t->slots[(hash + i) & (t->n_slots - 1)];

		if (s->node)
			continue;
		*s = (struct image_slot){ (uint32_t)(hash >> 32), n->offset };
		t->probe_limit = MAX(t->probe_limit, i + 1);
		return true;
	}
	return false;
}

static bool fill_slots(struct tables *t, uint64_t seed)
{
	memset(t->slots, 0, t->n_slots * sizeof(*t->slots));
	t->probe_limit = 0;
	for (size_t i = 0; i < t->names.len; i++)
		if (!place(t, &t->names.items[i], hash_name(&t->names.items[i], seed)))
			return false;
	t->head.seed = seed;
	return true;
}

/* Seeds are tried in turn, so that equal policies make equal images. */
static bool make_slots(struct tables *t)
{
	t->n_slots = 16;
	while (t->n_slots < t->names.len * 2)
		t->n_slots *= 2;
	t->slots = xnew_array(struct image_slot, t->n_slots);
	for (uint64_t seed = 1; seed <= MAX_SEEDS; seed++)
		if (fill_slots(t, image_hash_mix(seed, UINT64_C(0x8ebc6af09c88c6e3))))
			return true;
	return false;
}

static uint32_t depth_of(const struct name *n)
{
	int separator = subject_separator(n->subject);
	uint32_t depth = 0;

	for (size_t i = 0; separator >= 0 && i < n->text.len; i++)
		depth += n->text.p[i] == separator;
	return depth;
}

bool tables_write_names(struct tables *t)
{
	struct name **order = xnew_array(struct name *, t->names.len + 1);

	for (size_t i = 0; i < t->names.len; i++)
		order[i] = &t->names.items[i];
	qsort(order, t->names.len, sizeof(*order), by_length);
	for (size_t i = 0; i < t->names.len; i++) {
		struct image_subject_tables *s = &t->head.subjects[order[i]->subject];

		write_name(t, order[i]);
		s->max_depth = MAX(s->max_depth, depth_of(order[i]));
	}
	xfree(order);
	return !t->is_out_of_memory && make_slots(t);
}
