/*
 * The file of links: a JSON list of {"template_id": ID, "link_id": ID, "args":
 * {"?principal": UID, "?resource": UID}}, as Cedar's own command writes it.
 */
#pragma once

#include "cedar/cedar-template.h"
#include "cli/cedar-load.h"

/* {"?principal": "Type::\"id\"", ...} into the link; shows what is wrong. Values live in the
 * input's arena. */
bool cedar_links_parse_arguments(struct cedar_input *in, const struct cedar_text *text,
				 struct cedar_link *link);
/* Adds the link to the file, which is made where there is none. */
bool cedar_links_add(const char *path, const struct cedar_link *link);
