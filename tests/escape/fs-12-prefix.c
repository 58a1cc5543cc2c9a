/*
 * FS-12: a rule holds for whole components. NEIGHBOURS, separated by colons, are permitted files
 * whose names begin like the denied one's; denied directories are DENIED_DIR.
 */
#include <fcntl.h>
#include <string.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF;

void technique(void)
{
	char list[8192];
	char *rest = list;
	const char *neighbour;

	strncpy(list, need("NEIGHBOURS"), sizeof(list) - 1);
	while ((neighbour = strsep(&rest, ":")))
		must_work(has_content(open(neighbour, O_RDONLY), "public"), "%s", neighbour);
	must_work(has_content(open(allowed, O_RDONLY), "public"), "%s", allowed);
	must_fail(took(open(denied, O_RDONLY)), "%s", denied);
	must_fail(took(open(need("DENIED_DIR"), O_RDONLY | O_DIRECTORY)), "the directory itself");
	must_fail(took(open(in("%s/absent", need("DENIED_DIR")), O_WRONLY | O_CREAT, 0644)),
		  "a new name in the directory");
}
