/* The generated corpus of the integration tests. */
#include <stdio.h>

#include "conform-request.h"

static void check_line(json_t *line, void *ctx)
{
	struct tally *t = ctx;
	struct span id = corpus_string(json_object_get(line, "id"));
	size_t n, n_different;

	n_different = conform_requests(corpus_string(json_object_get(line, "policies")),
				       corpus_string(json_object_get(line, "schema")),
				       json_object_get(line, "entities"),
				       json_object_get(line, "requests"), &n);
	if (n_different)
		(void)printf("%.*s: %zu of %zu requests differ\n", SPAN_ARG(id), n_different, n);
	t->failed += n_different;
	t->passed += n - n_different;
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };

	corpus_each_line(corpus_folder(argc, argv), "corpus-v4.10.0.jsonl.xz", check_line, &t);
	return tally_end(&t);
}
