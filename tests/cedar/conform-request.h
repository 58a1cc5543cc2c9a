/*
 * One test of the integration-test format: policies, entities and requests
 * with the decision, reasons and errors they must have.
 */
#pragma once

#include "corpus.h"

/*
 * Returns how many requests differ; *ret_n is how many there are. All are read
 * with the schema, and checked against it where the test says so.
 */
size_t conform_requests(struct span policies, struct span schema, const json_t *entities,
			const json_t *requests, size_t *ret_n);
