#include "daemon/policy-layers.h"

#include <errno.h>
#include <unistd.h>

static int add_optional(struct policy_source *s, enum policy_layer layer, const char *file, bool color,
			struct buf *report, struct err *err)
{
	/* Only a file that is not there is no layer; one that cannot be read is an error. */
	if (!file || (access(file, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)))
		return 0;
	return policy_source_add_file(s, layer, file, color, report, err);
}

static int add_all(const struct policy_layers *l, struct policy_source *s, bool color,
		   struct buf *report, struct err *err)
{
	int r = policy_source_add_builtin(s, /* with_profile = */ !l->policy_file, err);

	if (r < 0)
		return r;
	if (l->policy_file)
		r = policy_source_add_file(s, POLICY_LAYER_FILE, l->policy_file, color, report, err);
	else
		r = add_optional(s, POLICY_LAYER_USER, l->user_file, color, report, err);
	if (r >= 0)
		r = add_optional(s, POLICY_LAYER_PROJECT, l->project_file, color, report, err);
	if (r >= 0 && l->session_text.len)
		r = policy_source_add_text(s, POLICY_LAYER_SESSION, "command line", l->session_text, color,
					   report, err);
	return r;
}

int policy_layers_load(const struct policy_layers *l, bool color, struct buf *report,
		       struct policy_source **ret, struct err *err)
{
	struct policy_environment environment = l->environment;
	struct policy_source *s;
	int r;

	environment.policy_file = l->policy_file;
	s = policy_source_new(&environment);
	r = add_all(l, s, color, report, err);
	if (r < 0) {
		policy_source_free(s);
		return r;
	}
	*ret = s;
	return 0;
}
