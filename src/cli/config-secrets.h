/*
 * config.toml, as far as there is something to configure: the user's secrets.
 *
 *   [secrets.NAME]
 *   from = "env:VARIABLE"     # or "file:PATH", "cmd:COMMAND"
 *   host = "api.example.com"  # or a list; port likewise
 *   port, header, path, env   # as --secret has them
 */
#pragma once

#include "daemon/secret-spec.h"

/*
 * Adds those of the file in that directory which are not there yet by name. No
 * file is no error. Messages name line and column.
 */
int config_read_secrets(const char *directory, secret_specs *specs, struct err *err) _must_check_;
