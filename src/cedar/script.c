#include "cedar/script.h"

#include "cedar/confusable.h"
#include "cedar/diagnostics.h"

static void warn_string(struct span text, enum confusable what, struct cedar_range range,
			struct findings *f)
{
	const char *code = what == CONFUSABLE_BIDI ? "bidi_string" : "mixed_script_string";

	if (what == CONFUSABLE_NONE || !finding_is_new(f, code, range, NULL, NULL))
		return;
	if (what == CONFUSABLE_BIDI)
		finding_add(f, CEDAR_WARNING, code, range, NULL,
			    "the string \"%.*s\" has characters that change the direction of text: "
			    "it is not what it looks like",
			    SPAN_ARG(diagnostic_quote(text)));
	else
		finding_add(f, CEDAR_WARNING, code, range, NULL,
			    "the string \"%.*s\" mixes scripts: it may look like another",
			    SPAN_ARG(diagnostic_quote(text)));
}

static void check_identifier(struct span text, struct cedar_range range, struct findings *f)
{
	struct span quote = diagnostic_quote(text);
	uint32_t c = 0;

	switch (confusable_identifier(text, &c)) {
	case CONFUSABLE_NONE:
		break;
	case CONFUSABLE_BIDI:
		if (finding_is_new(f, "bidi_identifier", range, text.p, NULL))
			finding_add(f, CEDAR_WARNING, "bidi_identifier", range, NULL,
				    "the name \"%.*s\" has characters that change the direction "
				    "of text: it is not what it looks like",
				    SPAN_ARG(quote));
		break;
	case CONFUSABLE_PROFILE:
		if (finding_is_new(f, "confusable_identifier", range, text.p, NULL))
			finding_add(f, CEDAR_WARNING, "confusable_identifier", range, NULL,
				    "the name \"%.*s\" has the character U+%04X, which Unicode "
				    "does not recommend in names",
				    SPAN_ARG(quote), c);
		break;
	case CONFUSABLE_MIXED:
		if (finding_is_new(f, "mixed_script_identifier", range, text.p, NULL))
			finding_add(f, CEDAR_WARNING, "mixed_script_identifier", range, NULL,
				    "the name \"%.*s\" mixes scripts: it may look like another",
				    SPAN_ARG(quote));
		break;
	}
}

/* Too large to print is too large to read; nothing is lost but a warning. */
static void check_pattern(const struct cedar_expr *e, struct findings *f)
{
	enum confusable what = CONFUSABLE_NONE;

	if (confusable_pattern(e->pattern, e->n_pattern, &what) == 0 && what != CONFUSABLE_NONE &&
	    finding_is_new(f, "mixed_script_string", e->range, NULL, NULL))
		finding_add(f, CEDAR_WARNING, "mixed_script_string", e->range, NULL,
			    "the pattern mixes scripts: it may look like another");
}

void script_check_expr(const struct cedar_expr *e, struct findings *f)
{
	if (e->kind == CEDAR_EXPR_STRING)
		warn_string(e->string, confusable_string(e->string), e->range, f);
	else if (e->kind == CEDAR_EXPR_LIKE)
		check_pattern(e, f);
	else if (e->kind == CEDAR_EXPR_ENTITY)
		check_identifier(e->uid.id, e->range, f);
	else if (e->kind == CEDAR_EXPR_ATTRIBUTE)
		check_identifier(e->string, e->range, f);
	for (size_t i = 0; i < e->n_names; i++)
		check_identifier(e->names[i], e->range, f);
}

void script_check_uid(struct cedar_entity_uid uid, struct cedar_range range, struct findings *f)
{
	check_identifier(uid.id, range, f);
}
