/*
 * The functions and methods that expressions can call: Cedar's built-in
 * methods and those of the extension types. The parser asks for name and
 * style, the evaluator for the code.
 */
#pragma once

#include "cedar/evaluate.h"

/* args holds n_args evaluated arguments, the receiver first. */
typedef int (*function_call_fn)(struct evaluation *ev, const struct cedar_expr *e,
				const struct cedar_value *args, struct cedar_value *ret);

struct function {
	const char *name;
	bool is_method;
	bool is_builtin;      /* its arity is checked while parsing */
	unsigned char n_args; /* receiver included */
	function_call_fn call;
};

#define FUNCTION_MAX_ARGS 2

/* NULL for an unknown name. */
const struct function *function_find(struct span name);
/* The i-th function, or NULL past the last; for "did you mean". */
const struct function *function_at(size_t i);
