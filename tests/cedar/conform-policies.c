/*
 * policies.jsonl: 3,615 policies and templates whose trees must be those of
 * the reference, member by member in its order. Printed as text and as JSON,
 * and read again, they must still be.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cedar/cedar-json.h"
#include "corpus.h"

static struct cedar_policy_set *parse(struct span text, bool is_json)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	int r = (is_json ? cedar_policy_parse_json : cedar_policy_set_parse)(text, &diags, &set);

	if (r < 0)
		(void)printf("%.*s: %s\n", SPAN_ARG(text), diags.items[0].message);
	cedar_diagnostics_done(&diags);
	return set;
}

/* As the reference wrote it: jansson keeps the order of members. */
static char *compact(const json_t *j)
{
	return json_dumps(j, JSON_COMPACT);
}

/* Where corpus.c has renamed NUL in keys, these sort differently. */
static bool is_json_of(struct span text, const json_t *wanted)
{
	json_t *got = corpus_parse_json(text);
	char *a = compact(got);
	char *b = compact(wanted);
	bool is_renamed = b && strstr(b, "\uE000");
	bool ok = a && b && (strcmp(a, b) == 0 || (is_renamed && json_equal(got, wanted)));

	free(a);
	free(b);
	json_decref(got);
	return ok;
}

/* Is text, in either form, one policy with this JSON, and is it so again after being printed? */
static bool has_json(struct span text, bool is_json, struct span wanted, bool want_again)
{
	_cleanup_buf_ struct buf again = BUF_INIT(0);
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	struct cedar_policy_set *set = parse(text, is_json);
	bool ok = set && cedar_policy_set_len(set) == 1 &&
		  cedar_policy_print(cedar_policy_set_at(set, 0), &again) == 0 &&
		  cedar_policy_print_json(cedar_policy_set_at(set, 0), &json) == 0 &&
		  span_eq(buf_span(&json), wanted);

	cedar_policy_set_free(set);
	return ok && (!want_again || has_json(buf_span(&again), false, wanted, false));
}

static void check_policy(const struct cedar_policy *p, struct span text, const json_t *wanted,
			 void *ctx)
{
	_cleanup_buf_ struct buf printed = BUF_INIT(0);
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	char *reference = compact(wanted);

	if (!tally_check(ctx,
			 cedar_policy_print(p, &printed) == 0 &&
				 cedar_policy_print_json(p, &json) == 0,
			 "%.*s: cannot be printed", SPAN_ARG(text)))
		return;
	(void)tally_check(ctx, is_json_of(buf_span(&json), wanted), "%.*s: another tree: %s",
			  SPAN_ARG(text), json.data);
	(void)tally_check(ctx, has_json(buf_span(&printed), false, buf_span(&json), true),
			  "%.*s: changed by printing", SPAN_ARG(text));
	(void)tally_check(ctx, has_json(buf_span(&json), true, buf_span(&json), true),
			  "%.*s: changed by JSON", SPAN_ARG(text));
	(void)tally_check(ctx, has_json(span_of(reference), true, buf_span(&json), true),
			  "%.*s: the reference's JSON is read differently", SPAN_ARG(text));
	free(reference);
}

static void check_part(const json_t *part, void *ctx)
{
	const json_t *wanted = json_object_get(json_object_get(part, "ans"), "json");
	struct span text = corpus_string(json_object_get(part, "text"));
	struct cedar_policy_set *set = parse(text, false);

	if (tally_check(ctx, set && cedar_policy_set_len(set) == 1, "not one policy"))
		check_policy(cedar_policy_set_at(set, 0), text, wanted, ctx);
	cedar_policy_set_free(set);
}

/* The whole text: as many policies as the reference found, and the same again through JSON. */
static void check_set(struct span text, size_t n_parts, void *ctx)
{
	_cleanup_buf_ struct buf first = BUF_INIT(0);
	_cleanup_buf_ struct buf second = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = parse(text, false);
	struct cedar_policy_set *again = NULL;

	(void)tally_check(ctx, set && cedar_policy_set_len(set) == n_parts,
			  "%.*s: not all policies", SPAN_ARG(text));
	(void)tally_check(ctx,
			  set && cedar_policy_set_print_json(set, &first) == 0 &&
				  cedar_policy_set_parse_json(buf_span(&first), &diags, &again) ==
					  0 &&
				  cedar_policy_set_print_json(again, &second) == 0 &&
				  span_eq(buf_span(&first), buf_span(&second)),
			  "%.*s: the set is changed by JSON", SPAN_ARG(text));
	cedar_diagnostics_done(&diags);
	cedar_policy_set_free(again);
	cedar_policy_set_free(set);
}

static void check_line(json_t *line, void *ctx)
{
	const json_t *parts = json_object_get(line, "parts");

	check_set(corpus_string(json_object_get(line, "text")), json_array_size(parts), ctx);
	for (size_t i = 0; i < json_array_size(parts); i++)
		check_part(json_array_get(parts, i), ctx);
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };

	corpus_each_line(corpus_folder(argc, argv), "policies.jsonl.xz", check_line, &t);
	return tally_end(&t);
}
