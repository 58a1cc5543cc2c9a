/*
 * eval.jsonl: expressions with the reference's value, evaluation error or
 * parse error. Values are compared as values, and where no extension type is
 * involved also as text (the reference prints extension values as they were
 * written, libcedar canonically).
 */
#include <stdio.h>

#include "base/alloc.h"
#include "cedar-json.h"
#include "corpus.h"

struct state {
	struct tally tally;
	struct arena arena;
	struct cedar_request request;
	struct cedar_entity_source source;
};

enum outcome {
	OUTCOME_VALUE,
	OUTCOME_ERROR,
	OUTCOME_BAD,
};

static enum outcome run(struct state *s, struct span text, const struct cedar_value **ret)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_eval_error error = { 0 };
	struct cedar_expr *e;
	int r = cedar_expr_parse(text, &s->arena, &diags, &e);

	cedar_diagnostics_done(&diags);
	if (r < 0)
		return OUTCOME_BAD;
	if (cedar_eval(e, &s->request, &s->source, &s->arena, ret, &error) < 0)
		return error.code && error.message ? OUTCOME_ERROR : OUTCOME_BAD;
	return OUTCOME_VALUE;
}

static bool same_text(const struct cedar_value *v, struct span wanted)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	if (wanted.len && memmem(wanted.p, wanted.len, "(\"", 2))
		return true;
	return cedar_value_print(v, &text) == 0 && span_eq(buf_span(&text), wanted);
}

static bool same_value(struct state *s, const struct cedar_value *v, struct span wanted)
{
	const struct cedar_value *expected;

	return run(s, wanted, &expected) == OUTCOME_VALUE && cedar_value_eq(v, expected) &&
	       same_text(v, wanted);
}

/* The tree, printed, must be the same expression. */
static bool prints_back(struct state *s, struct span text)
{
	_cleanup_buf_ struct buf first = BUF_INIT(0);
	_cleanup_buf_ struct buf second = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e;
	bool ok = true;

	if (cedar_expr_parse(text, &s->arena, &diags, &e) == 0)
		ok = cedar_expr_print(e, &first) == 0 &&
		     cedar_expr_parse(buf_span(&first), &s->arena, &diags, &e) == 0 &&
		     cedar_expr_print(e, &second) == 0 &&
		     span_eq(buf_span(&first), buf_span(&second));
	cedar_diagnostics_done(&diags);
	return ok;
}

static struct cedar_entities *entities_of(const json_t *line)
{
	const json_t *list = json_object_get(line, "entities");

	return list ? cedar_json_entities(list, NULL) : cedar_entities_new();
}

/* What the line does not say stays as it is. */
static void read_request(struct state *s, const json_t *line)
{
	const json_t *context = json_object_get(line, "context");

	(void)cedar_json_uid(json_object_get(line, "principal"), &s->request.principal);
	(void)cedar_json_uid(json_object_get(line, "action"), &s->request.action);
	(void)cedar_json_uid(json_object_get(line, "resource"), &s->request.resource);
	if (context)
		s->request.context = cedar_json_value(context, &s->arena);
}

static void check_line(json_t *line, void *ctx)
{
	struct state *s = ctx;
	_cleanup_(cleanup_entities) struct cedar_entities *entities = entities_of(line);
	const json_t *wanted = json_object_get(line, "res");
	struct span text = corpus_string(json_object_get(line, "expr"));
	const json_t *ok = json_object_get(wanted, "ok");
	const struct cedar_value *v = NULL;
	enum outcome expected = ok				   ? OUTCOME_VALUE
				: json_object_get(wanted, "error") ? OUTCOME_ERROR
								   : OUTCOME_BAD;
	char *wanted_text = json_dumps(wanted, 0);
	enum outcome got;

	s->request = (struct cedar_request){
		.principal = { SPAN("P"), SPAN("p") },
		.action = { SPAN("Action"), SPAN("a") },
		.resource = { SPAN("R"), SPAN("r") },
	};
	s->source = cedar_entities_source(entities);
	read_request(s, line);
	got = run(s, text, &v);
	(void)tally_check(&s->tally,
			  got == expected && prints_back(s, text) &&
				  (!ok || same_value(s, v, corpus_string(ok))),
			  "%.*s: got outcome %d, the reference says %s", SPAN_ARG(text), got,
			  wanted_text);
	xfree(wanted_text);
	arena_reset(&s->arena);
}

int main(int argc, char **argv)
{
	struct state s = { .arena = ARENA_INIT(0) };

	corpus_each_line(corpus_folder(argc, argv), "eval.jsonl.xz", check_line, &s);
	arena_done(&s.arena);
	return tally_end(&s.tally);
}
