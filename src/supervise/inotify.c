/*
 * inotify_add_watch: who watches a directory learns the names in it as they are
 * used, so it is decided like reading the directory, and done by the supervisor
 * on the object that was decided.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "supervise/caller.h"
#include "supervise/canonical.h"
#include "supervise/decide.h"
#include "supervise/handlers.h"

static int decide_watch(struct worker *w, const struct place *p)
{
	struct event e = { .kind = EVENT_FILE_OPEN, .access = SPAN("watch") };
	struct verdict v = { 0 };
	struct canonical name;
	bool may;
	int r = canonical_of(w->s, p->fd, &p->st, w->name, sizeof(w->name), &name);

	if (r < 0)
		return r;
	/* What has no name in the tree is the agent's own. */
	if (name.is_nameless)
		return 0;
	may = decide_path(w, POLICY_FILE_OPEN_READ_ONLY, name.path, S_ISDIR(p->st.st_mode), false, &v);
	e.path = name.path;
	e.error = may ? 0 : EACCES;
	decide_record(w, &e, &v);
	return may ? 0 : -EACCES;
}

int64_t handle_inotify_add_watch(struct worker *w, const uint64_t args[6])
{
	uint32_t mask = (uint32_t)args[2];
	_cleanup_place_ struct place p = PLACE_INIT;
	_cleanup_close_ int instance_fd = -1;
	char own_path[16];
	int r = caller_resolve(w, AT_FDCWD, args[1], 0, mask & IN_DONT_FOLLOW ? RESOLVE_LINK : RESOLVE_OBJECT,
			       w->path, &p);

	if (r < 0)
		return r;
	instance_fd = process_take_fd(w->process, (int)args[0]);
	if (instance_fd < 0)
		return instance_fd;
	if (!worker_is_call_valid(w))
		return -ESRCH;
	r = decide_watch(w, &p);
	if (r < 0)
		return r;
	/* A worker's working directory is the supervisor's own descriptors. */
	(void)snprintf(own_path, sizeof(own_path), "%d", p.fd);
	r = inotify_add_watch(instance_fd, own_path, mask & ~(uint32_t)IN_DONT_FOLLOW);
	return r < 0 ? -errno : r;
}
