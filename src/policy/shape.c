#include "policy/shape.h"

#include "base/limits.h"
#include "base/path.h"
#include "policy/entities.h"
#include "policy/names.h"
#include "policy/policy-private.h"

/* ---- Places ---------------------------------------------------------------------- */

static bool is_resource(const struct cedar_expr *e)
{
	return e->kind == CEDAR_EXPR_VAR && e->var == CEDAR_RESOURCE;
}

static void add_place(places *out, enum cedar_scope_op op, struct cedar_entity_uid uid)
{
	vec_push(out, (struct place){ op, uid });
}

/* Is the expression a choice of places, and nothing but that? Depth is bounded by the parser. */
static bool find_places(const struct cedar_expr *e, places *out)
{
	const struct cedar_expr *r = e->right;

	if (e->kind == CEDAR_EXPR_OR)
		return find_places(e->left, out) && find_places(r, out);
	if (!e->left || !is_resource(e->left))
		return false;
	if (e->kind == CEDAR_EXPR_IS && !r) {
		add_place(out, CEDAR_SCOPE_IS, (struct cedar_entity_uid){ .type = e->type_name });
		return true;
	}
	if (e->kind == CEDAR_EXPR_EQ && r->kind == CEDAR_EXPR_ENTITY) {
		add_place(out, CEDAR_SCOPE_EQ, r->uid);
		return true;
	}
	if (e->kind != CEDAR_EXPR_IN)
		return false;
	if (r->kind == CEDAR_EXPR_ENTITY) {
		add_place(out, CEDAR_SCOPE_IN, r->uid);
		return true;
	}
	for (size_t i = 0; r->kind == CEDAR_EXPR_SET && i < r->n_items; i++) {
		if (r->items[i]->kind != CEDAR_EXPR_ENTITY)
			return false;
		add_place(out, CEDAR_SCOPE_IN, r->items[i]->uid);
	}
	return r->kind == CEDAR_EXPR_SET && r->n_items > 0;
}

static bool is_about_files(struct span type)
{
	return span_eq(type, TYPE_FILE) || span_eq(type, TYPE_DIR);
}

/* A host as a place has its name, its server's tools included; a type is of resources themselves.
 */
static uint32_t actions_of_place(const struct place *p)
{
	const uint32_t files = (ACTION_BIT(POLICY_PROCESS_EXEC) << 1) - 1;
	const uint32_t all = ACTION_BIT(POLICY_ACTION_MAX) - 1;
	const uint32_t mcp = ACTION_BIT(POLICY_MCP_CALL);

	if (is_about_files(p->uid.type))
		return files;
	if (span_eq(p->uid.type, TYPE_MCP_TOOL) || span_eq(p->uid.type, TYPE_MCP_SERVER))
		return mcp;
	return p->op == CEDAR_SCOPE_IN ? all & ~files : all & ~files & ~mcp;
}

static bool place_covers(const struct place *a, const struct place *b)
{
	struct entity_graph none = { 0 };
	const struct cedar_entity_source graph = entity_graph_source(&none);

	if (a->op == CEDAR_SCOPE_IS)
		return span_eq(a->uid.type, b->uid.type) ||
		       (span_eq(a->uid.type, TYPE_FILE) && is_about_files(b->uid.type)) ||
		       (span_eq(a->uid.type, TYPE_HOST) && b->op == CEDAR_SCOPE_EQ &&
			span_eq(b->uid.type, TYPE_HOST));
	if (b->op == CEDAR_SCOPE_IS)
		return false;
	if (cedar_uid_eq(a->uid, b->uid))
		return a->op == CEDAR_SCOPE_IN || b->op == CEDAR_SCOPE_EQ ||
		       span_eq(a->uid.type, TYPE_FILE); /* in a file is the file alone */
	return a->op == CEDAR_SCOPE_IN && graph.is_in(graph.ctx, b->uid, a->uid);
}

static bool is_name(struct cedar_entity_uid uid, struct host_id *ret)
{
	return span_eq(uid.type, TYPE_HOST) && host_id_parse(uid.id, ret) && !ret->has_address &&
	       ret->name.len;
}

/* Two names of hosts; an address can be any name's. */
static bool hosts_meet(struct cedar_entity_uid a, struct cedar_entity_uid b)
{
	struct host_id x, y;

	if (!is_name(a, &x) || !is_name(b, &y))
		return true;
	if (x.port && y.port && x.port != y.port)
		return false;
	if (x.is_wildcard && y.is_wildcard && span_eq(x.name, y.name))
		return true;
	return host_name_matches(&x, &y) || host_name_matches(&y, &x);
}

/* Can something be in both? True where that cannot be told. */
static bool places_meet(const struct place *a, const struct place *b)
{
	bool is_file = is_about_files(a->uid.type);

	if (is_file != is_about_files(b->uid.type))
		return false;
	if (a->op == CEDAR_SCOPE_IS || b->op == CEDAR_SCOPE_IS)
		return true;
	if (is_file)
		return path_is_within(a->uid.id, b->uid.id) || path_is_within(b->uid.id, a->uid.id);
	return hosts_meet(a->uid, b->uid);
}

static bool lists_meet(const places *a, const places *b)
{
	for (size_t i = 0; i < a->len; i++)
		for (size_t j = 0; j < b->len; j++)
			if (places_meet(&a->items[i], &b->items[j]))
				return true;
	return false;
}

/* Lists of places so long that comparing each with each takes time are taken to meet. */
#define MAX_PAIRS 10000

static bool choices_meet(const places *a, const places *b)
{
	return a->len * b->len > MAX_PAIRS || lists_meet(a, b);
}

/* ---- Making --------------------------------------------------------------------- */

struct making {
	struct shape *shape;
	struct arena *arena;
	bool has_places, is_failed;
};

static struct span keep(struct making *m, const struct buf *text)
{
	const char *copy = arena_dup(m->arena, buf_span(text));

	m->is_failed |= !copy;
	return span_make(copy, copy ? text->len : 0);
}

static void add_condition(struct making *m, const struct cedar_expr *e, bool is_negated)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	places found = { 0 };

	bool is_choice = !is_negated && find_places(e, &found), is_contrary = false;

	if (is_choice && !m->has_places) {
		m->shape->places.items = found.items;
		m->shape->places.len = found.len;
		m->shape->places.cap = found.cap;
		m->has_places = true;
		return;
	}
	if (is_choice)
		is_contrary = !choices_meet(&m->shape->places, &found);
	vec_done(&found);
	if (is_negated)
		(void)buf_append_char(&text, '!');
	if (cedar_expr_print(e, &text) < 0)
		m->is_failed = true;
	vec_push(&m->shape->conditions, keep(m, &text));
	if (is_contrary)
		m->shape->contradiction = m->shape->conditions.items[m->shape->conditions.len - 1];
}

/* a && b must both hold; of !(a || b), neither may. */
static void add_conditions(struct making *m, const struct cedar_expr *e, bool is_negated)
{
	if (e->kind == CEDAR_EXPR_NOT) {
		add_conditions(m, e->left, !is_negated);
	} else if (e->kind == (is_negated ? CEDAR_EXPR_OR : CEDAR_EXPR_AND)) {
		add_conditions(m, e->left, is_negated);
		add_conditions(m, e->right, is_negated);
	} else {
		add_condition(m, e, is_negated);
	}
}

/* `resource is T in x` becomes the place x; the type is a condition then. */
static void add_scope(struct making *m, const struct cedar_scope *s)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	const bool is_in = s->op == CEDAR_SCOPE_IN || s->op == CEDAR_SCOPE_IS_IN;

	if (s->op == CEDAR_SCOPE_ANY)
		return;
	m->has_places = true;
	if (s->op == CEDAR_SCOPE_IS) {
		add_place(&m->shape->places, s->op,
			  (struct cedar_entity_uid){ .type = s->type_name });
		return;
	}
	for (size_t i = 0; i < s->n_uids; i++)
		add_place(&m->shape->places, is_in ? CEDAR_SCOPE_IN : CEDAR_SCOPE_EQ, s->uids[i]);
	if (s->op != CEDAR_SCOPE_IS_IN)
		return;
	(void)buf_printf(&text, "resource is %.*s", SPAN_ARG(s->type_name));
	vec_push(&m->shape->conditions, keep(m, &text));
}

static void add_principal(struct making *m, const struct cedar_scope *s)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	if (s->op == CEDAR_SCOPE_ANY ||
	    (s->op == CEDAR_SCOPE_IS && span_eq(s->type_name, TYPE_AGENT)))
		return;
	/* Agents are in no other entity, so `in` and `==` are the same. */
	if (s->n_uids)
		(void)buf_printf(&text, "%.*s::%.*s", SPAN_ARG(s->uids[0].type),
				 SPAN_ARG(s->uids[0].id));
	else
		(void)buf_printf(&text, "%.*s", SPAN_ARG(s->type_name));
	m->shape->principal = keep(m, &text);
}

static void add_actions(struct shape *s)
{
	uint32_t about = s->places.len ? 0 : ~UINT32_C(0);

	for (size_t i = 0; i < s->places.len; i++)
		about |= actions_of_place(&s->places.items[i]);
	for (int a = 0; a < POLICY_ACTION_MAX; a++)
		if ((about & ACTION_BIT(a)) && scope_matches_action(&s->policy->action, a))
			s->actions |= ACTION_BIT(a);
}

bool shape_make(const struct cedar_policy *p, struct arena *arena, struct shape *ret)
{
	struct making m = { .shape = ret, .arena = arena };

	*ret = (struct shape){ .policy = p };
	add_scope(&m, &p->resource);
	add_principal(&m, &p->principal);
	for (size_t i = 0; i < p->n_conditions; i++)
		add_conditions(&m, p->conditions[i].body, p->conditions[i].is_unless);
	add_actions(ret);
	if (m.is_failed)
		shape_done(ret);
	return !m.is_failed;
}

void shape_done(struct shape *s)
{
	vec_done(&s->places);
	vec_done(&s->conditions);
}

/* ---- Comparing ------------------------------------------------------------------ */

static bool places_cover(const struct shape *a, const struct shape *b)
{
	if (!a->places.len)
		return true;
	for (size_t i = 0; i < b->places.len; i++) {
		size_t j = 0;

		while (j < a->places.len && !place_covers(&a->places.items[j], &b->places.items[i]))
			j++;
		if (j == a->places.len)
			return false;
	}
	return b->places.len > 0;
}

/*
 * Each condition of a must be one of b. A forbid denies where it errs, so there
 * they must be b's first ones: what errs in b after them finds a satisfied.
 */
static bool conditions_cover(const struct shape *a, const struct shape *b)
{
	size_t n = b->policy->is_forbid ? MIN(a->conditions.len, b->conditions.len)
					: b->conditions.len;

	if (a->conditions.len > b->conditions.len)
		return false;
	for (size_t i = 0; i < a->conditions.len; i++) {
		size_t j = 0;

		while (j < n && !span_eq(a->conditions.items[i], b->conditions.items[j]))
			j++;
		if (j == n)
			return false;
	}
	return true;
}

bool shape_covers(const struct shape *a, const struct shape *b)
{
	if (a->principal.len && !span_eq(a->principal, b->principal))
		return false;
	return b->actions && (b->actions & ~a->actions) == 0 && conditions_cover(a, b) &&
	       places_cover(a, b);
}

/* ---- What is above a place ------------------------------------------------------- */

void place_key(const struct place *p, struct buf *out)
{
	(void)buf_append(out, p->uid.type.p, p->uid.type.len);
	(void)buf_append_char(out, 0);
	(void)buf_append(out, p->uid.id.p, p->uid.id.len);
}

struct above {
	void (*fn)(struct span key, void *ctx);
	void *ctx;
};

static void say(const struct above *a, struct span type, const char *id, size_t len)
{
	_cleanup_buf_ struct buf key = BUF_INIT(0);
	const struct place p = { .uid = { type, { id, len } } };

	place_key(&p, &key);
	a->fn(buf_span(&key), a->ctx);
}

/* Levels of directories that are looked through; deeper policies are not found, which does no harm.
 */
#define MAX_LEVELS 128

/* Directories have a final slash in their normal form. No request has a path past the limit. */
static void above_path(const struct above *a, struct span path)
{
	size_t n = 0;

	if (path.len > LIMIT_PATH)
		return;
	for (size_t len = path.len; len > 0 && n < MAX_LEVELS; len--)
		if (path.p[len - 1] == '/' && (len < path.len || path.len == 1)) {
			say(a, TYPE_DIR, path.p, len);
			n++;
		}
}

static void above_address(const struct above *a, const struct policy_address *address,
			  unsigned int prefix)
{
	struct ip_range r = { .address = *address };

	for (r.prefix = 0; r.prefix <= prefix; r.prefix++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);
		unsigned int rest = r.prefix % 8;

		memcpy(r.address.bytes, address->bytes, sizeof(r.address.bytes));
		for (size_t i = (r.prefix + 7) / 8; i < sizeof(r.address.bytes); i++)
			r.address.bytes[i] = 0;
		if (rest)
			r.address.bytes[r.prefix / 8] &= (unsigned char)(0xff00u >> rest);
		(void)ip_range_print(&r, &text);
		say(a, TYPE_IP_RANGE, text.data, text.len);
	}
}

static void above_name(const struct above *a, struct span name)
{
	for (size_t at = 0; at < name.len; at++) {
		_cleanup_buf_ struct buf wildcard = BUF_INIT(0);
		struct span rest = span_from(name, at);

		if (at && name.p[at - 1] != '.')
			continue;
		say(a, TYPE_DNS_ZONE, rest.p, rest.len);
		(void)buf_printf(&wildcard, "*.%.*s", SPAN_ARG(rest));
		say(a, TYPE_HOST, wildcard.data, wildcard.len);
	}
}

static void above_host(const struct above *a, struct span id)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct host_id h;

	say(a, TYPE_HOST, "*", 1);
	if (!host_id_parse(id, &h))
		return;
	if (h.has_address) {
		(void)policy_address_print(&h.address, &text);
		say(a, TYPE_HOST, text.data, text.len);
		above_address(a, &h.address, h.address.is_v6 ? 128 : 32);
		return;
	}
	if (!h.is_wildcard)
		say(a, TYPE_HOST, h.name.p, h.name.len);
	above_name(a, h.name);
}

void place_each_above(const struct place *p, void (*fn)(struct span key, void *ctx), void *ctx)
{
	const struct above a = { fn, ctx };
	struct span type = p->uid.type;
	struct ip_range range;

	say(&a, type, p->uid.id.p, p->uid.id.len);
	if (is_about_files(type)) {
		above_path(&a, p->uid.id);
		say(&a, TYPE_FILE, NULL, 0);
	} else if (span_eq(type, TYPE_HOST)) {
		above_host(&a, p->uid.id);
		say(&a, TYPE_HOST, NULL, 0);
	} else if (span_eq(type, TYPE_DNS_ZONE)) {
		above_name(&a, p->uid.id);
		say(&a, TYPE_HOST, "*", 1);
	} else if (span_eq(type, TYPE_IP_RANGE) && ip_range_parse(p->uid.id, &range)) {
		above_address(&a, &range.address, range.prefix);
		say(&a, TYPE_HOST, "*", 1);
	} else {
		say(&a, type, NULL, 0);
	}
}
