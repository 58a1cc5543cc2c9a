/*
 * What can stand at a place of a policy text: from Cedar's grammar, leash's
 * schema, and what was seen. Only Cedar is offered: what is put in place of the
 * range reads on as a policy. The text may be unfinished and wrong elsewhere.
 */
#pragma once

#include "base/arena.h"
#include "base/span.h"

enum completion_kind {
	COMPLETION_KEYWORD,
	COMPLETION_ACTION,
	COMPLETION_TYPE,
	COMPLETION_RESOURCE,
	COMPLETION_CONTEXT, /* a key of context, or an attribute */
	COMPLETION_FUNCTION,
	COMPLETION_ANNOTATION,
	COMPLETION_SNIPPET,
	COMPLETION_TOOL,
	COMPLETION_SERVER,
};

const char *completion_kind_name(enum completion_kind kind);

struct completion {
	enum completion_kind kind;
	struct span label;  /* what is shown, and compared with what was typed */
	struct span insert;
	bool is_snippet; /* in insert, ${1:word} is a place to fill in */
	const char *detail; /* one line, or NULL */
	int rank;	    /* lower is better */
};

/* What was seen, the most interesting first; bytes as the system has them. */
struct completion_seen {
	const struct span *paths, *hosts, *programs, *tools, *servers;
	size_t n_paths, n_hosts, n_programs, n_tools, n_servers;
	struct span agent; /* the session's principal */
};

struct completions {
	struct completion *items; /* best first; in the arena */
	size_t n;
	size_t begin, end; /* bytes of the text that one of them replaces */
};

/* offset: of the cursor, in bytes; behind the end is the end. -ENOMEM when the arena is full. */
int policy_complete(struct span text, size_t offset, const struct completion_seen *seen, size_t max,
		    struct arena *arena, struct completions *ret) _must_check_;
