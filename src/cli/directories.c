#include "cli/directories.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/passwd.h"
#include "base/path.h"

char *expand_home(const char *home, const char *path)
{
	if (path[0] != '~' || (path[1] && path[1] != '/'))
		return xstrdup(path);
	return xasprintf("%s%s", home, path + 1);
}

char *home_directory(struct err *err)
{
	const char *home = secure_getenv("HOME");
	_cleanup_free_ char *listed = NULL;
	char *real;

	if (!home || home[0] != '/')
		home = listed = passwd_home(NULL, getuid());
	if (!home) {
		(void)err_say(err, -ENOENT, "HOME is not set; set it to your home directory");
		return NULL;
	}
	real = realpath(home, NULL);
	if (!real)
		(void)err_set(err, -errno, "home directory %s", home);
	return real;
}

/* From the current directory; where that is not to be had the path is as it was. */
static char *absolute(const char *path)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)path_normalise(span_of(cwd ? cwd : "/"), span_of(path), &out);
	return buf_take(&out);
}

char *config_directory(const char *home)
{
	const char *own = secure_getenv("LEASH_HOME");
	const char *xdg = secure_getenv("XDG_CONFIG_HOME");

	if (own && own[0])
		return absolute(own);
	if (xdg && xdg[0] == '/')
		return path_join(xdg, "leash");
	return path_join(home, ".config/leash");
}

/* XDG Base Directory Specification: a relative path is invalid and must be ignored. */
static const char *absolute_env(const char *name)
{
	const char *value = secure_getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

char *state_directory(const char *home)
{
	const char *xdg = absolute_env("XDG_STATE_HOME");

	return xdg ? path_join(xdg, "leash") : path_join(home, ".local/state/leash");
}

char *runtime_directory(const char *home)
{
	const char *xdg = absolute_env("XDG_RUNTIME_DIR");
	_cleanup_free_ char *state = NULL;

	if (xdg)
		return path_join(xdg, "leash");
	state = state_directory(home);
	return path_join(state, "run");
}
