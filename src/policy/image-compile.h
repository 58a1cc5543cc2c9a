/*
 * From policies to formulas: one policy under one action, with everything that
 * is known before a request folded away.
 */
#pragma once

#include "policy/entities.h"
#include "policy/image-formula.h"
#include "policy/policy-private.h"

/* Actions whose requests have the same facts. */
enum request_class {
	REQUEST_FILE,
	REQUEST_EXEC,
	REQUEST_NETWORK,
	REQUEST_HTTP, /* those of a connection, and its own, which are known but in no table */
	REQUEST_DNS,  /* port, address and protocol come later: three-valued, as in unknown.h */
	REQUEST_MCP,
};

enum request_class request_class_of(enum policy_action action);

struct compiler {
	struct atoms atoms;
	struct formula formula; /* of one policy; its arena is scratch below */
	struct arena scratch;
	struct cedar_request request; /* principal and action are known, the rest is not */
	struct entity_graph graph;
	struct cedar_entity_source entities;
	enum request_class class;
	bool needs_host_name;
	const struct cedar_expr *blame; /* the first sub-expression that tables cannot hold */
	bool is_scope_to_blame;
	const struct cedar_expr *dead; /* a condition that can never be what the policy needs */
	bool is_scope_dead;
};

bool compiler_init(struct compiler *c, struct span agent) _must_check_;
void compiler_done(struct compiler *c);

/* When the policy is satisfied and when it errs, under the action; in scratch memory. */
struct policy_formula {
	struct cover is_satisfied, is_error;
};

/* Frees what earlier formulas lived in. */
void compiler_start(struct compiler *c, enum policy_action action);
struct policy_formula compile_policy(struct compiler *c, const struct cedar_policy *p);

/* ---- Between the compiler's files ---------------------------------------------- */

/* An operand as far as it is known. */
enum operand_kind {
	OPERAND_UNKNOWN, /* not expressible here */
	OPERAND_ERROR,	 /* evaluating it errs */
	OPERAND_KNOWN,
	OPERAND_BOOL, /* rails */
	OPERAND_RESOURCE,
	OPERAND_CONTEXT,
	OPERAND_STRING,	 /* subject */
	OPERAND_STRINGS, /* a set of strings: subject */
	OPERAND_PORT,
	OPERAND_IP,
	OPERAND_NOW,
	OPERAND_TIME, /* of day */
};

struct operand {
	enum operand_kind kind;
	enum image_subject subject;
	uint32_t definer; /* the flag without which it errs; 0: it never does */
	const struct cedar_value *value;
	struct rails rails;
};

/* A list of tests, any of which makes something true. */
struct test_list {
	VEC(uint32_t) tests;
	bool is_always, is_maybe;
};

struct rails maybe(struct compiler *c, const struct cedar_expr *e);
/* Turns the list into rails and frees it. */
struct rails rails_of_tests(struct compiler *c, struct test_list *list, uint32_t definer);
void add_test(struct compiler *c, struct test_list *list, const struct test *t);
void add_text_test(struct compiler *c, struct test_list *list, enum test_kind kind,
		   enum image_subject subject, struct span text, uint32_t port);
void add_ports(struct compiler *c, struct test_list *list, int64_t low, int64_t high);
void add_address(struct compiler *c, struct test_list *list, const struct policy_address *a,
		 unsigned int prefix, uint32_t port);

/* Adds what makes the resource be in the entity. */
void resource_in(struct compiler *c, struct test_list *list, struct cedar_entity_uid uid);
struct rails resource_in_uid(struct compiler *c, struct cedar_entity_uid uid);
struct rails resource_equals(struct compiler *c, struct cedar_entity_uid uid);
struct span resource_type(const struct compiler *c);
struct operand resource_attribute(struct compiler *c, struct span name);
struct operand context_attribute(struct compiler *c, struct span name);
struct rails resource_has(struct compiler *c, const struct cedar_expr *e);
struct rails context_has(struct compiler *c, const struct cedar_expr *e);

struct operand operand_of(struct compiler *c, const struct cedar_expr *e);
struct rails rails_of(struct compiler *c, const struct cedar_expr *e);
/* Operators between an operand that is not known and one that is. */
struct rails equality(struct compiler *c, const struct cedar_expr *e, const struct operand *a,
		      const struct operand *b);
struct rails ordering(struct compiler *c, const struct cedar_expr *e, const struct operand *a,
		      const struct operand *b);
struct rails method(struct compiler *c, const struct cedar_expr *e);
struct rails like(struct compiler *c, const struct cedar_expr *e, const struct operand *a);

/* The same for DnsResolve. */
struct policy_formula compile_unknown(struct compiler *c, const struct cedar_policy *p);
