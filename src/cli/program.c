#include "cli/program.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "daemon/session.h"

int program_find(const char *cwd, const char *name, char **ret, struct err *err)
{
	const char *path = secure_getenv("PATH");
	int found = ENOENT;

	if (strchr(name, '/')) {
		_cleanup_buf_ struct buf absolute = BUF_INIT(0);
		struct stat st;

		(void)path_normalise(span_of(cwd), span_of(name), &absolute);
		if (stat(absolute.data, &st) < 0) {
			(void)err_set(err, -errno, "%s", name);
			return errno == ENOENT || errno == ENOTDIR ? EXIT_NOT_FOUND
								   : EXIT_CANNOT_EXECUTE;
		}
		if (S_ISDIR(st.st_mode) || access(absolute.data, X_OK) < 0) {
			(void)err_set(err, S_ISDIR(st.st_mode) ? -EISDIR : -EACCES, "%s", name);
			return EXIT_CANNOT_EXECUTE;
		}
		*ret = buf_take(&absolute);
		return 0;
	}
	for (const char *p = path && *path ? path : "/usr/local/bin:/usr/bin:/bin"; p;) {
		const char *end = strchrnul(p, ':');
		_cleanup_free_ char *directory = xmemdup0(p, (size_t)(end - p));
		_cleanup_free_ char *candidate = path_join(directory, name);
		struct stat st;

		if (directory[0] == '/' && stat(candidate, &st) == 0 && S_ISREG(st.st_mode)) {
			if (access(candidate, X_OK) == 0) {
				*ret = TAKE_PTR(candidate);
				return 0;
			}
			found = EACCES;
		}
		p = *end ? end + 1 : NULL;
	}
	(void)err_say(err, -found, found == EACCES ? "%s: not executable" : "%s: command not found",
		      name);
	return found == EACCES ? EXIT_CANNOT_EXECUTE : EXIT_NOT_FOUND;
}
