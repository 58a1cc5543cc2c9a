/*
 * A policy's tree in the reference's JSON form, to compare what the two
 * parsers made of the same text.
 */
#pragma once

#include <jansson.h>

#include "cedar/cedar.h"

json_t *est_policy(const struct cedar_policy *p);
