/*
 * A secret as a person names it: where its value comes from, where it may go,
 * and the variable in which the agent finds its placeholder.
 */
#pragma once

#include "base/err.h"
#include "base/secret.h"
#include "base/vec.h"
#include "daemon/environment.h"
#include "proxy/secret-rule.h"

enum secret_source {
	SECRET_FROM_VARIABLE,
	SECRET_FROM_FILE,
	SECRET_FROM_COMMAND,
};

struct secret_host {
	char *host;    /* as in struct secret_place */
	uint16_t port; /* 0: those of ports, or the scheme's own */
	bool is_clear;
};

struct secret_spec {
	char *name;
	enum secret_source source;
	char *from; /* the variable, file or command */
	VEC(struct secret_host) hosts;
	VEC(uint16_t) ports;
	char *path, *header; /* or NULL */
	char *variable;	     /* inside the container; or NULL */
	const char *note;    /* why nobody had to ask for it; or NULL */
	bool is_optional;    /* a source that is not there is no error */
	/* Once it is read. */
	struct secret value, placeholder;
};

typedef VEC(struct secret_spec) secret_specs;

void secret_spec_done(struct secret_spec *s);
void secret_specs_done(secret_specs *specs);
/* NULL where there is none of that name. */
struct secret_spec *secret_specs_find(const secret_specs *specs, struct span name);

/* Sets name and source ("env:VAR", "file:PATH", "cmd:COMMAND"). */
int secret_spec_begin(struct secret_spec *s, struct span name, struct span source,
		      struct err *err) _must_check_;
/* The keys below, for messages; NULL ends. */
extern const char *const secret_spec_keys[];
/* "host", "port", "header", "path" or "env"; the first two may come again. */
int secret_spec_set(struct secret_spec *s, struct span key, struct span value,
		    struct err *err) _must_check_;
/* "https://HOST[:PORT]/..." as host. */
int secret_spec_add_url(struct secret_spec *s, struct span url, struct err *err) _must_check_;
/* Is what was set enough, and does it fit together? Fills in the variable. */
int secret_spec_finish(struct secret_spec *s, struct err *err) _must_check_;
/* A leading "~/" of a file is that directory. */
void secret_spec_expand(struct secret_spec *s, const char *home);
/* NAME=SOURCE[,KEY=VALUE...], as --secret has it. */
int secret_spec_parse(struct span text, struct secret_spec *ret, struct err *err) _must_check_;

/* The bindings, for the proxy; points into the spec. */
void secret_spec_rule(const struct secret_spec *s, struct secret_rule *ret);
/*
 * Hands each one's rule on, as the proxy reads it; the message is wiped whatever becomes of it.
 * specs may be NULL.
 */
int secret_specs_hand_on(const secret_specs *specs,
			 int (*hand)(struct span message, void *ctx, struct err *err), void *ctx,
			 struct err *err) _must_check_;
/* "env:VAR" and so on. */
void secret_spec_describe_source(const struct secret_spec *s, struct buf *out);

/* ---- secret-source.c ---- */

/* Reads the value and makes its placeholder. -ENOENT: an optional source is not there. */
int secret_spec_read(struct secret_spec *s, struct err *err) _must_check_;
/* Reads all; those that are optional and not there are dropped. */
int secret_specs_read(secret_specs *specs, struct err *err) _must_check_;
/* Sets each one's variable to the placeholder; no entry holds a value any more. */
void secret_specs_hide(const secret_specs *specs, struct environment *e);
/* The proxy has them now. */
void secret_specs_wipe(secret_specs *specs);
