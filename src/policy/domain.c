#include "policy/domain.h"

#include <libpsl.h>

#include "policy/host.h"

struct span registrable_domain(struct span name)
{
	const psl_ctx_t *list = psl_builtin();
	char copy[HOST_NAME_MAX_LEN + 1];
	struct policy_address address;
	const char *found;

	if (!list || name.len == 0 || name.len > HOST_NAME_MAX_LEN || policy_address_parse(name, &address) ||
	    memchr(name.p, 0, name.len))
		return (struct span){ 0 };
	memcpy(copy, name.p, name.len);
	copy[name.len] = 0;
	found = psl_registrable_domain(list, copy);
	return found ? span_from(name, (size_t)(found - copy)) : (struct span){ 0 };
}
