/*
 * Which records of an event log somebody wants to see. Several values of one
 * flag mean any of them; several flags mean all of them.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"

struct filter {
	VEC(const char *) kinds; /* "file.open", or "file" for all that begins with "file." */
	VEC(const char *) decisions;
	char *path;	  /* this file, or this directory and all below it; owned */
	const char *host; /* a name, or "*.example.com" */
	uint64_t pid;	  /* 0: any */
	uint64_t since;	  /* only what has a higher seq */
};

/* Check and keep a value from the command line, which must outlive the filter. */
int filter_add_kind(struct filter *f, const char *value, struct err *err) _must_check_;
int filter_add_decision(struct filter *f, const char *value, struct err *err) _must_check_;
/* A relative path begins at the current directory. */
int filter_set_path(struct filter *f, const char *value, struct err *err) _must_check_;
bool filter_matches(const struct filter *f, const struct json *event);
void filter_done(struct filter *f);
