/*
 * The conditions of `leash events` from the command line's words.
 */
#pragma once

#include "base/err.h"
#include "event/filter.h"

/* Each adds what a value says to f; texts of value are kept, not copied. */
int filter_add_kind(struct event_filter *f, const char *value, struct err *err) _must_check_;
int filter_add_decision(struct event_filter *f, const char *value, struct err *err) _must_check_;
/* A relative path begins at the current directory. The path kept is newly allocated. */
int filter_set_path(struct event_filter *f, const char *value, struct err *err) _must_check_;
/* A seq, how long ago ("10m"), or a time (RFC 3339); now_ns is what they are reckoned from. */
int filter_set_since(struct event_filter *f, const char *value, uint64_t now_ns, struct err *err)
	_must_check_;
int filter_set_until(struct event_filter *f, const char *value, uint64_t now_ns, struct err *err)
	_must_check_;
