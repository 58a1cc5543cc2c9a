/*
 * Where leash keeps what is the user's: configuration, state, runtime files.
 */
#pragma once

#include "base/err.h"

/* The caller's home directory, from HOME or the password database. Newly allocated. */
char *home_directory(struct err *err) _must_check_;
/* $LEASH_HOME, $XDG_CONFIG_HOME/leash or ~/.config/leash. */
char *config_directory(const char *home) _must_check_;
/* A path of the command line: ~ and ~/... as a shell has them where it has not replaced them. */
char *expand_home(const char *home, const char *path) _must_check_;
/* $XDG_STATE_HOME/leash or ~/.local/state/leash; not created. Newly allocated. */
char *state_directory(const char *home) _must_check_;
/* $XDG_RUNTIME_DIR/leash or "run" in the state directory; not created. Newly allocated. */
char *runtime_directory(const char *home) _must_check_;
