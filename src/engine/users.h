/*
 * The users of an image, read from its /etc/passwd and /etc/group. Not by the
 * C library, which would load the image's code into this process to do so.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"
#include "sandbox/sandbox.h"

struct image_user {
	struct sandbox_user ids; /* its groups are those below */
	VEC(gid_t) groups;
	char *home; /* "/" where nothing names one */
};

/* text as in an image's description: "", "NAME", "UID", each with ":GROUP" or without. */
int image_user_find(struct span passwd, struct span group, struct span text, struct image_user *ret,
		    struct err *err) _must_check_;
/* The same with the files of this root. */
int image_user_look_up(const char *text, struct image_user *ret, struct err *err) _must_check_;
void image_user_done(struct image_user *u);
