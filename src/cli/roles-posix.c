#include "cli/roles.h"

#include <errno.h>

int role_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return -1;
}

bool role_has_native(void)
{
	return false;
}

int role_run_native(const struct session_options *o, struct err *err)
{
	(void)o;
	(void)err_say(err, -ENOTSUP, "sessions run in containers of an image here");
	return EXIT_LEASH_FAILED;
}
