#include "policy/edges.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/path.h"
#include "policy/entities.h"
#include "policy/text.h"

#define EDGES_ARENA_MAX ((size_t)64 * 1024 * 1024)

void edges_init(struct edges *e)
{
	*e = (struct edges){ .arena = { .max = EDGES_ARENA_MAX } };
}

static void texts_done(struct texts *t)
{
	vec_done(&t->items);
	map_done(&t->known, NULL);
}

void edges_done(struct edges *e)
{
	texts_done(&e->paths);
	texts_done(&e->names);
	texts_done(&e->servers);
	texts_done(&e->tools);
	for (size_t i = 0; i < COMPARE_N_FACTS; i++)
		texts_done(&e->facts[i]);
	vec_done(&e->addresses);
	vec_done(&e->ports);
	vec_done(&e->combinations);
	arena_done(&e->arena);
}

static void add_span(struct edges *e, struct texts *t, struct span text)
{
	const char *copy;

	if (t->items.len >= EDGES_MAX || map_get(&t->known, text))
		return;
	copy = arena_dup(&e->arena, text);
	if (!copy)
		return;
	(void)map_put(&t->known, text, t);
	vec_push(&t->items, span_make(copy, text.len));
}

void texts_add(struct edges *e, struct texts *t, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	add_span(e, t, span_of(text));
}

/* ---- Paths ----------------------------------------------------------------------- */

static void add_path(struct edges *e, struct span id)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	size_t len = id.len, above;
	const char *p;

	if (!len || id.p[0] != '/') {
		if (span_eq(id, SPAN("memfd:")))
			add_span(e, &e->paths, id);
		return;
	}
	(void)text_to_bytes(id, &bytes);
	p = bytes.data;
	for (len = bytes.len; len > 1 && p[len - 1] == '/';)
		len--;
	for (above = len; above > 1 && p[above - 1] != '/';)
		above--;
	if (len == 1) {
		texts_add(e, &e->paths, "/");
		texts_add(e, &e->paths, "/x");
		return;
	}
	texts_add(e, &e->paths, "%.*s", (int)len, p);
	texts_add(e, &e->paths, "%.*s/", (int)len, p);
	texts_add(e, &e->paths, "%.*s/x", (int)len, p);
	texts_add(e, &e->paths, "%.*s/x/y", (int)len, p);
	texts_add(e, &e->paths, "%.*sx", (int)len, p);
	texts_add(e, &e->paths, "%.*sx", (int)above, p);
}

/* ---- Hosts ----------------------------------------------------------------------- */

static void add_address(struct edges *e, const struct policy_address *a)
{
	for (size_t i = 0; i < e->addresses.len; i++)
		if (memcmp(&e->addresses.items[i], a, sizeof(*a)) == 0)
			return;
	if (e->addresses.len < EDGES_MAX)
		vec_push(&e->addresses, *a);
}

/* The next address up or down; none beyond the end. */
static bool step(struct policy_address *a, int by)
{
	size_t n = a->is_v6 ? 16 : 4;
	unsigned char limit = by > 0 ? 0xff : 0;

	for (size_t i = n; i-- > 0;) {
		bool is_full = a->bytes[i] == limit;

		a->bytes[i] = (unsigned char)(a->bytes[i] + by);
		if (!is_full)
			return true;
	}
	return false;
}

static void add_range(struct edges *e, const struct ip_range *r)
{
	struct policy_address first = { .is_v6 = r->address.is_v6 }, last, next;
	size_t bits = first.is_v6 ? 128 : 32;

	memcpy(first.bytes, r->address.bytes, bits / 8);
	last = first;
	for (size_t bit = r->prefix; bit < bits; bit++) {
		unsigned char mask = (unsigned char)(0x80u >> bit % 8);

		first.bytes[bit / 8] &= (unsigned char)~mask;
		last.bytes[bit / 8] |= mask;
	}
	add_address(e, &first);
	add_address(e, &last);
	next = first;
	if (step(&next, -1))
		add_address(e, &next);
	next = last;
	if (step(&next, 1))
		add_address(e, &next);
}

void edges_add_port(struct edges *e, int64_t port)
{
	size_t i = 0;

	if (port < 1 || port > UINT16_MAX)
		return;
	while (i < e->ports.len && e->ports.items[i] != port)
		i++;
	if (i == e->ports.len && e->ports.len < EDGES_MAX)
		vec_push(&e->ports, (uint16_t)port);
}

static void add_port(struct edges *e, int64_t port)
{
	if (port < 0 || port > UINT16_MAX)
		return;
	edges_add_port(e, port - 1);
	edges_add_port(e, port);
	edges_add_port(e, port + 1);
}

static void add_name(struct edges *e, struct span name)
{
	if (!name.len || name.len > 200)
		return;
	add_span(e, &e->names, name);
	texts_add(e, &e->names, "a.%.*s", SPAN_ARG(name));
	texts_add(e, &e->names, "a.b.%.*s", SPAN_ARG(name));
	texts_add(e, &e->names, "not%.*s", SPAN_ARG(name));
}

static void add_host(struct edges *e, struct span id)
{
	struct host_id h;
	struct ip_range whole;

	if (!host_id_parse(id, &h))
		return;
	if (h.port)
		add_port(e, h.port);
	if (!h.has_address) {
		add_name(e, h.name);
		return;
	}
	whole = (struct ip_range){ h.address, h.address.is_v6 ? 128 : 32 };
	add_range(e, &whole);
}

/* ---- Literals -------------------------------------------------------------------- */

static void add_uid(struct edges *e, struct cedar_entity_uid uid)
{
	struct ip_range range;

	if (span_eq(uid.type, TYPE_FILE) || span_eq(uid.type, TYPE_DIR))
		add_path(e, uid.id);
	else if (span_eq(uid.type, TYPE_HOST))
		add_host(e, uid.id);
	else if (span_eq(uid.type, TYPE_DNS_ZONE))
		add_name(e, uid.id);
	else if (span_eq(uid.type, TYPE_IP_RANGE) && ip_range_parse(uid.id, &range))
		add_range(e, &range);
	else if (span_eq(uid.type, TYPE_MCP_SERVER))
		add_span(e, &e->servers, uid.id);
	else if (span_eq(uid.type, TYPE_MCP_TOOL))
		add_span(e, &e->tools, uid.id);
}

static bool is_context(const struct cedar_expr *e)
{
	return e->kind == CEDAR_EXPR_VAR && e->var == CEDAR_CONTEXT;
}

static bool is_context_headers(const struct cedar_expr *e)
{
	return e->kind == CEDAR_EXPR_ATTRIBUTE && is_context(e->left) &&
	       span_eq(e->string, SPAN("headers"));
}

/* The text that the list begins with, which ends with NUL. */
static struct span take_text(struct span *list)
{
	const char *end = list->len ? memchr(list->p, 0, list->len) : NULL;
	struct span text = { list->p, end ? (size_t)(end - list->p) : list->len };

	*list = span_from(*list, text.len + 1);
	return text;
}

static void append_header(struct buf *out, struct span name, struct span value)
{
	(void)buf_append_span(out, name);
	(void)buf_append_char(out, 0);
	(void)buf_append_span(out, value);
	(void)buf_append_char(out, 0);
}

/* The headers but the one of the name. True: there was one. */
static bool copy_others(struct span headers, struct span name, struct buf *out)
{
	bool is_found = false;

	while (headers.len) {
		struct span present = take_text(&headers);
		struct span value = take_text(&headers);

		if (span_eq(present, name))
			is_found = true;
		else
			append_header(out, present, value);
	}
	return is_found;
}

static bool has_nul(struct span s)
{
	return s.len && memchr(s.p, 0, s.len);
}

/* value: what it is compared with, which says more than that there is one (NULL). */
static void add_header(struct edges *e, struct fact_set *together, struct span name,
		       const struct span *value)
{
	struct span *all = &together->values[COMPARE_HEADERS];
	_cleanup_buf_ struct buf joined = BUF_INIT(0);
	size_t before;

	if (has_nul(name) || (value && has_nul(*value)))
		return;
	if (copy_others(*all, name, &joined) && !value)
		return;
	before = joined.len;
	append_header(&joined, name, value ? *value : SPAN("x"));
	add_span(e, &e->facts[COMPARE_HEADERS], span_from(buf_span(&joined), before));
	all->p = arena_dup(&e->arena, buf_span(&joined));
	all->len = all->p ? joined.len : 0;
}

/* Headers that are asked for, whatever is in them. */
static void add_asked_header(struct edges *e, struct fact_set *together,
			     const struct cedar_expr *has)
{
	if (is_context_headers(has->left))
		add_header(e, together, has->names[0], NULL);
	else if (is_context(has->left) && has->n_names > 1 &&
		 span_eq(has->names[0], SPAN("headers")))
		add_header(e, together, has->names[1], NULL);
}

/* What an expression is compared with says what kind of text that is. */
static void add_text(struct edges *e, struct fact_set *together, const struct cedar_expr *about,
		     struct span text)
{
	static const struct {
		const char *key;
		unsigned int fact;
		bool is_list;
	} facts[] = {
		{ "exe", POLICY_FACT_EXE, false },   { "comm", POLICY_FACT_COMM, false },
		{ "cwd", POLICY_FACT_CWD, false },   { "ancestors", POLICY_FACT_ANCESTORS, true },
		{ "argv", POLICY_FACT_ARGV, true },  { "args", POLICY_FACT_ARGV, true },
		{ "method", COMPARE_METHOD, false }, { "scheme", COMPARE_SCHEME, false },
		{ "path", COMPARE_PATH, false },     { "query", COMPARE_QUERY, false },
	};

	if (about->kind != CEDAR_EXPR_ATTRIBUTE)
		return;
	if (is_context_headers(about->left))
		add_header(e, together, about->string, &text);
	if (about->left->kind != CEDAR_EXPR_VAR)
		return;
	if (about->left->var == CEDAR_RESOURCE && span_eq(about->string, SPAN("path")))
		add_path(e, text);
	if (span_eq(about->string, SPAN("name")) || span_eq(about->string, SPAN("hostname")))
		add_name(e, text);
	for (size_t i = 0; about->left->var == CEDAR_CONTEXT && i < ARRAY_SIZE(facts); i++) {
		struct span *value = &together->values[facts[i].fact];
		_cleanup_buf_ struct buf joined = BUF_INIT(0);

		if (!span_eq_str(about->string, facts[i].key))
			continue;
		add_span(e, &e->facts[facts[i].fact], text);
		(void)buf_append_span(&joined, *value);
		if (value->len && facts[i].is_list)
			(void)buf_append_char(&joined, 0);
		if (!value->len || facts[i].is_list)
			(void)buf_append_span(&joined, text);
		value->p = arena_dup(&e->arena, buf_span(&joined));
		value->len = value->p ? joined.len : 0;
	}
}

/* The pattern with something, and with nothing, for each wildcard. */
static void add_pattern(struct edges *e, struct fact_set *together, const struct cedar_expr *like)
{
	for (int filled = 1; filled >= 0; filled--) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		for (size_t i = 0; i < like->n_pattern; i++)
			if (!like->pattern[i].is_wildcard)
				(void)buf_append_span(&text, like->pattern[i].literal);
			else if (filled)
				(void)buf_append_str(&text, i ? "x" : "/x");
		add_text(e, together, like->left, buf_span(&text));
	}
}

static void add_call(struct edges *e, struct fact_set *together, const struct cedar_expr *call)
{
	const struct cedar_expr *argument = call->n_items ? call->items[call->n_items - 1] : NULL;
	struct ip_range range;

	if (!argument)
		return;
	if (!call->is_method && argument->kind == CEDAR_EXPR_STRING &&
	    span_eq(call->string, SPAN("ip")) && ip_range_parse(argument->string, &range))
		add_range(e, &range);
	if (!call->is_method || call->n_items < 2)
		return;
	if (argument->kind == CEDAR_EXPR_STRING)
		add_text(e, together, call->items[0], argument->string);
	for (size_t i = 0; argument->kind == CEDAR_EXPR_SET && i < argument->n_items; i++)
		if (argument->items[i]->kind == CEDAR_EXPR_STRING)
			add_text(e, together, call->items[0], argument->items[i]->string);
	for (size_t i = 0; call->items[0]->kind == CEDAR_EXPR_SET && i < call->items[0]->n_items;
	     i++)
		if (call->items[0]->items[i]->kind == CEDAR_EXPR_STRING)
			add_text(e, together, argument, call->items[0]->items[i]->string);
}

static void add_comparison(struct edges *e, struct fact_set *together, const struct cedar_expr *a,
			   const struct cedar_expr *b)
{
	if (a->kind == CEDAR_EXPR_STRING)
		add_text(e, together, b, a->string);
	if (a->kind == CEDAR_EXPR_LONG)
		add_port(e, a->integer);
}

/* Depth is bounded by the parser. */
static void add_expr(struct edges *e, struct fact_set *together, const struct cedar_expr *x)
{
	if (x->kind == CEDAR_EXPR_ENTITY)
		add_uid(e, x->uid);
	else if (x->kind == CEDAR_EXPR_LIKE)
		add_pattern(e, together, x);
	else if (x->kind == CEDAR_EXPR_CALL)
		add_call(e, together, x);
	else if (x->kind == CEDAR_EXPR_HAS)
		add_asked_header(e, together, x);
	if (x->left && x->right) {
		add_comparison(e, together, x->left, x->right);
		add_comparison(e, together, x->right, x->left);
	}
	if (x->left)
		add_expr(e, together, x->left);
	if (x->right)
		add_expr(e, together, x->right);
	if (x->third)
		add_expr(e, together, x->third);
	for (size_t i = 0; i < x->n_items; i++)
		add_expr(e, together, x->items[i]);
}

static void add_combination(struct edges *e, const struct fact_set *together)
{
	bool is_any = false;

	for (size_t i = 0; i < COMPARE_N_FACTS; i++)
		is_any |= together->values[i].len > 0;
	if (is_any && e->combinations.len < EDGES_MAX)
		vec_push(&e->combinations, *together);
}

void edges_add(struct edges *e, const struct rule *rule)
{
	struct fact_set together = { 0 };

	for (size_t i = 0; i < rule->cedar->resource.n_uids; i++)
		add_uid(e, rule->cedar->resource.uids[i]);
	for (size_t i = 0; i < rule->cedar->n_conditions; i++)
		add_expr(e, &together, rule->cedar->conditions[i].body);
	add_combination(e, &together);
	/* A header is often named for requests that have none. */
	if (together.values[COMPARE_HEADERS].len) {
		together.values[COMPARE_HEADERS] = (struct span){ 0 };
		add_combination(e, &together);
	}
}
