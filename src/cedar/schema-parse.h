/*
 * What the files of the schema parser share. As in the policy parser, a
 * function that returns a negative errno has met a syntax error and ends the
 * declaration; other mistakes are reported and parsing goes on.
 */
#pragma once

#include "cedar/parser-private.h"
#include "cedar/schema-tree.h"

struct schema_parser {
	struct parser p; /* p.nesting: brackets that are open in the declaration */
	struct cedar_schema_tree *tree;
	struct schema_namespace *ns; /* that the declaration belongs to */
	size_t n_errors;	     /* that there were before */
};

/* Counts a bracket that was opened; -EMSGSIZE when there are too many. */
int schema_open(struct schema_parser *s);
/* Expects the bracket that closes it. */
int schema_close(struct schema_parser *s, enum token_kind kind, const char *what);
/* { "@" name [ "(" STRING ")" ] } */
int schema_parse_annotations(struct schema_parser *s, struct schema_annotations *ret);
/* An identifier that is not reserved; with its range. */
int schema_parse_ident(struct schema_parser *s, const char *what, struct span *ret,
		       struct cedar_range *ret_range);
/* An identifier that is not reserved, or a string. */
int schema_parse_ident_or_string(struct schema_parser *s, const char *what, struct span *ret,
				 struct cedar_range *ret_range);
/* A::B, in which __cedar may occur. */
int schema_parse_path(struct schema_parser *s, struct span *ret, struct cedar_range *ret_range);

/* path | "Set" "<" type ">" | record */
struct schema_type *schema_parse_type(struct schema_parser *s);
/* "{" ... "}" */
struct schema_type *schema_parse_record(struct schema_parser *s);
/* path | "[" [path {"," path}] "]" */
int schema_parse_names(struct schema_parser *s, struct schema_names *ret);

/* After the annotations: "action" ... ";" */
int schema_parse_action(struct schema_parser *s, const struct schema_annotations *annotations);
