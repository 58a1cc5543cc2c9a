/*
 * The workers as a pool. Some number of them waits for calls; one that is
 * about to do something that may wait for the agent itself (a FIFO, a full
 * backlog, an exec) says so, and another takes its place, so that no agent
 * can make the supervisor stand still. A monitor interrupts those whose
 * caller is gone or has a signal to handle.
 */
#pragma once

#include <stdint.h>

#include "base/attributes.h"

struct pool;
struct supervisor;
struct worker;

/* Starts n workers, and the monitor. 0 or negative errno. */
int pool_start(struct supervisor *s, size_t n) _must_check_;

/* -EAGAIN when too many are waiting already. */
int blocking_begin(struct worker *w) _must_check_;
void blocking_end(struct worker *w);
/* What a call that blocking work left with -EINTR is to be answered. */
int blocking_error(struct worker *w, int error);

/* Between two calls: waits as a spare when enough others serve. */
void pool_rest(struct worker *w);
/* Lets others serve in place of workers that are at one call for long without having said so. */
void pool_check(struct supervisor *s);
/* A worker that pool_check has replaced is back. */
void pool_unstick(struct worker *w);
/*
 * At the end, when every caller is gone: waits until no worker is at a call, for at
 * most timeout_ms. What was answered and not yet recorded is recorded then.
 */
void pool_settle(struct supervisor *s, uint64_t timeout_ms);
/* Calls fn for every worker; none starts or ends meanwhile. */
void pool_each(struct supervisor *s, void (*fn)(struct worker *w, void *ctx), void *ctx);
