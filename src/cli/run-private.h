/*
 * The parts of `leash run`, one file each: run-options.c reads the flags,
 * run-engine.c chooses the runtime, run-secrets.c has what the agent never sees;
 * run.c puts a session's options together from them.
 */
#pragma once

#include "cli/detach.h"
#include "cli/volumes.h"
#include "engine/engine.h"

struct run {
	char *home, *cwd, *config;
	struct config_document document; /* config.toml */
	struct config_settings settings; /* of it, here */
	struct environment environment;
	struct environment env_options; /* -e, applied last */
	secret_specs secrets;
	published_ports ports;
	volumes volumes;
	struct policy_layers layers;
	struct sandbox_limits limits;
	const char *runtime, *image; /* as they were named; no image: native */
	struct engine engine;
	struct api_listen listen;
	bool is_insecure, want_browser;
	bool want_all_ports, is_detached;
	bool is_unavailable; /* what an option names well, and is not to be had */
	struct detach detach;
	const char *name;
	uint64_t start_timeout_ms; /* 0: the default */
	bool is_not_interactive, want_env_inherit, want_keys, is_verbose, want_help, want_version;
};

/* ---- run-options.c ---- */

/* Reads the flags. Returns the index of the command in argv, or a negative errno. */
int run_parse_options(struct run *run, int argc, char **argv, struct err *err) _must_check_;
/* --policy FILE. */
int run_set_policy_file(struct run *run, const char *value, struct err *err) _must_check_;

/* ---- run-engine.c ---- */

/* Fills in what no flag said; an image is what makes it an engine's session. */
int run_choose_runtime(struct run *run, const char *configured, struct err *err) _must_check_;
/* Finds engine and image. Exit code or 0. */
int run_open_engine(struct run *run, struct err *err) _must_check_;

/* ---- run-secrets.c ---- */

/* --secret NAME=SOURCE... */
int run_add_secret(struct run *run, const char *text, struct err *err) _must_check_;
/* Reads the secrets, and leaves their placeholders in the environment. */
int run_hide_secrets(struct run *run, struct err *err) _must_check_;
