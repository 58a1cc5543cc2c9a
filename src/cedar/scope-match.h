/*
 * Which request environments a policy's scope admits, as far as types tell.
 * What is unknown to the schema admits all: that mistake is reported elsewhere,
 * and the conditions are to be checked all the same.
 */
#pragma once

#include "cedar/cedar-schema.h"
#include "cedar/cedar-validate.h"

/* One of principal and resource, with its names looked up. */
struct entity_match {
	enum cedar_scope_op op;
	const struct cedar_entity_type *is;  /* IS, IS_IN; NULL: a name that admits nothing */
	const struct cedar_entity_type *uid; /* of the entity; NULL: an action, or a slot */
	bool is_unknown; /* the entity's type (or the action) is not in the schema */
	bool is_slot;
};

void entity_match_init(const struct cedar_schema *s, const struct cedar_scope *scope,
		       struct entity_match *ret);
bool entity_matches(const struct entity_match *m, const struct cedar_entity_type *type);

/* The actions of a schema, and who is below whom. Made once per validator. */
struct action_tree;

struct action_tree *action_tree_new(const struct cedar_schema *s);
void action_tree_free(struct action_tree *t);

struct action_match {
	const struct cedar_action_type *const
		*items; /* those admitted; valid until the next match */
	size_t n;
	bool is_unknown;      /* an action of the scope is not in the schema */
	bool has_mixed_types; /* the list has actions of several types, all known */
	bool admits_all;      /* the scope is wrong: check the conditions for all actions */
};

void action_match_init(struct action_tree *t, const struct cedar_scope *scope,
		       enum cedar_validation_mode mode, struct action_match *ret);
