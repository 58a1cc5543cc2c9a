/* A tree of declarations into a schema. */
#include "cedar/schema-resolve.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/diagnostics.h"

int resolver_error(struct resolver *r, const char *code, struct cedar_range range,
		   const char *suggestion, const char *fmt, ...)
{
	char message[600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	diagnostic_add(r->diags, CEDAR_ERROR, code, range, suggestion, "%s", message);
	return -EINVAL;
}

int resolver_too_large(struct resolver *r, struct cedar_range range)
{
	(void)resolver_error(r, "too_large", range, NULL,
			     "the schema becomes too large here once its names are followed");
	return -EMSGSIZE;
}

static int init(struct resolver *r)
{
	const struct cedar_schema_tree *t = r->tree;

	r->arena = &r->schema->arena;
	r->arena->max = LIMIT_CEDAR_ARENA;
	r->scratch.max = LIMIT_CEDAR_ARENA;
	r->entities = arena_alloc_array(r->arena, t->n_entities, sizeof(*r->entities));
	r->actions = arena_alloc_array(r->arena, t->n_actions, sizeof(*r->actions));
	r->commons = arena_alloc_array(&r->scratch, t->n_commons, sizeof(*r->commons));
	r->types = arena_alloc_array(&r->scratch, t->n_types, sizeof(*r->types));
	r->entity_lists = arena_alloc_array(&r->scratch, t->n_lists, sizeof(*r->entity_lists));
	r->action_lists = arena_alloc_array(&r->scratch, t->n_lists, sizeof(*r->action_lists));
	return r->entities && r->actions && r->commons && r->types && r->entity_lists &&
			       r->action_lists
		       ? 0
		       : -ENOMEM;
}

static int resolve(struct resolver *r)
{
	int err = init(r);

	if (err == 0)
		err = resolver_name_entities(r);
	if (err == 0)
		err = resolver_name_actions(r);
	if (err < 0)
		return err;
	resolver_check_shadowing(r);
	err = resolver_common_types(r);
	if (err == 0)
		err = resolver_entities(r);
	return err == 0 ? resolver_actions(r) : err;
}

static void cleanup_schema(struct cedar_schema **s)
{
	cedar_schema_free(*s);
}

int cedar_schema_resolve(const struct cedar_schema_tree *tree, struct cedar_diagnostics *diags,
			 struct cedar_schema **ret)
{
	_cleanup_(cleanup_schema) struct cedar_schema *schema = xnew(struct cedar_schema);
	struct resolver r = { .tree = tree, .schema = schema, .diags = diags };
	size_t first = diags->len, n_errors = diags->n_errors;
	int err = resolve(&r);

	arena_done(&r.scratch);
	if (err < 0 && diags->n_errors == n_errors)
		(void)resolver_too_large(&r, (struct cedar_range){ 0, 0 });
	diagnostics_sort(diags, first);
	if (err < 0)
		return -EMSGSIZE;
	if (diags->n_errors > n_errors)
		return -EINVAL;
	*ret = TAKE_PTR(schema);
	return 0;
}
