#include <errno.h>
#include <stdlib.h>

#include "base/own-program.h"
#include "base/path.h"
#include "daemon/roots.h"
#include "engine/elf.h"
#include "engine/programs.h"

static char *find_proxy(struct span directory)
{
	static const char *const places[] = { "leash-proxy", "../libexec/leash/leash-proxy" };
	char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !found; i++) {
		_cleanup_free_ char *name = xasprintf("%.*s%s", SPAN_ARG(directory), places[i]);

		found = realpath(name, NULL);
	}
	return found;
}

int programs_locate(char **ret_leash, char **ret_proxy, struct err *err)
{
	_cleanup_free_ char *own = realpath(own_program(), NULL);
	_cleanup_free_ char *proxy = NULL;
	int r;

	if (!own)
		return err_set(err, -errno, "find leash's own program");
	r = elf_check_static(own, err);
	if (r < 0)
		return r;
	proxy = find_proxy(path_directory(span_of(own)));
	if (!proxy)
		return err_say(err, -ENOENT,
			       "leash-proxy is missing; it belongs beside leash, or in "
			       "libexec/leash");
	r = elf_check_static(proxy, err);
	if (r < 0)
		return r;
	*ret_leash = TAKE_PTR(own);
	*ret_proxy = TAKE_PTR(proxy);
	return 0;
}

int programs_find(const struct engine_places *p, char **ret_leash, char **ret_proxy,
		  struct err *err)
{
	(void)p;
	return programs_locate(ret_leash, ret_proxy, err);
}

int programs_find_roots(const struct engine_places *p, char **ret, struct err *err)
{
	const char *roots = roots_path();

	(void)p;
	(void)err;
	*ret = roots ? xstrdup(roots) : NULL;
	return 0;
}
