/*
 * FS-22: a hard link that stood in a permitted place before the session is a permitted name of the
 * file (docs/THREAT_MODEL.md says so): writing through it works and is recorded; the denied name
 * stays denied.
 */
#include <fcntl.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF;

void technique(void)
{
	must_fail(took(open(denied, O_RDONLY)), "the denied name");
	must_fail(took(open(denied, O_WRONLY)), "the denied name, for writing");
	must_work(took(open(need("OLD_LINK"), O_WRONLY)), "the old link");
	must_work(has_content(open(allowed, O_RDONLY), "public"), "another file");
}
