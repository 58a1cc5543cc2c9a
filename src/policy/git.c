/*
 * git runs programs that a repository's own configuration names (hooks,
 * core.fsmonitor, filters, ...). A repository that was there before the session
 * is one in which the user will run git later, outside. So its configuration
 * is protected, and the directories around it must stay where they are.
 * Repositories that the agent makes are its own: git init and git clone must
 * write configuration and hooks, and no rule by path can tell those from bad
 * ones. The profile's comments say what that leaves open. So does the search for
 * repositories below the workspace: two levels, the nearest first, and no more
 * directories than a start can look at without being felt.
 */
#include "policy/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file-system.h"
#include "base/path.h"
#include "policy/text.h"

#define SCAN_DEPTH 2	   /* levels below the workspace in which repositories are looked for */
#define SCAN_MAX_DIRS 300  /* a start must not walk a whole tree */
#define SCAN_MAX_WEIGHED 100 /* directories of which it is asked whether they hold others */
#define SCAN_MAX_ENTRIES 4000 /* nor read a directory of a million files */
#define GIT_FILE_MAX ((size_t)65536) /* a larger config is not read for includes */
#define MODULE_DEPTH 4

struct scan {
	const struct policy_environment *env;
	struct buf *out;
	size_t n_dirs, n_weighed, n_entries;
	bool counts_links; /* the file system that the workspace is on, */
	dev_t dev;	   /* this one, tells by its links whether a directory holds others */
};

static bool exists(const char *dir, const char *name)
{
	_cleanup_free_ char *path = path_join(dir, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

/* The file's first line, or NULL. */
static char *read_line(const char *dir, const char *name)
{
	_cleanup_free_ char *path = path_join(dir, name);
	_cleanup_buf_ struct buf text = BUF_INIT(GIT_FILE_MAX);

	if (file_read_at(AT_FDCWD, path, &text) < 0 || text.len == 0)
		return NULL;
	text.data[strcspn(text.data, "\r\n")] = 0;
	return xstrdup(text.data);
}

static char *absolute(const char *base, const char *path)
{
	_cleanup_free_ char *joined = path[0] == '/' ? xstrdup(path) : path_join(base, path);

	return path_resolve(joined);
}

/* ---- Rules ------------------------------------------------------------------ */

static void begin_forbid(struct buf *out, const char *id, const char *action)
{
	(void)buf_printf(
		out, "@id(\"%s\")\nforbid (principal, action %s, resource)\nwhen { resource in [",
		id, action);
}

static void add_entity(struct buf *out, const char *type, const char *dir, const char *name)
{
	_cleanup_free_ char *path = name ? path_join(dir, name) : xstrdup(dir);

	if (out->len && out->data[out->len - 1] != '[')
		(void)buf_append_str(out, ", ");
	(void)buf_printf(out, "%s::", type);
	(void)text_append_literal(span_of(path), out);
}

static void end_forbid(struct buf *out)
{
	(void)buf_append_str(out, "] };\n");
}

/* Nothing of this may be written: what names programs, and the names above it. */
static void protect_git_dir(struct scan *s, const char *git_dir)
{
	static const char *const files[] = {
		"hooks",     "config", "config.lock", "config.worktree", "config.worktree.lock",
		"commondir", "gitdir",
	};

	begin_forbid(s->out, "git-config", "in Action::\"FileOpenReadWrite\"");
	add_entity(s->out, "Dir", git_dir, "hooks");
	add_entity(s->out, "File", git_dir, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		add_entity(s->out, "File", git_dir, files[i]);
	end_forbid(s->out);
}

static void forbid_moving(struct scan *s, const char *path)
{
	begin_forbid(s->out, "git-parents", "== Action::\"FileDelete\"");
	add_entity(s->out, "File", path, NULL);
	end_forbid(s->out);
}

/* ---- What a configuration names ------------------------------------------------ */

static void forbid_writing(struct scan *s, const char *base, const char *value)
{
	_cleanup_free_ char *path = value[0] == '~' ? NULL : absolute(base, value);

	if (!path)
		return;
	begin_forbid(s->out, "git-include", "in Action::\"FileOpenReadWrite\"");
	add_entity(s->out, "File", path, NULL);
	add_entity(s->out, "Dir", path, NULL);
	end_forbid(s->out);
}

/* "key = value" with git's quotes taken off; NULL unless the key is name. */
static char *config_value(const char *line, const char *name)
{
	size_t len = strlen(name);
	char *value, *end;

	line += strspn(line, " \t");
	if (strncasecmp(line, name, len) != 0)
		return NULL;
	line += len;
	line += strspn(line, " \t");
	if (*line != '=')
		return NULL;
	line++;
	line += strspn(line, " \t\"");
	value = xstrdup(line);
	end = value + strlen(value);
	while (end > value && strchr(" \t\r\"", end[-1]))
		*--end = 0;
	return value;
}

static void config_line(struct scan *s, const char *line, const char *section, const char *git_dir,
			const char *work_tree)
{
	bool is_include = strncasecmp(section, "[include", 8) == 0;
	bool is_core = strncasecmp(section, "[core]", 6) == 0;
	_cleanup_free_ char *path = is_include ? config_value(line, "path") : NULL;
	_cleanup_free_ char *hooks = is_core ? config_value(line, "hookspath") : NULL;
	_cleanup_free_ char *monitor = is_core ? config_value(line, "fsmonitor") : NULL;

	if (path && path[0])
		forbid_writing(s, git_dir, path);
	if (hooks && hooks[0])
		forbid_writing(s, work_tree, hooks);
	if (monitor && strchr(monitor, '/'))
		forbid_writing(s, work_tree, monitor);
}

static void protect_includes(struct scan *s, const char *git_dir, const char *work_tree)
{
	_cleanup_free_ char *path = path_join(git_dir, "config");
	_cleanup_buf_ struct buf text = BUF_INIT(GIT_FILE_MAX);
	const char *section = "";
	char *next;

	if (file_read_at(AT_FDCWD, path, &text) < 0 || text.len == 0)
		return;
	for (char *line = text.data; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		line += strspn(line, " \t");
		if (line[0] == '[')
			section = line;
		else
			config_line(s, line, section, git_dir, work_tree);
	}
}

/* ---- Repositories ---------------------------------------------------------------- */

typedef void (*each_dir_fn)(struct scan *s, const char *path, int depth);

/* Calls fn for each real directory in dir, within the scan's budget. */
static void each_dir(struct scan *s, const char *dir, int depth, each_dir_fn fn)
{
	DIR *d = opendir(dir);

	if (!d)
		return;
	for (struct dirent *e = readdir(d);
	     e && s->n_dirs < SCAN_MAX_DIRS && s->n_entries++ < SCAN_MAX_ENTRIES; e = readdir(d)) {
		_cleanup_free_ char *path = path_join(dir, e->d_name);
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    entry_kind(e) == ENTRY_OTHER || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		s->n_dirs++;
		fn(s, path, depth);
	}
	(void)closedir(d);
}

static void protect_module(struct scan *s, const char *path, int depth)
{
	if (exists(path, "HEAD"))
		protect_git_dir(s, path);
	else
		forbid_moving(s, path);
	if (depth > 0)
		each_dir(s, path, depth - 1, protect_module);
}

static void protect_worktree(struct scan *s, const char *path, _unused_ int depth)
{
	protect_git_dir(s, path);
}

static void protect_repository(struct scan *s, const char *git_dir, const char *work_tree)
{
	static const char *const lists[] = { "modules", "worktrees" };
	static const each_dir_fn protect[] = { protect_module, protect_worktree };

	protect_git_dir(s, git_dir);
	protect_includes(s, git_dir, work_tree);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		_cleanup_free_ char *list = path_join(git_dir, lists[i]);

		if (!exists(git_dir, lists[i]))
			continue;
		forbid_moving(s, list);
		each_dir(s, list, MODULE_DEPTH, protect[i]);
	}
}

/* The git directory a `.git` file leads to, or NULL. */
static char *linked_git_dir(const char *work_tree)
{
	_cleanup_free_ char *line = read_line(work_tree, ".git");

	if (!line || strncmp(line, "gitdir: ", 8) != 0)
		return NULL;
	return absolute(work_tree, line + 8);
}

/*
 * The repository that a linked worktree belongs to, or NULL. A `.git` file is
 * the repository's content and proves nothing; that git's own record of the
 * worktree, which lies in the repository, leads back here does.
 */
static char *repository_of_worktree(const char *work_tree, const char *git_dir)
{
	_cleanup_free_ char *back = read_line(git_dir, "gitdir");
	_cleanup_free_ char *own = path_join(work_tree, ".git");
	_cleanup_free_ char *own_real = path_resolve(own);
	_cleanup_free_ char *back_real = back ? absolute(git_dir, back) : NULL;
	_cleanup_free_ char *common = read_line(git_dir, "commondir");
	_cleanup_free_ char *repository = common ? absolute(git_dir, common) : NULL;
	_cleanup_free_ char *list = repository ? path_join(repository, "worktrees") : NULL;

	if (!back_real || !own_real || !list || strcmp(back_real, own_real) != 0)
		return NULL;
	if (!path_is_below(span_of(git_dir), span_of(list)) || !exists(repository, "HEAD") ||
	    !exists(repository, "objects"))
		return NULL;
	return TAKE_PTR(repository);
}

static void permit_writing(struct scan *s, const char *dir)
{
	(void)buf_append_str(s->out, "@id(\"git-worktree\")\npermit (principal, action in "
				     "Action::\"FileOpenReadWrite\", resource in Dir::");
	(void)text_append_literal(span_of(dir), s->out);
	(void)buf_append_str(s->out, ");\n");
}

static void protect_linked(struct scan *s, const char *work_tree)
{
	_cleanup_free_ char *git_dir = linked_git_dir(work_tree);
	_cleanup_free_ char *repository =
		git_dir ? repository_of_worktree(work_tree, git_dir) : NULL;

	begin_forbid(s->out, "git-config", "in Action::\"FileOpenReadWrite\"");
	add_entity(s->out, "File", work_tree, ".git");
	end_forbid(s->out);
	if (git_dir && exists(git_dir, "HEAD"))
		protect_git_dir(s, git_dir);
	if (!repository)
		return;
	protect_repository(s, repository, work_tree);
	if (strcmp(work_tree, s->env->workspace) == 0)
		permit_writing(s, repository);
}

static void protect_work_tree(struct scan *s, const char *dir)
{
	_cleanup_free_ char *git = path_join(dir, ".git");
	struct stat st;

	if (lstat(git, &st) == 0 && S_ISREG(st.st_mode))
		protect_linked(s, dir);
	else if (exists(git, "HEAD"))
		protect_repository(s, git, dir);
	else if (exists(dir, "HEAD") && exists(dir, "objects") && exists(dir, "refs"))
		protect_repository(s, dir, dir);
}

/* ---- The search ------------------------------------------------------------------ */

/* A directory to look into, and the one that it was found in (none for the workspace). */
struct place {
	struct place *parent, *next;
	char *path;
	bool is_held; /* it must not be moved, and a rule says so */
};

struct places {
	struct place *first, **end;
};

static void add_place(struct places *list, struct place *parent, const char *path)
{
	struct place *p = xnew(struct place);

	p->parent = parent;
	p->path = xstrdup(path);
	*list->end = p;
	list->end = &p->next;
}

static void free_places(struct places *list)
{
	for (struct place *p = list->first, *next; p; p = next) {
		next = p->next;
		xfree(p->path);
		xfree(p);
	}
}

static bool exists_below(int dir_fd, const char *name, const char *file)
{
	_cleanup_free_ char *path = path_join(name, file);
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * These count a directory's subdirectories among its links: one with two links
 * has none. It can't hold a repository further down and is not worth reading, so
 * the search costs a look at each directory, not at each file.
 */
static void look_at_file_system(struct scan *s)
{
	struct stat st;

	if (stat(s->env->workspace, &st) < 0)
		return;
	s->counts_links = file_system_counts_links(s->env->workspace);
	s->dev = st.st_dev;
}

static bool may_have_subdirectories(struct scan *s, int dir_fd, const char *name)
{
	struct stat st;

	if (s->n_weighed++ >= SCAN_MAX_WEIGHED ||
	    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return !s->counts_links || st.st_dev != s->dev || st.st_nlink != 2;
}

static bool is_bare_repository(int dir_fd, const char *name)
{
	return exists_below(dir_fd, name, "HEAD") && exists_below(dir_fd, name, "objects") &&
	       exists_below(dir_fd, name, "refs");
}

/* The directories above a repository, up to the workspace, stay where they are. */
static void hold(struct scan *s, struct place *p)
{
	for (; p->parent && !p->is_held; p = p->parent) {
		p->is_held = true;
		forbid_moving(s, p->path);
	}
}

static bool is_directory(int dir_fd, const struct dirent *e)
{
	struct stat st;

	return entry_kind(e) == ENTRY_DIRECTORY ||
	       (entry_kind(e) == ENTRY_UNKNOWN &&
		fstatat(dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode));
}

static bool is_searched(int dir_fd, const struct dirent *e)
{
	static const char *const others[] = { ".", "..", ".git", "node_modules" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(e->d_name, others[i]) == 0)
			return false;
	return is_directory(dir_fd, e);
}

static void look_at(struct scan *s, int dir_fd, const char *name, struct place *in,
		    struct places *deeper)
{
	bool is_deep = may_have_subdirectories(s, dir_fd, name);
	_cleanup_free_ char *path = path_join(in->path, name);

	s->n_dirs++;
	if (exists_below(dir_fd, name, ".git") || (is_deep && is_bare_repository(dir_fd, name))) {
		protect_work_tree(s, path);
		forbid_moving(s, path);
		hold(s, in);
	}
	if (is_deep && deeper)
		add_place(deeper, in, path);
}

static void look_into(struct scan *s, struct place *in, struct places *deeper)
{
	DIR *d = s->n_dirs < SCAN_MAX_DIRS && s->n_entries < SCAN_MAX_ENTRIES ? opendir(in->path)
									      : NULL;

	if (!d)
		return;
	for (struct dirent *e = readdir(d);
	     e && s->n_dirs < SCAN_MAX_DIRS && s->n_entries++ < SCAN_MAX_ENTRIES; e = readdir(d))
		if (is_searched(dirfd(d), e))
			look_at(s, dirfd(d), e->d_name, in, deeper);
	(void)closedir(d);
}

/* Level by level, so that what is nearest is seen where the budget does not reach further. */
static void search(struct scan *s)
{
	struct places level[SCAN_DEPTH] = { 0 };

	for (size_t i = 0; i < SCAN_DEPTH; i++)
		level[i].end = &level[i].first;
	look_at_file_system(s);
	add_place(&level[0], NULL, s->env->workspace);
	for (size_t i = 0; i < SCAN_DEPTH; i++)
		for (struct place *p = level[i].first; p; p = p->next)
			look_into(s, p, i + 1 < SCAN_DEPTH ? &level[i + 1] : NULL);
	for (size_t i = 0; i < SCAN_DEPTH; i++)
		free_places(&level[i]);
}

int git_rules_text(const struct policy_environment *env, struct buf *out)
{
	struct scan s = { .env = env, .out = out };

	protect_work_tree(&s, env->workspace);
	search(&s);
	return out->failed ? -EMSGSIZE : 0;
}
