/*
 * cedar-corpus PATH...: runs conformance data in the public formats against
 * libcedar. PATH is a pack of JSON lines (.jsonl, .jsonl.xz; which one is told
 * by what its lines hold), a folder or tar archive in the layout of the
 * official integration tests (corpus-tests/, tests/) or of the formatter's
 * tests, or a folder of packs. Prints each failure and ends with
 * `N passed, N failed, N skipped`; exits 0 when nothing failed and something
 * was checked, else 1; 99 when data cannot be read.
 */
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "cedar/cedar-program.h"
#include "runner.h"

#define SHOWN 600 /* bytes of a text in a message */

static _noreturn_ void die(const char *path, const char *what)
{
	(void)fprintf(stderr, "cedar-corpus: %s: %s\n", path, what);
	exit(99);
}

/* ---- Counting ---------------------------------------------------------------- */

static void print_place(const struct runner *r)
{
	if (r->line)
		(void)printf("%s:%zu: ", r->name, r->line);
	else
		(void)printf("%s: ", r->name);
}

bool check(struct runner *r, bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok) {
		r->passed++;
		return true;
	}
	r->failed++;
	print_place(r);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf("\n");
	return false;
}

void skip(struct runner *r, size_t n, const char *why)
{
	if (r->skipped == 0 && n) {
		print_place(r);
		(void)printf("skipped: %s\n", why);
	}
	r->skipped += n;
}

static struct span cut(const struct runner *r, struct span s)
{
	return (struct span){ s.p ? s.p : "", r->want_all ? s.len : MIN(s.len, SHOWN) };
}

bool check_text(struct runner *r, struct span got, struct span wanted, const char *what)
{
	size_t same = 0;

	if (span_eq(got, wanted))
		return check(r, true, " ");
	while (same < MIN(got.len, wanted.len) && got.p[same] == wanted.p[same])
		same++;
	return check(r, false, "%s differs from byte %zu on\n  got:    %.*s\n  wanted: %.*s", what,
		     same, SPAN_ARG(cut(r, got)), SPAN_ARG(cut(r, wanted)));
}

/* ---- Packs ------------------------------------------------------------------- */

static const struct {
	const char *members[3]; /* a line of this pack has all of them */
	void (*run)(struct runner *r, struct json_view line);
} packs[] = {
	{ { "policies", "entities", "requests" }, run_corpus },
	{ { "text", "toJson", "backToText" }, run_schemas },
	{ { "id", "schema", NULL }, run_json_schemas },
	{ { "expr", "res", NULL }, run_eval },
	{ { "kind", "input", "ok" }, run_accept },
	{ { "text", "format80", "parts" }, run_policies },
	{ { "id", "perPolicy", NULL }, run_go_validation },
	{ { "test", "mode", "ans" }, run_partial },
};

static bool is_of_pack(struct json_view line, size_t i)
{
	for (size_t k = 0; k < ARRAY_SIZE(packs[i].members) && packs[i].members[k]; k++)
		if (!json_view_get(line, packs[i].members[k]).raw.len)
			return false;
	return true;
}

static void run_line(struct runner *r, struct span text, size_t *pack)
{
	struct json_view line = json_view_of(text);

	for (size_t i = 0; *pack == ARRAY_SIZE(packs) && i < ARRAY_SIZE(packs); i++)
		if (is_of_pack(line, i))
			*pack = i;
	if (*pack == ARRAY_SIZE(packs))
		die(r->name, "its lines are of no known kind");
	packs[*pack].run(r, line);
	arena_reset(&r->arena);
}

/* Remembers the lines of a corpus by id: packs without policies of their own refer to them. */
static void index_corpus(struct runner *r)
{
	struct span rest = buf_span(&r->corpus);
	struct span line;

	while (data_next_line(&rest, &line)) {
		struct span id =
			json_view_string(json_view_get(json_view_of(line), "id"), &r->arena);
		struct span *kept = xnew(struct span);

		*kept = line;
		xfree(map_put(&r->corpus_ids, id, kept));
		arena_reset(&r->arena);
	}
}

struct json_view corpus_line(const struct runner *r, struct span id)
{
	const struct span *line = map_get(&r->corpus_ids, id);

	return line ? json_view_of(*line) : (struct json_view){ 0 };
}

/* The first file beside path whose name begins with "corpus". */
static char *find_corpus(const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);
	const char *folder = dirname(copy);
	DIR *d = opendir(folder);
	char *found = NULL;
	struct dirent *e;

	while (d && !found && (e = readdir(d)))
		if (strncmp(e->d_name, "corpus", 6) == 0 && strstr(e->d_name, ".jsonl"))
			found = xasprintf("%s/%s", folder, e->d_name);
	if (d)
		(void)closedir(d);
	return found;
}

static bool refers_to_corpus(struct span text)
{
	struct json_view line = json_view_of(text);

	return json_view_get(line, "perPolicy").raw.len || json_view_get(line, "mode").raw.len ||
	       (json_view_get(line, "id").raw.len && !json_view_get(line, "policies").raw.len);
}

static void load_corpus(struct runner *r, const char *path)
{
	_cleanup_free_ char *corpus = find_corpus(path);
	struct err err = { 0 };

	if (!corpus || r->corpus.len)
		return;
	if (data_file_read(corpus, &r->corpus, &err) < 0)
		die(corpus, err.text);
	index_corpus(r);
}

static void run_pack(struct runner *r, const char *path)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	size_t pack = ARRAY_SIZE(packs);
	struct err err = { 0 };
	struct span rest, line;

	if (data_file_read(path, &text, &err) < 0)
		die(path, err.text);
	rest = buf_span(&text);
	r->line = 0;
	while (data_next_line(&rest, &line)) {
		if (r->line++ == 0 && refers_to_corpus(line))
			load_corpus(r, path);
		run_line(r, line, &pack);
	}
}

/* ---- Paths ------------------------------------------------------------------- */

static void run_path(struct runner *r, const char *path);

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The packs and archives of a folder, by name. Returns how many there were. */
static size_t run_folder_of_packs(struct runner *r, const char *path)
{
	VEC(char *) names = { 0 };
	DIR *d = opendir(path);
	struct dirent *e;
	size_t n;

	if (!d)
		die(path, strerror(errno));
	while ((e = readdir(d)))
		if (strstr(e->d_name, ".jsonl") || strstr(e->d_name, "-tests.tar"))
			vec_push(&names,
				 xasprintf("%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
					   e->d_name));
	(void)closedir(d);
	if (names.len)
		qsort(names.items, names.len, sizeof(*names.items), cmp_names);
	n = names.len;
	for (size_t i = 0; i < n; i++) {
		run_path(r, names.items[i]);
		xfree(names.items[i]);
	}
	vec_done(&names);
	return n;
}

static void run_path(struct runner *r, const char *path)
{
	struct data_tree tree = { 0 };
	struct err err = { 0 };
	struct stat st;

	if (stat(path, &st) < 0)
		die(path, strerror(errno));
	r->name = path;
	r->line = 0;
	if (!S_ISDIR(st.st_mode) && !strstr(path, ".tar")) {
		run_pack(r, path);
		return;
	}
	if (S_ISDIR(st.st_mode) && run_folder_of_packs(r, path))
		return;
	if (data_tree_read(path, &tree, &err) < 0)
		die(path, err.text);
	run_tree(r, &tree);
	data_tree_done(&tree);
}

int main(int argc, char **argv)
{
	struct runner r = { 0 };
	int first = 1;

	if (argc > 1 && strcmp(argv[1], "--verbose") == 0) {
		r.want_all = true;
		first++;
	}
	if (first >= argc) {
		(void)fprintf(stderr, "usage: cedar-corpus [--verbose] PATH...\n");
		return 2;
	}
	r.machine = cedar_machine_new(0);
	for (int i = first; i < argc; i++)
		run_path(&r, argv[i]);
	(void)printf("%zu passed, %zu failed, %zu skipped\n", r.passed, r.failed, r.skipped);
	cedar_machine_free(r.machine);
	map_done(&r.corpus_ids, xfree);
	buf_done(&r.corpus);
	arena_done(&r.arena);
	return r.failed || r.passed == 0 ? 1 : 0;
}
