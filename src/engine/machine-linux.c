#include <unistd.h>

#include "engine/machine.h"

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool machine_has_apparmor(void)
{
	return exists("/sys/kernel/security/apparmor") || exists("/sys/module/apparmor");
}

bool machine_has_selinux(void)
{
	return exists("/sys/fs/selinux/enforce");
}
