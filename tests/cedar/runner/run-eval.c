/* Expressions with the reference's value, evaluation error or parse error. */
#include "cedar/cedar-json.h"
#include "runner.h"

enum outcome {
	OUTCOME_VALUE,
	OUTCOME_ERROR,
	OUTCOME_REFUSED,
};

static const char *const outcomes[] = { "a value", "an evaluation error", "a parse error" };

struct setting {
	struct cedar_request request;
	struct cedar_entity_source source;
};

static enum outcome evaluate(struct runner *r, const struct setting *s, struct span text,
			     const struct cedar_value **ret)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_eval_error error = { 0 };
	struct cedar_expr *e;
	int result = cedar_expr_parse(text, &r->arena, &diags, &e);

	cedar_diagnostics_done(&diags);
	if (result < 0)
		return OUTCOME_REFUSED;
	if (cedar_eval(e, &s->request, &s->source, &r->arena, ret, &error) == 0)
		return OUTCOME_VALUE;
	return error.code && error.message ? OUTCOME_ERROR : OUTCOME_REFUSED;
}

/* The tree, printed and parsed again, prints the same. */
static void check_printing(struct runner *r, struct span text)
{
	_cleanup_buf_ struct buf first = BUF_INIT(0);
	_cleanup_buf_ struct buf second = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e;

	if (cedar_expr_parse(text, &r->arena, &diags, &e) == 0 &&
	    cedar_expr_print(e, &first) == 0) {
		if (cedar_expr_parse(buf_span(&first), &r->arena, &diags, &e) == 0)
			(void)cedar_expr_print(e, &second);
		if (!span_eq(buf_span(&first), buf_span(&second)))
			(void)check_text(r, buf_span(&second), buf_span(&first), "printed again");
	}
	cedar_diagnostics_done(&diags);
}

/* As values; and as text where no extension type is in it, which the reference prints as it was
 * written. */
static bool is_value(struct runner *r, const struct setting *s, const struct cedar_value *v,
		     struct span wanted)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	const struct cedar_value *expected;

	if (evaluate(r, s, wanted, &expected) != OUTCOME_VALUE || !cedar_value_eq(v, expected))
		return false;
	if (wanted.len && memmem(wanted.p, wanted.len, "(\"", 2))
		return true;
	return cedar_value_print(v, &text) == 0 && span_eq(buf_span(&text), wanted);
}

/* principal, entities: what the line gives beyond the usual setting. */
static struct cedar_entities *prepare(struct runner *r, struct json_view line, struct setting *s)
{
	struct json_view list = json_view_get(line, "entities");
	struct json_view principal = json_view_get(line, "principal");
	struct cedar_diagnostics diags = { 0 };
	struct cedar_entities *entities = NULL;

	s->request = (struct cedar_request){ { SPAN("P"), SPAN("p") },
					     { SPAN("Action"), SPAN("a") },
					     { SPAN("R"), SPAN("r") },
					     cedar_value_record(&r->arena, NULL, 0) };
	if (principal.raw.len) {
		s->request.principal.type =
			json_view_string(json_view_get(principal, "type"), &r->arena);
		s->request.principal.id =
			json_view_string(json_view_get(principal, "id"), &r->arena);
	}
	if (cedar_entities_parse_json(list.raw.len ? list.raw : SPAN("[]"), NULL, &diags,
				      &entities) < 0)
		(void)check(r, false, "entities refused: %s",
			    diags.len ? diags.items[0].message : "");
	cedar_diagnostics_done(&diags);
	return entities;
}

void run_eval(struct runner *r, struct json_view line)
{
	struct json_view res = json_view_get(line, "res");
	struct json_view ok = json_view_get(res, "ok");
	struct span value = json_view_string(ok, &r->arena);
	struct span text = json_view_string(json_view_get(line, "expr"), &r->arena);
	enum outcome wanted = ok.raw.len			    ? OUTCOME_VALUE
			      : json_view_get(res, "error").raw.len ? OUTCOME_ERROR
								    : OUTCOME_REFUSED;
	struct setting s = { 0 };
	struct cedar_entities *entities = prepare(r, line, &s);
	const struct cedar_value *v = NULL;
	enum outcome got;

	if (!entities)
		return;
	s.source = cedar_entities_source(entities);
	got = evaluate(r, &s, text, &v);
	(void)check(r, got == wanted && (got != OUTCOME_VALUE || is_value(r, &s, v, value)),
		    "%.*s: gives %s, must give %s %.*s", SPAN_ARG(text), outcomes[got],
		    outcomes[wanted], SPAN_ARG(value));
	check_printing(r, text);
	cedar_entities_free(entities);
}
