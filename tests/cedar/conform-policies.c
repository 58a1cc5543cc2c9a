/*
 * policies.jsonl: 3,592 policies and templates whose trees must be those of
 * the reference; printed and parsed again they must still be.
 */
#include <stdio.h>

#include "corpus.h"
#include "est.h"

static struct cedar_policy_set *parse(struct span text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	if (cedar_policy_set_parse(text, &diags, &set) < 0)
		(void)printf("%.*s: %s\n", SPAN_ARG(text), diags.items[0].message);
	cedar_diagnostics_done(&diags);
	return set;
}

static bool has_tree(const struct cedar_policy *p, const json_t *wanted)
{
	json_t *got = est_policy(p);
	bool ok = json_equal(got, wanted);

	json_decref(got);
	return ok;
}

/* The policy, printed and parsed again, has the same tree. */
static bool survives_printing(const struct cedar_policy *p, const json_t *wanted)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_policy_set *again;
	bool ok;

	if (cedar_policy_print(p, &out) < 0)
		return false;
	again = parse(buf_span(&out));
	ok = again && cedar_policy_set_len(again) == 1 &&
	     has_tree(cedar_policy_set_at(again, 0), wanted);
	cedar_policy_set_free(again);
	return ok;
}

static void check_part(const json_t *part, void *ctx)
{
	const json_t *wanted = json_object_get(json_object_get(part, "ans"), "json");
	struct span text = corpus_string(json_object_get(part, "text"));
	struct cedar_policy_set *set = parse(text);
	const struct cedar_policy *p;

	if (!tally_check(ctx, set && cedar_policy_set_len(set) == 1, "not one policy"))
		return;
	p = cedar_policy_set_at(set, 0);
	(void)tally_check(ctx, has_tree(p, wanted), "%.*s: another tree", SPAN_ARG(text));
	(void)tally_check(ctx, survives_printing(p, wanted), "%.*s: changed by printing",
			  SPAN_ARG(text));
	cedar_policy_set_free(set);
}

static void check_line(json_t *line, void *ctx)
{
	const json_t *parts = json_object_get(line, "parts");
	struct span text = corpus_string(json_object_get(line, "text"));
	struct cedar_policy_set *set = parse(text);

	(void)tally_check(ctx, set && cedar_policy_set_len(set) == json_array_size(parts),
			  "%.*s: not all policies", SPAN_ARG(text));
	cedar_policy_set_free(set);
	for (size_t i = 0; i < json_array_size(parts); i++)
		check_part(json_array_get(parts, i), ctx);
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };

	corpus_each_line(corpus_folder(argc, argv), "policies.jsonl.xz", check_line, &t);
	return tally_end(&t);
}
