#include "policy/image-build.h"

#include <errno.h>

#include "policy/image-tables.h"

struct builder {
	const struct policy *policy;
	struct compiler compiler;
	struct clauses clauses;
	struct tables tables;
	entry_list *entries;	    /* per test: where it leads */
	uint32_t *atom_numbers;	    /* in the image; 0: has no bit of its own */
	uint32_t *check_numbers;    /* per atom that is a check */
	uint32_t *clause_offsets;
	uint32_t *n_watchers, *sole_watcher; /* per atom */
	bool *is_literal;	    /* per atom: in a clause other than as what is watched */
	bool *needs_automaton;	    /* per test */
	struct map pieces;	    /* how many patterns have such a piece */
};

/* ---- Which atoms have bits ------------------------------------------------------- */

static enum test_kind first_kind(const struct builder *b, uint32_t atom)
{
	return b->compiler.atoms.tests.items[b->compiler.atoms.items.items[atom].tests[0]].kind;
}

static void count_uses(struct builder *b)
{
	for (uint32_t i = 0; i < b->clauses.items.len; i++) {
		const struct clause *clause = &b->clauses.items.items[i];

		b->n_watchers[clause->watch]++;
		b->sole_watcher[clause->watch] = i;
		for (uint32_t j = 0; j < clause->head.n_literals; j++)
			if (clause->literals[j] != IMAGE_LITERAL(IMAGE_LITERAL_SET, clause->watch))
				b->is_literal[clause->literals[j] >> 2] = true;
	}
}

/* May the one test of the atom be found only once per request? */
static bool is_found_once(const struct test *t)
{
	return t->subject != IMAGE_ARGV && t->subject != IMAGE_ANCESTORS &&
	       t->kind != TEST_SEGMENT && t->kind != TEST_PATTERN;
}

static bool leads_to_clause(const struct builder *b, uint32_t atom)
{
	const struct atom *a = &b->compiler.atoms.items.items[atom];

	return b->n_watchers[atom] == 1 && !b->is_literal[atom] && a->n_tests == 1 &&
	       is_found_once(&b->compiler.atoms.tests.items[a->tests[0]]);
}

static void number_atoms(struct builder *b)
{
	struct tables *t = &b->tables;
	uint32_t next = IMAGE_FIXED_ATOMS;

	for (uint32_t i = 0; i < b->compiler.atoms.items.len; i++) {
		enum test_kind kind = first_kind(b, i);

		if (kind == TEST_FLAG) {
			b->atom_numbers[i] = i;
		} else if (kind == TEST_CHECK && b->is_literal[i]) {
			const struct atom *atom = &b->compiler.atoms.items.items[i];
			const char *text = b->compiler.atoms.tests.items[atom->tests[0]].text.p;
			struct image_check check = { 0 };

			memcpy(&check.kind, text, sizeof(check.kind));
			memcpy(&check.number, text + sizeof(check.kind), sizeof(check.number));
			b->check_numbers[i] = (uint32_t)t->checks.len;
			vec_push(&t->checks, check);
		} else if ((b->n_watchers[i] || b->is_literal[i]) && !leads_to_clause(b, i)) {
			b->atom_numbers[i] = next++;
		}
	}
	t->head.n_atoms = next;
}

/* ---- Clauses ------------------------------------------------------------------------ */

static uint32_t literal_number(const struct builder *b, uint32_t literal)
{
	enum image_literal_kind kind = (enum image_literal_kind)(literal & 3);
	uint32_t atom = literal >> 2;

	return IMAGE_LITERAL(kind, kind == IMAGE_LITERAL_SET || kind == IMAGE_LITERAL_CLEAR
					   ? b->atom_numbers[atom]
					   : b->check_numbers[atom]);
}

static void write_clause(struct builder *b, uint32_t number)
{
	struct tables *t = &b->tables;
	const struct clause *clause = &b->clauses.items.items[number];
	struct image_clause head = clause->head;
	entry_list literals = { 0 };

	for (uint32_t i = 0; i < clause->head.n_literals; i++)
		if (clause->literals[i] != IMAGE_LITERAL(IMAGE_LITERAL_SET, clause->watch))
			vec_push(&literals, literal_number(b, clause->literals[i]));
	head.n_literals = (uint32_t)literals.len;
	head.n_policies = (uint32_t)clause->ranks.len;
	b->clause_offsets[number] = tables_words(t, &head, IMAGE_CLAUSE_WORDS);
	(void)tables_words(t, literals.items, literals.len);
	(void)tables_words(t, clause->ranks.items, clause->ranks.len);
	vec_done(&literals);
}

/* The clauses that each atom leads to, and the table of them. */
static void write_atoms(struct builder *b)
{
	struct tables *t = &b->tables;
	entry_list *watchers = xnew_array(entry_list, t->head.n_atoms);
	uint32_t *lists = xnew_array(uint32_t, t->head.n_atoms);

	for (uint32_t i = 0; i < b->clauses.items.len; i++) {
		uint32_t atom = b->atom_numbers[b->clauses.items.items[i].watch];

		if (atom)
			vec_push(&watchers[atom], b->clause_offsets[i]);
	}
	for (uint32_t i = 0; i < t->head.n_atoms; i++) {
		lists[i] = tables_list(t, watchers[i].items, watchers[i].len);
		vec_done(&watchers[i]);
	}
	t->head.atoms = tables_words(t, lists, t->head.n_atoms);
	xfree(lists);
	xfree(watchers);
}

static void write_always(struct builder *b)
{
	for (size_t action = 0; action < POLICY_ACTION_MAX; action++) {
		entry_list list = { 0 };

		for (uint32_t i = 0; i < b->clauses.items.len; i++)
			if (!b->clauses.items.items[i].watch &&
			    (b->clauses.items.items[i].head.actions & ACTION_BIT(action)))
				vec_push(&list, b->clause_offsets[i]);
		b->tables.head.actions[action].always =
			tables_list(&b->tables, list.items, list.len);
		vec_done(&list);
	}
}

/* ---- Where tests lead ------------------------------------------------------------------ */

static void add_entries(struct builder *b)
{
	for (uint32_t i = IMAGE_FIXED_ATOMS; i < b->compiler.atoms.items.len; i++) {
		const struct atom *atom = &b->compiler.atoms.items.items[i];
		uint32_t entry = IMAGE_ENTRY(IMAGE_ENTRY_ATOM, b->atom_numbers[i]);

		if (!b->atom_numbers[i]) {
			if (!b->n_watchers[i] || !leads_to_clause(b, i))
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

static void place_tests(struct builder *b)
{
	add_entries(b);
	count_pieces(b);
	for (uint32_t i = 0; i < b->compiler.atoms.tests.len; i++)
		for (size_t j = 0; j < b->entries[i].len; j++)
			place_test(b, i, b->entries[i].items[j]);
}

/* How the automaton starts: by one byte and those that may follow it, or by a table of all bytes. */
static void write_start(struct tables *t, struct image_subject_tables *s)
{
	const struct image_state *root = &t->states.items[s->automaton - 1];
	const struct image_state *first = &t->states.items[root->first_child];
	uint32_t table[256] = { 0 };

	s->n_states = (uint32_t)t->states.len - (s->automaton - 1);
	for (uint32_t i = 0; i < root->n_children; i++)
		table[(unsigned char)t->bytes.data[root->bytes + i]] = root->first_child + i;
	s->start_table = tables_words(t, table, ARRAY_SIZE(table));
	s->only_start = UINT32_MAX;
	if (root->n_children != 1 || first->list)
		return;
	s->only_start = (unsigned char)t->bytes.data[root->bytes];
	for (uint32_t i = 0; i < first->n_children; i++) {
		unsigned char byte = (unsigned char)t->bytes.data[first->bytes + i];

		s->followers[byte / 32] |= UINT32_C(1) << byte % 32;
	}
}

static void write_tries(struct builder *b)
{
	struct tables *t = &b->tables;

	for (size_t i = 0; i < IMAGE_N_SUBJECTS; i++) {
		struct image_subject_tables *s = &t->head.subjects[i];

		s->prefixes = tables_trie(t, &t->prefixes[i]);
		s->suffixes = tables_trie(t, &t->suffixes[i]);
		s->automaton = tables_automaton(t, &t->segments[i]);
		if (s->automaton)
			write_start(t, s);
	}
}

/* What has to be looked up at all under each action. */
static void note_subjects(struct builder *b)
{
	for (size_t i = 0; i < b->clauses.items.len; i++) {
		const struct clause *clause = &b->clauses.items.items[i];
		uint32_t subjects = 0, automata = 0;

		for (uint32_t j = 0; j < clause->head.n_literals; j++) {
			uint32_t number = clause->literals[j] >> 2;
			const struct atom *atom = &b->compiler.atoms.items.items[number];

			for (uint32_t k = 0; k < atom->n_tests; k++) {
				uint32_t test = atom->tests[k];
				enum image_subject s = b->compiler.atoms.tests.items[test].subject;

				if (s == IMAGE_NO_SUBJECT)
					continue;
				subjects |= UINT32_C(1) << s;
				automata |= (uint32_t)b->needs_automaton[test] << s;
			}
		}
		for (size_t action = 0; action < POLICY_ACTION_MAX; action++) {
			if (!(clause->head.actions & ACTION_BIT(action)))
				continue;
			b->tables.head.actions[action].subjects |= subjects;
			b->tables.head.actions[action].automata |= automata;
		}
	}
}

/* ---- The bytes ------------------------------------------------------------------------------- */

/* FNV-1a over words of eight bytes; every step is a bijection, so one changed word changes it. */
uint64_t image_checksum(struct span bytes)
{
	const size_t at = offsetof(struct image_header, checksum);
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ bytes.len;

	for (size_t i = 0; i < bytes.len; i += 8) {
		uint64_t word = 0;

		if (i != at)
			memcpy(&word, bytes.p + i, MIN(bytes.len - i, 8));
		h = (h ^ word) * UINT64_C(0x100000001b3);
		h ^= h >> 32;
	}
	return h;
}

static int append_area(struct buf *out, const void *p, size_t n, size_t size,
		       struct image_area *ret)
{
	static const char zero[8];

	if (out->len % 8 && buf_append(out, zero, 8 - out->len % 8) < 0)
		return -E2BIG;
	if (out->len + n * size > UINT32_MAX)
		return -E2BIG;
	*ret = (struct image_area){ (uint32_t)out->len, (uint32_t)n };
	return n && buf_append(out, p, n * size) < 0 ? -E2BIG : 0;
}

static int write_image(struct tables *t, struct buf *out)
{
	struct image_header *h = &t->head;
	int r;

	memcpy(h->magic, IMAGE_MAGIC, sizeof(h->magic));
	h->version = IMAGE_VERSION;
	h->probe_limit = t->probe_limit;
	r = buf_append(out, h, sizeof(*h));
	if (r >= 0)
		r = append_area(out, t->slots, t->n_slots, sizeof(*t->slots), &h->slots);
	if (r >= 0)
		r = append_area(out, t->words.items, t->words.len, sizeof(uint32_t), &h->words);
	if (r >= 0)
		r = append_area(out, t->tries.items, t->tries.len, sizeof(struct image_trie),
				&h->tries);
	if (r >= 0)
		r = append_area(out, t->links.items, t->links.len, sizeof(struct image_trie),
				&h->links);
	if (r >= 0)
		r = append_area(out, t->states.items, t->states.len, sizeof(struct image_state),
				&h->states);
	if (r >= 0)
		r = append_area(out, t->checks.items, t->checks.len, sizeof(struct image_check),
				&h->checks);
	if (r >= 0)
		r = append_area(out, t->bytes.data, t->bytes.len, 1, &h->bytes);
	/* Ends at a word, for the checksum. */
	if (r >= 0)
		r = append_area(out, NULL, 0, 1, &(struct image_area){ 0 });
	if (r < 0)
		return -E2BIG;
	h->total_len = out->len;
	memcpy(out->data, h, sizeof(*h));
	h->checksum = image_checksum(buf_span(out));
	memcpy(out->data, h, sizeof(*h));
	return 0;
}

/* ---- All ---------------------------------------------------------------------------------------- */

static int add_rules(struct builder *b, struct clause_outcome *outcomes)
{
	const struct policy *p = b->policy;
	uint32_t *ranks = xnew_array(uint32_t, p->n_rules + 1);
	bool is_added = true;

	ranks_of(p, ranks);
	for (size_t i = 0; is_added && i < p->n_rules; i++) {
		struct clause_outcome outcome;

		is_added = clauses_add(&b->clauses, &b->compiler, &p->rules[i], ranks[i], &outcome);
		for (size_t action = 0; is_added && action < POLICY_ACTION_MAX; action++)
			if (outcome.needs_host_name & ACTION_BIT(action))
				b->tables.head.actions[action].needs_host_name = 1;
		if (outcomes && is_added)
			outcomes[i] = outcome;
	}
	tables_add_links(&b->tables, p, ranks);
	xfree(ranks);
	return is_added ? 0 : -E2BIG;
}

static int build_tables(struct builder *b, struct buf *out)
{
	struct tables *t = &b->tables;

	clauses_choose_watches(&b->clauses, &b->compiler.atoms);
	count_uses(b);
	number_atoms(b);
	(void)tables_words(t, (uint32_t[]){ 0 }, 1);
	for (uint32_t i = 0; i < b->clauses.items.len; i++)
		write_clause(b, i);
	write_atoms(b);
	write_always(b);
	place_tests(b);
	note_subjects(b);
	write_tries(b);
	if (!tables_write_names(t) || t->is_out_of_memory || t->words.len > IMAGE_ENTRY_NUMBER(~0u))
		return -E2BIG;
	return write_image(t, out);
}

static int build_from_clauses(struct builder *b, struct buf *out)
{
	size_t n_tests = b->compiler.atoms.tests.len, n_atoms = b->compiler.atoms.items.len;
	int r;

	b->entries = xnew_array(entry_list, n_tests);
	b->needs_automaton = xnew_array(bool, n_tests);
	b->atom_numbers = xnew_array(uint32_t, n_atoms);
	b->check_numbers = xnew_array(uint32_t, n_atoms);
	b->n_watchers = xnew_array(uint32_t, n_atoms);
	b->sole_watcher = xnew_array(uint32_t, n_atoms);
	b->is_literal = xnew_array(bool, n_atoms);
	b->clause_offsets = xnew_array(uint32_t, b->clauses.items.len + 1);
	r = build_tables(b, out);
	for (size_t i = 0; i < n_tests; i++)
		vec_done(&b->entries[i]);
	xfree(b->entries);
	xfree(b->needs_automaton);
	xfree(b->atom_numbers);
	xfree(b->check_numbers);
	xfree(b->n_watchers);
	xfree(b->sole_watcher);
	xfree(b->is_literal);
	xfree(b->clause_offsets);
	return r;
}

int image_build(const struct policy *p, struct clause_outcome *outcomes, struct buf *out)
{
	struct builder *b = xnew(struct builder);
	int r = -E2BIG;

	b->policy = p;
	b->tables.head.n_rules = (uint32_t)p->n_rules;
	if (compiler_init(&b->compiler, p->agent) && add_rules(b, outcomes) >= 0)
		r = build_from_clauses(b, out);
	map_done(&b->pieces, NULL);
	tables_done(&b->tables);
	clauses_done(&b->clauses);
	compiler_done(&b->compiler);
	xfree(b);
	return r;
}
