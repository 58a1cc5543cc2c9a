/*
 * How much a zone's queries may carry: names are data that leaves, even where a
 * wildcard permits the zone. New names are counted per zone, and the bytes of
 * those that look like numbers or randomness; both budgets refill slowly. A
 * name that was asked before carries nothing new.
 */
#pragma once

#include "proxy/name.h"

struct dns_budget;

struct dns_budget *dns_budget_new(void);
void dns_budget_free(struct dns_budget *b);
/* May the name be asked now? If so it counts. */
bool dns_budget_spend(struct dns_budget *b, const struct name *name, uint64_t now_ms);
