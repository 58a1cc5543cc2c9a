/*
 * The flags of `leash cedar`'s sub-commands: those of Cedar's own command, with
 * its letters. Each sub-command has a table of its own, made of shared rows.
 */
#pragma once

#include "cli/usage.h"

enum cedar_option {
	CEDAR_OPTION_PRINCIPAL = 1,
	CEDAR_OPTION_ACTION,
	CEDAR_OPTION_RESOURCE,
	CEDAR_OPTION_CONTEXT,
	CEDAR_OPTION_REQUEST_JSON,
	CEDAR_OPTION_REQUEST_VALIDATION,
	CEDAR_OPTION_POLICIES,
	CEDAR_OPTION_POLICY_FORMAT,
	CEDAR_OPTION_LINKS,
	CEDAR_OPTION_SCHEMA,
	CEDAR_OPTION_SCHEMA_FORMAT,
	CEDAR_OPTION_ENTITIES,
	CEDAR_OPTION_EXPRESSION,
	CEDAR_OPTION_VERBOSE,
	CEDAR_OPTION_TIMING,
	CEDAR_OPTION_ERROR_FORMAT,
	CEDAR_OPTION_DENY_WARNINGS,
	CEDAR_OPTION_VALIDATION_MODE,
	CEDAR_OPTION_LEVEL,
	CEDAR_OPTION_LINE_WIDTH,
	CEDAR_OPTION_INDENT_WIDTH,
	CEDAR_OPTION_WRITE,
	CEDAR_OPTION_CHECK,
	CEDAR_OPTION_TEMPLATE_ID,
	CEDAR_OPTION_NEW_ID,
	CEDAR_OPTION_ARGUMENTS,
	CEDAR_OPTION_DIRECTION,
	CEDAR_OPTION_PRINCIPAL_TYPE,
	CEDAR_OPTION_PRINCIPAL_EID,
	CEDAR_OPTION_RESOURCE_TYPE,
	CEDAR_OPTION_RESOURCE_EID,
};

enum cedar_error_format {
	CEDAR_ERRORS_HUMAN, /* with the source line and a caret */
	CEDAR_ERRORS_PLAIN, /* one line each */
	CEDAR_ERRORS_JSON,  /* one object a line */
};

/* What the command line said. Strings belong to argv; NULL where nothing was said. */
struct cedar_options {
	const char *principal, *action, *resource, *context, *request_json;
	const char *principal_type, *principal_eid, *resource_type, *resource_eid;
	const char *policies, *links, *schema, *entities, *expression;
	const char *template_id, *new_id, *arguments, *direction;
	size_t line_width, indent_width, level;
	enum cedar_error_format error_format;
	bool is_policies_json, is_schema_json, skip_request_validation;
	bool is_verbose, want_timing, deny_warnings, is_permissive, has_level;
	bool want_write, want_check;
};

#define CEDAR_OPTIONS_INIT                                                                         \
	{                                                                                          \
		.line_width = 80, .indent_width = 2                                                \
	}

#define CEDAR_ROW(long_name, short_name, argument, help, id)                                       \
	{                                                                                          \
		long_name, short_name, argument, help, id, 0                                       \
	}
#define CEDAR_ROWS_COMMON                                                                          \
	CEDAR_ROW("error-format", 'f', "human|plain|json",                                         \
		  "how to show errors: with the source line (default), one line each, or as JSON", \
		  CEDAR_OPTION_ERROR_FORMAT),                                                      \
		OPTION_HELP_ROW
#define CEDAR_ROWS_POLICIES                                                                        \
	CEDAR_ROW("policies", 'p', "FILE",                                                         \
		  "the policies and templates; standard input where this is not given or -",       \
		  CEDAR_OPTION_POLICIES),                                                          \
		CEDAR_ROW("policy-format", 0, "cedar|json",                                        \
			  "the form of the policies (default: cedar)",                             \
			  CEDAR_OPTION_POLICY_FORMAT),                                             \
		CEDAR_ROW("template-linked", 'k', "FILE",                                          \
			  "policies linked to templates, as `link` writes them",                   \
			  CEDAR_OPTION_LINKS)
#define CEDAR_ROWS_SCHEMA                                                                          \
	CEDAR_ROW("schema", 's', "FILE", "the schema", CEDAR_OPTION_SCHEMA),                       \
		CEDAR_ROW("schema-format", 0, "cedar|json",                                        \
			  "the form of the schema (default: cedar)", CEDAR_OPTION_SCHEMA_FORMAT)
#define CEDAR_ROWS_ENTITIES                                                                        \
	CEDAR_ROW("entities", 0, "FILE", "the entities, as JSON", CEDAR_OPTION_ENTITIES)
#define CEDAR_ROWS_REQUEST                                                                         \
	CEDAR_ROW("principal", 'l', "UID", "who asks, such as User::\"alice\"",                    \
		  CEDAR_OPTION_PRINCIPAL),                                                         \
		CEDAR_ROW("action", 'a', "UID", "for what, such as Action::\"view\"",              \
			  CEDAR_OPTION_ACTION),                                                    \
		CEDAR_ROW("resource", 'r', "UID", "on what, such as File::\"notes.txt\"",          \
			  CEDAR_OPTION_RESOURCE),                                                  \
		CEDAR_ROW("context", 'c', "FILE", "the request's context, a JSON object",          \
			  CEDAR_OPTION_CONTEXT),                                                   \
		CEDAR_ROW("request-json", 0, "FILE",                                               \
			  "the whole request: {\"principal\": UID, \"action\": UID, "              \
			  "\"resource\": UID, \"context\": {}}",                                   \
			  CEDAR_OPTION_REQUEST_JSON)
#define CEDAR_ROW_REQUEST_VALIDATION                                                               \
	CEDAR_ROW("request-validation", 0, "true|false",                                           \
		  "check the request against the schema, if there is one (default: true)",         \
		  CEDAR_OPTION_REQUEST_VALIDATION)
#define CEDAR_ROW_TIMING                                                                           \
	CEDAR_ROW("timing", 't', NULL, "say how long the decision took", CEDAR_OPTION_TIMING)

/*
 * Reads the words of one sub-command into options; as usage_parse. More
 * operands than max_operands are an error.
 */
int cedar_options_parse(const struct usage *u, int argc, char **argv, int max_operands,
			struct cedar_options *options, int *ret_n_operands) _must_check_;
