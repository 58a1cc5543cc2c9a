/*
 * Policy texts with their layouts at two settings and their JSON forms; and
 * each must survive text -> tree -> JSON -> tree -> text.
 */
#include <string.h>

#include "cedar/cedar-format.h"
#include "cedar/cedar-json.h"
#include "runner.h"

static void check_format(struct runner *r, struct json_view line, struct span text,
			 const char *member, size_t width, size_t indent)
{
	const struct cedar_format_options options = { .width = width, .indent = indent };
	struct span wanted = json_view_string(json_view_get(line, member), &r->arena);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	int result = cedar_format(text, &options, &diags, &out);

	if (result < 0)
		(void)check(r, false, "%s: refused: %s", member,
			    diags.len ? diags.items[0].message : strerror(-result));
	else
		(void)check_text(r, buf_span(&out), wanted, member);
	cedar_diagnostics_done(&diags);
}

/*
 * text -> tree -> JSON -> tree -> text -> tree -> JSON. The JSON form sorts
 * attributes and annotations and writes a list of one action as that action, so
 * it is the two JSON texts that must be the same.
 */
bool survives_json(struct runner *r, const struct cedar_policy *p)
{
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_buf_ struct buf again = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *from_json = NULL;
	struct cedar_policy_set *from_text = NULL;
	int result = cedar_policy_print_json(p, &json);

	if (result == 0)
		result = cedar_policy_parse_json(buf_span(&json), &diags, &from_json);
	if (result == 0)
		result = cedar_policy_print(cedar_policy_set_at(from_json, 0), &text);
	if (result == 0)
		result = cedar_policy_set_parse(buf_span(&text), &diags, &from_text);
	if (result == 0)
		result = cedar_policy_print_json(cedar_policy_set_at(from_text, 0), &again);
	if (result < 0)
		(void)check(r, false, "through JSON: %s: %.*s",
			    diags.len ? diags.items[0].message : strerror(-result),
			    SPAN_ARG(buf_span(&json)));
	else
		(void)check_text(r, buf_span(&again), buf_span(&json),
				 "JSON form after JSON and text");
	cedar_diagnostics_done(&diags);
	cedar_policy_set_free(from_json);
	cedar_policy_set_free(from_text);
	return result == 0;
}

/*
 * The reference's JSON of 4.12 has `a has b.c` as a chain of &&, and ours of
 * 4.13 as one node; both read back to the same policy, so that is compared.
 */
static bool same_json(struct runner *r, const struct cedar_policy *p, struct json_view wanted)
{
	_cleanup_buf_ struct buf json = BUF_INIT(0);

	if (cedar_policy_print_json(p, &json) < 0)
		return check(r, false, "its JSON form is too long");
	if (json_view_eq(json_view_of(buf_span(&json)), wanted, &r->arena))
		return check(r, true, " ");
	if (memmem(json.data, json.len, "\"attr\":[", 8)) {
		skip(r, 1, "the JSON form of extended has is another since 4.13");
		return true;
	}
	return check_text(r, buf_span(&json), wanted.raw, "JSON form");
}

static void check_part(struct runner *r, struct json_view part)
{
	struct span text = json_view_string(json_view_get(part, "text"), &r->arena);
	struct json_view wanted = json_view_get(json_view_get(part, "ans"), "json");
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	if (cedar_policy_set_parse(text, &diags, &set) < 0 || cedar_policy_set_len(set) != 1) {
		(void)check(r, false, "not one policy: %.*s", SPAN_ARG(text));
	} else {
		(void)same_json(r, cedar_policy_set_at(set, 0), wanted);
		(void)survives_json(r, cedar_policy_set_at(set, 0));
	}
	cedar_diagnostics_done(&diags);
	cedar_policy_set_free(set);
}

void run_policies(struct runner *r, struct json_view line)
{
	struct span text = json_view_string(json_view_get(line, "text"), &r->arena);
	struct json_walk w = json_walk(json_view_get(line, "parts"));
	struct json_view part;

	check_format(r, line, text, "format80", 80, 2);
	check_format(r, line, text, "format40x4", 40, 4);
	while (json_walk_next(&w, NULL, &part))
		check_part(r, part);
}
