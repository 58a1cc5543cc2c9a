/*
 * Cedar's JSON forms: policies (the reference calls the form EST), policy
 * sets, values, entities, contexts and requests, both ways.
 *
 * Reading never trusts the text: size, nesting, integers (64 bits, exact),
 * duplicate keys and unknown members are checked, and each finding has a range
 * of bytes in the JSON text. All results are copies that do not refer to it.
 * Writing appends compact JSON with the members in the reference's order;
 * attributes and annotations come sorted by name, so equal trees give equal
 * text. A failed write leaves part of it behind.
 */
#pragma once

#include "cedar/cedar-schema.h"
#include "cedar/cedar.h"

#pragma GCC visibility push(default)

/* ---- Policies ----------------------------------------------------------- */

/*
 * One policy or template, as {"effect": ..., "principal": ..., ...}. Sets and
 * records that are values ({"Value": [1, 2]}) become set and record
 * expressions. Calls of unknown functions inside "Value" are no error here but
 * when they are evaluated, as with the reference.
 * -EINVAL with all findings in diags, -EMSGSIZE past a limit (also a finding).
 */
int cedar_policy_parse_json(struct span text, struct cedar_diagnostics *diags,
			    struct cedar_policy_set **ret) _must_check_;
/*
 * {"staticPolicies": {ID: policy}, "templates": {ID: template},
 * "templateLinks": [{"templateId", "newId", "values"}]}; each may be absent.
 * The set holds the static policies, then the templates, then the links, as
 * ordinary policies whose slots are filled in.
 */
int cedar_policy_set_parse_json(struct span text, struct cedar_diagnostics *diags,
				struct cedar_policy_set **ret) _must_check_;
/* One expression; nodes live in the arena. Slots are allowed, as in cedar_expr_parse. */
int cedar_expr_parse_json(struct span text, struct arena *arena, struct cedar_diagnostics *diags,
			  struct cedar_expr **ret) _must_check_;

/* 0, or -EMSGSIZE when out's limit was passed. */
int cedar_policy_print_json(const struct cedar_policy *p, struct buf *out) _must_check_;
int cedar_policy_set_print_json(const struct cedar_policy_set *set, struct buf *out) _must_check_;
int cedar_expr_print_json(const struct cedar_expr *e, struct buf *out) _must_check_;

/* ---- Values, entities, requests ------------------------------------------ */

/*
 * A value; it lives in the arena. In JSON an entity is {"__entity": {"type",
 * "id"}}, an extension value {"__extn": {"fn", "arg"}} ("args" for several).
 * Where the type asks for them (it may be NULL), {"type", "id"} and the plain
 * argument do too, and what does not conform to the type is an error.
 */
int cedar_value_parse_json(struct span text, const struct cedar_type *type, struct arena *arena,
			   struct cedar_diagnostics *diags,
			   const struct cedar_value **ret) _must_check_;
/*
 * A list of {"uid", "attrs", "parents", "tags"} into a closed store. With a
 * schema (it may be NULL) all is checked against it, and its actions are added.
 */
int cedar_entities_parse_json(struct span text, const struct cedar_schema *schema,
			      struct cedar_diagnostics *diags,
			      struct cedar_entities **ret) _must_check_;
/* A context. With a schema and an action (either may be NULL) it must have that action's type. */
int cedar_context_parse_json(struct span text, const struct cedar_schema *schema,
			     const struct cedar_entity_uid *action, struct arena *arena,
			     struct cedar_diagnostics *diags,
			     const struct cedar_value **ret) _must_check_;
/*
 * {"principal", "action", "resource", "context"}, the first three as {"type",
 * "id"} or as text, Type::"id"; the context may be absent. With a schema (it
 * may be NULL) the request must conform to it.
 */
int cedar_request_parse_json(struct span text, const struct cedar_schema *schema,
			     struct arena *arena, struct cedar_diagnostics *diags,
			     struct cedar_request *ret) _must_check_;

/*
 * The value or the entities, these sorted by type and id. -EINVAL where a record
 * would be read as an escape ({"__entity": {"type": "a", "id": "b"}}).
 */
int cedar_value_print_json(const struct cedar_value *v, struct buf *out) _must_check_;
int cedar_entities_print_json(const struct cedar_entities *e, struct buf *out) _must_check_;

#pragma GCC visibility pop
