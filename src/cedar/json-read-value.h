/*
 * Values from JSON, guided by a type where there is one.
 */
#pragma once

#include "cedar/json-read.h"

/* type may be NULL: then only the escapes make entities and extension values. */
int json_read_value(struct json_reader *r, const struct json *j, const struct cedar_type *type,
		    const struct cedar_value **ret) _must_check_;
/* Likewise for an object that is a record whatever its keys; type may be NULL, else a record. */
int json_read_record(struct json_reader *r, const struct json *j, const struct cedar_type *type,
		     const struct cedar_value **ret) _must_check_;
/* The members of an object, all of one type (NULL: of any): tags. */
int json_read_tags(struct json_reader *r, const struct json *j, const struct cedar_type *type,
		   const struct cedar_value **ret) _must_check_;
