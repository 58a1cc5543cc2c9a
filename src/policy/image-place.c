/* Where the tests of an image being made lead, and the tables that get them there. */
#include "policy/image-builder.h"

static void add_entries(struct builder *b)
{
	for (uint32_t i = IMAGE_FIXED_ATOMS; i < b->compiler.atoms.items.len; i++) {
		const struct atom *atom = &b->compiler.atoms.items.items[i];
		uint32_t entry = IMAGE_ENTRY(IMAGE_ENTRY_ATOM, b->atom_numbers[i]);

		if (!b->atom_numbers[i]) {
			if (!b->n_watchers[i] || !builder_leads_to_clause(b, i))
				continue;
			entry = IMAGE_ENTRY(IMAGE_ENTRY_CLAUSE,
					    b->clause_offsets[b->sole_watcher[i]]);
		}
		for (uint32_t j = 0; j < atom->n_tests; j++)
			vec_push(&b->entries[atom->tests[j]], entry);
	}
}

static void add_names(struct builder *b, enum image_subject subject, struct span text,
		      enum test_kind kind, uint32_t entry)
{
	struct name *n = tables_name(&b->tables, subject, text);

	if (!n)
		return;
	if (kind == TEST_DIR)
		vec_push(&n->dir, entry);
	else if (kind == TEST_BELOW)
		vec_push(&n->below, entry);
	else
		vec_push(&n->equal, entry);
}

/* A beginning that ends with a part of a name belongs to the name before that part. */
static void add_prefix(struct builder *b, enum image_subject subject, struct span text,
		       uint32_t entry)
{
	const char *slash = subject == IMAGE_HOST ? NULL : memrchr(text.p, '/', text.len);
	struct name *n;

	if (!slash) {
		vec_push(&b->tables.prefixes[subject], (struct lead){ text, entry });
		return;
	}
	n = tables_name(&b->tables, subject, span_make(text.p, (size_t)(slash - text.p)));
	text = span_from(text, (size_t)(slash - text.p) + 1);
	if (n && text.len)
		vec_push(&n->prefixes, (struct lead){ text, entry });
	else if (n)
		vec_push(&n->below, entry);
}

static void add_suffix(struct builder *b, enum image_subject subject, struct span text,
		       uint32_t entry)
{
	char *reversed = arena_dup(&b->tables.arena, text);

	if (!reversed) {
		b->tables.is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < text.len; i++)
		reversed[i] = text.p[text.len - 1 - i];
	vec_push(&b->tables.suffixes[subject],
		 (struct lead){ span_make(reversed, text.len), entry });
}

/* Ports [low, high] as blocks of two's powers. */
static void add_range(struct builder *b, struct span text, uint32_t entry)
{
	uint32_t low = (uint32_t)(unsigned char)text.p[0] << 8 | (unsigned char)text.p[1];
	uint32_t high = (uint32_t)(unsigned char)text.p[2] << 8 | (unsigned char)text.p[3];

	while (low <= high) {
		unsigned int free_bits = 0;
		char key[3];
		size_t len;

		while (free_bits < 16 && !(low & (2u << free_bits) >> 1) &&
		       low + (2u << free_bits) - 1 <= high)
			free_bits++;
		len = (16 - free_bits + 7) / 8;
		key[0] = (char)(16 - free_bits);
		key[1] = (char)(low >> 8);
		key[2] = (char)low;
		add_names(b, IMAGE_PORT, span_make(key, 1 + len), TEST_EQUAL, entry);
		b->tables.head.port_lengths |= 1u << (16 - free_bits);
		low += 1u << free_bits;
	}
}

static void add_bits(struct builder *b, const struct test *t, uint32_t entry)
{
	unsigned int bits = (unsigned char)t->text.p[0];
	uint32_t *lengths = t->subject == IMAGE_ADDRESS_V6 ? b->tables.head.v6_lengths
							   : b->tables.head.v4_lengths;

	lengths[bits / 32] |= UINT32_C(1) << bits % 32;
	add_names(b, t->subject, t->text, TEST_EQUAL, entry);
}

/* ---- Patterns ----------------------------------------------------------------------------- */

struct piece {
	bool is_floating, is_last; /* a wildcard goes before; nothing goes after */
	struct span text;
};

static bool next_piece(struct span *left, struct piece *ret)
{
	uint32_t len;

	if (left->len < 1 + sizeof(len))
		return false;
	memcpy(&len, left->p + 1, sizeof(len));
	*ret = (struct piece){ left->p[0], false, span_make(left->p + 1 + sizeof(len), len) };
	*left = span_from(*left, 1 + sizeof(len) + len);
	ret->is_last = left->len == 0;
	return true;
}

static enum test_kind kind_of_piece(const struct piece *p)
{
	if (!p->is_floating)
		return TEST_PREFIX;
	return p->is_last ? TEST_SUFFIX : TEST_SEGMENT;
}

static uintptr_t count_piece(struct builder *b, const struct test *t, const struct piece *p,
			     uintptr_t more)
{
	const char head[2] = { (char)t->subject, (char)kind_of_piece(p) };
	_cleanup_buf_ struct buf key = BUF_INIT(0);
	uintptr_t n;

	(void)buf_append(&key, head, sizeof(head));
	(void)buf_append_span(&key, p->text);
	n = (uintptr_t)map_get(&b->pieces, buf_span(&key)) + more;
	if (more)
		(void)map_put(&b->pieces, buf_span(&key), (void *)n);
	return n;
}

static void count_pieces(struct builder *b)
{
	for (size_t i = 0; i < b->compiler.atoms.tests.len; i++) {
		const struct test *t = &b->compiler.atoms.tests.items[i];
		struct span left = t->text;
		struct piece p;

		while (t->kind == TEST_PATTERN && b->entries[i].len && next_piece(&left, &p))
			(void)count_piece(b, t, &p, 1);
	}
}

/*
 * The piece that the fewest patterns have. What may stand anywhere takes a look
 * at every byte, so it must be rarer by far.
 */
static struct piece rarest_piece(struct builder *b, const struct test *t)
{
	static const uintptr_t cost[] = {
		[TEST_PREFIX] = 0, [TEST_SUFFIX] = 1, [TEST_SEGMENT] = 24
	};
	struct piece best = { 0 }, p;
	uintptr_t best_weight = UINTPTR_MAX;
	struct span left = t->text;

	while (next_piece(&left, &p)) {
		uintptr_t weight;

		if (p.text.len == 0)
			continue;
		weight = count_piece(b, t, &p, 0) + cost[kind_of_piece(&p)];
		if (weight < best_weight) {
			best = p;
			best_weight = weight;
		}
	}
	return best;
}

static void add_lead(struct builder *b, uint32_t test, enum test_kind kind, struct span text,
		     uint32_t entry)
{
	enum image_subject subject = b->compiler.atoms.tests.items[test].subject;

	if (kind == TEST_PREFIX) {
		add_prefix(b, subject, text, entry);
	} else if (kind == TEST_SUFFIX) {
		add_suffix(b, subject, text, entry);
	} else {
		vec_push(&b->tables.segments[subject], (struct lead){ text, entry });
		b->needs_automaton[test] = true;
	}
}

static void add_pattern(struct builder *b, uint32_t test, uint32_t entry)
{
	const struct test *t = &b->compiler.atoms.tests.items[test];
	struct tables *tables = &b->tables;
	struct piece p, trigger = rarest_piece(b, t);
	entry_list words = { 0 };
	struct span left = t->text;
	uint32_t at;

	vec_push(&words, (uint32_t)t->subject);
	vec_push(&words, entry);
	vec_push(&words, 0);
	while (next_piece(&left, &p)) {
		vec_push(&words, (uint32_t)tables->bytes.len);
		vec_push(&words, (uint32_t)p.text.len << 1 | p.is_floating);
		(void)buf_append_span(&tables->bytes, p.text);
		words.items[2]++;
	}
	at = tables_words(tables, words.items, words.len);
	vec_done(&words);
	add_lead(b, test, kind_of_piece(&trigger), trigger.text,
		 IMAGE_ENTRY(IMAGE_ENTRY_PATTERN, at));
}

/* ---- All tests ------------------------------------------------------------------------------- */

static void place_test(struct builder *b, uint32_t test, uint32_t entry)
{
	const struct test *t = &b->compiler.atoms.tests.items[test];

	if (t->port != ANY_PORT)
		entry = IMAGE_ENTRY(IMAGE_ENTRY_GATE,
				    tables_words(&b->tables, (uint32_t[]){ t->port, entry }, 2));
	switch (t->kind) {
	case TEST_FLAG:
	case TEST_CHECK:
		break;
	case TEST_EQUAL:
	case TEST_DIR:
	case TEST_BELOW:
		add_names(b, t->subject, t->text, t->kind, entry);
		break;
	case TEST_PREFIX:
	case TEST_SUFFIX:
	case TEST_SEGMENT:
		add_lead(b, test, t->kind, t->text, entry);
		break;
	case TEST_PATTERN:
		add_pattern(b, test, entry);
		break;
	case TEST_BITS:
		add_bits(b, t, entry);
		break;
	case TEST_RANGE:
		add_range(b, t->text, entry);
		break;
	}
}

void builder_place_tests(struct builder *b)
{
	add_entries(b);
	count_pieces(b);
	for (uint32_t i = 0; i < b->compiler.atoms.tests.len; i++)
		for (size_t j = 0; j < b->entries[i].len; j++)
			place_test(b, i, b->entries[i].items[j]);
}
