/*
 * Reading what `leash cedar` works on: policies, links, schema, entities,
 * request. Each function shows all that is wrong, with file, line and column,
 * and returns whether it could read.
 */
#pragma once

#include "cedar/cedar-schema.h"
#include "cedar/cedar.h"
#include "cli/cedar-options.h"

/* Exit codes of Cedar's own command. */
#define CEDAR_EXIT_SUCCESS 0
#define CEDAR_EXIT_FAILURE 1
#define CEDAR_EXIT_DENY 2
#define CEDAR_EXIT_INVALID 3
#define CEDAR_EXIT_UNKNOWN 4

/* A text and what it is called in messages. */
struct cedar_text {
	const char *name; /* "policy.cedar", "<stdin>", "<--principal>" */
	struct buf content;
};

static inline struct span cedar_text_span(const struct cedar_text *t)
{
	return (struct span){ t->content.data ? t->content.data : "", t->content.len };
}

void cedar_text_done(struct cedar_text *t);
/* NULL and "-" are standard input. what: "policies", for messages. */
bool cedar_text_read(const char *path, const char *what, struct cedar_text *ret);

/* Writes the file as a whole or not at all, and says why not. It keeps its mode; links are
 * followed. */
bool cedar_text_write(const char *path, struct span content);

/* Shows the findings; they lie in the text from byte `offset` of the file on. */
void cedar_report(const struct cedar_options *o, const struct cedar_diagnostics *found,
		  const struct cedar_text *text, size_t offset);
void cedar_report_one(const struct cedar_options *o, const struct cedar_diagnostic *finding,
		      const struct cedar_text *text);
/* One of many findings in the text of that name. */
void cedar_report_in(const struct cedar_options *o, const struct cedar_diagnostic *finding,
		     const char *name, struct cedar_positions *text);

struct cedar_input {
	const struct cedar_options *options;
	struct cedar_text policy_text, schema_text;
	struct cedar_policy_set *policies;
	struct cedar_schema *schema; /* NULL: none was given */
	struct cedar_entities *entities;
	struct cedar_request request;
	struct arena arena; /* of the request */
};

void cedar_input_done(struct cedar_input *in);
/* Policies are renamed after their @id, as Cedar's own command does. */
bool cedar_load_policies(struct cedar_input *in);
/* Adds the policies that --template-linked lists; a file that is not there is an error unless
 * may_lack. */
bool cedar_load_links(struct cedar_input *in, bool may_lack);
/* True without a schema where none was given. */
bool cedar_load_schema(struct cedar_input *in);
/* An empty store where none was given. Loaded after the schema, which gives actions and types. */
bool cedar_load_entities(struct cedar_input *in);
/* Principal, action, resource and context; checked against the schema unless that is switched off.
 */
bool cedar_load_request(struct cedar_input *in);

/* A request as the flags, or the file of --request-json, give it. NULL: not given. */
struct cedar_given {
	const char *principal, *action, *resource;
	const char *principal_type, *principal_eid, *resource_type, *resource_eid;
	struct cedar_text text; /* the file with the context in it */
	struct span context;
	size_t context_at; /* where in the file it begins */
	bool has_context;
};

static inline void cedar_given_done(struct cedar_given *given)
{
	cedar_text_done(&given->text);
}

bool cedar_given_read(struct cedar_input *in, struct cedar_given *given);
/* The value's uid; flag is what it is called in messages, unless a file gave it. */
bool cedar_given_uid(struct cedar_input *in, const struct cedar_given *given, const char *value,
		     const char *flag, struct cedar_entity_uid *ret);
/* Into the request; has_action: its action is known, and with a schema says what the context is. */
bool cedar_given_context(struct cedar_input *in, const struct cedar_given *given, bool has_action);

/* "Type::\"id\"" as `name` gave it; the uid lives in the arena. */
bool cedar_load_uid(const struct cedar_options *o, const char *text, const char *name,
		    struct arena *arena, struct cedar_entity_uid *ret);

#define _cleanup_cedar_text_ _cleanup_(cedar_text_done)
#define _cleanup_cedar_input_ _cleanup_(cedar_input_done)
#define _cleanup_cedar_given_ _cleanup_(cedar_given_done)
