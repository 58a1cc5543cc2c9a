/* Looking up declarations in a finished tree. */
#include "cedar/schema-tree.h"

void schema_split_name(struct span name, struct span *ret_prefix, struct span *ret_last)
{
	size_t at = name.len;

	while (at > 0 && name.p[at - 1] != ':')
		at--;
	*ret_last = span_from(name, at);
	*ret_prefix = (struct span){ name.p, at >= 2 ? at - 2 : 0 };
}

/* Component by component. */
static int compare_paths(struct span a, struct span b)
{
	while (a.len && b.len) {
		const char *a_end = memmem(a.p, a.len, "::", 2);
		const char *b_end = memmem(b.p, b.len, "::", 2);
		struct span x = { a.p, a_end ? (size_t)(a_end - a.p) : a.len };
		struct span y = { b.p, b_end ? (size_t)(b_end - b.p) : b.len };
		int c = span_cmp(x, y);

		if (c)
			return c;
		a = span_from(a, x.len + 2);
		b = span_from(b, y.len + 2);
	}
	return (a.len > 0) - (b.len > 0);
}

int schema_compare_namespaces(struct span a, struct span b)
{
	struct span a_prefix, a_last, b_prefix, b_last;
	int c;

	schema_split_name(a, &a_prefix, &a_last);
	schema_split_name(b, &b_prefix, &b_last);
	c = span_cmp(a_last, b_last);
	return c ? c : compare_paths(a_prefix, b_prefix);
}

const struct schema_namespace *schema_tree_namespace(const struct cedar_schema_tree *tree,
						     struct span name)
{
	size_t low = 0, high = tree->n_namespaces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = schema_compare_namespaces(name, tree->namespaces[middle]->name);

		if (c == 0)
			return tree->namespaces[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* items are pointers to nodes that begin with their name. */
static size_t find(const void *items, size_t n, struct span name)
{
	const struct span *const *names = items;
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = span_cmp(name, *names[middle]);

		if (c == 0)
			return middle;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return SIZE_MAX;
}

_Static_assert(offsetof(struct schema_entity, name) == 0, "find() relies on it");
_Static_assert(offsetof(struct schema_common, name) == 0, "find() relies on it");
_Static_assert(offsetof(struct schema_action, id) == 0, "find() relies on it");

size_t schema_namespace_entity(const struct schema_namespace *ns, struct span name)
{
	return find(ns->entities, ns->n_entities, name);
}

size_t schema_namespace_common(const struct schema_namespace *ns, struct span name)
{
	return find(ns->commons, ns->n_commons, name);
}

size_t schema_namespace_action(const struct schema_namespace *ns, struct span id)
{
	return find(ns->actions, ns->n_actions, id);
}
