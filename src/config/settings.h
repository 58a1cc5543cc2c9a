/*
 * What config.toml says of how commands run:
 *
 *   [leash]                      # for every directory
 *   target_image = "…"           # image of a container engine
 *   [leash.envvars]
 *   KEY = "value"
 *   [volumes]
 *   "~/data" = "/data:ro"        # SOURCE = "TARGET[:ro]"
 *   claude = true                # may the agent use its own directory of the host?
 *   [projects."~/src/app"]       # there and below; the nearest counts, before what stands above
 *   envvars, volumes, target_image and agents, likewise; "SOURCE" = false takes a volume away
 *
 * All of it is checked, whatever counts here.
 */
#pragma once

#include "base/vec.h"
#include "config/agents.h"
#include "config/document.h"

struct config_variable {
	const char *name, *value;
	const struct toml *at;
};

struct config_volume {
	const char *source; /* absolute, as far as it exists without links */
	const char *target; /* absolute */
	bool is_read_only;
	const struct toml *at;
};

/* May an agent use its own directories of the host? */
struct config_agent {
	const struct toml *at; /* where that is said; NULL: nowhere */
	bool is_allowed;
};

/* Texts are in the document's arena. */
struct config_settings {
	VEC(struct config_variable) variables; /* each name once */
	VEC(struct config_volume) volumes;     /* each source once */
	const char *target_image;	       /* or NULL */
	const struct toml *target_image_at;
	struct config_agent agents[AGENT_MAX];
	/* The project that counts here, or NULL, and its directory. */
	const struct toml *project;
	const char *project_directory;
};

/* The tables that these settings are in, for who reads the document: up to NULL. */
extern const char *const config_settings_tables[];

/* For commands run in directory. config_settings_done in any case. */
int config_settings_read(struct config_document *d, const char *home, const char *directory,
			 struct config_settings *ret, struct err *err) _must_check_;
void config_settings_done(struct config_settings *s);
