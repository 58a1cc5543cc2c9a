/*
 * What the files of the reader of JSON schemas share. Functions return 0, or a
 * negative errno after a finding; reading then goes on with the next sibling
 * unless a limit was passed (r.is_limited).
 */
#pragma once

#include "cedar/json-read.h"
#include "cedar/schema-tree.h"

struct schema_reader {
	struct json_reader r;
	struct cedar_schema_tree *tree;
	size_t nesting; /* types that the current one is in */
};

/* One identifier, which is not reserved. */
int schema_read_ident(struct schema_reader *s, const struct json *j, struct span *ret);
/* A::B, which may begin with __cedar. */
int schema_read_path(struct schema_reader *s, const struct json *j, struct span *ret);
/* An object's key as if it were a value, for the two above and what base/json-read.h has. */
struct json schema_key(const struct json *member);
/* {name: string or null}; j may be NULL. */
int schema_read_annotations(struct schema_reader *s, const struct json *j,
			    struct schema_annotations *ret);
int schema_read_type(struct schema_reader *s, const struct json *j, struct schema_type **ret);
/* As above, with annotations. */
int schema_read_common_type(struct schema_reader *s, const struct json *j, struct schema_type **ret,
			    struct schema_annotations *ret_annotations);
