/*
 * Which projects' policies the user trusts, so that their permits count: the
 * path of the policy file and the SHA-256 of what it held when the user said
 * so. A changed file is not trusted until the user says it again. The records
 * lie in the state directory, which no agent can write.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"

struct trust_record {
	char *file;   /* canonical path of the policy */
	char *sha256; /* hexadecimal */
	uint64_t time_ns;
};

typedef VEC(struct trust_record) trust_records;

/* "trusted" in leash's state directory. Newly allocated. */
char *trust_directory(const char *state) _must_check_;

/* Is this the content that was trusted under the file's name? False for whatever goes wrong. */
bool trust_holds(const char *directory, const char *file, struct span content);
int trust_add(const char *directory, const char *file, struct span content,
	      struct err *err) _must_check_;
/* -ENOENT where the file was not trusted. */
int trust_revoke(const char *directory, const char *file, struct err *err) _must_check_;
/* All records, sorted by file; those that cannot be read are left out. */
int trust_list(const char *directory, trust_records *ret, struct err *err) _must_check_;
void trust_records_done(trust_records *records);
