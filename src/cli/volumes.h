/*
 * What is shown inside besides the workspace: volumes of -v, of config.toml, and
 * an agent's own directories where an image is run. Who names a volume permits its
 * use, so they are also a part of the policy.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "config/settings.h"

struct volume {
	char *source, *target;
	bool is_read_only;
};

typedef VEC(struct volume) volumes;

void volumes_done(volumes *v);

/* SRC:DST[:ro|rw], both absolute after ~ and the current directory are filled in. */
int volumes_add(volumes *v, const char *home, const char *text, struct err *err) _must_check_;
/*
 * Those of config.toml whose target is still free. What is configured and not there today is no
 * reason to run nothing: it is left out, with a warning. has_image: the engine makes targets.
 */
void volumes_add_configured(volumes *v, const struct config_document *d,
			    const struct config_settings *settings, bool has_image);
/* Those of the agent that are there, below the home directory inside, as far as that is free. */
void volumes_add_agent(volumes *v, const agent_mounts *mounts, const char *home_inside);
/* Appends the policies that permit their use. */
int volumes_permit(const volumes *v, struct buf *text, struct err *err) _must_check_;
