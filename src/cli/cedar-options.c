#include "cli/cedar-options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/command.h"

/* Widths and levels that a person could mean. */
#define MAX_NUMBER 1000000

static int choose(const char *value, const char *const *names, size_t n, const char *flag,
		  struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(value, names[i]) == 0)
			return (int)i;
	if (n == 2)
		return err_say(err, -EINVAL, "--%s: `%s` is neither %s nor %s", flag, value,
			       names[0], names[1]);
	return err_say(err, -EINVAL, "--%s: `%s` is none of %s, %s and %s", flag, value, names[0],
		       names[1], names[2]);
}

static int set_flag(bool *to, const char *value, const char *const names[2], const char *flag,
		    struct err *err)
{
	int r = choose(value, names, 2, flag, err);

	if (r >= 0)
		*to = r == 1;
	return r < 0 ? r : 0;
}

static int set_number(size_t *to, const char *value, const char *flag, struct err *err)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || n > MAX_NUMBER)
		return err_say(err, -EINVAL, "--%s: `%s` is not a number from 0 to %d", flag, value,
			       MAX_NUMBER);
	*to = n;
	return 0;
}

static const char **text_of(struct cedar_options *o, int id)
{
	switch (id) {
	case CEDAR_OPTION_PRINCIPAL:
		return &o->principal;
	case CEDAR_OPTION_ACTION:
		return &o->action;
	case CEDAR_OPTION_RESOURCE:
		return &o->resource;
	case CEDAR_OPTION_CONTEXT:
		return &o->context;
	case CEDAR_OPTION_REQUEST_JSON:
		return &o->request_json;
	case CEDAR_OPTION_POLICIES:
		return &o->policies;
	case CEDAR_OPTION_LINKS:
		return &o->links;
	case CEDAR_OPTION_SCHEMA:
		return &o->schema;
	case CEDAR_OPTION_ENTITIES:
		return &o->entities;
	case CEDAR_OPTION_EXPRESSION:
		return &o->expression;
	case CEDAR_OPTION_TEMPLATE_ID:
		return &o->template_id;
	case CEDAR_OPTION_NEW_ID:
		return &o->new_id;
	case CEDAR_OPTION_ARGUMENTS:
		return &o->arguments;
	case CEDAR_OPTION_DIRECTION:
		return &o->direction;
	case CEDAR_OPTION_PRINCIPAL_TYPE:
		return &o->principal_type;
	case CEDAR_OPTION_PRINCIPAL_EID:
		return &o->principal_eid;
	case CEDAR_OPTION_RESOURCE_TYPE:
		return &o->resource_type;
	case CEDAR_OPTION_RESOURCE_EID:
		return &o->resource_eid;
	default:
		return NULL;
	}
}

static bool *switch_of(struct cedar_options *o, int id)
{
	switch (id) {
	case CEDAR_OPTION_VERBOSE:
		return &o->is_verbose;
	case CEDAR_OPTION_TIMING:
		return &o->want_timing;
	case CEDAR_OPTION_DENY_WARNINGS:
		return &o->deny_warnings;
	case CEDAR_OPTION_WRITE:
		return &o->want_write;
	case CEDAR_OPTION_CHECK:
		return &o->want_check;
	default:
		return NULL;
	}
}

static int on_choice(int id, const char *value, struct cedar_options *o, struct err *err)
{
	static const char *const forms[] = { "cedar", "json" };
	static const char *const truths[] = { "true", "false" };
	static const char *const modes[] = { "strict", "permissive" };
	static const char *const formats[] = { "human", "plain", "json" };
	int r;

	switch (id) {
	case CEDAR_OPTION_POLICY_FORMAT:
		return set_flag(&o->is_policies_json, value, forms, "policy-format", err);
	case CEDAR_OPTION_SCHEMA_FORMAT:
		return set_flag(&o->is_schema_json, value, forms, "schema-format", err);
	case CEDAR_OPTION_REQUEST_VALIDATION:
		return set_flag(&o->skip_request_validation, value, truths, "request-validation",
				err);
	case CEDAR_OPTION_VALIDATION_MODE:
		return set_flag(&o->is_permissive, value, modes, "validation-mode", err);
	case CEDAR_OPTION_ERROR_FORMAT:
		r = choose(value, formats, ARRAY_SIZE(formats), "error-format", err);
		if (r >= 0)
			o->error_format = (enum cedar_error_format)r;
		return r < 0 ? r : 0;
	case CEDAR_OPTION_LEVEL:
		o->has_level = true;
		return set_number(&o->level, value, "level", err);
	case CEDAR_OPTION_LINE_WIDTH:
		return set_number(&o->line_width, value, "line-width", err);
	case CEDAR_OPTION_INDENT_WIDTH:
		return set_number(&o->indent_width, value, "indent-width", err);
	default:
		return -EINVAL;
	}
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct cedar_options *o = ctx;
	const char **text = text_of(o, id);
	bool *is_on = switch_of(o, id);

	if (text)
		*text = value;
	else if (is_on)
		*is_on = true;
	else
		return on_choice(id, value, o, err);
	return 0;
}

int cedar_options_parse(const struct usage *u, int argc, char **argv, int max_operands,
			struct cedar_options *options, int *ret_n_operands)
{
	int code = usage_parse(u, argc, argv, on_option, options, ret_n_operands);

	if (code >= 0)
		return code;
	if (options->request_json &&
	    (options->principal || options->action || options->resource || options->context)) {
		log_error("%s: --request-json is the whole request; leave out --principal, "
			  "--action, --resource and "
			  "--context",
			  u->name);
		return EXIT_USAGE;
	}
	if (*ret_n_operands > max_operands) {
		log_error("%s: unexpected `%s`", u->name, argv[max_operands]);
		return EXIT_USAGE;
	}
	return -1;
}
