#include <pwd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/passwd.h"

#define RECORD_MAX ((size_t)64 * 1024)

/* Other systems than Linux have their users in a database, which the program can ask there. */
char *passwd_home(const char *name, uid_t uid)
{
	_cleanup_free_ char *room = xnew_array(char, RECORD_MAX);
	struct passwd user, *found = NULL;
	int r = name ? getpwnam_r(name, &user, room, RECORD_MAX, &found)
		     : getpwuid_r(uid, &user, room, RECORD_MAX, &found);

	return r == 0 && found && found->pw_dir[0] == '/' ? xstrdup(found->pw_dir) : NULL;
}
