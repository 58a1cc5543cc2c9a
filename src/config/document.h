/*
 * config.toml as a document: read whole, with errors that name file, line and
 * column. What is in it is read by who needs it; see settings.h and, for secrets
 * and the retention of sessions, cli/config-file.h.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "config/toml.h"

/* A file has no more bytes. */
#define CONFIG_TEXT_MAX ((size_t)1024 * 1024)

struct config_document {
	struct arena arena;
	char *file;	   /* whether or not it is there */
	struct buf text;   /* of it, as it was read */
	struct toml *root; /* an empty table where there is no file */
};

/* Reads config.toml in that directory; no file is no error. config_done in any case. */
int config_read(const char *directory, struct config_document *ret, struct err *err) _must_check_;
/* As if the file held that text. */
int config_read_text(const char *directory, struct span text, struct config_document *ret,
		     struct err *err) _must_check_;
void config_done(struct config_document *d);

/* Each returns -EINVAL with a message that begins with the place: of a value, of its key. */
int config_fail(const struct config_document *d, const struct toml *v, struct err *err,
		const char *fmt, ...) _printf_(4, 5);
int config_fail_key(const struct config_document *d, const struct toml *v, struct err *err,
		    const char *fmt, ...) _printf_(4, 5);
/* known: up to NULL. */
bool config_is_one_of(struct span key, const char *const *known);
/* The nearest of the known ones, up to NULL, is suggested. */
int config_unknown_key(const struct config_document *d, const struct toml *v,
		       const char *const *known, struct err *err);
/* wanted: "a string", "a table". */
int config_wrong_type(const struct config_document *d, const struct toml *v, const char *wanted,
		      struct err *err);
