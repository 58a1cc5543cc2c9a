/*
 * Policies compiled once, for many decisions: names become numbers, scopes an
 * index over the policies, conditions linear code. The answers are those of
 * cedar_authorize: decision, reasons, and errors with their codes and ranges.
 *
 *   policy set --compile--> program --with entities--> store (both read-only)
 *   store + request + machine --> response
 *
 * A program and a store may be read by several threads; each thread brings a
 * machine of its own. To replace policies or entities, build a new program or
 * store beside the old one and hand it to the readers.
 */
#pragma once

#include "cedar/cedar.h"

#pragma GCC visibility push(default)

/* ---- Program ----------------------------------------------------------- */

struct cedar_program;

/*
 * Compiles all policies of the set; templates never apply and are left out.
 * The set must outlive the program and not change. Returns 0; -EMSGSIZE when a
 * tree is nested too deeply, -ENOMEM when the program grew past its limit (its
 * size is linear in that of the policies).
 */
int cedar_program_compile(const struct cedar_policy_set *set, struct cedar_program **ret,
			  struct err *err) _must_check_;
void cedar_program_free(struct cedar_program *p);

/* How much memory the program holds, in bytes. */
_must_check_ size_t cedar_program_size(const struct cedar_program *p);

/* No policy mentions the attribute, so it is never asked for. */
#define CEDAR_NO_ATTRIBUTE UINT32_MAX
/* The number under which a hierarchy's attribute() is asked for this name. */
_must_check_ uint32_t cedar_program_attribute(const struct cedar_program *p, struct span name);

/* ---- Store ------------------------------------------------------------- */

struct cedar_store;

/*
 * A snapshot of closed entities as the program sees them. Program and entities
 * must outlive the store; the entities must not change. entities may be NULL.
 * -ENOMEM past the limit.
 */
int cedar_store_new(const struct cedar_program *p, const struct cedar_entities *entities,
		    struct cedar_store **ret, struct err *err) _must_check_;
void cedar_store_free(struct cedar_store *s);

/* ---- Entities that follow from their ids --------------------------------- */

/* Where a hierarchy's ancestors() tells what it finds. */
struct cedar_ancestors;

/*
 * Adds a proper ancestor, in any order, repetitions allowed. Only those that a
 * policy or a stored entity mentions are kept; an unknown one costs a look-up.
 */
void cedar_ancestors_add(struct cedar_ancestors *to, struct cedar_entity_uid uid);

/*
 * The counterpart of struct cedar_entity_source for entities that are not in
 * the store: files below directories, hosts below domains, addresses below
 * networks. A stored entity is answered from the store alone. Any function may
 * be NULL. During one decision all answers must agree; spans in them must live
 * until it ends.
 */
struct cedar_hierarchy {
	void *ctx;
	/* Names the proper ancestors of uid. Asked at most once per decision for each of
	 * principal, action and resource. */
	void (*ancestors)(void *ctx, struct cedar_entity_uid uid, struct cedar_ancestors *to);
	/* Is child a proper descendant of parent? Asked for all other pairs. */
	bool (*is_in)(void *ctx, struct cedar_entity_uid child, struct cedar_entity_uid parent);
	/*
	 * The attribute with this name and number (cedar_program_attribute): 1 with *ret,
	 * 0 when the entity lacks it, -ENOENT when there is no such entity. For the
	 * request's own entities asked at most once per decision and attribute.
	 */
	int (*attribute)(void *ctx, struct cedar_entity_uid uid, uint32_t attribute,
			 struct span name, struct cedar_value *ret);
	/* The tag; as attribute(). */
	int (*tag)(void *ctx, struct cedar_entity_uid uid, struct span name,
		   struct cedar_value *ret);
};

/* ---- Decisions --------------------------------------------------------- */

/* What one decision needs to remember. Reused; after a few decisions it allocates no more. */
struct cedar_machine;

/* Values that one policy's expressions build may need max bytes (0: LIMIT_CEDAR_MACHINE). */
struct cedar_machine *cedar_machine_new(size_t max) _must_check_;
void cedar_machine_free(struct cedar_machine *m);

/*
 * As cedar_authorize, and with the same answer. The response lives in the
 * machine until its next use. The message of an error is a fixed text for its
 * code; cedar_policy_eval makes the full one. hierarchy may be NULL. Returns
 * 0, or -ENOMEM at the machine's limit (the response then denies).
 */
int cedar_program_authorize(const struct cedar_store *s, const struct cedar_request *r,
			    const struct cedar_hierarchy *hierarchy, struct cedar_machine *m,
			    struct cedar_response *ret) _must_check_;

/*
 * The decision alone: stops at the first satisfied forbid, else at the first
 * satisfied permit. *ret_allow is false on failure too.
 */
int cedar_program_decide(const struct cedar_store *s, const struct cedar_request *r,
			 const struct cedar_hierarchy *hierarchy, struct cedar_machine *m,
			 bool *ret_allow) _must_check_;

/* The same without the index: every scope is looked at. For tests and measurements. */
int cedar_program_decide_by_scan(const struct cedar_store *s, const struct cedar_request *r,
				 const struct cedar_hierarchy *hierarchy, struct cedar_machine *m,
				 bool *ret_allow) _must_check_;

#pragma GCC visibility pop
