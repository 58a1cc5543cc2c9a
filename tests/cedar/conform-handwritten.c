/* The hand-written integration tests: several policies at once, realistic data. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/map.h"
#include "conform-request.h"

struct state {
	struct tally tally;
	struct map files; /* name -> struct span * */
};

static void remember(struct span name, struct span data, void *ctx)
{
	struct state *s = ctx;
	struct span *copy = xnew(struct span);

	*copy = data;
	xfree(map_put(&s->files, name, copy));
}

static struct span file_of(const struct state *s, const json_t *test, const char *member)
{
	const struct span *data = map_get(&s->files, corpus_string(json_object_get(test, member)));

	return data ? *data : (struct span){ 0 };
}

static void check_file(struct span name, void *value, void *ctx)
{
	struct state *s = ctx;
	const struct span *data = value;
	json_t *test, *entities;
	size_t n, n_different;

	if (!span_starts_with(name, SPAN("tests/")) || !span_ends_with(name, SPAN(".json")))
		return;
	test = corpus_parse_json(*data);
	entities = corpus_parse_json(file_of(s, test, "entities"));
	n_different = conform_requests(file_of(s, test, "policies"), file_of(s, test, "schema"),
				       entities, json_object_get(test, "requests"), &n);
	if (n_different)
		(void)printf("%.*s: %zu of %zu requests differ\n", SPAN_ARG(name), n_different, n);
	s->tally.failed += n_different;
	s->tally.passed += n - n_different;
	json_decref(entities);
	json_decref(test);
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf archive = BUF_INIT(0);
	struct state s = { 0 };

	corpus_read(corpus_folder(argc, argv), "handwritten-tests.tar.xz", &archive);
	corpus_each_member(buf_span(&archive), remember, &s);
	map_each(&s.files, check_file, &s);
	map_done(&s.files, xfree);
	return tally_end(&s.tally);
}
