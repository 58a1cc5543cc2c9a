/*
 * The files that secrets come from: what the agent gets a placeholder for it must not
 * read at its source either.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "daemon/secret-spec.h"

/* Appends that as a policy, where the secret comes from a file: its path is expanded already, and
 * it must be there. */
int secret_source_forbid(const struct secret_spec *s, struct buf *text,
			 struct err *err) _must_check_;
