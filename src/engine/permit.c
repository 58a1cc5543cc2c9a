/* What an image's session may besides what its profile permits. */
#include "engine/engine.h"
#include "policy/text.h"

static void append_place(const char *path, struct buf *out)
{
	(void)buf_append_str(out, "Dir::");
	(void)text_append_literal(span_of(path), out);
}

void engine_permit_image(const struct policy_layers *l, const char *workspace,
			 const struct sandbox_mount *mounts, size_t n_mounts, struct buf *out)
{
	static const char *const kernels[] = { "/proc/", "/sys/", "/dev/" };

	if (l->policy_file || strcmp(l->environment.profile, "locked") == 0)
		return;
	(void)buf_append_str(out, "@id(\"write-image\") permit (principal, action in "
				  "Action::\"FileOpenReadWrite\", resource in Dir::\"/\")\n"
				  "unless { resource in [");
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		append_place(kernels[i], out);
		(void)buf_append_str(out, ", ");
	}
	for (size_t i = 0; i < n_mounts; i++) {
		append_place(mounts[i].target, out);
		(void)buf_append_str(out, ", ");
	}
	append_place(workspace, out);
	(void)buf_append_str(out, "] };\n");
}
