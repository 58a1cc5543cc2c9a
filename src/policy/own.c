#include "policy/own.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/path.h"
#include "policy/text.h"

static int append_path(const char *type, const char *path, const char *end, struct buf *out)
{
	int r = buf_printf(out, "%s::", type);

	if (r >= 0)
		r = text_append_literal(span_of(path), out);
	return r < 0 ? r : buf_append_str(out, end);
}

/* The directory, what is in it, and its name itself while nothing has that name. */
static int forbid_all(const char *path, struct buf *out)
{
	int r = buf_append_str(out, "@id(\"own-files\")\n"
				    "forbid (principal, action in [Action::\"FileOpen\", "
				    "Action::\"ProcessExec\"], resource)\n"
				    "when { resource == ");

	if (r >= 0)
		r = append_path("File", path, " || resource in ", out);
	return r < 0 ? r : append_path("Dir", path, " };\n", out);
}

static int forbid_writing(const char *id, const char *path, struct buf *out)
{
	int r = buf_printf(out,
			   "@id(\"%s\")\n"
			   "forbid (principal, action in Action::\"FileOpenReadWrite\", "
			   "resource)\nwhen { resource == ",
			   id);

	if (r >= 0)
		r = append_path("File", path, " || resource in ", out);
	return r < 0 ? r : append_path("Dir", path, " };\n", out);
}

static int forbid_moving_chain(char *at, struct buf *out)
{
	int r = 0;

	for (char *slash = strrchr(at, '/'); r >= 0 && slash && at[1]; slash = strrchr(at, '/')) {
		r = buf_append_str(out, "@id(\"own-parents\")\n"
					"forbid (principal, action == Action::\"FileDelete\", "
					"resource == ");
		if (r >= 0)
			r = append_path("File", at, ");\n", out);
		*slash = 0;
	}
	return r;
}

/*
 * Moving a directory away would take what is below it out of reach of rules
 * that go by path. So no directory above may be moved, neither those of the
 * path as it is written nor, where links are on the way, those it leads to.
 */
static int forbid_moving(const char *path, struct buf *out)
{
	_cleanup_buf_ struct buf written = BUF_INIT(0);
	_cleanup_free_ char *resolved = path_resolve(path);
	int r;

	if (!resolved)
		return -errno;
	(void)path_normalise(SPAN("/"), span_of(path), &written);
	r = strcmp(written.data, resolved) == 0 ? 0 : forbid_moving_chain(written.data, out);
	return r < 0 ? r : forbid_moving_chain(resolved, out);
}

/* Without the certificates that leash shows there, no program could use TLS under a policy of the
 * user's own. */
static int permit_trust(struct buf *out)
{
	return buf_append_str(out, "@id(\"own-certificates\")\n"
				   "permit (principal, action == Action::\"FileOpenReadOnly\", "
				   "resource in Dir::\"/run/leash/\");\n");
}

int own_rules_text(const struct policy_environment *env, struct buf *out)
{
	_cleanup_free_ char *project = NULL;
	int r = permit_trust(out);

	for (size_t i = 0; r >= 0 && env->own_paths && env->own_paths[i]; i++) {
		r = forbid_all(env->own_paths[i], out);
		if (r >= 0)
			r = forbid_moving(env->own_paths[i], out);
	}
	/* A session takes up a changed policy: whoever may write the file decides everything. */
	if (r >= 0 && env->policy_file)
		r = forbid_writing("policy-file", env->policy_file, out);
	if (r >= 0 && env->policy_file)
		r = forbid_moving(env->policy_file, out);
	if (r < 0 || !env->workspace)
		return r;
	project = path_join(env->workspace, ".leash");
	r = forbid_writing("project-policy", project, out);
	return r < 0 ? r : forbid_moving(project, out);
}
