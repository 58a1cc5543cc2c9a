/*
 * The sub-commands of `leash policy`, one file each; policy.c has their table,
 * policy-context.c what they share: the policies a session would use here.
 */
#pragma once

#include "cli/subcommand.h"
#include "daemon/policy-layers.h"

extern const struct subcommand_group policy_group;

extern const struct usage policy_check_usage, policy_diff_usage, policy_explain_usage,
	policy_fmt_usage, policy_show_usage, policy_test_usage, policy_trust_usage;

int policy_check_main(int argc, char **argv);
int policy_diff_main(int argc, char **argv);
int policy_explain_main(int argc, char **argv);
int policy_fmt_main(int argc, char **argv);
int policy_show_main(int argc, char **argv);
int policy_test_main(int argc, char **argv);
int policy_trust_main(int argc, char **argv);

/* ---- What they share ------------------------------------------------------------ */

enum policy_option {
	POLICY_OPTION_POLICY = 1,
	POLICY_OPTION_PROFILE,
	POLICY_OPTION_AGENT,
	POLICY_OPTION_JSON,
	POLICY_OPTION_OWN, /* the first of a sub-command's own */
};

#define POLICY_ROWS_LAYERS                                                                         \
	{ "policy",                                                                                \
	  0,                                                                                       \
	  "FILE",                                                                                  \
	  "this policy instead of profile and user policy",                                        \
	  POLICY_OPTION_POLICY,                                                                    \
	  0 },                                                                                     \
		{ "profile",                                                                       \
		  0,                                                                               \
		  "NAME",                                                                          \
		  "built-in profile: guarded (default), permissive, locked",                       \
		  POLICY_OPTION_PROFILE,                                                           \
		  0 },                                                                             \
	{                                                                                          \
		"agent", 0, "NAME", "the principal, Agent::\"NAME\" (default: agent)",             \
			POLICY_OPTION_AGENT, 0                                                     \
	}
#define POLICY_ROWS_COMMON                                                                         \
	{ "json", 0, NULL, "answer as JSON", POLICY_OPTION_JSON, 0 }, OPTION_HELP_ROW

/* Where a sub-command is called, and the layers of a session there. */
struct policy_context {
	struct policy_layers layers;
	char *home, *cwd, *config, *state, *runtime;
	struct buf session_text; /* what config.toml says of volumes, secrets and agents'
				    directories */
	const char *own_paths[4];
	bool want_json;
	/* A sub-command's own flags. */
	option_fn on_option;
	void *ctx;
};

#define _cleanup_policy_context_ _cleanup_(policy_context_done)
void policy_context_done(struct policy_context *c);
/*
 * Reads the words: -1 to go on, or the exit code. Operands are then at argv's
 * front, NULL behind the last; more than max_operands (0: none, SIZE_MAX: any
 * number) are an error.
 */
int policy_context_parse(struct policy_context *c, const struct usage *u, int argc, char **argv,
			 size_t max_operands, int *ret_n_operands) _must_check_;
/* --policy FILE. */
int policy_context_set_file(struct policy_context *c, const char *file,
			    struct err *err) _must_check_;
/* Reads all layers. */
int policy_context_load(struct policy_context *c, struct buf *report, struct policy_findings *list,
			struct policy_source **ret, struct err *err) _must_check_;
/* The same, opened for deciding; shows what is wrong. NULL after an error. */
struct policy *policy_context_open(struct policy_context *c);
/* Makes a policy of the source and frees that. */
struct policy *policy_open_source(struct policy_source *source, struct err *err) _must_check_;

/* Ids and texts come from policies, and control characters would write on the terminal. */
void append_visible(struct buf *out, struct span text);
int print_out(const struct buf *out);
