#include "cedar/schema-graph.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/schema-tree.h"

/* Tarjan's algorithm, with its recursion kept in arrays. */
struct walk {
	const struct schema_graph *g;
	struct schema_components *c;
	size_t *number; /* when the node was met, from 1; 0: not yet */
	size_t *low;	/* the earliest open node that it reaches */
	size_t *edge;	/* the next of its targets to look at */
	bool *is_open;	/* met, and its component not complete */
	size_t *path;	/* from the root to the current node */
	size_t *open;
	size_t n_met, n_path, n_open, n_done;
};

static int walk_init(struct walk *w, const struct schema_graph *g, struct arena *arena,
		     struct schema_components *c)
{
	*w = (struct walk){ .g = g, .c = c };
	w->number = arena_alloc_array(arena, g->n, sizeof(size_t));
	w->low = arena_alloc_array(arena, g->n, sizeof(size_t));
	w->edge = arena_alloc_array(arena, g->n, sizeof(size_t));
	w->is_open = arena_alloc_array(arena, g->n, sizeof(bool));
	w->path = arena_alloc_array(arena, g->n, sizeof(size_t));
	w->open = arena_alloc_array(arena, g->n, sizeof(size_t));
	c->order = arena_alloc_array(arena, g->n, sizeof(size_t));
	c->place = arena_alloc_array(arena, g->n, sizeof(size_t));
	c->component = arena_alloc_array(arena, g->n, sizeof(size_t));
	c->n = 0;
	return w->number && w->low && w->edge && w->is_open && w->path && w->open && c->order &&
			       c->place && c->component
		       ? 0
		       : -ENOMEM;
}

static void meet(struct walk *w, size_t node)
{
	w->number[node] = w->low[node] = ++w->n_met;
	w->edge[node] = w->g->first[node];
	w->is_open[node] = true;
	w->open[w->n_open++] = node;
	w->path[w->n_path++] = node;
}

static void complete_component(struct walk *w, size_t root)
{
	size_t node;

	do {
		node = w->open[--w->n_open];
		w->is_open[node] = false;
		w->c->component[node] = w->c->n;
		w->c->place[node] = w->n_done;
		w->c->order[w->n_done++] = node;
	} while (node != root);
	w->c->n++;
}

/* Behind the last target of the last node of the path. */
static void leave(struct walk *w)
{
	size_t node = w->path[--w->n_path];

	if (w->low[node] == w->number[node])
		complete_component(w, node);
	if (w->n_path) {
		size_t before = w->path[w->n_path - 1];

		w->low[before] = MIN(w->low[before], w->low[node]);
	}
}

static void walk_from(struct walk *w, size_t root)
{
	meet(w, root);
	while (w->n_path) {
		size_t node = w->path[w->n_path - 1], target;

		if (w->edge[node] == w->g->first[node + 1]) {
			leave(w);
			continue;
		}
		target = w->g->targets[w->edge[node]++];
		if (!w->number[target])
			meet(w, target);
		else if (w->is_open[target])
			w->low[node] = MIN(w->low[node], w->number[target]);
	}
}

int schema_graph_components(const struct schema_graph *g, struct arena *arena,
			    struct schema_components *ret)
{
	struct walk w;

	if (walk_init(&w, g, arena, ret) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++)
		if (!w.number[i])
			walk_from(&w, i);
	return 0;
}

size_t schema_components_end(const struct schema_graph *g, const struct schema_components *c,
			     size_t begin)
{
	size_t end = begin + 1;

	while (end < g->n && c->component[c->order[end]] == c->component[c->order[begin]])
		end++;
	return end;
}

bool schema_graph_is_cycle(const struct schema_graph *g, const struct schema_components *c,
			   size_t begin, size_t end)
{
	size_t node = c->order[begin];

	if (end - begin > 1)
		return true;
	for (size_t i = g->first[node]; i < g->first[node + 1]; i++)
		if (g->targets[i] == node)
			return true;
	return false;
}

/* ---- Ancestors ---------------------------------------------------------- */

struct closure {
	const struct schema_graph *g;
	const struct schema_components *c;
	struct schema_ancestors *of; /* each component */
	size_t *seen;		     /* by rank: the component (plus one) that has it already */
	size_t *found;		     /* ranks, of the current component */
	size_t n_found, n_steps;
};

/* Adds a node, once; returns whether it is new. */
static bool add(struct closure *k, size_t component, size_t rank)
{
	k->n_steps++;
	if (k->seen[rank] == component + 1)
		return false;
	k->seen[rank] = component + 1;
	k->found[k->n_found++] = rank;
	return true;
}

/* A target, and what it reaches, which is known unless it is of the same component. */
static int add_target(struct closure *k, size_t component, size_t target, size_t rank)
{
	const struct schema_ancestors *further = &k->of[k->c->component[target]];

	if (add(k, component, rank) && k->c->component[target] != component)
		for (size_t i = 0; i < further->len; i++)
			(void)add(k, component, further->items[i]);
	return k->n_steps > LIMIT_CEDAR_ANCESTRY ? -EMSGSIZE : 0;
}

static int compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

/* Few are sorted; of many it is cheaper to look who has been seen. */
static void sort_found(struct closure *k, size_t component, size_t *to)
{
	size_t n = 0;

	if (k->n_found > k->g->n / 16) {
		for (size_t rank = 0; rank < k->g->n; rank++)
			if (k->seen[rank] == component + 1)
				to[n++] = rank;
		return;
	}
	if (k->n_found)
		memcpy(to, k->found, k->n_found * sizeof(*to));
	if (k->n_found > 1)
		qsort(to, k->n_found, sizeof(*to), compare_sizes);
}

static int close_component(struct closure *k, const size_t *rank, struct arena *arena, size_t begin,
			   size_t end)
{
	size_t component = k->c->component[k->c->order[begin]];
	struct schema_ancestors *of = &k->of[component];

	k->n_found = 0;
	for (size_t at = begin; at < end; at++) {
		size_t node = k->c->order[at];

		for (size_t i = k->g->first[node]; i < k->g->first[node + 1]; i++) {
			size_t target = k->g->targets[i];
			int r = add_target(k, component, target, rank[target]);

			if (r < 0)
				return r;
		}
	}
	of->items = arena_alloc_array(arena, k->n_found, sizeof(size_t));
	if (!of->items)
		return -ENOMEM;
	of->len = k->n_found;
	sort_found(k, component, of->items);
	return 0;
}

int schema_graph_ancestors(const struct schema_graph *g, const struct schema_components *c,
			   const size_t *rank, struct arena *arena, struct schema_ancestors **ret)
{
	struct closure k = {
		.g = g,
		.c = c,
		.of = arena_alloc_array(arena, c->n, sizeof(struct schema_ancestors)),
		.seen = arena_alloc_array(arena, g->n, sizeof(size_t)),
		.found = arena_alloc_array(arena, g->n, sizeof(size_t)),
	};

	if (!k.of || !k.seen || !k.found)
		return -ENOMEM;
	for (size_t begin = 0; begin < g->n;) {
		size_t end = schema_components_end(g, c, begin);
		int r = close_component(&k, rank, arena, begin, end);

		if (r < 0)
			return r;
		begin = end;
	}
	*ret = k.of;
	return 0;
}

/* ---- Cycles ------------------------------------------------------------- */

/* The first target of the node in its own component; there is one, for the component is a cycle. */
static size_t next_on_cycle(const struct schema_graph *g, const struct schema_components *c,
			    size_t node)
{
	size_t i = g->first[node];

	while (c->component[g->targets[i]] != c->component[node])
		i++;
	return g->targets[i];
}

size_t *schema_graph_cycle(const struct schema_graph *g, const struct schema_components *c,
			   size_t begin, size_t end, struct arena *arena, size_t *ret_len)
{
	size_t *path = arena_alloc_array(arena, end - begin, sizeof(size_t));
	bool *is_met = arena_alloc_array(arena, end - begin, sizeof(bool));
	size_t node, n = 0, from = 0;

	if (!path || !is_met)
		return NULL;
	/* The root was met first, and so is what stands first in the text, mostly. */
	node = c->order[end - 1];
	for (; !is_met[c->place[node] - begin]; node = next_on_cycle(g, c, node)) {
		is_met[c->place[node] - begin] = true;
		path[n++] = node;
	}
	while (path[from] != node)
		from++;
	*ret_len = n - from;
	return path + from;
}

/* ---- Building ----------------------------------------------------------- */

int graph_builder_init(struct graph_builder *b, struct arena *arena, size_t n)
{
	*b = (struct graph_builder){ .n = n };
	b->first = arena_alloc_array(arena, n + 1, sizeof(size_t));
	return b->first ? 0 : -ENOMEM;
}

void graph_builder_node(struct graph_builder *b)
{
	b->first[b->n_nodes++] = b->n_targets;
}

int graph_builder_edge(struct graph_builder *b, struct arena *arena, size_t target)
{
	void *list = b->targets;

	if (b->n_targets >= LIMIT_CEDAR_ANCESTRY)
		return -EMSGSIZE;
	if (schema_list_grow(arena, &list, b->n_targets, &b->cap, sizeof(size_t)) < 0)
		return -ENOMEM;
	b->targets = list;
	b->targets[b->n_targets++] = target;
	return 0;
}

struct schema_graph graph_builder_end(struct graph_builder *b)
{
	b->first[b->n_nodes] = b->n_targets;
	return (struct schema_graph){ .n = b->n, .first = b->first, .targets = b->targets };
}
