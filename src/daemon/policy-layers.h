/*
 * Which policy files make up a session's policy, and the bundle made of them:
 * read at start and again at each change. A set with an error is never applied.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "policy/policy.h"

struct policy_layers {
	struct policy_environment environment;
	char *policy_file;  /* --policy: replaces profile and user policy; or NULL */
	char *user_file;    /* config directory's policy.cedar; used when it exists */
	char *project_file; /* workspace's .leash/policy.cedar; used when it exists */
	char *trusted; /* directory of trust.h: permits of a trusted project file count; or NULL */
	struct span session_text; /* permits for what was asked for on the command line (-v) */
	/* What was changed while the session runs; NULL: nothing was. */
	char *kept_text;    /* stands for the file below, which could not be written */
	char *runtime_text; /* of this session alone, beside what the command line permits */
};

/* The file that is the user's to change: policy_file, else user_file. */
const char *policy_layers_editable_file(const struct policy_layers *l);
enum policy_layer policy_layers_editable(const struct policy_layers *l);
/* Are there only blanks in it? Then it is no layer: the user's file may be missing. */
bool policy_layers_is_blank(struct span text);
/* What policies of runtime_text say that they are from. */
#define POLICY_LAYERS_RUNTIME_NAME "session"
#define POLICY_LAYERS_COMMAND_NAME "command line"

/*
 * Reads all layers. Findings go to report, also of those layers that come after
 * one with an error, and to list (which may be NULL); on an error nothing is
 * returned.
 */
int policy_layers_load(const struct policy_layers *l, bool color, struct buf *report,
		       struct policy_findings *list, struct policy_source **ret, struct err *err)
	_must_check_;
/* What the user trusts is the file under its canonical name. NULL (errno) where it is not there. */
char *policy_layers_project_name(const struct policy_layers *l);
