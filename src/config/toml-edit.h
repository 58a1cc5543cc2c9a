/*
 * Changes one value of a TOML document and leaves every other byte as it is:
 * comments, order, blank lines, the way other values are written. What comes
 * out is read again before it is returned, and says what was asked for.
 */
#pragma once

#include "base/buf.h"
#include "config/toml.h"

/*
 * text must be a valid document. keys: the way to the value, at least one. value:
 * one TOML value as it is to be written. A value that is there is replaced where
 * it stands; a new one goes to the end of its table, and a table that is not
 * there yet to the end of the document. 0, or -EBADMSG with *error filled: the
 * text or the value is no TOML, or something that is no table stands in the way.
 */
int toml_set(struct span text, const struct span *keys, size_t n_keys, struct span value,
	     struct buf *out, struct toml_error *error) _must_check_;
/*
 * Takes the value away, with its line. -ENOENT where there is none; -EBADMSG also
 * where it is a table with a header of its own.
 */
int toml_unset(struct span text, const struct span *keys, size_t n_keys, struct buf *out,
	       struct toml_error *error) _must_check_;

/* Reads a dotted key, as documents have it: projects."/home/x".claude. The parts are in the arena.
 */
int toml_read_path(struct arena *a, struct span text, struct span parts[TOML_MAX_DEPTH],
		   size_t *ret_n, struct toml_error *error) _must_check_;
/* Appends a key, quoted if it must be; a string, always quoted. */
int toml_append_key(struct buf *out, struct span key);
int toml_append_string(struct buf *out, struct span text);
/* Appends a value in one line, as it could stand in a document. */
int toml_append_value(struct buf *out, const struct toml *v);
