/*
 * Policy text that leash itself writes for a session: its own rules, and what
 * the git repositories of the workspace need beyond the profile's fixed text.
 */
#pragma once

#include "base/buf.h"
#include "policy/policy.h"

/* Appends leash's own rules as Cedar text. */
int own_rules_text(const struct policy_environment *env, struct buf *out);
/*
 * Appends rules about repositories in the workspace, found when the session
 * starts: forbids on what git would run outside, and permits for the git
 * directory of a linked worktree, where git's own back link proves it.
 */
int git_rules_text(const struct policy_environment *env, struct buf *out);
