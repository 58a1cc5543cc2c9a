#include "cli/image.h"

#include <stdlib.h>

#include "base/attributes.h"

const char *image_by_default(const char *configured)
{
	static const char *const variables[] = { "LEASH_TARGET_IMAGE", "TARGET_IMAGE" };

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = secure_getenv(variables[i]);

		if (value && *value)
			return value;
	}
	return configured;
}
