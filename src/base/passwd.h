/*
 * Users as /etc/passwd has them. Read as the file it is: other sources of users
 * (NSS) are libraries of one machine, which a program for all of them cannot load.
 */
#pragma once

#include <sys/types.h>

/*
 * The home directory of the user of that name, or, where name is NULL, of that
 * number. Newly allocated; NULL where there is no such user, or none with an
 * absolute path. Sets errno to nothing that can be relied on.
 */
char *passwd_home(const char *name, uid_t uid);
