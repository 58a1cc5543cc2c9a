#include "base/passwd.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

char *passwd_home(const char *name, uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *user;
	char *home = NULL;

	if (!file)
		return NULL;
	do
		user = fgetpwent(file);
	while (user && (name ? strcmp(user->pw_name, name) != 0 : user->pw_uid != uid));
	if (user && user->pw_dir[0] == '/')
		home = xstrdup(user->pw_dir);
	(void)fclose(file);
	return home;
}
