#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/own-program.h"
#include "base/path.h"

static char *noted; /* for as long as the process lives */

/* As a shell finds it. */
static char *search(const char *name)
{
	const char *path = secure_getenv("PATH");

	while (path) {
		const char *end = strchrnul(path, ':');
		_cleanup_free_ char *directory = xmemdup0(path, (size_t)(end - path));
		_cleanup_free_ char *candidate = path_join(*directory ? directory : ".", name);

		if (access(candidate, X_OK) == 0)
			return realpath(candidate, NULL);
		path = *end ? end + 1 : NULL;
	}
	return NULL;
}

void own_program_note(const char *name)
{
	noted = strchr(name, '/') ? realpath(name, NULL) : search(name);
}

const char *own_program(void)
{
	return noted ? noted : "leash";
}
