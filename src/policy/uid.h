/*
 * Entity ids as people write them, brought into the normal form that requests
 * use: placeholders filled in, paths resolved, hosts in lower case.
 */
#pragma once

#include "policy/lint.h"

struct normal_uid {
	struct cedar_entity_uid uid;
	/*
	 * A File whose last part is a symbolic link has two names that matter: of
	 * what it leads to (opened) and of the link itself (replaced, deleted).
	 */
	struct cedar_entity_uid link;
	bool has_link;
};

/* False after an error was added to the lint. */
bool uid_normalise(struct lint *l, struct cedar_entity_uid uid, struct cedar_range range,
		   struct normal_uid *ret);
/* The normal name of an entity type; unknown ones are an error and stay. */
struct span type_normalise(struct lint *l, struct span type, struct cedar_range range);
/* A string that is compared with a path. */
bool path_text_normalise(struct lint *l, struct span text, struct cedar_range range,
			 struct normal_uid *ret);
/* The literal start of a `like` pattern on a path. */
bool path_prefix_normalise(struct lint *l, struct span text, struct cedar_range range,
			   struct span *ret);
/* An id that stands for many objects, so that == can only mean "in". */
bool uid_is_group(struct cedar_entity_uid uid);
