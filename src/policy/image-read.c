#include <errno.h>

#include "base/alloc.h"
#include "policy/image-build.h"
#include "policy/image-hash.h"
#include "policy/image.h"

/* What checking an image needs beside it. */
struct check {
	struct image image;
	const struct image_header *h;
	/* Bit per word: what begins here has been checked. */
	uint64_t *clause_starts, *pattern_starts, *gate_starts, *node_starts;
	bool is_sound;
};

static bool area_is_sound(const struct image_header *h, const struct image_area *a, size_t size)
{
	return a->offset % 8 == 0 && a->offset >= sizeof(*h) && a->offset <= h->total_len &&
	       a->count <= (h->total_len - a->offset) / size;
}

static bool header_is_sound(struct span bytes, const struct image_header *h, size_t n_rules)
{
	if (memcmp(h->magic, IMAGE_MAGIC, sizeof(h->magic)) != 0 || h->version != IMAGE_VERSION ||
	    h->total_len != bytes.len || h->n_rules != n_rules || h->reserved ||
	    h->checksum != image_checksum(bytes))
		return false;
	if (!area_is_sound(h, &h->slots, sizeof(struct image_slot)) ||
	    !area_is_sound(h, &h->words, sizeof(uint32_t)) ||
	    !area_is_sound(h, &h->tries, sizeof(struct image_trie)) ||
	    !area_is_sound(h, &h->links, sizeof(struct image_trie)) ||
	    !area_is_sound(h, &h->states, sizeof(struct image_state)) ||
	    !area_is_sound(h, &h->checks, sizeof(struct image_check)) ||
	    !area_is_sound(h, &h->bytes, 1))
		return false;
	return h->slots.count && (h->slots.count & (h->slots.count - 1)) == 0 &&
	       h->probe_limit <= h->slots.count && h->n_atoms >= IMAGE_FIXED_ATOMS &&
	       h->n_atoms <= h->words.count && h->atoms <= h->words.count - h->n_atoms;
}

static void require(struct check *c, bool ok)
{
	if (!ok)
		c->is_sound = false;
}

static bool words_hold(const struct check *c, uint64_t at, uint64_t n)
{
	return at + n <= c->h->words.count;
}

static bool bytes_hold(const struct check *c, uint64_t at, uint64_t n)
{
	return at + n <= c->h->bytes.count;
}

static void set_start(uint64_t *starts, uint32_t at)
{
	starts[at / 64] |= UINT64_C(1) << at % 64;
}

static bool is_start(const uint64_t *starts, uint32_t at)
{
	return starts[at / 64] >> at % 64 & 1;
}

/* ---- Clauses ------------------------------------------------------------------------------ */

static bool literal_is_sound(const struct check *c, uint32_t literal)
{
	uint32_t number = literal >> 2;

	if ((literal & 3) == IMAGE_LITERAL_SET || (literal & 3) == IMAGE_LITERAL_CLEAR)
		return number < c->h->n_atoms;
	return number < c->h->checks.count;
}

/* Clauses are checked where something leads to them, each once. */
static void check_clause(struct check *c, uint32_t at)
{
	struct image_clause clause;

	if (at == 0 || !words_hold(c, at, IMAGE_CLAUSE_WORDS)) {
		c->is_sound = false;
		return;
	}
	if (is_start(c->clause_starts, at))
		return;
	set_start(c->clause_starts, at);
	memcpy(&clause, c->image.words + at, sizeof(clause));
	if (clause.effect >= IMAGE_N_EFFECTS ||
	    !words_hold(c, at, (uint64_t)IMAGE_CLAUSE_WORDS + clause.n_literals + clause.n_policies)) {
		c->is_sound = false;
		return;
	}
	at += IMAGE_CLAUSE_WORDS;
	for (uint32_t i = 0; i < clause.n_literals; i++)
		require(c, literal_is_sound(c, c->image.words[at + i]));
	at += clause.n_literals;
	for (uint32_t i = 0; i < clause.n_policies; i++)
		require(c, c->image.words[at + i] < c->h->n_rules &&
				   (i == 0 || c->image.words[at + i] > c->image.words[at + i - 1]));
}

static void check_clauses(struct check *c, uint32_t list)
{
	uint32_t n;

	if (list == 0)
		return;
	if (!words_hold(c, list, 1)) {
		c->is_sound = false;
		return;
	}
	n = c->image.words[list];
	if (!words_hold(c, (uint64_t)list + 1, n)) {
		c->is_sound = false;
		return;
	}
	for (uint32_t i = 0; i < n && c->is_sound; i++)
		check_clause(c, c->image.words[list + 1 + i]);
}

/* ---- Entries ------------------------------------------------------------------------------- */

static void check_entry(struct check *c, uint32_t entry, bool is_inner);

static void check_pattern(struct check *c, uint32_t at)
{
	uint32_t n;

	if (!words_hold(c, at, 3)) {
		c->is_sound = false;
		return;
	}
	if (is_start(c->pattern_starts, at))
		return;
	set_start(c->pattern_starts, at);
	n = c->image.words[at + 2];
	if (c->image.words[at] >= IMAGE_N_SUBJECTS ||
	    !words_hold(c, (uint64_t)at + 3, (uint64_t)n * 2)) {
		c->is_sound = false;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		require(c, bytes_hold(c, c->image.words[at + 3 + 2 * i],
				      c->image.words[at + 4 + 2 * i] >> 1));
	check_entry(c, c->image.words[at + 1], /* is_inner = */ true);
}

static void check_gate(struct check *c, uint32_t at)
{
	if (!words_hold(c, at, 2)) {
		c->is_sound = false;
		return;
	}
	if (is_start(c->gate_starts, at))
		return;
	set_start(c->gate_starts, at);
	check_entry(c, c->image.words[at + 1], /* is_inner = */ true);
}

/* What a pattern or a gate leads to is an atom or a clause, so that nothing goes in circles. */
static void check_entry(struct check *c, uint32_t entry, bool is_inner)
{
	uint32_t number = IMAGE_ENTRY_NUMBER(entry);

	switch (IMAGE_ENTRY_KIND(entry)) {
	case IMAGE_ENTRY_ATOM:
		require(c, number < c->h->n_atoms);
		break;
	case IMAGE_ENTRY_CLAUSE:
		check_clause(c, number);
		break;
	case IMAGE_ENTRY_PATTERN:
		require(c, !is_inner);
		if (!is_inner)
			check_pattern(c, number);
		break;
	case IMAGE_ENTRY_GATE:
		require(c, !is_inner);
		if (!is_inner)
			check_gate(c, number);
		break;
	}
}

static void check_entries(struct check *c, uint64_t at, uint64_t n)
{
	if (!words_hold(c, at, n)) {
		c->is_sound = false;
		return;
	}
	for (uint64_t i = 0; i < n && c->is_sound; i++)
		check_entry(c, c->image.words[at + i], /* is_inner = */ false);
}

static void check_list(struct check *c, uint32_t list)
{
	if (list == 0)
		return;
	if (!words_hold(c, list, 1))
		c->is_sound = false;
	else
		check_entries(c, (uint64_t)list + 1, c->image.words[list]);
}

/* ---- Tables --------------------------------------------------------------------------------- */

static void check_one_node(struct check *c, uint32_t at, struct image_node *node)
{
	struct image_node parent;
	uint64_t entries;

	memcpy(node, c->image.words + at, sizeof(*node));
	entries = (uint64_t)at + IMAGE_NODE_WORDS + (node->text_len + 3u) / 4;
	check_entries(c, entries, (uint64_t)node->n_dir + node->n_below + node->n_equal);
	require(c, node->subject < IMAGE_N_SUBJECTS && node->prefixes <= c->h->tries.count);
	/* Before this one: following parents ends. Shorter: what follows it lies in the text. */
	require(c, node->parent < at);
	if (!node->parent || !c->is_sound)
		return;
	if (!words_hold(c, node->parent, IMAGE_NODE_WORDS)) {
		c->is_sound = false;
		return;
	}
	memcpy(&parent, c->image.words + node->parent, sizeof(parent));
	require(c, parent.text_len <= node->text_len && parent.subject == node->subject);
}

static void check_node(struct check *c, uint32_t at)
{
	while (at && c->is_sound) {
		struct image_node node = { 0 };

		if (!words_hold(c, at, IMAGE_NODE_WORDS)) {
			c->is_sound = false;
			return;
		}
		if (is_start(c->node_starts, at))
			return;
		set_start(c->node_starts, at);
		check_one_node(c, at, &node);
		at = node.parent;
	}
}

/* Children lie behind their parents: going down ends. */
static void check_trie(struct check *c, const struct image_trie *t, uint32_t i, uint32_t n)
{
	require(c, bytes_hold(c, t->label, t->label_len) && bytes_hold(c, t->bytes, t->n_children));
	require(c, t->n_children == 0 ||
			   (t->first_child > i && (uint64_t)t->first_child + t->n_children <= n));
}

static void check_tries(struct check *c)
{
	const struct image_header *h = c->h;

	for (uint32_t i = 0; i < h->tries.count && c->is_sound; i++) {
		check_trie(c, &c->image.tries[i], i, h->tries.count);
		check_list(c, c->image.tries[i].list);
	}
	for (uint32_t i = 0; i < h->links.count && c->is_sound; i++) {
		check_trie(c, &c->image.links[i], i, h->links.count);
		require(c, c->image.links[i].list < h->n_rules);
	}
	require(c, h->link_paths <= h->links.count && h->link_names <= h->links.count);
}

static void check_states(struct check *c)
{
	for (uint32_t i = 0; i < c->h->states.count && c->is_sound; i++) {
		const struct image_state *s = &c->image.states[i];

		require(c, bytes_hold(c, s->bytes, s->n_children));
		require(c, s->n_children == 0 ||
				   (s->first_child > i && (uint64_t)s->first_child + s->n_children <=
								  c->h->states.count));
		/* Down the fallbacks to a root, which is its own. */
		require(c, s->fallback <= i && (s->next_output == 0 || s->next_output < i));
		check_list(c, s->list);
	}
}

static void check_slots(struct check *c)
{
	for (uint32_t i = 0; i < c->h->slots.count && c->is_sound; i++)
		if (c->image.slots[i].node)
			check_node(c, c->image.slots[i].node);
}

static void check_start_table(struct check *c, const struct image_subject_tables *t)
{
	if (!words_hold(c, t->start_table, 256)) {
		c->is_sound = false;
		return;
	}
	for (size_t i = 0; i < 256; i++)
		require(c, c->image.words[t->start_table + i] < c->h->states.count);
}

static void check_rest(struct check *c)
{
	const struct image_header *h = c->h;

	for (uint32_t i = 0; i < h->n_atoms && c->is_sound; i++)
		check_clauses(c, c->image.words[h->atoms + i]);
	for (size_t i = 0; i < POLICY_ACTION_MAX && c->is_sound; i++)
		check_clauses(c, h->actions[i].always);
	for (size_t i = 0; i < IMAGE_N_SUBJECTS; i++)
		require(c, h->subjects[i].prefixes <= h->tries.count &&
				   h->subjects[i].suffixes <= h->tries.count &&
				   h->subjects[i].automaton <= h->states.count &&
				   h->subjects[i].max_depth <= IMAGE_MAX_DEPTH);
	for (size_t i = 0; i < IMAGE_N_SUBJECTS && c->is_sound; i++)
		if (h->subjects[i].automaton)
			check_start_table(c, &h->subjects[i]);
	for (uint32_t i = 0; i < h->checks.count; i++)
		require(c, c->image.checks[i].kind < IMAGE_N_CHECKS);
	require(c, h->v4_lengths[1] <= 1 && h->v6_lengths[4] <= 1 && h->port_lengths < 1u << 17);
}

static void set_pointers(struct image *image, struct span bytes)
{
	const struct image_header *h = (const void *)bytes.p;

	*image = (struct image){
		.head = h,
		.slots = (const void *)(bytes.p + h->slots.offset),
		.words = (const void *)(bytes.p + h->words.offset),
		.tries = (const void *)(bytes.p + h->tries.offset),
		.links = (const void *)(bytes.p + h->links.offset),
		.states = (const void *)(bytes.p + h->states.offset),
		.checks = (const void *)(bytes.p + h->checks.offset),
		.bytes = (const void *)(bytes.p + h->bytes.offset),
		.slot_mask = h->slots.count - 1,
	};
	for (unsigned int i = 0; i < IMAGE_N_SUBJECTS; i++)
		image->starts[i] = image_hash_start(h->seed, i);
}

int image_open(struct span bytes, size_t n_rules, struct image *ret)
{
	struct check c = { .is_sound = true };
	uint64_t *starts;
	size_t n_words;

	if (bytes.len < sizeof(struct image_header) || (uintptr_t)bytes.p % 8 ||
	    bytes.len > UINT32_MAX)
		return -EBADMSG;
	c.h = (const void *)bytes.p;
	if (!header_is_sound(bytes, c.h, n_rules))
		return -EBADMSG;
	set_pointers(&c.image, bytes);
	n_words = c.h->words.count / 64 + 1;
	starts = xnew_array(uint64_t, n_words * 4);
	c.clause_starts = starts;
	c.pattern_starts = starts + n_words;
	c.gate_starts = starts + 2 * n_words;
	c.node_starts = starts + 3 * n_words;
	check_rest(&c);
	if (c.is_sound)
		check_tries(&c);
	if (c.is_sound)
		check_states(&c);
	if (c.is_sound)
		check_slots(&c);
	xfree(starts);
	if (!c.is_sound)
		return -EBADMSG;
	*ret = c.image;
	return 0;
}
