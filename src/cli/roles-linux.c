#include "cli/roles.h"

#include <string.h>

#include "cli/attach.h"
#include "engine/inside.h"
#include "supervise/supervise.h"

int role_main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--internal-supervisor") == 0)
		return supervise_main(IPC_CONTROL_FD);
	if (argc > 1 && strcmp(argv[1], "--internal-engine") == 0)
		return engine_inside_main();
	if (argc > 2 && strcmp(argv[1], "--internal-attach") == 0)
		return attach_inside(argv[2]);
	return -1;
}

bool role_has_native(void)
{
	return true;
}

int role_run_native(const struct session_options *o, struct err *err)
{
	return session_run(o, err);
}
