#include "engine/machine.h"

bool machine_has_apparmor(void)
{
	return true;
}

bool machine_has_selinux(void)
{
	return true;
}
