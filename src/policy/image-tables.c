#include "policy/image-tables.h"

#include <stdlib.h>

void tables_done(struct tables *t)
{
	for (size_t i = 0; i < t->names.len; i++) {
		vec_done(&t->names.items[i].dir);
		vec_done(&t->names.items[i].below);
		vec_done(&t->names.items[i].equal);
		vec_done(&t->names.items[i].prefixes);
	}
	for (size_t i = 0; i < IMAGE_N_SUBJECTS; i++) {
		vec_done(&t->prefixes[i]);
		vec_done(&t->suffixes[i]);
		vec_done(&t->segments[i]);
	}
	vec_done(&t->names);
	vec_done(&t->words);
	vec_done(&t->tries);
	vec_done(&t->links);
	vec_done(&t->states);
	vec_done(&t->checks);
	map_done(&t->by_name, NULL);
	buf_done(&t->bytes);
	buf_done(&t->key);
	xfree(t->slots);
	arena_done(&t->arena);
}

uint32_t tables_words(struct tables *t, const void *words, size_t n)
{
	uint32_t at = (uint32_t)t->words.len;

	for (size_t i = 0; i < n; i++) {
		uint32_t word;

		memcpy(&word, (const char *)words + i * sizeof(word), sizeof(word));
		vec_push(&t->words, word);
	}
	return at;
}

uint32_t tables_list(struct tables *t, const uint32_t *entries, size_t n)
{
	uint32_t count = (uint32_t)n, at;

	if (n == 0)
		return 0;
	at = tables_words(t, &count, 1);
	(void)tables_words(t, entries, n);
	return at;
}

static int by_text(const void *a, const void *b)
{
	return span_cmp(((const struct lead *)a)->text, ((const struct lead *)b)->text);
}

/* Leads [begin, end) share their first depth bytes. */
struct group {
	size_t begin, end, depth;
};

static unsigned char byte_at(const lead_list *leads, size_t i, size_t depth)
{
	return (unsigned char)leads->items[i].text.p[depth];
}

/* Writes the entries of the leads that end at depth and takes them off the group. */
static uint32_t list_of(struct tables *t, const lead_list *leads, struct group *g)
{
	entry_list entries = { 0 };
	uint32_t at;

	for (; g->begin < g->end && leads->items[g->begin].text.len == g->depth; g->begin++)
		vec_push(&entries, leads->items[g->begin].entry);
	at = tables_list(t, entries.items, entries.len);
	vec_done(&entries);
	return at;
}

typedef VEC(struct group) group_list;

/* Appends a group per next byte, and the bytes; returns their number. */
static uint32_t split(struct tables *t, const lead_list *leads, struct group g, group_list *out,
		      uint32_t *ret_bytes)
{
	uint32_t n = 0;

	*ret_bytes = (uint32_t)t->bytes.len;
	while (g.begin < g.end) {
		unsigned char byte = byte_at(leads, g.begin, g.depth);
		size_t end = g.begin;

		while (end < g.end && byte_at(leads, end, g.depth) == byte)
			end++;
		vec_push(out, (struct group){ g.begin, end, g.depth });
		(void)buf_append_char(&t->bytes, (char)byte);
		g.begin = end;
		n++;
	}
	return n;
}

/* How many bytes from g's depth on all its leads share. */
static size_t common(const lead_list *leads, struct group g)
{
	struct span first = leads->items[g.begin].text, last = leads->items[g.end - 1].text;
	size_t n = 0;

	while (g.depth + n < first.len && g.depth + n < last.len &&
	       first.p[g.depth + n] == last.p[g.depth + n])
		n++;
	return n;
}

static uint32_t append_bytes(struct tables *t, struct span s)
{
	uint32_t at = (uint32_t)t->bytes.len;

	(void)buf_append_span(&t->bytes, s);
	return at;
}

static uint32_t least_of(const lead_list *leads, struct group g)
{
	uint32_t least = UINT32_MAX;

	for (; g.begin < g.end; g.begin++)
		least = MIN(least, leads->items[g.begin].entry);
	return least;
}

static uint32_t make_trie(struct tables *t, lead_list *leads, trie_list *out)
{
	uint32_t root = (uint32_t)out->len;
	group_list groups = { 0 };

	if (!leads->len)
		return 0;
	qsort(leads->items, leads->len, sizeof(*leads->items), by_text);
	vec_push(&groups, (struct group){ 0, leads->len, 0 });
	for (size_t i = 0; i < groups.len; i++) {
		struct group g = groups.items[i];
		size_t len = common(leads, g);
		struct image_trie node = { .label_len = (uint32_t)len };

		node.label = append_bytes(t, span_make(leads->items[g.begin].text.p + g.depth, len));
		g.depth += len;
		if (out == &t->links) {
			node.list = least_of(leads, g);
			while (g.begin < g.end && leads->items[g.begin].text.len == g.depth)
				g.begin++;
		} else {
			node.list = list_of(t, leads, &g);
		}
		node.first_child = root + (uint32_t)groups.len;
		node.n_children = split(t, leads, g, &groups, &node.bytes);
		vec_push(out, node);
	}
	vec_done(&groups);
	return root + 1;
}

uint32_t tables_trie(struct tables *t, lead_list *leads)
{
	return make_trie(t, leads, &t->tries);
}

uint32_t tables_links(struct tables *t, lead_list *leads)
{
	return make_trie(t, leads, &t->links);
}

/* ---- Automata ---------------------------------------------------------------------- */

static uint32_t child(const struct tables *t, const struct image_state *s, unsigned char byte)
{
	const char *bytes = t->bytes.data + s->bytes;
	const char *found = s->n_children ? memchr(bytes, byte, s->n_children) : NULL;

	return found ? s->first_child + (uint32_t)(found - bytes) : 0;
}

static uint32_t fallback_of(const struct tables *t, uint32_t root, uint32_t parent,
			    unsigned char byte)
{
	while (parent != root) {
		uint32_t found;

		parent = t->states.items[parent].fallback;
		found = child(t, &t->states.items[parent], byte);
		if (found)
			return found;
	}
	return root;
}

static void connect(struct tables *t, uint32_t root)
{
	for (uint32_t i = root; i < t->states.len; i++) {
		const struct image_state *s = &t->states.items[i];

		for (uint32_t j = 0; j < s->n_children; j++) {
			struct image_state *to = &t->states.items[s->first_child + j];
			const struct image_state *back;

			to->fallback = fallback_of(t, root, i,
						   (unsigned char)t->bytes.data[s->bytes + j]);
			back = &t->states.items[to->fallback];
			to->next_output = back->list ? to->fallback : back->next_output;
		}
	}
}

uint32_t tables_automaton(struct tables *t, lead_list *leads)
{
	uint32_t root = (uint32_t)t->states.len;
	group_list groups = { 0 };

	if (!leads->len)
		return 0;
	qsort(leads->items, leads->len, sizeof(*leads->items), by_text);
	vec_push(&groups, (struct group){ 0, leads->len, 0 });
	for (size_t i = 0; i < groups.len; i++) {
		struct group g = groups.items[i];
		struct image_state s = { .fallback = root };

		g.depth += i > 0;
		s.list = list_of(t, leads, &g);
		s.first_child = root + (uint32_t)groups.len;
		s.n_children = split(t, leads, g, &groups, &s.bytes);
		vec_push(&t->states, s);
	}
	vec_done(&groups);
	connect(t, root);
	return root + 1;
}
