/*
 * Values as the room itself sees them: a total order, look-up in records, and
 * set algebra over sorted items.
 */
#pragma once

#include "cedar/cedar.h"

/* A total order: by kind, then by content; 0 exactly where values are equal in Cedar. */
int value_cmp(const struct cedar_value *a, const struct cedar_value *b);
/* The attribute, or NULL. record must be one. */
const struct cedar_value *value_find(const struct cedar_value *record, struct span key);
bool value_set_contains(const struct cedar_value *set, const struct cedar_value *item);
/* Is each item of b in a? */
bool value_set_contains_all(const struct cedar_value *a, const struct cedar_value *b);
bool value_set_contains_any(const struct cedar_value *a, const struct cedar_value *b);
/* Sorts items in place and drops duplicates; returns how many are left. */
size_t value_sort_unique(const struct cedar_value **items, size_t n);
/* As cedar_value_record, into *ret; the entries are copied. -ENOMEM. */
int value_make_record(struct arena *a, const struct cedar_record_entry *entries, size_t n,
		      struct cedar_value *ret) _must_check_;
/* "long", "(entity of type `T`)" etc. are made from this: the kind in the reference's words. */
const char *value_kind_name(enum cedar_value_kind kind);
/* Is there an unknown in the value, however deep? */
bool value_has_unknown(const struct cedar_value *v);
