#include "policy/image-build.h"

#include <errno.h>

#include "policy/image-builder.h"

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

bool builder_leads_to_clause(const struct builder *b, uint32_t atom)
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
		} else if ((b->n_watchers[i] || b->is_literal[i]) &&
			   !builder_leads_to_clause(b, i)) {
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

/* ---- Tables ---------------------------------------------------------------------- */

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
	static const char zero[IMAGE_ALIGNMENT];
	size_t over = out->len % IMAGE_ALIGNMENT;

	if (over && buf_append(out, zero, IMAGE_ALIGNMENT - over) < 0)
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
	builder_place_tests(b);
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
	struct builder *b;
	int r = -E2BIG;

	if (!policy_prepare(p))
		return -EBADMSG;
	b = xnew(struct builder);
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
