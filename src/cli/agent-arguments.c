#include "cli/agent-arguments.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/agent-access.h"

#define SETTINGS_MAX ((size_t)1024 * 1024)

static bool is_exception(const struct agent *a, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->exceptions) && a->exceptions[i]; i++) {
		size_t len = strlen(a->exceptions[i]);

		if (strncmp(word, a->exceptions[i], len) == 0 && (!word[len] || word[len] == '='))
			return true;
	}
	return false;
}

static bool has_exception(const struct agent *a, char *const *argv)
{
	for (; *argv && strcmp(*argv, "--") != 0; argv++)
		if (is_exception(a, *argv))
			return true;
	return false;
}

/* A file that is not there, or no JSON, has nothing on. */
static bool is_on_in(const struct agent *a, const char *directory, const char *name)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(16 * SETTINGS_MAX);
	_cleanup_buf_ struct buf text = BUF_INIT(SETTINGS_MAX);
	_cleanup_free_ char *path = path_join(directory, name);
	struct json *settings = NULL;
	const struct json *table, *value;

	if (file_read_at(AT_FDCWD, path, &text) < 0 ||
	    json_parse(&arena, buf_span(&text), &settings, NULL) < 0)
		return false;
	table = json_get(settings, a->switch_table);
	value = table ? json_get(table, a->switch_key) : NULL;
	return value && value->type == JSON_BOOL && value->is_true;
}

static bool is_on(const struct agent *a, const char *home, const char *cwd,
		  const struct environment *environment)
{
	_cleanup_(agent_mounts_done) agent_mounts mounts = { 0 };
	_cleanup_free_ char *project = path_join(cwd, a->places[0].target);
	bool is = false;

	agent_places_find(a, home, environment, &mounts);
	for (size_t i = 0; !is && i < ARRAY_SIZE(a->switch_files) && a->switch_files[i]; i++)
		is = is_on_in(a, mounts.items[0].source, a->switch_files[i]) ||
		     is_on_in(a, project, a->switch_files[i]);
	return is;
}

char **agent_arguments(const struct agent *a, char *const *argv, const char *home, const char *cwd,
		       const struct environment *environment)
{
	size_t n = 0, n_more = 0, at = 0;
	char **words;

	if (!a || !a->arguments[0] || has_exception(a, argv + 1) ||
	    (a->switch_table && !is_on(a, home, cwd, environment)))
		return NULL;
	while (argv[n])
		n++;
	while (n_more < ARRAY_SIZE(a->arguments) && a->arguments[n_more])
		n_more++;
	words = xnew_array(char *, n + n_more + 1);
	words[at++] = argv[0];
	for (size_t i = 0; i < n_more; i++)
		words[at++] =
			(char *)(uintptr_t)a->arguments[i]; /* who executes them writes to none */
	for (size_t i = 1; i < n; i++)
		words[at++] = argv[i];
	words[at] = NULL;
	return words;
}
