/*
 * What the two printers of schemas share.
 */
#pragma once

#include "cedar/schema-tree.h"

/* Is it the record without attributes (or none at all), which is left out where it can be? */
static inline bool schema_is_empty_record(const struct schema_type *type)
{
	return !type || (type->kind == SCHEMA_TYPE_RECORD && type->n_attributes == 0);
}

/*
 * Runs print with an output that cannot grow by more than
 * LIMIT_CEDAR_SCHEMA_PRINT. 0, or -EMSGSIZE.
 */
int schema_print_bounded(const struct cedar_schema_tree *tree, struct buf *out,
			 void (*print)(const struct cedar_schema_tree *tree, struct buf *out));
