/*
 * A virtual machine sees of this one what is the user's, and not /usr, /opt or /etc: so
 * what it needs from there is copied into a directory of his.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own-program.h"
#include "base/path.h"
#include "daemon/roots.h"
#include "engine/elf.h"
#include "engine/programs.h"

#if defined(__x86_64__)
#define FOLDER "linux-amd64"
#elif defined(__aarch64__)
#define FOLDER "linux-arm64"
#endif

/* ---- Copies ------------------------------------------------------------------- */

static int map(const char *path, struct span *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_map(fd, ret);
}

/* A file that is the same already stays: a container may have it mounted. */
static bool is_there(const char *path, struct span content)
{
	struct span there;
	bool is_same;

	if (map(path, &there) < 0)
		return false;
	is_same = span_eq(there, content);
	memfd_unmap(there);
	return is_same;
}

static int copy(const char *from, const char *directory, const char *name, mode_t mode, char **ret,
		struct err *err)
{
	_cleanup_free_ char *to = path_join(directory, name);
	struct span content;
	int r = mkdir_all(directory, 0700);

	if (r < 0)
		return err_set(err, r, "make the directory %s", directory);
	r = map(from, &content);
	if (r < 0)
		return err_set(err, r, "read %s", from);
	if (!is_there(to, content))
		r = file_replace(to, content, mode, /* want_sync = */ false, err);
	memfd_unmap(content);
	/* The container's root, who has no power over others' files, is to have it, too. */
	if (r >= 0 && chmod(to, mode) < 0)
		r = err_set(err, -errno, "set the mode of %s", to);
	if (r >= 0)
		*ret = TAKE_PTR(to);
	return r;
}

/* ---- Where they are ----------------------------------------------------------- */

/* Of a package, or of a folder in which all lie together. */
static char *find_folder(void)
{
	static const char *const places[] = { "../libexec/leash/" FOLDER, FOLDER };
	const char *named = secure_getenv("LEASH_LINUX_PROGRAMS");
	_cleanup_free_ char *own = NULL;
	struct span directory;
	char *found = NULL;

	if (named && *named)
		return realpath(named, NULL);
	own = realpath(own_program(), NULL);
	directory = path_directory(span_of(own));
	for (size_t i = 0; own && i < ARRAY_SIZE(places) && !found; i++) {
		_cleanup_free_ char *name = xasprintf("%.*s%s", SPAN_ARG(directory), places[i]);

		found = realpath(name, NULL);
	}
	return found;
}

int programs_locate(char **ret_leash, char **ret_proxy, struct err *err)
{
	_cleanup_free_ char *folder = find_folder();
	_cleanup_free_ char *leash = NULL;
	_cleanup_free_ char *proxy = NULL;
	int r;

	if (!folder)
		return err_say(err, -ENOENT,
			       "leash's programs for the container are missing: they belong in "
			       "../libexec/leash/" FOLDER " from leash's own, or where "
			       "LEASH_LINUX_PROGRAMS says; install the whole package");
	leash = path_join(folder, "leash");
	proxy = path_join(folder, "leash-proxy");
	r = elf_check_static(leash, err);
	if (r >= 0)
		r = elf_check_static(proxy, err);
	if (r < 0)
		return err_wrap(err, r, "leash's programs for the container");
	*ret_leash = TAKE_PTR(leash);
	*ret_proxy = TAKE_PTR(proxy);
	return 0;
}

int programs_find(const struct engine_places *p, char **ret_leash, char **ret_proxy,
		  struct err *err)
{
	_cleanup_free_ char *leash = NULL;
	_cleanup_free_ char *proxy = NULL;
	_cleanup_free_ char *leash_copy = NULL;
	int r = programs_locate(&leash, &proxy, err);

	if (r >= 0)
		r = copy(leash, p->shared, "leash", 0755, &leash_copy, err);
	if (r >= 0)
		r = copy(proxy, p->shared, "leash-proxy", 0755, ret_proxy, err);
	if (r >= 0)
		*ret_leash = TAKE_PTR(leash_copy);
	return r;
}

int programs_find_roots(const struct engine_places *p, char **ret, struct err *err)
{
	const char *roots = roots_path();

	*ret = NULL;
	return roots ? copy(roots, p->shared, "roots.pem", 0644, ret, err) : 0;
}
