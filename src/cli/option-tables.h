/*
 * The flags of every sub-command, for `leash help` and `leash completion`.
 */
#pragma once

#include "cli/options.h"

#define DECLARE_OPTIONS(name)                                                                      \
	extern const struct option_spec name##_options[];                                          \
	extern const size_t n_##name##_options

DECLARE_OPTIONS(run);
DECLARE_OPTIONS(ps);
DECLARE_OPTIONS(attach);
DECLARE_OPTIONS(logs);
DECLARE_OPTIONS(stop);
DECLARE_OPTIONS(events);
DECLARE_OPTIONS(sessions);
DECLARE_OPTIONS(verify);
DECLARE_OPTIONS(token);
DECLARE_OPTIONS(ui);
DECLARE_OPTIONS(export);
DECLARE_OPTIONS(replay);
DECLARE_OPTIONS(policy);
DECLARE_OPTIONS(secret);
DECLARE_OPTIONS(config);
DECLARE_OPTIONS(cedar);
DECLARE_OPTIONS(doctor);
DECLARE_OPTIONS(completion);
DECLARE_OPTIONS(version);
