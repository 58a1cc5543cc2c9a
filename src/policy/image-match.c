/* Looking a request's facts up in an image. */
#include "policy/image.h"

#include "base/alloc.h"
#include "policy/image-hash.h"
#include "policy/image-scan.h"

#define MAX_TEXT ((size_t)8192)

void image_run_start(struct image_run *run, const struct image *image)
{
	image_run_done(run);
	run->image = image;
	run->max_found = image->head->n_atoms + (size_t)1024;
	run->bits = xnew_array(uint64_t, image->head->n_atoms / 64 + 1);
	run->found = xnew_array(uint32_t, run->max_found);
	run->max_text = MAX_TEXT;
	run->text = xnew_array(unsigned char, MAX_TEXT + 2 * IMAGE_TEXT_PADDING);
}

void image_run_done(struct image_run *run)
{
	xfree(run->bits);
	xfree(run->found);
	xfree(run->text);
	buf_done(&run->converted);
	buf_done(&run->joined);
	*run = (struct image_run){ 0 };
}

bool run_set_text(struct image_run *run, struct span bytes)
{
	if (bytes.len > run->max_text)
		return false;
	if (bytes.len)
		memcpy(run->text, bytes.p, bytes.len);
	memset(run->text + bytes.len, 0, IMAGE_TEXT_PADDING);
	return true;
}

/* ---- Entries -------------------------------------------------------------------------- */

static void add_found(struct image_run *run, uint32_t entry)
{
	if (run->n_found == run->max_found)
		run->is_overrun = true;
	else
		run->found[run->n_found++] = entry;
}

static inline void set_atom(struct image_run *run, uint32_t atom)
{
	uint64_t bit = UINT64_C(1) << atom % 64;

	if (run->bits[atom / 64] & bit)
		return;
	run->bits[atom / 64] |= bit;
	add_found(run, IMAGE_ENTRY(IMAGE_ENTRY_ATOM, atom));
}

/* As cedar's `like`: between wildcards the leftmost match is as good as any. */
static bool pattern_matches(const struct image_run *run, const uint32_t *pattern)
{
	const unsigned char *p = run->text;
	size_t left = run->len;

	for (uint32_t i = 0; i < pattern[2]; i++) {
		const unsigned char *literal = run->image->bytes + pattern[3 + 2 * i];
		size_t len = pattern[4 + 2 * i] >> 1;
		bool is_floating = pattern[4 + 2 * i] & 1, is_last = i + 1 == pattern[2];
		const unsigned char *found = p;

		if (len > left)
			return false;
		if (is_floating && is_last)
			return memcmp(p + left - len, literal, len) == 0;
		if (is_floating)
			found = memmem(p, left, literal, len);
		else if (memcmp(p, literal, len) != 0)
			return false;
		if (!found)
			return false;
		left -= (size_t)(found - p) + len;
		p = found + len;
	}
	return left == 0;
}

static inline void add_plain(struct image_run *run, uint32_t entry)
{
	if (IMAGE_ENTRY_KIND(entry) == IMAGE_ENTRY_ATOM)
		set_atom(run, IMAGE_ENTRY_NUMBER(entry));
	else
		add_found(run, entry);
}

static void add_conditional(struct image_run *run, uint32_t entry)
{
	const uint32_t *object = run->image->words + IMAGE_ENTRY_NUMBER(entry);

	if (IMAGE_ENTRY_KIND(entry) == IMAGE_ENTRY_GATE) {
		if (object[0] == run->request->port)
			add_plain(run, object[1]);
	} else if (pattern_matches(run, object)) {
		add_plain(run, object[1]);
	}
}

void run_add_entries(struct image_run *run, const uint32_t *entries, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (IMAGE_ENTRY_KIND(entries[i]) <= IMAGE_ENTRY_CLAUSE)
			add_plain(run, entries[i]);
		else
			add_conditional(run, entries[i]);
	}
}

static void add_list(struct image_run *run, uint32_t list)
{
	if (list)
		run_add_entries(run, run->image->words + list + 1, run->image->words[list]);
}

/* Which of n bytes it is; n where it is none. Most have few children, and a call costs more than
 * these. */
static inline uint32_t find_byte(const unsigned char *bytes, uint32_t n, unsigned char byte)
{
	const unsigned char *found;
	uint32_t i = 0;

	if (n > 8) {
		found = memchr(bytes, byte, n);
		return found ? (uint32_t)(found - bytes) : n;
	}
	while (i < n && bytes[i] != byte)
		i++;
	return i;
}

/* ---- Tries ------------------------------------------------------------------------------ */

/* p walks towards higher addresses, or with step -1 towards lower ones. */
static void walk_trie(struct image_run *run, uint32_t root, const unsigned char *p, size_t left,
		      int step)
{
	const struct image *image = run->image;
	const struct image_trie *t = &image->tries[root - 1];

	for (;;) {
		const unsigned char *label = image->bytes + t->label;
		uint32_t child;

		if (t->label_len > left)
			return;
		for (uint32_t i = 0; i < t->label_len; i++, p += step)
			if (*p != label[i])
				return;
		left -= t->label_len;
		add_list(run, t->list);
		if (left == 0 || t->n_children == 0)
			return;
		child = find_byte(image->bytes + t->bytes, t->n_children, *p);
		if (child == t->n_children)
			return;
		t = &image->tries[t->first_child + child];
	}
}

/* ---- Automata ------------------------------------------------------------------------------ */

static inline uint32_t next_state(const struct image *image, const struct image_state *s,
				  unsigned char byte)
{
	const unsigned char *bytes = image->bytes + s->bytes;
	uint32_t child;

	/* Most states have one child: a text is a chain of them. */
	if (s->n_children == 1)
		return *bytes == byte ? s->first_child : 0;
	child = find_byte(bytes, s->n_children, byte);
	return child < s->n_children ? s->first_child + child : 0;
}

static void add_outputs(struct image_run *run, uint32_t at)
{
	const struct image_state *states = run->image->states;

	if (!states[at].list)
		at = states[at].next_output;
	for (; at; at = states[at].next_output)
		add_list(run, states[at].list);
}

/*
 * Where the automaton's one starting byte stands next, followed by a byte that
 * it goes on with; len at the end. mask: of the block that `at` lies in, less
 * what has been looked at; UINT64_MAX as block means none yet.
 */
struct starts {
	size_t block;
	uint64_t mask;
};

static size_t next_start(const struct image_run *run, const struct image_subject_tables *t,
			 struct starts *s, size_t at, size_t len)
{
	const unsigned char *p = run->text;

	for (; at < len; at = s->block + 64) {
		if (s->block != at / 64 * 64) {
			s->block = at / 64 * 64;
			s->mask = scan_equal(p + s->block, (char)t->only_start);
		}
		for (s->mask &= ~UINT64_C(0) << at % 64; s->mask; s->mask &= s->mask - 1) {
			size_t found = s->block + (size_t)__builtin_ctzll(s->mask);
			unsigned char next = p[found + 1];

			if (found >= len)
				return len;
			if (t->followers[next / 32] >> next % 32 & 1)
				return found;
		}
	}
	return len;
}

/* Where the byte leads from a state that is not the root. */
static inline uint32_t step(const struct image *image, const struct image_subject_tables *t,
			    uint32_t at, unsigned char byte)
{
	const uint32_t root = t->automaton - 1;
	uint32_t next = next_state(image, &image->states[at], byte);

	while (!next && at != root) {
		at = image->states[at].fallback < at ? image->states[at].fallback : root;
		next = at == root ? image->words[t->start_table + byte]
				  : next_state(image, &image->states[at], byte);
	}
	return next ? next : root;
}

static void run_automaton(struct image_run *run, const struct image_subject_tables *t, size_t len)
{
	const struct image *image = run->image;
	const uint32_t root = t->automaton - 1;
	struct starts starts = { .block = SIZE_MAX };
	uint32_t at = root;

	for (size_t i = 0; i < len; i++) {
		if (at == root) {
			if (t->only_start <= UINT8_MAX)
				i = next_start(run, t, &starts, i, len);
			if (i == len)
				return;
			at = image->words[t->start_table + run->text[i]];
			at = at ? at : root;
		} else {
			at = step(image, t, at, run->text[i]);
		}
		if (image->states[at].list | image->states[at].next_output)
			add_outputs(run, at);
	}
}

/* ---- Names ------------------------------------------------------------------------------------ */

static inline const struct image_node *find_node(const struct image_run *run,
						 enum image_subject subject, uint64_t hash,
						 const unsigned char *text, size_t len)
{
	const struct image *image = run->image;

	for (uint32_t i = 0; i < image->head->probe_limit; i++) {
		const struct image_slot *s = &image->slots[(hash + i) & image->slot_mask];
		const struct image_node *n;

		if (!s->node)
			return NULL;
		if (s->tag != (uint32_t)(hash >> 32))
			continue;
		n = (const void *)(image->words + s->node);
		if (n->subject == subject && n->text_len == len &&
		    memcmp(n + 1, text, len) == 0)
			return n;
	}
	return NULL;
}

static const uint32_t *entries_of(const struct image_node *n)
{
	return (const uint32_t *)(const void *)(n + 1) + (n->text_len + 3u) / 4;
}

static const struct image_node *parent_of(const struct image_run *run, const struct image_node *n)
{
	return n->parent ? (const void *)(run->image->words + n->parent) : NULL;
}

/* The path is a directory's that policies name. */
static void add_own_dir(struct image_run *run, const struct image_node *n)
{
	if (n->n_dir && run->request->is_directory)
		run_add_entries(run, entries_of(n), n->n_dir);
	else if (n->n_dir)
		run->own_dir = n;
}

void run_add_own_dir(struct image_run *run)
{
	run_add_entries(run, entries_of(run->own_dir), run->own_dir->n_dir);
}

void run_forget_from(struct image_run *run, size_t n_found)
{
	while (run->n_found > n_found) {
		uint32_t entry = run->found[--run->n_found];
		uint32_t number = IMAGE_ENTRY_NUMBER(entry);

		if (IMAGE_ENTRY_KIND(entry) == IMAGE_ENTRY_ATOM)
			run->bits[number / 64] &= ~(UINT64_C(1) << number % 64);
	}
}

/* The text is the name. */
static void add_equal(struct image_run *run, const struct image_node *n)
{
	add_own_dir(run, n);
	run_add_entries(run, entries_of(n) + n->n_dir + n->n_below, n->n_equal);
}

/* The text goes on after the name and a separator, and be it with nothing: "/" is in no other directory. */
static void add_below(struct image_run *run, const struct image_node *n, size_t len)
{
	if (len == 1 && n->subject == IMAGE_PATH)
		add_own_dir(run, n);
	else
		run_add_entries(run, entries_of(n), n->n_dir);
	run_add_entries(run, entries_of(n) + n->n_dir, n->n_below);
	if (n->prefixes && n->text_len < len)
		walk_trie(run, n->prefixes, run->text + n->text_len + 1, len - n->text_len - 1, 1);
}

/* Beginnings of the text at which a separator follows; the rest is in the run. */
struct boundaries {
	size_t n;
	bool is_cut;	/* there are more than any name has */
	uint64_t whole; /* the text's own hash, unless cut */
};

static void find_boundaries(struct image_run *run, enum image_subject subject, size_t len,
			    struct boundaries *b)
{
	const size_t max = run->image->head->subjects[subject].max_depth + (size_t)1;
	uint64_t h = run->image->starts[subject];
	const unsigned char *p = run->text;
	size_t begin = 0;

	b->n = 0;
	b->is_cut = false;
	for (size_t block = 0; block < len; block += 64) {
		uint64_t mask = scan_equal(p + block, '/');

		for (; mask; mask &= mask - 1) {
			size_t at = block + (size_t)__builtin_ctzll(mask);

			if (b->n == max) {
				b->is_cut = true;
				return;
			}
			h = image_hash_part(h, p + begin, at - begin);
			run->hashes[b->n] = h;
			run->cuts[b->n++] = (uint16_t)at;
			begin = at + 1;
		}
	}
	b->whole = image_hash_part(h, p + begin, len - begin);
}

static void match_names(struct image_run *run, enum image_subject subject, size_t len)
{
	const struct image_node *n = NULL;
	struct boundaries b;

	find_boundaries(run, subject, len, &b);
	if (!b.is_cut)
		n = find_node(run, subject, b.whole, run->text, len);
	if (n) {
		add_equal(run, n);
		n = parent_of(run, n);
	}
	for (size_t i = b.n; !n && i-- > 0;)
		n = find_node(run, subject, run->hashes[i], run->text, run->cuts[i]);
	for (; n; n = parent_of(run, n))
		add_below(run, n, len);
}

void run_match_text(struct image_run *run, enum image_subject subject, size_t len)
{
	const struct image_subject_tables *t = &run->image->head->subjects[subject];

	run->len = len;
	match_names(run, subject, len);
	if (t->prefixes)
		walk_trie(run, t->prefixes, run->text, len, 1);
	if (t->suffixes && len)
		walk_trie(run, t->suffixes, run->text + len - 1, len, -1);
	if (t->automaton && (run->automata >> subject & 1))
		run_automaton(run, t, len);
}

void run_match_element(struct image_run *run, enum image_subject subject, size_t len)
{
	const struct image_node *n;
	struct boundaries b;

	find_boundaries(run, subject, len, &b);
	n = b.is_cut ? NULL : find_node(run, subject, b.whole, run->text, len);
	if (n)
		add_equal(run, n);
}

void run_match_host(struct image_run *run, size_t len)
{
	const struct image_subject_tables *t = &run->image->head->subjects[IMAGE_HOST];
	uint64_t h = run->image->starts[IMAGE_HOST];
	size_t n_keys = 0, end = len;
	const struct image_node *n = NULL;
	const unsigned char *p = run->text;
	bool is_cut = false;

	run->len = len;
	run->hashes[0] = h;
	run->cuts[n_keys++] = (uint16_t)len; /* the name of all hosts */
	for (size_t block = len / 64 * 64; !is_cut; block -= 64) {
		uint64_t mask = scan_equal(p + block, '.');

		while (mask && !is_cut) {
			unsigned int top = 63 - (unsigned int)__builtin_clzll(mask);
			size_t at = block + top;

			mask &= ~(UINT64_C(1) << top);
			is_cut = n_keys > t->max_depth + (size_t)1;
			if (is_cut)
				break;
			h = image_hash_part(h, p + at + 1, end - at - 1);
			run->hashes[n_keys] = h;
			run->cuts[n_keys++] = (uint16_t)(at + 1);
			end = at;
		}
		if (block == 0)
			break;
	}
	if (!is_cut)
		n = find_node(run, IMAGE_HOST, image_hash_part(h, p, end), p, len);
	if (n) {
		add_equal(run, n);
		n = parent_of(run, n);
	}
	for (size_t i = n_keys; !n && i-- > 0;)
		n = find_node(run, IMAGE_HOST, run->hashes[i], p + run->cuts[i], len - run->cuts[i]);
	for (; n; n = parent_of(run, n))
		run_add_entries(run, entries_of(n) + n->n_dir, n->n_below);
	if (t->prefixes)
		walk_trie(run, t->prefixes, p, len, 1);
	if (t->suffixes && len)
		walk_trie(run, t->suffixes, p + len - 1, len, -1);
	if (t->automaton && (run->automata >> IMAGE_HOST & 1))
		run_automaton(run, t, len);
}

/* ---- Numbers -------------------------------------------------------------------------------------- */

/* The longest prefix of the bits that is a name; those it lies in are its parents. */
static void match_bits(struct image_run *run, enum image_subject subject, const uint32_t *lengths,
		       const unsigned char *bytes, unsigned int width)
{
	const struct image_node *n = NULL;

	for (unsigned int word = width / 32 + 1; !n && word-- > 0;) {
		for (uint32_t left = lengths[word]; !n && left;) {
			unsigned int top = 31 - (unsigned int)__builtin_clz(left);
			unsigned int bits = word * 32 + top;
			size_t len = (bits + 7) / 8;
			unsigned char key[17 + 8] = { 0 };

			left &= ~(UINT32_C(1) << top);
			key[0] = (unsigned char)bits;
			memcpy(key + 1, bytes, len);
			if (bits % 8)
				key[len] = (unsigned char)(key[len] & (0xff00u >> bits % 8));
			n = find_node(run, subject,
				      image_hash_part(run->image->starts[subject], key, 1 + len),
				      key, 1 + len);
		}
	}
	for (; n; n = parent_of(run, n))
		run_add_entries(run, entries_of(n) + n->n_dir + n->n_below, n->n_equal);
}

void run_match_port(struct image_run *run, uint16_t port)
{
	const unsigned char bytes[2] = { (unsigned char)(port >> 8), (unsigned char)port };

	match_bits(run, IMAGE_PORT, &run->image->head->port_lengths, bytes, 16);
}

void run_match_address(struct image_run *run, const struct policy_address *a)
{
	const struct image_header *h = run->image->head;

	if (a->is_v6)
		match_bits(run, IMAGE_ADDRESS_V6, h->v6_lengths, a->bytes, 128);
	else
		match_bits(run, IMAGE_ADDRESS_V4, h->v4_lengths, a->bytes, 32);
}
