/*
 * What the container's programs trust: the host's roots and the session's own
 * authority, as files that cover those the host has for this purpose. They are
 * made empty with the container and written when the authority is known.
 */
#pragma once

#include "base/err.h"
#include "daemon/java-keystore.h"
#include "daemon/trust-places.h"
#include "sandbox/sandbox.h"

struct container_trust {
	struct sandbox_file files[SANDBOX_MAX_FILES];
	size_t n_files;
	size_t keystore_at, chromium_at; /* 0: not made, as no place wants one */
	char *java_home[2];
	const char *keystore_places[8];
	struct java_keystore keystore;
};

/* Looks which of the known places there are; walks no directory. */
void container_trust_init(struct container_trust *t);
void container_trust_done(struct container_trust *t);
/* What takes longest, and needs no container yet. */
int container_trust_prepare(struct container_trust *t, int roots_fd, struct err *err) _must_check_;
/* Writes what can be written before the authority is known. fds: of the files. */
int container_trust_begin(const int *fds, int roots_fd, struct err *err) _must_check_;
/* The rest; der is the authority's certificate. */
int container_trust_finish(struct container_trust *t, const int *fds, struct span der,
			   struct err *err) _must_check_;
