#include "base/alloc.h"
#include "daemon/attach.h"

char *attach_socket_path(const char *runtime, const char *id)
{
	return xasprintf("%s/%s.sock", runtime, id);
}
