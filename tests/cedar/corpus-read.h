/*
 * The part of corpus.h that does without jansson, whose names clash with those
 * of base/json.h.
 */
#pragma once

#include "base/buf.h"

/* Exits 77 with a reason when the folder is not there. */
const char *corpus_folder(int argc, char **argv);
/* The whole decompressed file; exits with a message on any error. */
void corpus_read(const char *folder, const char *name, struct buf *out);

struct tally {
	size_t passed, failed, skipped;
};

/* Counts, and prints what failed. Returns ok. */
bool tally_check(struct tally *t, bool ok, const char *fmt, ...) _printf_(3, 4);
/* Prints the last line and returns the exit code. */
int tally_end(const struct tally *t);
