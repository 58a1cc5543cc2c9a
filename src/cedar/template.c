#include "cedar/template.h"

#include <errno.h>
#include <stdio.h>

#include "cedar/diagnostics.h"
#include "cedar/policy-set.h"

struct cedar_policy *cedar_policy_set_find(const struct cedar_policy_set *set, struct span id)
{
	for (size_t i = 0; i < set->len; i++)
		if (span_eq(set->policies[i]->id, id))
			return set->policies[i];
	return NULL;
}

static int no_memory(struct err *err)
{
	return err_say(err, -ENOMEM, "the policies need more memory than is allowed");
}

/* Each slot needs a value and each value a slot. */
static int check_slot(const struct cedar_scope *s, const struct cedar_entity_uid *value,
		      const char *name, const struct cedar_link *link, struct err *err)
{
	struct span id = diagnostic_quote(link->template_id);

	if (s->is_slot && !value)
		return err_say(err, -EINVAL, "the slot ?%s of the template `%.*s` needs a value",
			       name, SPAN_ARG(id));
	if (!s->is_slot && value)
		return err_say(err, -EINVAL, "the template `%.*s` has no slot ?%s", SPAN_ARG(id),
			       name);
	return 0;
}

static int copy_text(struct arena *arena, struct span *text)
{
	text->p = arena_dup(arena, *text);
	return text->p ? 0 : -ENOMEM;
}

static int fill_slot(struct arena *arena, struct cedar_scope *s,
		     const struct cedar_entity_uid *value)
{
	if (!s->is_slot)
		return 0;
	s->uids = arena_new(arena, struct cedar_entity_uid);
	s->uid_ranges = arena_new(arena, struct cedar_range);
	if (!s->uids || !s->uid_ranges)
		return -ENOMEM;
	*s->uids = *value;
	*s->uid_ranges = s->range;
	s->n_uids = 1;
	s->is_slot = false;
	if (copy_text(arena, &s->uids->type) < 0)
		return -ENOMEM;
	return copy_text(arena, &s->uids->id);
}

int template_link(struct cedar_policy_set *set, const struct cedar_policy *template,
		  const struct cedar_policy *taken, const struct cedar_link *link,
		  struct cedar_policy **ret, struct err *err)
{
	struct span id = diagnostic_quote(link->template_id);
	struct cedar_policy *p;

	if (!template)
		return err_say(err, -ENOENT, "there is no template `%.*s`", SPAN_ARG(id));
	if (!template->is_template)
		return err_say(err, -EINVAL, "the policy `%.*s` is not a template", SPAN_ARG(id));
	if (check_slot(&template->principal, link->principal, "principal", link, err) < 0 ||
	    check_slot(&template->resource, link->resource, "resource", link, err) < 0)
		return -EINVAL;
	if (taken)
		return err_say(err, -EEXIST, "the id `%.*s` is used already",
			       SPAN_ARG(diagnostic_quote(link->new_id)));
	p = arena_new(&set->arena, struct cedar_policy);
	if (!p)
		return no_memory(err);
	*p = *template;
	p->id = link->new_id;
	p->is_template = false;
	p->linked_from = template;
	p->embedder = NULL;
	if (copy_text(&set->arena, &p->id) < 0 ||
	    fill_slot(&set->arena, &p->principal, link->principal) < 0 ||
	    fill_slot(&set->arena, &p->resource, link->resource) < 0 || policy_set_add(set, p) < 0)
		return no_memory(err);
	if (ret)
		*ret = p;
	return 0;
}

int cedar_policy_set_link(struct cedar_policy_set *set, const struct cedar_link *link,
			  struct cedar_policy **ret, struct err *err)
{
	return template_link(set, cedar_policy_set_find(set, link->template_id),
			     cedar_policy_set_find(set, link->new_id), link, ret, err);
}

static int no_policy(struct span id, struct err *err)
{
	return err_say(err, -ENOENT, "there is no policy `%.*s`", SPAN_ARG(diagnostic_quote(id)));
}

int cedar_policy_set_unlink(struct cedar_policy_set *set, struct span id, struct err *err)
{
	const struct cedar_policy *p = cedar_policy_set_find(set, id);

	if (!p)
		return no_policy(id, err);
	if (!p->linked_from)
		return err_say(err, -EINVAL, "the policy `%.*s` is not linked to a template",
			       SPAN_ARG(diagnostic_quote(id)));
	policy_set_drop(set, p);
	return 0;
}

int cedar_policy_set_remove(struct cedar_policy_set *set, struct span id, struct err *err)
{
	const struct cedar_policy *p = cedar_policy_set_find(set, id);

	if (!p)
		return no_policy(id, err);
	if (p->linked_from)
		return err_say(err, -EINVAL, "the policy `%.*s` is linked to a template",
			       SPAN_ARG(diagnostic_quote(id)));
	for (size_t i = 0; i < set->len; i++)
		if (set->policies[i]->linked_from == p)
			return err_say(err, -EBUSY, "the policy `%.*s` is linked to the template",
				       SPAN_ARG(diagnostic_quote(set->policies[i]->id)));
	policy_set_drop(set, p);
	return 0;
}
