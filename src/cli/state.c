#include "cli/state.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "base/span.h"

#define ID_LEN EVENT_SESSION_ID_LEN
#define SUFFIX_LEN 4
#define MAX_TRIES 100

char *state_token_file(const char *runtime, const char *id)
{
	return xasprintf("%s/%s.json", runtime, id);
}

static bool has_process(const char *directory)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)16 * 1024 * 1024);
	const struct json *summary = event_session_summary(directory, &arena);
	uint64_t pid;

	return json_to_uint(json_get(summary, "pid"), &pid) && pid > 1 && pid <= INT32_MAX &&
	       process_runs((pid_t)pid);
}

/* ID.json, ID.sock, ... of a session that does not run? */
static bool is_left_over(const char *state, const char *name)
{
	_cleanup_free_ char *id = xmemdup0(name, strnlen(name, ID_LEN));
	_cleanup_free_ char *directory = NULL;

	if (!event_session_is_id(span_of(id)) || name[ID_LEN] != '.')
		return false;
	directory = xasprintf("%s/sessions/%s", state, id);
	/* Where the file system has no locks, its process tells; another of that number keeps it.
	 */
	return !event_store_is_open(directory) && !has_process(directory);
}

void state_runtime_clean(const char *state, const char *runtime)
{
	DIR *dir = opendir(runtime);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_left_over(state, entry->d_name))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		(void)closedir(dir);
}

/*
 * The first two letters continue the time (1/1296 s), so that sessions that
 * begin in the same second sort too; the last two are random.
 */
static int make_id(char id[ID_LEN + 1])
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t now = clock_real_ns();
	time_t seconds = (time_t)(now / NS_PER_SEC);
	uint64_t part = now % NS_PER_SEC * 1296 / NS_PER_SEC;
	unsigned char random[2];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || getentropy(random, sizeof(random)) < 0)
		return -EIO;
	if (strftime(id, ID_LEN + 1, "%Y%m%d-%H%M%S-", &tm) != ID_LEN - SUFFIX_LEN)
		return -EOVERFLOW;
	id[ID_LEN - 4] = letters[part / 36];
	id[ID_LEN - 3] = letters[part % 36];
	id[ID_LEN - 2] = letters[random[0] % 36];
	id[ID_LEN - 1] = letters[random[1] % 36];
	id[ID_LEN] = 0;
	return 0;
}

int state_session_create(const char *state, char **ret_id, char **ret_directory, struct err *err)
{
	_cleanup_free_ char *sessions = path_join(state, "sessions");
	char id[ID_LEN + 1];
	int r = mkdir_all(sessions, 0700);

	if (r < 0)
		return err_set(err, r, "make the state directory %s", sessions);
	for (int i = 0; i < MAX_TRIES; i++) {
		_cleanup_free_ char *directory = NULL;

		r = make_id(id);
		if (r < 0)
			return err_set(err, r, "make a session id");
		directory = path_join(sessions, id);
		if (mkdir(directory, 0700) == 0) {
			*ret_id = xstrdup(id);
			*ret_directory = TAKE_PTR(directory);
			return 0;
		}
		if (errno != EEXIST)
			return err_set(err, -errno, "make the session's directory %s", directory);
	}
	return err_say(err, -EEXIST, "make a session id: %d were taken", MAX_TRIES);
}

int state_session_list_read(const char *state, event_session_ids *ret, struct err *err)
{
	_cleanup_free_ char *sessions = path_join(state, "sessions");

	return event_session_ids_read(sessions, ret, err);
}

static bool is_meant(const char *id, struct span name)
{
	return span_starts_with(span_of(id), name) ||
	       span_eq(span_make(id + ID_LEN - SUFFIX_LEN, SUFFIX_LEN), name);
}

static int find(const event_session_ids *list, const char *name, const char **ret, struct err *err)
{
	const char *found = NULL;

	*ret = NULL;
	if (list->len == 0)
		return err_say(err, -ENOENT, "there are no sessions yet");
	if (!name) {
		*ret = list->items[0];
		return 0;
	}
	for (size_t i = 0; i < list->len && *name; i++) {
		if (!is_meant(list->items[i], span_of(name)))
			continue;
		if (found)
			return err_say(err, -ENOTUNIQ,
				       "several sessions are called %s: %s, %s, ...; `leash "
				       "sessions` lists them",
				       name, found, list->items[i]);
		found = list->items[i];
	}
	if (!found)
		return err_say(err, -ENOENT, "no session is called %s; `leash sessions` lists them",
			       name);
	*ret = found;
	return 0;
}

/* Of a name the newest session that has it; one that runs goes before all ids. */
static const char *find_name(const event_session_ids *list, const char *sessions, const char *name,
			     bool is_running)
{
	for (size_t i = 0; i < list->len; i++) {
		_cleanup_free_ char *directory = path_join(sessions, list->items[i]);
		_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)16 * 1024 * 1024);

		if (is_running && !event_store_is_open(directory))
			continue;
		if (span_eq_str(json_get_string(event_session_summary(directory, &arena), "name"),
				name))
			return list->items[i];
	}
	return NULL;
}

int state_session_find(const char *state, const char *name, char **ret_id, char **ret_directory,
		       struct err *err)
{
	_cleanup_(event_session_ids_done) event_session_ids list = { 0 };
	_cleanup_free_ char *sessions = path_join(state, "sessions");
	bool may_be_name = name && ascii_is_alnum(name[0]) && !(name[0] >= '0' && name[0] <= '9');
	const char *id = NULL;
	int r = state_session_list_read(state, &list, err);

	if (r == 0 && may_be_name)
		id = find_name(&list, sessions, name, /* is_running = */ true);
	if (r == 0 && !id) {
		r = find(&list, name, &id, err);
		if (r == -ENOENT && may_be_name)
			id = find_name(&list, sessions, name, /* is_running = */ false);
	}
	if (!id)
		return r;
	*ret_id = xstrdup(id);
	*ret_directory = path_join(sessions, id);
	return 0;
}
