/* FS-01: read a denied file under every spelling of its name, in every way of opening. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "openers.h"

const unsigned int technique_contexts = CONTEXT_ALL;

enum { N_SPELLINGS = 7 };

static const char *spelling(const char *path, int number)
{
	const char *directory = directory_of(path), *name = name_of(path), *up = name_of(directory);

	switch (number) {
	case 0:
		return path;
	case 1:
		return in("/%s//%s", directory, name);
	case 2:
		return in("%s/././%s", directory, name);
	case 3:
		return in("%s/../%s/%s", directory, up, name);
	case 4:
		return name;
	case 5:
		return in("../%s/./%s", up, name);
	default:
		return in("/proc/../..//.%s", path);
	}
}

static bool is_permitted_too(const char *opener)
{
	/* Needs a capability that nobody has here; is refused, and programs fall back. */
	return strcmp(opener, "open_by_handle_at") != 0 &&
	       strcmp(opener, "openat2 with a larger structure") != 0;
}

void technique(void)
{
	for (int i = 0; i < N_SPELLINGS; i++)
		for (const struct opener *o = openers; o->name; o++) {
			const char *path = spelling(denied, i);

			if (chdir(directory_of(denied)) < 0)
				give_up("chdir to the directory of %s", denied);
			must_fail(took(o->open(path)), "%s %s", o->name, path);
			path = spelling(allowed, i);
			if (chdir(directory_of(allowed)) < 0)
				give_up("chdir to the directory of %s", allowed);
			if (is_permitted_too(o->name) && !(i == 5 && strstr(o->name, "IN_ROOT")))
				must_work(has_content(o->open(path), "public"), "%s %s", o->name,
					  path);
		}
	must_fail(took(open(denied, O_RDONLY | O_TRUNC)), "O_TRUNC on a read-only open");
	must_fail(took(open(denied, 3)), "access mode 3");
	must_fail(took(open(denied, O_WRONLY)), "O_WRONLY");
	must_fail(took(open(denied, O_WRONLY | O_APPEND)), "O_APPEND");
	must_fail(took(creat(denied, 0600)), "creat");
	must_fail(took(open(in("%s/", denied), O_RDONLY)), "with a slash behind");
}
