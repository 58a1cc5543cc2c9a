/* A container's name has the session's id; whether its leash lives is told by the session's lock.
 */
#include "base/path.h"
#include "engine/container.h"
#include "event/session.h"

#define PREFIX "leash-"
#define SUFFIX "-far" /* nothing that leash on Linux takes for a time */

char *container_name(const char *session_id)
{
	return xasprintf(PREFIX "%s" SUFFIX, session_id);
}

/* The directory of all sessions: another one's are not for us to judge. */
static struct span sessions(const char *directory)
{
	struct span above = path_directory(span_of(directory));

	return span_make(above.p, above.len ? above.len - 1 : 0);
}

char *container_label(const char *directory)
{
	return xasprintf("leash.sessions=%.*s", SPAN_ARG(sessions(directory)));
}

bool container_is_orphan(const char *name, const char *directory)
{
	struct span id = span_of(name);
	_cleanup_free_ char *session = NULL;

	if (!span_starts_with(id, SPAN(PREFIX)) || !span_ends_with(id, SPAN(SUFFIX)))
		return false;
	id = span_from(id, strlen(PREFIX));
	id.len -= strlen(SUFFIX);
	if (!event_session_is_id(id))
		return false;
	session = xasprintf("%.*s/%.*s", SPAN_ARG(sessions(directory)), SPAN_ARG(id));
	return !event_store_is_open(session);
}
