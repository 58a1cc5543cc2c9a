/*
 * Schemas: accept_reject.jsonl in both forms; those of the corpus and of
 * json-schemas, which must resolve; schemas.jsonl, which must translate both
 * ways as the reference does. Read with base/json, since keys may hold NUL.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cedar/cedar-schema.h"
#include "corpus-read.h"

typedef int (*parse_fn)(struct span, struct cedar_diagnostics *, struct cedar_schema **);

/* One line of the data. */
struct line {
	struct span text;
	const struct json *json;
	struct tally *tally;
};

static struct span raw(const struct line *l, const struct json *j)
{
	return j ? span_make(l->text.p + j->begin, j->end - j->begin) : SPAN("");
}

static void for_each_line(const char *folder, const char *name, struct tally *t,
			  void (*check)(const struct line *))
{
	static const struct json_options options = { .max_depth = 1000, .max_members = 1000000 };
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct span rest;

	corpus_read(folder, name, &text);
	for (rest = buf_span(&text); rest.len;) {
		_cleanup_arena_ struct arena arena = ARENA_INIT(0);
		const char *end = memchr(rest.p, '\n', rest.len);
		struct line l = { .text = rest, .tally = t };
		struct json *j;

		l.text.len = end ? (size_t)(end - rest.p) : rest.len;
		rest = span_from(rest, l.text.len + 1);
		if (json_parse_with(&options, &arena, l.text, &j, NULL, NULL) < 0) {
			(void)tally_check(t, false, "%s: not JSON", name);
			return;
		}
		l.json = j;
		check(&l);
	}
}

/* ---- Accepting ---------------------------------------------------------- */

static bool accepts(struct span text, parse_fn parse, bool is_expected)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *schema = NULL;
	bool ok = parse(text, &diags, &schema) == 0;

	/* A refusal always says why. */
	if (ok != (diags.n_errors == 0))
		(void)printf("refused without a reason, or accepted with one\n");
	for (size_t i = 0; !ok && is_expected && i < diags.len; i++)
		(void)printf("%zu: %s\n", diags.items[i].range.begin, diags.items[i].message);
	cedar_diagnostics_done(&diags);
	cedar_schema_free(schema);
	return ok;
}

static void check_accept(const struct line *l)
{
	struct span kind = json_get_string(l->json, "kind"),
		    text = json_get_string(l->json, "input");
	const struct json *ok = json_get(l->json, "ok");
	parse_fn parse = span_eq(kind, SPAN("schema"))	     ? cedar_schema_parse
			 : span_eq(kind, SPAN("schemaJson")) ? cedar_schema_parse_json
							     : NULL;

	if (parse)
		(void)tally_check(l->tally, accepts(text, parse, ok->is_true) == ok->is_true,
				  "%.*s: must be %s", SPAN_ARG(text),
				  ok->is_true ? "accepted" : "refused");
}

static void check_corpus(const struct line *l)
{
	struct span text = json_get_string(l->json, "schema");

	(void)tally_check(l->tally, accepts(text, cedar_schema_parse, true),
			  "%.*s: must be accepted", SPAN_ARG(text));
}

static void check_json(const struct line *l)
{
	struct span text = raw(l, json_get(l->json, "schema"));

	(void)tally_check(l->tally, accepts(text, cedar_schema_parse_json, true),
			  "%.*s: must be accepted", SPAN_ARG(text));
}

/* ---- Translating -------------------------------------------------------- */

/* The reference's objects came through JavaScript, which moves keys that look like numbers. */
static size_t sort_members(const struct json *j, struct arena *arena, const struct json ***ret);
static bool json_eq(const struct json *a, const struct json *b, struct arena *arena);

static int compare_keys(const void *a, const void *b)
{
	return span_cmp((*(const struct json *const *)a)->key,
			(*(const struct json *const *)b)->key);
}

static size_t sort_members(const struct json *j, struct arena *arena, const struct json ***ret)
{
	size_t n = 0;

	for (const struct json *m = j->first; m; m = m->next)
		n++;
	*ret = arena_alloc_array(arena, n, sizeof(**ret));
	n = 0;
	for (const struct json *m = j->first; m; m = m->next)
		(*ret)[n++] = m;
	if (j->type == JSON_OBJECT)
		qsort(*ret, n, sizeof(**ret), compare_keys);
	return n;
}

static bool json_eq(const struct json *a, const struct json *b, struct arena *arena)
{
	const struct json **x, **y;
	size_t n;

	if (a->type != b->type || a->is_true != b->is_true || !span_eq(a->text, b->text) ||
	    !span_eq(a->key, b->key))
		return false;
	n = sort_members(a, arena, &x);
	if (n != sort_members(b, arena, &y))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!json_eq(x[i], y[i], arena))
			return false;
	return true;
}

static bool is_same_json(struct span text, const struct json *wanted)
{
	static const struct json_options options = { .max_depth = 1000, .max_members = 1000000 };
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct json wanted_alone = *wanted;
	struct json *j;

	wanted_alone.key = SPAN("");
	return json_parse_with(&options, &arena, text, &j, NULL, NULL) == 0 &&
	       json_eq(j, &wanted_alone, &arena);
}

static struct cedar_schema_tree *parse_tree(struct span text, bool is_json)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema_tree *tree = NULL;
	int r = is_json ? cedar_schema_tree_parse_json(text, &diags, &tree)
			: cedar_schema_tree_parse(text, &diags, &tree);

	for (size_t i = 0; r < 0 && i < diags.len; i++)
		(void)printf("%zu: %s\n", diags.items[i].range.begin, diags.items[i].message);
	cedar_diagnostics_done(&diags);
	return tree;
}

static void check_translation(const struct line *l)
{
	const struct json *wanted = json_get(json_get(l->json, "toJson"), "json");
	struct span text = json_get_string(l->json, "text");
	struct span back = json_get_string(l->json, "backToText");
	struct cedar_schema_tree *from_text = parse_tree(text, false);
	struct cedar_schema_tree *from_json = parse_tree(raw(l, wanted), true);
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	_cleanup_buf_ struct buf again = BUF_INIT(0);
	_cleanup_buf_ struct buf direct = BUF_INIT(0);

	if (tally_check(l->tally, from_text && from_json, "%.*s: does not parse", SPAN_ARG(text))) {
		(void)tally_check(l->tally,
				  cedar_schema_tree_print_json(from_text, &json) == 0 &&
					  is_same_json(buf_span(&json), wanted),
				  "%.*s\nbecomes\n%.*s", SPAN_ARG(text), SPAN_ARG(buf_span(&json)));
		(void)tally_check(l->tally,
				  cedar_schema_tree_print(from_json, &again) == 0 &&
					  span_eq(buf_span(&again), back),
				  "%.*s\nbecomes\n%.*s", SPAN_ARG(back),
				  SPAN_ARG(buf_span(&again)));
		(void)tally_check(l->tally,
				  cedar_schema_tree_print(from_text, &direct) == 0 &&
					  span_eq(buf_span(&direct), back),
				  "%.*s\nis printed\n%.*s", SPAN_ARG(back),
				  SPAN_ARG(buf_span(&direct)));
	}
	cedar_schema_tree_free(from_text);
	cedar_schema_tree_free(from_json);
}

int main(int argc, char **argv)
{
	const char *folder = corpus_folder(argc, argv);
	struct tally t = { 0 };

	for_each_line(folder, "accept_reject.jsonl.xz", &t, check_accept);
	for_each_line(folder, "corpus-v4.10.0.jsonl.xz", &t, check_corpus);
	for_each_line(folder, "json-schemas-v4.10.0.jsonl.xz", &t, check_json);
	for_each_line(folder, "schemas.jsonl.xz", &t, check_translation);
	return tally_end(&t);
}
