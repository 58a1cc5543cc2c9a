/*
 * One integration test: policies, schema, entities and requests with the
 * answers they must have. The lines of the corpus and the files of the official
 * layout both become this.
 */
#pragma once

#include "runner.h"

struct integration_test {
	struct span id;
	struct span policies, schema, entities; /* texts; entities are JSON */
	bool is_policies_json, is_schema_json;
	bool should_validate;
	struct json_view requests;
};

/* Checks validation once, each policy's round trip through JSON, and each request. */
void integration_run(struct runner *r, const struct integration_test *test);
