/* Linking, for readers that look ids up in their own tables. */
#pragma once

#include "cedar/cedar-template.h"

/*
 * As cedar_policy_set_link, with the policies already found: template (NULL:
 * there is none), and taken, which has the new id (NULL: it is free).
 */
int template_link(struct cedar_policy_set *set, const struct cedar_policy *template,
		  const struct cedar_policy *taken, const struct cedar_link *link,
		  struct cedar_policy **ret, struct err *err) _must_check_;
