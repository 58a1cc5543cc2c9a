/* What names in a schema stand for, and what was meant by those that stand for nothing. */
#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/schema-resolve.h"

/* Names compared for suggestions, in all errors of one schema together. */
#define CANDIDATES_MAX ((size_t)200000)

static const struct builtin {
	const char *name;
	struct cedar_type type;
} builtins[] = {
	{ "Bool", { .kind = CEDAR_TYPE_BOOL } },
	{ "Long", { .kind = CEDAR_TYPE_LONG } },
	{ "String", { .kind = CEDAR_TYPE_STRING } },
	{ "decimal", { .kind = CEDAR_TYPE_DECIMAL } },
	{ "ipaddr", { .kind = CEDAR_TYPE_IPADDR } },
	{ "datetime", { .kind = CEDAR_TYPE_DATETIME } },
	{ "duration", { .kind = CEDAR_TYPE_DURATION } },
};

const struct cedar_type *schema_builtin(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		if (span_eq_str(name, builtins[i].name))
			return &builtins[i].type;
	return NULL;
}

struct span schema_full_name(struct arena *arena, const struct schema_namespace *ns,
			     struct span name)
{
	size_t prefix = ns->name.len ? ns->name.len + 2 : 0;
	char *full = arena_alloc(arena, prefix + name.len + 1);

	if (!full)
		return (struct span){ 0 };
	if (prefix) {
		memcpy(full, ns->name.p, ns->name.len);
		memcpy(full + ns->name.len, "::", 2);
	}
	if (name.len)
		memcpy(full + prefix, name.p, name.len);
	return (struct span){ full, prefix + name.len };
}

/* ---- Looking up --------------------------------------------------------- */

static struct schema_found look_up_in(const struct schema_namespace *ns, struct span name,
				      unsigned wanted)
{
	size_t at = wanted & SCHEMA_NAME_COMMON ? schema_namespace_common(ns, name) : SIZE_MAX;

	if (at != SIZE_MAX)
		return (struct schema_found){ .kind = SCHEMA_NAME_COMMON,
					      .number = ns->first_common + at };
	at = wanted & SCHEMA_NAME_ENTITY ? schema_namespace_entity(ns, name) : SIZE_MAX;
	if (at != SIZE_MAX)
		return (struct schema_found){ .kind = SCHEMA_NAME_ENTITY,
					      .number = ns->first_entity + at };
	if ((wanted & SCHEMA_NAME_ENTITY) && ns->n_actions && span_eq(name, SPAN("Action")))
		return (struct schema_found){ .kind = SCHEMA_NAME_ACTION, .ns = ns };
	return (struct schema_found){ 0 };
}

static struct schema_found look_up_builtin(struct span name, unsigned wanted)
{
	const struct cedar_type *type = wanted & SCHEMA_NAME_COMMON ? schema_builtin(name) : NULL;

	return (struct schema_found){ .kind = type ? SCHEMA_NAME_BUILTIN : SCHEMA_NAME_NONE,
				      .builtin = type };
}

static const struct schema_namespace *outermost(const struct cedar_schema_tree *tree)
{
	return schema_tree_namespace(tree, SPAN(""));
}

struct schema_found schema_look_up(const struct cedar_schema_tree *tree,
				   const struct schema_namespace *ns, struct span name,
				   unsigned wanted)
{
	struct schema_found found;
	struct span prefix, last;

	schema_split_name(name, &prefix, &last);
	if (prefix.len) {
		if (span_eq(prefix, SPAN("__cedar")))
			return look_up_builtin(last, wanted);
		ns = schema_tree_namespace(tree, prefix);
		return ns ? look_up_in(ns, last, wanted) : (struct schema_found){ 0 };
	}
	found = look_up_in(ns, last, wanted);
	if (found.kind == SCHEMA_NAME_NONE && ns->name.len)
		found = look_up_in(outermost(tree), last, wanted);
	/* An entity type outside of all namespaces hides the builtin type even where it cannot
	 * stand. */
	if (found.kind == SCHEMA_NAME_NONE &&
	    schema_namespace_entity(outermost(tree), last) == SIZE_MAX)
		found = look_up_builtin(last, wanted);
	return found;
}

static size_t look_up_action_in(const struct schema_namespace *ns, struct span id)
{
	size_t at = ns ? schema_namespace_action(ns, id) : SIZE_MAX;

	return at == SIZE_MAX ? at : ns->first_action + at;
}

size_t schema_look_up_action(const struct cedar_schema_tree *tree,
			     const struct schema_namespace *ns, const struct schema_action_ref *ref)
{
	struct span prefix, last;
	size_t number;

	schema_split_name(ref->type, &prefix, &last);
	if (ref->type.len && !span_eq(last, SPAN("Action")))
		return SIZE_MAX;
	if (prefix.len)
		return look_up_action_in(schema_tree_namespace(tree, prefix), ref->id);
	number = look_up_action_in(ns, ref->id);
	return number != SIZE_MAX ? number : look_up_action_in(outermost(tree), ref->id);
}

/* ---- Suggestions -------------------------------------------------------- */

/* The nearest of the names seen so far, or one that is right but for its namespace. */
struct search {
	struct resolver *r;
	struct span word; /* the last component of what was written */
	const struct schema_namespace *ns;
	struct span name;
	size_t distance;
};

static void consider(struct search *s, const struct schema_namespace *ns, struct span name)
{
	size_t distance;

	if (s->r->n_candidates >= CANDIDATES_MAX)
		return;
	s->r->n_candidates++;
	distance = word_distance(s->word, name, s->distance);
	if (distance >= s->distance)
		return;
	s->distance = distance;
	s->ns = ns;
	s->name = name;
}

static void consider_namespace(struct search *s, const struct schema_namespace *ns, unsigned wanted)
{
	for (size_t i = 0; (wanted & SCHEMA_NAME_COMMON) && i < ns->n_commons; i++)
		consider(s, ns, ns->commons[i]->name);
	for (size_t i = 0; (wanted & SCHEMA_NAME_ENTITY) && i < ns->n_entities; i++)
		consider(s, ns, ns->entities[i]->name);
}

/* The same name in another namespace: the commonest mistake of all. */
static bool find_elsewhere(struct search *s, unsigned wanted)
{
	const struct cedar_schema_tree *tree = s->r->tree;

	for (size_t i = 0; i < tree->n_namespaces; i++) {
		if (s->r->n_candidates++ >= CANDIDATES_MAX)
			return false;
		if (look_up_in(tree->namespaces[i], s->word, wanted).kind == SCHEMA_NAME_NONE)
			continue;
		s->ns = tree->namespaces[i];
		s->name = s->word;
		return true;
	}
	return false;
}

/* Words of other languages. */
static const char *foreign_name(struct span name)
{
	static const char *const words[][2] = {
		{ "Boolean", "Bool" },	  { "boolean", "Bool" }, { "bool", "Bool" },
		{ "Int", "Long" },	  { "int", "Long" },	 { "Integer", "Long" },
		{ "integer", "Long" },	  { "Number", "Long" },	 { "number", "Long" },
		{ "string", "String" },	  { "str", "String" },	 { "ip", "ipaddr" },
		{ "Decimal", "decimal" }, { "Set", "Set<...>" }, { "date", "datetime" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (span_eq_str(name, words[i][0]))
			return words[i][1];
	return NULL;
}

static void search(struct search *s, const struct schema_namespace *ns, struct span prefix,
		   unsigned wanted)
{
	s->distance = word_distance_max(s->word) + 1;
	if (find_elsewhere(s, wanted))
		return;
	if (prefix.len) {
		ns = schema_tree_namespace(s->r->tree, prefix);
		if (ns)
			consider_namespace(s, ns, wanted);
		return;
	}
	consider_namespace(s, ns, wanted);
	if (ns->name.len)
		consider_namespace(s, outermost(s->r->tree), wanted);
	for (size_t i = 0; (wanted & SCHEMA_NAME_COMMON) && i < ARRAY_SIZE(builtins); i++)
		consider(s, NULL, span_of(builtins[i].name));
}

static const char *suggest(struct resolver *r, const struct schema_namespace *ns, struct span name,
			   unsigned wanted, char *text, size_t size)
{
	struct search s = { .r = r };
	struct span prefix, ns_name;
	const char *foreign;

	schema_split_name(name, &prefix, &s.word);
	foreign = wanted & SCHEMA_NAME_COMMON && !prefix.len ? foreign_name(name) : NULL;
	if (foreign) {
		(void)snprintf(text, size, "did you mean `%s`?", foreign);
		return text;
	}
	search(&s, ns, prefix, wanted);
	if (!s.name.p)
		return NULL;
	/* What is in sight needs no namespace before it. */
	ns_name = s.ns && (s.ns != ns || prefix.len) ? s.ns->name : SPAN("");
	ns_name = diagnostic_quote(ns_name);
	s.name = diagnostic_quote(s.name);
	(void)snprintf(text, size, "did you mean `%.*s%s%.*s`?", SPAN_ARG(ns_name),
		       ns_name.len ? "::" : "", SPAN_ARG(s.name));
	return text;
}

int resolver_unknown_name(struct resolver *r, const struct schema_namespace *ns, struct span name,
			  struct cedar_range range, unsigned wanted)
{
	static const struct {
		const char *code, *what;
	} kinds[] = {
		[SCHEMA_NAME_COMMON] = { "unknown_common_type", "a common type" },
		[SCHEMA_NAME_ENTITY] = { "unknown_entity_type", "an entity type" },
		[SCHEMA_NAME_COMMON |
			SCHEMA_NAME_ENTITY] = { "unknown_type", "a common or entity type" },
	};
	char text[200];
	const char *help = r->diags->len < LIMIT_CEDAR_DIAGNOSTICS
				   ? suggest(r, ns, name, wanted, text, sizeof(text))
				   : NULL;

	return resolver_error(r, kinds[wanted].code, range, help, "`%.*s` is not declared as %s",
			      SPAN_ARG(diagnostic_quote(name)), kinds[wanted].what);
}

int resolver_unknown_action(struct resolver *r, const struct schema_namespace *ns,
			    const struct schema_action_ref *ref)
{
	struct search s = { .r = r, .word = ref->id, .distance = word_distance_max(ref->id) + 1 };
	char text[200];

	for (size_t i = 0; i < ns->n_actions && r->diags->len < LIMIT_CEDAR_DIAGNOSTICS; i++)
		consider(&s, ns, ns->actions[i]->id);
	s.name = diagnostic_quote(s.name);
	(void)snprintf(text, sizeof(text), "did you mean \"%.*s\"?", SPAN_ARG(s.name));
	return resolver_error(r, "unknown_action", ref->range, s.name.p ? text : NULL,
			      "the action %.*s%s\"%.*s\" is not declared",
			      SPAN_ARG(diagnostic_quote(ref->type)), ref->type.len ? "::" : "",
			      SPAN_ARG(diagnostic_quote(ref->id)));
}

/* ---- Shadowing ---------------------------------------------------------- */

static void report_shadowing(struct resolver *r, const struct schema_namespace *ns,
			     struct span name, struct cedar_range range)
{
	(void)resolver_error(r, "shadowing", range,
			     "rename one of the two, or move the outer one into a namespace",
			     "`%.*s::%.*s` hides the `%.*s` that is declared outside of namespaces",
			     SPAN_ARG(diagnostic_quote(ns->name)), SPAN_ARG(diagnostic_quote(name)),
			     SPAN_ARG(diagnostic_quote(name)));
}

static bool is_declared(const struct schema_namespace *ns, struct span name)
{
	return schema_namespace_common(ns, name) != SIZE_MAX ||
	       schema_namespace_entity(ns, name) != SIZE_MAX;
}

void resolver_check_shadowing(struct resolver *r)
{
	const struct schema_namespace *outer = outermost(r->tree);

	for (size_t k = 0; k < r->tree->n_namespaces; k++) {
		const struct schema_namespace *ns = r->tree->namespaces[k];

		if (ns == outer)
			continue;
		for (size_t i = 0; i < ns->n_entities; i++)
			if (is_declared(outer, ns->entities[i]->name))
				report_shadowing(r, ns, ns->entities[i]->name,
						 ns->entities[i]->range);
		for (size_t i = 0; i < ns->n_commons; i++)
			if (is_declared(outer, ns->commons[i]->name))
				report_shadowing(r, ns, ns->commons[i]->name,
						 ns->commons[i]->range);
		for (size_t i = 0; i < ns->n_actions; i++)
			if (schema_namespace_action(outer, ns->actions[i]->id) != SIZE_MAX)
				report_shadowing(r, ns, ns->actions[i]->id, ns->actions[i]->range);
	}
}
