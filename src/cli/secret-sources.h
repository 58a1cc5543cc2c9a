/*
 * The files that secrets come from: what the agent gets a placeholder for it must not
 * read at its source either.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "daemon/secret-spec.h"

/* Appends that as policies; the files' paths are expanded already, and each must be there. */
int secret_sources_forbid(const secret_specs *specs, struct buf *text,
			  struct err *err) _must_check_;
