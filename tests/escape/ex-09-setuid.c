/*
 * EX-09: gain by programs with a set-user-ID bit or file capabilities. DENIED is a file that only
 * root can read; SETUID_PROGRAM (owner root, 4755) and CAPABLE_PROGRAM (cap_dac_read_search) print
 * it: they are the test's own; the machine's real ones are only asked who they are.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_ORPHAN;

void technique(void)
{
	char name[] = "cat", path[4096];
	char *argv[] = { name, path, NULL };
	char text[64];
	FILE *status;
	bool has_capability = false;

	snprintf(path, sizeof(path), "%s", denied);
	must_fail(runs(execve, need("SETUID_PROGRAM"), argv, secret), "a set-user-ID program");
	must_fail(runs(execve, need("SETGID_PROGRAM"), argv, secret), "a set-group-ID program");
	must_fail(runs(execve, need("CAPABLE_PROGRAM"), argv, secret),
		  "a program with capabilities");
	must_fail(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? -1 : 0, "no_new_privs is not set");
	status = fopen("/proc/self/status", "re");
	while (status && fgets(text, sizeof(text), status))
		if (strncmp(text, "Cap", 3) == 0 && strncmp(text, "CapBnd", 6) != 0 &&
		    strspn(text + 8, "0\n") != strlen(text + 8))
			has_capability = true;
	if (status)
		fclose(status);
	must_fail(has_capability ? 0 : -1, "capabilities in a set");
	snprintf(path, sizeof(path), "%s", allowed);
	must_work(runs(execve, "/bin/cat", argv, "public"), "an ordinary program");
}
