/*
 * config.toml: the user's secrets, and how long sessions are kept; how commands
 * run is read by config/settings.h.
 *
 *   [secrets.NAME]
 *   from = "env:VARIABLE"     # or "file:PATH", "cmd:COMMAND"
 *   host = "api.example.com"  # or a list; port likewise
 *   port, header, path, env   # as --secret has them
 *
 *   [events]
 *   keep_days = 30   # sessions that ended longer ago are removed; 0: none is for its age
 *   keep_mb = 1024   # the oldest are removed beyond that; 0: none is for its size
 */
#pragma once

#include "cli/retention.h"
#include "config/settings.h"
#include "daemon/secret-spec.h"

/*
 * Both check the whole document but for settings.h's tables; messages name line
 * and column. The first adds those secrets which are not there yet by name, the
 * second changes what the file names.
 */
int config_take_secrets(const struct config_document *d, secret_specs *specs,
			struct err *err) _must_check_;
int config_take_retention(const struct config_document *d, struct retention *ret,
			  struct err *err) _must_check_;
/* Sets those variables which the environment does not have yet. */
void config_add_variables(const struct config_settings *s, struct environment *e);
/* Checks all of the document, as a command in directory would read it. */
int config_check(struct config_document *d, const char *home, const char *directory,
		 struct err *err) _must_check_;

/* Where config.toml is, and whose command reads it. */
struct config_place {
	const char *directory, *home, *cwd;
};

/*
 * Sets one value of the document, as it was read, and writes the file: only one that
 * leash can read. All its other bytes stay.
 */
int config_store(const struct config_place *p, const struct config_document *d,
		 const struct span *keys, size_t n_keys, struct span value,
		 struct err *err) _must_check_;
/* Likewise the whole text. */
int config_store_text(const struct config_place *p, struct span text, struct err *err) _must_check_;
