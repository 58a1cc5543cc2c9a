/*
 * Which events somebody wants to see: one meaning for `leash events`, for the
 * API's pages and for what it sends live. Several values of one kind mean any
 * of them; different kinds of conditions mean all of them. Zero is every event.
 */
#pragma once

#include "event/event.h"

struct event_filter {
	uint64_t kinds;	    /* bits, EVENT_BIT(kind); 0: any */
	uint64_t decisions; /* bits, EVENT_BIT(decision); 0: any */
	const char *path;   /* absolute, normalised: this file, or this directory and all below it */
	const char *host;   /* a name, or "*.example.com" for those below it; letters in either case */
	const char *exe;    /* a program's path, or its last part where there is no slash in it */
	const char *text;   /* in path, target, host, url, exe, message or an argument; any case */
	int32_t pid;	    /* 0: any */
	uint64_t since_seq; /* only what has a higher seq */
	uint64_t until_seq; /* 0: any; else only this seq and lower ones */
	uint64_t since_ns;  /* only what happened then or later */
	uint64_t until_ns;  /* 0: any; else only what happened then or before */
};

#define EVENT_BIT(n) (UINT64_C(1) << (n))

/* Adds "file.open", or for "file" all kinds that begin with "file.". -EINVAL: there is none. */
int event_filter_add_kind(struct event_filter *f, struct span value) _must_check_;
/* -EINVAL: no decision is called so. */
int event_filter_add_decision(struct event_filter *f, struct span value) _must_check_;

bool event_filter_matches(const struct event_filter *f, uint64_t seq, const struct event *e);

/* Its conditions on one text each. */
bool event_host_matches(struct span host, const char *wanted);
bool event_exe_matches(struct span exe, const char *wanted);
