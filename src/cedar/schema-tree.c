/* Trees: making, sorting, looking up. */
#include "cedar/schema-tree.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/diagnostics.h"

struct cedar_schema_tree *schema_tree_new(void)
{
	struct cedar_schema_tree *tree = xnew(struct cedar_schema_tree);

	tree->arena.max = LIMIT_CEDAR_ARENA;
	return tree;
}

void cedar_schema_tree_free(struct cedar_schema_tree *tree)
{
	if (!tree)
		return;
	arena_done(&tree->arena);
	xfree(tree);
}

void schema_tree_cleanup(struct cedar_schema_tree **tree)
{
	cedar_schema_tree_free(*tree);
}

struct schema_type *schema_type_new(struct cedar_schema_tree *tree, enum schema_type_kind kind,
				    size_t begin)
{
	struct schema_type *type = arena_new(&tree->arena, struct schema_type);

	if (!type)
		return NULL;
	type->kind = kind;
	type->range = (struct cedar_range){ begin, begin };
	type->index = tree->n_types++;
	return type;
}

int schema_list_grow(struct arena *arena, void **items, size_t len, size_t *cap, size_t size)
{
	size_t wanted = *cap ? *cap * 2 : 4;
	void *grown;

	if (len < *cap)
		return 0;
	grown = arena_alloc_array(arena, wanted, size);
	if (!grown)
		return -ENOMEM;
	if (len)
		memcpy(grown, *items, len * size);
	*items = grown;
	*cap = wanted;
	return 0;
}

struct schema_namespace *schema_tree_namespace_new(struct cedar_schema_tree *tree, struct span name,
						   struct cedar_range range)
{
	struct schema_namespace *ns = arena_new(&tree->arena, struct schema_namespace);
	void *list = tree->namespaces;

	if (!ns || schema_list_grow(&tree->arena, &list, tree->n_namespaces, &tree->cap_namespaces,
				    sizeof(struct schema_namespace *)) < 0)
		return NULL;
	ns->name = name;
	ns->range = range;
	ns->is_written = name.len > 0;
	tree->namespaces = list;
	tree->namespaces[tree->n_namespaces++] = ns;
	return ns;
}

/* Copies the node into the arena and appends it to the list. */
static int add(struct arena *arena, void *list, size_t *len, size_t *cap, const void *node,
	       size_t size)
{
	void **items = *(void **)list;
	void *grown = items, *copy = arena_alloc(arena, size);

	if (!copy || schema_list_grow(arena, &grown, *len, cap, sizeof(void *)) < 0)
		return -ENOMEM;
	memcpy(copy, node, size);
	items = grown;
	items[(*len)++] = copy;
	*(void **)list = items;
	return 0;
}

int schema_namespace_add_entity(struct cedar_schema_tree *tree, struct schema_namespace *ns,
				const struct schema_entity *entity)
{
	ns->is_written = true;
	return add(&tree->arena, &ns->entities, &ns->n_entities, &ns->cap_entities, entity,
		   sizeof(*entity));
}

int schema_namespace_add_common(struct cedar_schema_tree *tree, struct schema_namespace *ns,
				const struct schema_common *common)
{
	ns->is_written = true;
	return add(&tree->arena, &ns->commons, &ns->n_commons, &ns->cap_commons, common,
		   sizeof(*common));
}

int schema_namespace_add_action(struct cedar_schema_tree *tree, struct schema_namespace *ns,
				const struct schema_action *action)
{
	ns->is_written = true;
	return add(&tree->arena, &ns->actions, &ns->n_actions, &ns->cap_actions, action,
		   sizeof(*action));
}

/* ---- Order -------------------------------------------------------------- */

/* By name, and by place where names are equal: then the first declaration comes first. */
static int compare(struct span a, struct cedar_range at_a, struct span b, struct cedar_range at_b)
{
	int c = span_cmp(a, b);

	return c ? c : (at_a.begin > at_b.begin) - (at_a.begin < at_b.begin);
}

static int compare_attributes(const void *a, const void *b)
{
	const struct schema_attribute *x = a, *y = b;

	return compare(x->name, x->range, y->name, y->range);
}

static int compare_namespaces(const void *a, const void *b)
{
	const struct schema_namespace *x = *(struct schema_namespace *const *)a;
	const struct schema_namespace *y = *(struct schema_namespace *const *)b;
	int c = schema_compare_namespaces(x->name, y->name);

	return c ? c : (x->range.begin > y->range.begin) - (x->range.begin < y->range.begin);
}

static int compare_entities(const void *a, const void *b)
{
	const struct schema_entity *x = *(struct schema_entity *const *)a;
	const struct schema_entity *y = *(struct schema_entity *const *)b;

	return compare(x->name, x->range, y->name, y->range);
}

static int compare_commons(const void *a, const void *b)
{
	const struct schema_common *x = *(struct schema_common *const *)a;
	const struct schema_common *y = *(struct schema_common *const *)b;

	return compare(x->name, x->range, y->name, y->range);
}

static int compare_actions(const void *a, const void *b)
{
	const struct schema_action *x = *(struct schema_action *const *)a;
	const struct schema_action *y = *(struct schema_action *const *)b;

	return compare(x->id, x->range, y->id, y->range);
}

static void sort(void *items, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	if (n > 1)
		qsort(items, n, size, cmp);
}

/* Warnings may not crowd out the errors. */
static void warn_repeated(const struct schema_attribute *a, struct cedar_diagnostics *diags)
{
	if (diags->len < LIMIT_CEDAR_DIAGNOSTICS / 2)
		diagnostic_add(diags, CEDAR_WARNING, "duplicate_attribute", a->range,
			       "remove it, or name it otherwise",
			       "the attribute `%.*s` is declared again below, which counts",
			       SPAN_ARG(diagnostic_quote(a->name)));
}

void schema_type_sort_attributes(struct schema_type *record, struct cedar_diagnostics *diags)
{
	struct schema_attribute *a = record->attributes;
	size_t kept = 0;

	sort(a, record->n_attributes, sizeof(*a), compare_attributes);
	for (size_t i = 0; i < record->n_attributes; i++) {
		if (kept && span_eq(a[kept - 1].name, a[i].name))
			warn_repeated(&a[--kept], diags);
		a[kept++] = a[i];
	}
	record->n_attributes = kept;
}

static int compare_annotations(const void *a, const void *b)
{
	const struct cedar_annotation *x = a, *y = b;

	return compare(x->key, x->range, y->key, y->range);
}

void schema_annotations_sort(struct schema_annotations *annotations,
			     struct cedar_diagnostics *diags)
{
	const struct cedar_annotation *a = annotations->items;

	sort(annotations->items, annotations->len, sizeof(*a), compare_annotations);
	for (size_t i = 1; i < annotations->len; i++)
		if (span_eq(a[i - 1].key, a[i].key))
			diagnostic_add(diags, CEDAR_ERROR, "duplicate_annotation", a[i].range, NULL,
				       "the annotation @%.*s occurs twice",
				       SPAN_ARG(diagnostic_quote(a[i].key)));
}

/* ---- Names -------------------------------------------------------------- */

int schema_check_entity_name(struct span name, struct cedar_range range,
			     struct cedar_diagnostics *diags)
{
	if (!span_eq(name, SPAN("Action")))
		return 0;
	diagnostic_add(diags, CEDAR_ERROR, "reserved_identifier", range,
		       "declare actions with `action`",
		       "`Action` is the type of all actions and cannot be declared");
	return -EINVAL;
}

int schema_check_common_name(struct span name, struct cedar_range range,
			     struct cedar_diagnostics *diags)
{
	static const char *const words[] = { "Bool", "Boolean", "Entity", "Extension",
					     "Long", "Record",	"Set",	  "String" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!span_eq_str(name, words[i]))
			continue;
		diagnostic_add(diags, CEDAR_ERROR, "reserved_identifier", range,
			       "give it another name",
			       "`%s` is reserved and cannot be the name of a type", words[i]);
		return -EINVAL;
	}
	return 0;
}

/* ---- Finishing ---------------------------------------------------------- */

static void report_twice(struct cedar_diagnostics *diags, const char *what, struct span name,
			 struct cedar_range range)
{
	diagnostic_add(diags, CEDAR_ERROR, "duplicate_declaration", range, NULL,
		       "the %s `%.*s` is declared twice", what, SPAN_ARG(diagnostic_quote(name)));
}

static void find_duplicates(const struct schema_namespace *ns, struct cedar_diagnostics *diags)
{
	for (size_t i = 1; i < ns->n_entities; i++)
		if (span_eq(ns->entities[i - 1]->name, ns->entities[i]->name))
			report_twice(diags, "entity type", ns->entities[i]->name,
				     ns->entities[i]->range);
	for (size_t i = 1; i < ns->n_commons; i++)
		if (span_eq(ns->commons[i - 1]->name, ns->commons[i]->name))
			report_twice(diags, "type", ns->commons[i]->name, ns->commons[i]->range);
	for (size_t i = 1; i < ns->n_actions; i++)
		if (span_eq(ns->actions[i - 1]->id, ns->actions[i]->id))
			report_twice(diags, "action", ns->actions[i]->id, ns->actions[i]->range);
}

static void finish_namespace(struct cedar_schema_tree *tree, struct schema_namespace *ns,
			     struct cedar_diagnostics *diags)
{
	sort(ns->entities, ns->n_entities, sizeof(struct schema_entity *), compare_entities);
	sort(ns->commons, ns->n_commons, sizeof(struct schema_common *), compare_commons);
	sort(ns->actions, ns->n_actions, sizeof(struct schema_action *), compare_actions);
	find_duplicates(ns, diags);
	ns->first_entity = tree->n_entities;
	ns->first_common = tree->n_commons;
	ns->first_action = tree->n_actions;
	tree->n_entities += ns->n_entities;
	tree->n_commons += ns->n_commons;
	tree->n_actions += ns->n_actions;
}

void schema_tree_finish(struct cedar_schema_tree *tree, struct cedar_diagnostics *diags)
{
	sort(tree->namespaces, tree->n_namespaces, sizeof(struct schema_namespace *),
	     compare_namespaces);
	for (size_t i = 0; i < tree->n_namespaces; i++) {
		struct schema_namespace *ns = tree->namespaces[i];

		if (i && span_eq(tree->namespaces[i - 1]->name, ns->name))
			diagnostic_add(diags, CEDAR_ERROR, "duplicate_namespace", ns->range,
				       "put all declarations of a namespace into one block",
				       "the namespace `%.*s` is declared twice",
				       SPAN_ARG(diagnostic_quote(ns->name)));
		finish_namespace(tree, ns, diags);
	}
}
