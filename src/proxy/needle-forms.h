/*
 * The forms in which a secret's value is looked for: as it is, in small letters
 * (names of hosts are), in base64 and base64url wherever in a group of three
 * bytes it begins, and in hexadecimal. One list for all who let no value pass:
 * the proxy, which takes values out of what servers send, and the daemon, which
 * takes them out of the log.
 */
#pragma once

#include "base/base64.h"
#include "proxy/needles.h"

/* Room for the forms of a value of that length and of what stands in its place. */
#define NEEDLE_FORMS_ROOM(len) (2 * (len) + 8 * (len) + 13 * BASE64_LEN((len) + 2))

/*
 * Adds plain and its other forms. They are made at room, of NEEDLE_FORMS_ROOM
 * bytes, which hold the value afterwards and must live as long as the needles.
 * -EINVAL where value and replacement have not one outline.
 */
int needle_forms_add(struct needles *to, const struct needle *plain, char *room) _must_check_;
