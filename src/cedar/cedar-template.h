/*
 * Templates and the policies that are linked to them.
 *
 * A template is a policy whose scope has the slots ?principal, ?resource, or
 * both. It never applies itself. Linking makes an ordinary policy of the set,
 * in which entities stand in the slots, with an id of its own; `linked_from`
 * in it leads to the template. Conditions and annotations are those of the
 * template, in memory too: who changes them in one changes them in all.
 */
#pragma once

#include "cedar/cedar.h"

#pragma GCC visibility push(default)

struct cedar_link {
	struct span template_id, new_id;
	/* What stands in the slots; NULL: not given. */
	const struct cedar_entity_uid *principal, *resource;
};

/* The policy or template of that id, or NULL. Linear. */
struct cedar_policy *cedar_policy_set_find(const struct cedar_policy_set *set, struct span id);

/*
 * Adds a linked policy; all text is copied. -ENOENT: no such template. -EINVAL:
 * that is no template, or a slot lacks a value, or a value a slot. -EEXIST: the
 * new id is taken, by whatever kind of policy. -ENOMEM: the set is full. The
 * set must not be in use. *ret may be NULL.
 */
int cedar_policy_set_link(struct cedar_policy_set *set, const struct cedar_link *link,
			  struct cedar_policy **ret, struct err *err) _must_check_;
/* Takes a linked policy out of the set. -ENOENT: no such policy. -EINVAL: it is not linked. */
int cedar_policy_set_unlink(struct cedar_policy_set *set, struct span id,
			    struct err *err) _must_check_;
/*
 * Takes a static policy or a template out of the set. -ENOENT; -EINVAL: it is a
 * linked policy; -EBUSY: policies are linked to it.
 */
int cedar_policy_set_remove(struct cedar_policy_set *set, struct span id,
			    struct err *err) _must_check_;

#pragma GCC visibility pop
