/*
 * Which events a request asks for: the parameters of /api/events and the
 * filter of a WebSocket client, with one meaning (event/filter.h).
 */
#pragma once

#include "api/call.h"
#include "event/filter.h"

/*
 * One parameter of the query. Returns 1, 0 where it is none of a filter's, or -1
 * after an answer. Texts lie in the arena.
 */
int api_filter_parameter(struct api_call *c, struct event_filter *f, const struct api_query *q,
			 struct arena *arena) _must_check_;
/* An object of JSON; NULL changes nothing. False: answered. */
bool api_filter_read(struct api_call *c, struct event_filter *f, const struct json *object,
		     struct arena *arena) _must_check_;
