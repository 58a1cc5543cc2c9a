#include <string.h>

#include "base/ascii.h"
#include "cli/running.h"

#define NAME_MAX_LEN 63

bool running_is_name(const char *text)
{
	size_t len = strlen(text);

	if (!len || len > NAME_MAX_LEN || !ascii_is_alnum(text[0]) ||
	    (text[0] >= '0' && text[0] <= '9'))
		return false;
	for (; *text; text++)
		if (!ascii_is_alnum(*text) && !strchr("_.-", *text))
			return false;
	return true;
}
