/*
 * The formatter against the reference's output, byte for byte: policies.jsonl
 * has each text at two settings, formatter-tests.tar.xz the reference's own
 * tests. `conform-format FOLDER FILE` checks a file of oracle/format-cases.js
 * instead, compressed with xz.
 */
#include <stdio.h>

#include "cedar/cedar-format.h"
#include "corpus.h"

static struct span without_blank_ends(struct span s)
{
	while (s.len && (s.p[0] == '\n' || s.p[0] == ' '))
		s = span_from(s, 1);
	while (s.len && (s.p[s.len - 1] == '\n' || s.p[s.len - 1] == ' '))
		s.len--;
	return s;
}

static void check(struct tally *t, struct span text, struct cedar_format_options options,
		  struct span wanted, bool is_trimmed)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	int r = cedar_format(text, &options, &diags, &out);
	struct span got = buf_span(&out);

	if (is_trimmed) {
		got = without_blank_ends(got);
		wanted = without_blank_ends(wanted);
	}
	(void)tally_check(t, r == 0 && span_eq(got, wanted),
			  "width %zu, indent %zu: %d\n%.*s\n--- wanted\n%.*s\n--- got\n%.*s\n---",
			  options.width, options.indent, r, SPAN_ARG(text), SPAN_ARG(wanted),
			  SPAN_ARG(got));
	cedar_diagnostics_done(&diags);
}

static void check_line(const json_t *line, struct tally *t)
{
	struct span text = corpus_string(json_object_get(line, "text"));

	check(t, text, (struct cedar_format_options){ 80, 2 },
	      corpus_string(json_object_get(line, "format80")), false);
	check(t, text, (struct cedar_format_options){ 40, 4 },
	      corpus_string(json_object_get(line, "format40x4")), false);
}

/*
 * What follows "parts" is of no use here and holds keys that jansson cannot
 * read. corpus_each_line renames those, which changes the width of the text.
 */
static void check_without_parts(struct span line, struct tally *t)
{
	static const char parts[] = ",\"parts\":";
	const char *end = memmem(line.p, line.len, parts, sizeof(parts) - 1);
	_cleanup_buf_ struct buf rest = BUF_INIT(0);
	json_t *j;

	(void)buf_append(&rest, line.p, end ? (size_t)(end - line.p) : line.len);
	if (end)
		(void)buf_append_char(&rest, '}');
	j = corpus_parse_json(buf_span(&rest));
	check_line(j, t);
	json_decref(j);
}

static void check_policies(const char *folder, struct tally *t)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct span rest;

	corpus_read(folder, "policies.jsonl.xz", &text);
	rest = buf_span(&text);
	while (rest.len) {
		const char *end = memchr(rest.p, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;

		if (len)
			check_without_parts((struct span){ rest.p, len }, t);
		rest = span_from(rest, len + 1);
	}
}

/* One of the archive's tests. */
struct test {
	struct span archive;
	struct span name; /* of the policy file */
	struct span text;
	struct tally *tally;
};

static struct span file_name(struct span path)
{
	const char *slash = memrchr(path.p, '/', path.len);

	return slash ? span_from(path, (size_t)(slash - path.p) + 1) : path;
}

/* Behind a header between lines of "---". */
static struct span wanted_output(struct span snapshot)
{
	const char *end = memmem(snapshot.p, snapshot.len, "\n---\n", 5);

	return end ? span_from(snapshot, (size_t)(end - snapshot.p) + 5) : snapshot;
}

static void check_snapshot(struct span path, struct span data, void *ctx)
{
	const struct test *t = ctx;
	_cleanup_buf_ struct buf ending = BUF_INIT(0);

	(void)buf_printf(&ending, "@%.*s.snap", SPAN_ARG(t->name));
	if (span_ends_with(path, buf_span(&ending)))
		check(t->tally, t->text, CEDAR_FORMAT_DEFAULT, wanted_output(data), true);
}

/* Written by the reference's command line before it changed how records look. */
static bool is_outdated(struct span path)
{
	return memmem(path.p, path.len, "/cli-snapshots/", 15);
}

/* A policy file has a snapshot. One without its policy file must at least stay as it is. */
static void check_member(struct span path, struct span data, void *ctx)
{
	struct test t = *(const struct test *)ctx;

	t.name = file_name(path);
	t.text = data;
	if (span_ends_with(path, SPAN(".cedar")))
		corpus_each_member(t.archive, check_snapshot, &t);
	else if (span_ends_with(path, SPAN(".snap")) && !is_outdated(path))
		check(t.tally, wanted_output(data), CEDAR_FORMAT_DEFAULT, wanted_output(data),
		      true);
}

static void check_snapshots(const char *folder, struct tally *tally)
{
	_cleanup_buf_ struct buf archive = BUF_INIT(0);
	struct test t = { .tally = tally };

	corpus_read(folder, "formatter-tests.tar.xz", &archive);
	t.archive = buf_span(&archive);
	corpus_each_member(t.archive, check_member, &t);
}

/* A line of oracle/format-cases.js. Where the reference loses comments, we differ. */
static void check_case(json_t *line, void *ctx)
{
	const struct cedar_format_options options = {
		.width = (size_t)json_integer_value(json_object_get(line, "width")),
		.indent = (size_t)json_integer_value(json_object_get(line, "indent")),
	};
	struct tally *t = ctx;

	if (json_is_true(json_object_get(line, "lost")))
		t->skipped++;
	else
		check(t, corpus_string(json_object_get(line, "text")), options,
		      corpus_string(json_object_get(line, "formatted")), false);
}

int main(int argc, char **argv)
{
	const char *folder = corpus_folder(argc, argv);
	struct tally t = { 0 };

	if (argc > 2) {
		corpus_each_line(folder, argv[2], check_case, &t);
		return tally_end(&t);
	}
	check_policies(folder, &t);
	check_snapshots(folder, &t);
	return tally_end(&t);
}
