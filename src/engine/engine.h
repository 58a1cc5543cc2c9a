/*
 * Sessions in containers of an engine with a command line as Docker has it:
 * docker, podman, nerdctl and their like. The engine makes one container of
 * the user's image; leash is its first process, and the agent is in a native
 * container nested in it, where it sees neither leash nor the engine's
 * capabilities. See docs/internals/engine.md.
 */
#pragma once

#include "daemon/session.h"

struct engine {
	char *program; /* absolute path of its client */
	char *image;   /* as it was named */
	char *id;      /* of the image: what was looked at is what is run */
	char *user;
	VEC(char *) variables; /* "KEY=value" of the image */
	VEC(uint16_t) exposed; /* TCP ports that the image says it serves */
};

/* What it is told besides the session. Paths are the host's. */
struct engine_places {
	const char *config;  /* the user's policy.cedar is there */
	const char *trusted; /* as in struct policy_layers */
	const char *runtime; /* where tokens are */
	const char *shared;  /* for copies of what an engine in a virtual machine would not see */
};

/* The engine by that name, or the first of those known that is installed (NULL). */
int engine_find(const char *name, char **ret_program, struct err *err) _must_check_;
/* Finds the engine and the image, which is pulled where it is missing. */
int engine_open(const char *name, const char *image, struct engine *ret,
		struct err *err) _must_check_;
void engine_close(struct engine *e);
/* Is it the engine's image that decides about a variable, or the user's terminal? Both here. */
void engine_environment(const struct engine *e, struct environment *ret);
/* The home directory of the image's user, where no variable says it; newly allocated. NULL where
 * only the image knows. */
char *engine_home(const struct engine *e);
/*
 * Appends the rule that permits it: the image's own files go with the container, so the agent may
 * change them; not what is the user's, and not the kernel's. A policy that the user wrote instead
 * of a profile stands alone, and so does the strictest profile.
 */
void engine_permit_image(const struct policy_layers *l, const char *workspace,
			 const struct sandbox_mount *mounts, size_t n_mounts, struct buf *out);
/*
 * As session_run, in a container. directory, user_file and the other paths are the host's; the
 * program is looked for in the image.
 */
int engine_run(const struct engine *e, const struct session_options *o,
	       const struct engine_places *places, struct err *err) _must_check_;

/* For `leash doctor`: what there is, in a sentence each. Returns how many. */
struct engine_probe {
	char name[32], detail[256];
	bool is_present;
};
size_t engine_probe(struct engine_probe *rows, size_t max);
