/*
 * What leash knows of the agents that it knows: where they keep what is theirs,
 * what of the caller's environment is for them, whose keys they use, and how
 * each is told that it runs in a sandbox already. One table; who wants to support
 * another agent adds a row.
 */
#pragma once

#include "base/attributes.h"
#include "base/vec.h"

enum agent_id {
	AGENT_CLAUDE,
	AGENT_CODEX,
	AGENT_GEMINI,
	AGENT_QWEN,
	AGENT_OPENCODE,
	AGENT_MAX,
};

/* A key of a provider: it is a secret, and gets a placeholder bound to the provider's hosts. */
struct agent_key {
	const char *variable;
	const char *agent; /* whose it is; opencode uses all */
	const char *hosts[2];
	const char *url_variable; /* leads the agent to another host */
};

extern const struct agent_key agent_keys[];
extern const size_t n_agent_keys;

struct agent_variable {
	const char *name, *value;
};

/* A directory or file of an agent on the host. */
struct agent_place {
	const char *variable; /* names the directory that base stands for, or NULL */
	const char *base;   /* below the home directory, where the variable is not set; "" is it */
	const char *name;   /* below base; "" is base itself */
	const char *target; /* below the home directory in an image */
	bool is_file;	    /* and it is replaced through names that begin with its own */
};

struct agent {
	const char *name;
	struct agent_place places[8]; /* up to one without a target */
	/* Below any of its directories: what would run later, outside, were it written. As
	 * patterns. */
	const char *protected[8];
	const char *variables[12];	   /* passed on where the caller has them; no secrets */
	struct agent_variable settings[3]; /* set inside, unless the user says otherwise */
	/*
	 * Put before its own arguments: its own sandbox, which cannot be made inside of
	 * another, is off. Not where one of its own is one of the exceptions, or one with a
	 * value behind '=': the user has said what is to be.
	 */
	const char *arguments[3], *exceptions[8];
	/* Only where one of these files, of JSON, has such a switch on. Of the first place, or of
	 * the project. */
	const char *switch_files[4], *switch_table, *switch_key;
};

extern const struct agent agents[AGENT_MAX];
/* Their names, up to NULL. */
extern const char *const agent_names[];

/* The agent of that name, as the last part of a path; NULL for another program. */
const struct agent *agent_find(const char *name);
/* Does it use that key? */
bool agent_uses_key(const struct agent *a, const struct agent_key *key);

/* Does the variable say where a place of the agent is? In an image it means nothing. */
bool agent_names_place(const struct agent *a, const char *variable);

/* Where the table's places are, by the variables of a caller or a session. */
struct agent_mount {
	const struct agent_place *place;
	char *source;	    /* absolute, not resolved */
	const char *target; /* below the home directory in an image: ".claude" */
	bool is_file;
	bool is_there; /* there is such a file or directory, and of that kind */
	bool is_moved; /* a variable has led elsewhere than the default */
};

typedef VEC(struct agent_mount) agent_mounts;

/* The value of a variable that may say where a place is, or NULL. */
typedef const char *(*agent_variable_fn)(const void *ctx, const char *name);

/* Appends all places of the agent, the present and the missing. */
void agent_mounts_find(const struct agent *a, const char *home, agent_variable_fn variable,
		       const void *ctx, agent_mounts *ret);
void agent_mounts_done(agent_mounts *m);
