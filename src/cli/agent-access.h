/*
 * May the agent that is run use its own directories of the host? What the user
 * has decided before, a question where nothing is decided, and what follows for a
 * native session's policy.
 */
#pragma once

#include "config/settings.h"
#include "daemon/environment.h"

struct agent_access {
	const struct agent *agent;	 /* that is run; NULL: none that is known */
	const char *home, *cwd, *config; /* config: its directory */
	const struct config_document *document;
	const struct config_settings *settings;
	/*
	 * What the session gets: where that says nothing of an agent's place, what the caller has
	 * does. NULL of an image, in which paths of this machine mean nothing.
	 */
	const struct environment *environment;
	/* Of a native session: what it has without a question. */
	const char *profile;
	bool has_policy_file; /* which stands for the profile, and says all itself */
	bool has_image;	      /* it begins with nothing of the host */
	bool is_interactive;  /* there is somebody to ask */
	/* The answer, for agent_access_policy. */
	bool is_allowed;
};

/* Appends the agent's places on this machine. environment: as above. */
void agent_places_find(const struct agent *a, const char *home, const struct environment *e,
		       agent_mounts *ret);

/*
 * Fills is_allowed; asks where nobody has decided and the answer changes something. What
 * is to be remembered is written to config.toml; where that cannot be, the answer holds
 * for this time and a warning says so.
 */
int agent_access_decide(struct agent_access *a, struct err *err) _must_check_;
/* Appends what a native session's policy needs for it, and for each agent that is kept out. */
int agent_access_policy(const struct agent_access *a, struct buf *out,
			struct err *err) _must_check_;
