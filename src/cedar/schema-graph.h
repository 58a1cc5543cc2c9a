/*
 * Who refers to whom among declarations: common types by their definitions,
 * actions and entity types by what they are members of. Answers where the
 * cycles are, in which order all can be made from finished parts, and who the
 * ancestors are. No recursion, so a chain may be as long as a schema is.
 */
#pragma once

#include "base/arena.h"

/* Node i refers to targets[first[i]] up to targets[first[i + 1]]. */
struct schema_graph {
	size_t n;
	const size_t *first; /* n + 1 of them */
	const size_t *targets;
};

/* Strongly connected components: nodes that reach each other. */
struct schema_components {
	size_t *order; /* all nodes, component by component, targets before who refers to them */
	size_t *place; /* of each node in order */
	size_t *component; /* of each node, numbered as they come in order */
	size_t n;
};

struct schema_ancestors {
	size_t *items;
	size_t len;
};

/* Both -ENOMEM when the arena is exhausted. */
int schema_graph_components(const struct schema_graph *g, struct arena *arena,
			    struct schema_components *ret) _must_check_;
/*
 * For each component, what its nodes reach in one step or more. Nodes of a
 * cycle reach themselves. rank is the place of each node in another order; the
 * answer consists of such places, sorted. -EMSGSIZE when that is more work
 * than LIMIT_CEDAR_ANCESTRY.
 */
int schema_graph_ancestors(const struct schema_graph *g, const struct schema_components *c,
			   const size_t *rank, struct arena *arena,
			   struct schema_ancestors **ret) _must_check_;
/* Do the nodes of this component refer to themselves, directly or not? begin is the place of its
 * first in order. */
bool schema_graph_is_cycle(const struct schema_graph *g, const struct schema_components *c,
			   size_t begin, size_t end);
/* The end of the component that begins at this place in order. */
size_t schema_components_end(const struct schema_graph *g, const struct schema_components *c,
			     size_t begin);

/* Edges as they are found, node after node. */
struct graph_builder {
	size_t *first, *targets;
	size_t n, n_nodes, n_targets, cap;
};

int graph_builder_init(struct graph_builder *b, struct arena *arena, size_t n);
/* Begins the next node. */
void graph_builder_node(struct graph_builder *b);
int graph_builder_edge(struct graph_builder *b, struct arena *arena, size_t target);
struct schema_graph graph_builder_end(struct graph_builder *b);

/* A cycle in the component at [begin, end) of the order, each node referring to the next: its
 * nodes in the arena; NULL when that is exhausted. */
size_t *schema_graph_cycle(const struct schema_graph *g, const struct schema_components *c,
			   size_t begin, size_t end, struct arena *arena, size_t *ret_len);
