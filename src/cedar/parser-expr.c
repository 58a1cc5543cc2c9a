/* Operators, from the weakest to the strongest. */
#include <errno.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/literal.h"
#include "cedar/parser-private.h"

int parser_node_deepen(struct parser *p, struct cedar_expr *e, const struct cedar_expr *child)
{
	if (child->depth >= LIMIT_CEDAR_DEPTH)
		return parser_too_deep(p, child->range);
	e->depth = MAX(e->depth, child->depth + 1);
	return 0;
}

struct cedar_expr *parser_node(struct parser *p, enum cedar_expr_kind kind, size_t begin,
			       struct cedar_expr *left, struct cedar_expr *right)
{
	struct cedar_expr *e;

	/* Hostile text has mistakes without end; after the last that is kept it is left. */
	if (diagnostics_are_full(p->diags))
		return NULL;
	e = arena_new(p->arena, struct cedar_expr);
	if (!e) {
		(void)parser_out_of_memory(p);
		return NULL;
	}
	e->kind = kind;
	e->range = (struct cedar_range){ begin, p->last_end };
	e->depth = 1;
	e->left = left;
	e->right = right;
	if (left && parser_node_deepen(p, e, left) < 0)
		return NULL;
	if (right && parser_node_deepen(p, e, right) < 0)
		return NULL;
	return e;
}

struct cedar_expr *parser_number(struct parser *p, bool is_negative, size_t begin)
{
	const uint64_t max = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
	struct span text = parser_token_text(p);
	struct cedar_expr *e;
	uint64_t n = 0;
	bool is_large = false;

	for (size_t i = 0; i < text.len; i++)
		is_large = is_large || __builtin_mul_overflow(n, 10, &n) ||
			   __builtin_add_overflow(n, (uint64_t)(text.p[i] - '0'), &n);
	if (is_large || n > max) {
		(void)parser_error(p, "integer_too_large", p->token.range,
				   "the largest integer is 9223372036854775807",
				   "the integer `%.*s` is too large",
				   SPAN_ARG(diagnostic_quote(text)));
		n = 0;
	}
	parser_advance(p);
	e = parser_node(p, CEDAR_EXPR_LONG, begin, NULL, NULL);
	if (e)
		e->integer = is_negative ? (int64_t)(0 - n) : (int64_t)n;
	return e;
}

#define UNARY_MAX 4

/* A minus directly before a number that is not itself accessed belongs to the number. */
static bool folds_minus(const struct parser *p)
{
	struct token after;

	if (p->token.kind != TOKEN_NUMBER)
		return false;
	after = parser_peek(p);
	return after.kind != TOKEN_DOT && after.kind != TOKEN_LBRACKET;
}

static struct cedar_expr *parse_unary(struct parser *p)
{
	enum token_kind op = p->token.kind;
	bool is_not = op == TOKEN_NOT;
	size_t begins[UNARY_MAX] = { 0 };
	struct cedar_expr *e;
	size_t n = 0;

	if (op != TOKEN_NOT && op != TOKEN_MINUS)
		return parser_member(p);
	for (; p->token.kind == op; parser_advance(p)) {
		if (n == UNARY_MAX) {
			(void)parser_error(p, "too_many_operators", p->token.range,
					   "use parentheses", "too many `%s` in a row",
					   is_not ? "!" : "-");
			return NULL;
		}
		begins[n++] = p->token.range.begin;
	}
	if (!is_not && folds_minus(p)) {
		n--;
		e = parser_number(p, /* is_negative = */ true, begins[n]);
	} else {
		e = parser_member(p);
	}
	while (e && n > 0)
		e = parser_node(p, is_not ? CEDAR_EXPR_NOT : CEDAR_EXPR_NEG, begins[--n], e, NULL);
	return e;
}

static struct cedar_expr *parse_mul(struct parser *p)
{
	size_t begin = p->token.range.begin;
	struct cedar_expr *e = parse_unary(p);

	while (e && p->token.kind == TOKEN_STAR) {
		struct cedar_expr *right;

		parser_advance(p);
		right = parse_unary(p);
		e = right ? parser_node(p, CEDAR_EXPR_MUL, begin, e, right) : NULL;
	}
	if (e && (p->token.kind == TOKEN_SLASH || p->token.kind == TOKEN_PERCENT)) {
		(void)parser_error(p, "unsupported_operator", p->token.range, NULL,
				   p->token.kind == TOKEN_SLASH ? "division is not supported"
								: "remainder is not supported");
		return NULL;
	}
	return e;
}

static struct cedar_expr *parse_add(struct parser *p)
{
	size_t begin = p->token.range.begin;
	struct cedar_expr *e = parse_mul(p);

	while (e && (p->token.kind == TOKEN_PLUS || p->token.kind == TOKEN_MINUS)) {
		bool is_plus = p->token.kind == TOKEN_PLUS;
		struct cedar_expr *right;

		parser_advance(p);
		right = parse_mul(p);
		e = right ? parser_node(p, is_plus ? CEDAR_EXPR_ADD : CEDAR_EXPR_SUB, begin, e,
					right)
			  : NULL;
	}
	return e;
}

static int add_has_name(struct parser *p, struct cedar_expr *e, size_t *cap, struct span name)
{
	void *names = e->names;

	if (parser_list_grow(p, &names, e->n_names, cap, sizeof(*e->names)) < 0)
		return -ENOMEM;
	e->names = names;
	e->names[e->n_names++] = name;
	return 0;
}

/* has "name" | has a.b.c */
static int parse_has_names(struct parser *p, struct cedar_expr *e)
{
	struct span name;
	size_t cap = 0;

	if (p->token.kind == TOKEN_STRING) {
		if (parser_string(p, &name) < 0)
			return -EINVAL;
		return add_has_name(p, e, &cap, name);
	}
	do {
		name = parser_token_text(p);
		if (p->token.kind != TOKEN_IDENT)
			return parser_unexpected(
				p,
				"an attribute name, names joined by `.`, or a string after `has`");
		(void)parser_check_name(p, name, p->token.range);
		if (add_has_name(p, e, &cap, name) < 0)
			return -ENOMEM;
		parser_advance(p);
	} while (parser_accept(p, TOKEN_DOT));
	if (p->token.kind == TOKEN_LBRACKET || p->token.kind == TOKEN_LPAREN)
		return parser_error(
			p, "invalid_has", p->token.range, "write has a.b.c, or has \"name\"",
			"the right side of `has` is a name, names joined by `.`, or a string");
	return 0;
}

static int parse_like_pattern(struct parser *p, struct cedar_expr *e)
{
	size_t begin = p->token.range.begin + 1;
	struct cedar_range bad;
	int r;

	if (p->token.kind != TOKEN_STRING)
		return parser_error(p, "invalid_pattern", p->token.range,
				    "write the pattern in quotes",
				    "the right side of `like` must be a pattern in quotes");
	r = literal_pattern(parser_text(p, (struct cedar_range){ begin, p->token.range.end - 1 }),
			    p->arena, &e->pattern, &e->n_pattern, &bad);
	if (r == -ENOMEM)
		return parser_out_of_memory(p);
	if (r < 0)
		(void)parser_error(
			p, "invalid_escape",
			(struct cedar_range){ begin + bad.begin, begin + bad.end },
			"valid escapes are \\* \\\" \\\\ \\' \\n \\r \\t \\0 \\x41 \\u{1F600}",
			"this is not a valid escape");
	parser_advance(p);
	return 0;
}

/* is A::B [in add] */
static int parse_is_type(struct parser *p, struct cedar_expr *e)
{
	int r;

	if (p->token.kind == TOKEN_STRING)
		return parser_error(p, "invalid_type_name", p->token.range, "remove the quotes",
				    "the right side of `is` is an entity type, not a string");
	r = parser_name(p, &e->type_name, &e->type_range);
	if (r < 0)
		return r;
	if (p->token.kind == TOKEN_PATH)
		return parser_error(p, "invalid_type_name", e->type_range,
				    "use `==` to compare with one entity",
				    "the right side of `is` is an entity type, not an entity");
	if (!parser_accept_word(p, "in"))
		return 0;
	e->right = parse_add(p);
	return e->right ? parser_node_deepen(p, e, e->right) : -EINVAL;
}

static bool relation_kind(const struct parser *p, enum cedar_expr_kind *ret)
{
	static const struct {
		struct span word;
		enum cedar_expr_kind kind;
	} words[] = {
		{ { "in", 2 }, CEDAR_EXPR_IN },
		{ { "has", 3 }, CEDAR_EXPR_HAS },
		{ { "like", 4 }, CEDAR_EXPR_LIKE },
		{ { "is", 2 }, CEDAR_EXPR_IS },
	};
	static const unsigned char symbols[] = {
		[TOKEN_EQ] = CEDAR_EXPR_EQ, [TOKEN_NE] = CEDAR_EXPR_NE, [TOKEN_LT] = CEDAR_EXPR_LT,
		[TOKEN_LE] = CEDAR_EXPR_LE, [TOKEN_GT] = CEDAR_EXPR_GT, [TOKEN_GE] = CEDAR_EXPR_GE,
	};

	if (p->token.kind < ARRAY_SIZE(symbols) && symbols[p->token.kind]) {
		*ret = (enum cedar_expr_kind)symbols[p->token.kind];
		return true;
	}
	for (size_t i = 0; p->token.kind == TOKEN_IDENT && i < ARRAY_SIZE(words); i++) {
		if (span_eq(parser_token_text(p), words[i].word)) {
			*ret = words[i].kind;
			return true;
		}
	}
	return false;
}

/* What follows the operator. */
static int parse_right(struct parser *p, struct cedar_expr *e)
{
	if (e->kind == CEDAR_EXPR_HAS)
		return parse_has_names(p, e);
	if (e->kind == CEDAR_EXPR_LIKE)
		return parse_like_pattern(p, e);
	if (e->kind == CEDAR_EXPR_IS)
		return parse_is_type(p, e);
	e->right = parse_add(p);
	return e->right ? parser_node_deepen(p, e, e->right) : -EINVAL;
}

/* Relations do not associate: a second operator needs parentheses. */
static struct cedar_expr *parse_relation(struct parser *p)
{
	size_t begin = p->token.range.begin;
	struct cedar_expr *left = parse_add(p);
	enum cedar_expr_kind kind;
	struct cedar_expr *e;

	if (!left)
		return NULL;
	if (p->token.kind == TOKEN_ASSIGN) {
		(void)parser_error(p, "unsupported_operator", p->token.range, "use `==` to compare",
				   "`=` is not an operator in Cedar");
		return NULL;
	}
	if (!relation_kind(p, &kind))
		return left;
	parser_advance(p);
	e = parser_node(p, kind, begin, left, NULL);
	if (!e || parse_right(p, e) < 0)
		return NULL;
	e->range.end = p->last_end;
	if (relation_kind(p, &kind)) {
		(void)parser_error(p, "chained_relation", p->token.range, "use parentheses",
				   "relations cannot be chained");
		return NULL;
	}
	return e;
}

static struct cedar_expr *parse_and(struct parser *p)
{
	size_t begin = p->token.range.begin;
	struct cedar_expr *e = parse_relation(p);

	while (e && parser_accept(p, TOKEN_AND)) {
		struct cedar_expr *right = parse_relation(p);

		e = right ? parser_node(p, CEDAR_EXPR_AND, begin, e, right) : NULL;
	}
	return e;
}

static struct cedar_expr *parse_or(struct parser *p)
{
	size_t begin = p->token.range.begin;
	struct cedar_expr *e = parse_and(p);

	while (e && parser_accept(p, TOKEN_OR)) {
		struct cedar_expr *right = parse_and(p);

		e = right ? parser_node(p, CEDAR_EXPR_OR, begin, e, right) : NULL;
	}
	return e;
}

static int expect_word(struct parser *p, const char *word, const char *quoted)
{
	return parser_accept_word(p, word) ? 0 : parser_unexpected(p, quoted);
}

static struct cedar_expr *parse_if(struct parser *p)
{
	size_t begin = p->token.range.begin;
	struct cedar_expr *condition, *yes, *no, *e;

	parser_advance(p);
	condition = parser_expr(p);
	if (!condition || expect_word(p, "then", "`then`") < 0)
		return NULL;
	yes = parser_expr(p);
	if (!yes || expect_word(p, "else", "`else`") < 0)
		return NULL;
	no = parser_expr(p);
	e = no ? parser_node(p, CEDAR_EXPR_IF, begin, condition, yes) : NULL;
	if (!e || parser_node_deepen(p, e, no) < 0)
		return NULL;
	e->third = no;
	return e;
}

struct cedar_expr *parser_expr(struct parser *p)
{
	struct cedar_expr *e;

	if (p->nesting >= LIMIT_CEDAR_NESTING) {
		(void)parser_too_deep(p, p->token.range);
		return NULL;
	}
	p->nesting++;
	if (parser_at_word(p, "if") && parser_peek(p).kind != TOKEN_PATH)
		e = parse_if(p);
	else
		e = parse_or(p);
	p->nesting--;
	return e;
}
