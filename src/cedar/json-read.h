/*
 * Reading Cedar's JSON forms: what the readers of policies, values and
 * entities share. The JSON tree lives in scratch memory; results are copied
 * into the arena. Functions return 0, or -EINVAL after a finding was added
 * (reading then goes on with the next sibling, so that one run shows all), or
 * -ENOMEM/-EMSGSIZE past a limit, after which reading stops.
 */
#pragma once

#include "base/json.h"
#include "cedar/cedar-json.h"

struct json_reader {
	struct span text;
	struct arena *arena;
	struct arena scratch;
	struct cedar_diagnostics *diags;
	size_t n_errors, first; /* of diags, when reading began */
	bool is_limited;
};

/* Parses the text; *ret is valid until json_reader_end. */
int json_reader_begin(struct json_reader *r, struct span text, struct arena *arena,
		      struct cedar_diagnostics *diags, const struct json **ret) _must_check_;
/* Frees the scratch memory, sorts the findings; 0, -EINVAL if there were any, -EMSGSIZE. */
int json_reader_end(struct json_reader *r) _must_check_;

static inline struct cedar_range json_range(const struct json *j)
{
	return (struct cedar_range){ j->begin, j->end };
}

static inline struct cedar_range json_key_range(const struct json *j)
{
	return (struct cedar_range){ j->key_begin, j->key_end };
}

/* Adds a finding and returns -EINVAL; suggestion may be NULL. */
int json_error(struct json_reader *r, const char *code, struct cedar_range range,
	       const char *suggestion, const char *fmt, ...) _printf_(5, 6);
int json_out_of_memory(struct json_reader *r);
/* "expected WHAT, found a number" */
int json_wrong_type(struct json_reader *r, const struct json *j, const char *what);
/* "a string", "an object" */
const char *json_type_name(enum json_type type);

/* What an object may have; value is set to the member, or NULL. */
struct json_member {
	const char *name;
	bool is_optional;
	const struct json *value;
};

/*
 * Looks the members up, and reports what lacks; unless want_others, also what
 * is not in the list. what names the object in findings ("a policy").
 */
int json_members(struct json_reader *r, const struct json *j, const char *what,
		 struct json_member *members, size_t n, bool want_others) _must_check_;

size_t json_count(const struct json *list);
/* A copy in the arena; NULL-terminated too. */
int json_keep(struct json_reader *r, struct span text, struct span *ret) _must_check_;
/* As above, of a string; else "expected WHAT". */
int json_read_string(struct json_reader *r, const struct json *j, const char *what,
		     struct span *ret) _must_check_;
/* An entity type: identifiers joined by "::", nothing else, no reserved words. */
int json_read_type_name(struct json_reader *r, const struct json *j, struct span *ret) _must_check_;
/* {"type": ..., "id": ...} or the same inside {"__entity": ...}. */
int json_read_uid(struct json_reader *r, const struct json *j,
		  struct cedar_entity_uid *ret) _must_check_;
/* "Action", perhaps in a namespace. */
bool json_is_action_type(struct span type);

/*
 * The escapes inside values. Returns what is escaped if j is an object whose
 * only member is the given one, and that has the right shape; else NULL.
 */
const struct json *json_entity_escape(const struct json *j);
const struct json *json_extension_escape(const struct json *j);
/* Has j the shape {"fn": string, "arg": any} or {"fn": string, "args": list}? */
bool json_is_call(const struct json *j);
/* Is j {"__expr": string}, which Cedar once evaluated and now refuses? */
bool json_is_expr_escape(const struct json *j);
int json_no_expr_escape(struct json_reader *r, const struct json *j);
/* Reports null, a real or an integer past 64 bits; *ret otherwise. */
int json_read_long(struct json_reader *r, const struct json *j, int64_t *ret) _must_check_;
