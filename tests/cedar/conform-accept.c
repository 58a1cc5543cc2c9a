/* accept_reject.jsonl, the policies: what must parse and what must not. */
#include <stdio.h>

#include "cedar/cedar.h"
#include "corpus.h"

static bool accepts(struct span text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	bool ok = cedar_policy_set_parse(text, &diags, &set) == 0;

	/* A refusal always says why. */
	if (!ok && diags.n_errors == 0)
		(void)printf("refused without a reason\n");
	cedar_diagnostics_done(&diags);
	cedar_policy_set_free(set);
	return ok;
}

static void check_line(json_t *line, void *ctx)
{
	struct tally *t = ctx;
	struct span text = corpus_string(json_object_get(line, "input"));
	bool wanted = json_is_true(json_object_get(line, "ok"));

	if (!span_eq(corpus_string(json_object_get(line, "kind")), SPAN("policy")))
		return;
	(void)tally_check(t, accepts(text) == wanted, "%.*s: must be %s", SPAN_ARG(text),
			  wanted ? "accepted" : "refused");
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };

	corpus_each_line(corpus_folder(argc, argv), "accept_reject.jsonl.xz", check_line, &t);
	return tally_end(&t);
}
