#include "cedar/script.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cedar/diagnostics.h"
#include "cedar/print-private.h"
#include "cedar/script-data.h"

/* What is known of a text so far. */
struct scan {
	uint64_t scripts[3]; /* that all characters share */
	uint32_t confusable; /* the first character that identifiers should not have */
	bool has_bidi, has_confusable;
};

/* Printable ASCII, as nearly all text is, deceives nobody. */
static bool is_plain(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] >= 0x7f)
			return false;
	return true;
}

/* Embeddings, overrides and isolates: they change the order in which text is shown. */
static bool is_bidi_control(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static uint32_t range_of(uint32_t c)
{
	size_t low = 0, high = n_script_ranges;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (script_ranges[middle] >> 10 <= c)
			low = middle;
		else
			high = middle;
	}
	return script_ranges[low];
}

static void scan_character(struct scan *scan, uint32_t c)
{
	uint32_t range = range_of(c);
	const struct script_set *set = &script_sets[range >> 1 & 0x1ff];
	bool is_printable = c >= 0x20 && c < 0x7f;

	scan->has_bidi = scan->has_bidi || is_bidi_control(c);
	if (!scan->has_confusable && !is_printable && !(range & 1)) {
		scan->has_confusable = true;
		scan->confusable = c;
	}
	for (size_t i = 0; i < ARRAY_SIZE(scan->scripts); i++)
		scan->scripts[i] &= set->bits[i];
}

static struct scan scan_begin(void)
{
	return (struct scan){ .scripts = { ~0ULL, ~0ULL, ~0ULL } };
}

static void scan_text(struct scan *scan, struct span s)
{
	uint32_t c = 0;

	for (size_t n; s.len > 0 && (n = utf8_decode(s, &c)) > 0; s = span_from(s, n))
		scan_character(scan, c);
}

static bool is_mixed(const struct scan *scan)
{
	return !(scan->scripts[0] | scan->scripts[1] | scan->scripts[2]);
}

/* what: "string" or "identifier"; only the latter must do without confusable characters. */
static _cold_ void report(struct findings *f, const struct scan *scan, struct cedar_range range,
			  const char *what, bool is_identifier, const void *key)
{
	const char *code = scan->has_bidi			   ? "bidi_characters"
			   : is_identifier && scan->has_confusable ? "confusable_identifier"
			   : is_mixed(scan)			   ? "mixed_scripts"
								   : NULL;

	if (!code || !finding_is_new(f, code, range, key, NULL))
		return;
	if (scan->has_bidi)
		finding_add(f, CEDAR_WARNING, code, range, "write them as \\u{...}",
			    "this %s has characters that change the order in which text is shown",
			    what);
	else if (is_identifier && scan->has_confusable)
		finding_add(f, CEDAR_WARNING, code, range, NULL,
			    "this %s has the character U+%04X, which may be taken for another",
			    what, scan->confusable);
	else
		finding_add(f, CEDAR_WARNING, code, range, NULL,
			    "this %s mixes letters of several scripts, which may look alike", what);
}

static void check_text(struct findings *f, struct span s, struct cedar_range range,
		       bool is_identifier)
{
	struct scan scan = scan_begin();

	if (is_plain(s))
		return;
	scan_text(&scan, s);
	report(f, &scan, range, is_identifier ? "name" : "string", is_identifier, s.p);
}

/*
 * Patterns are judged as they are printed, for the reference does so: escapes
 * hide what would reorder text, and their letters count as Latin.
 */
static void check_pattern(struct findings *f, const struct cedar_expr *e)
{
	_cleanup_buf_ struct buf printed = BUF_INIT(LIMIT_POLICY_TEXT);
	struct scan scan = scan_begin();
	size_t n_plain = 0;

	for (size_t i = 0; i < e->n_pattern; i++)
		n_plain += is_plain(e->pattern[i].literal);
	if (n_plain == e->n_pattern)
		return;
	for (size_t i = 0; i < e->n_pattern; i++)
		if (print_escaped(e->pattern[i].literal, /* for_pattern = */ true, &printed) < 0)
			return;
	scan_text(&scan, buf_span(&printed));
	report(f, &scan, e->range, "pattern", /* is_identifier = */ false, e->pattern);
}

void script_check_uid(struct cedar_entity_uid uid, struct cedar_range range, struct findings *f)
{
	check_text(f, uid.id, range, /* is_identifier = */ true);
}

void script_check_expr(const struct cedar_expr *e, struct findings *f)
{
	if (e->kind == CEDAR_EXPR_STRING)
		check_text(f, e->string, e->range, /* is_identifier = */ false);
	else if (e->kind == CEDAR_EXPR_ENTITY)
		script_check_uid(e->uid, e->range, f);
	else if (e->kind == CEDAR_EXPR_ATTRIBUTE)
		check_text(f, e->string, e->range, /* is_identifier = */ true);
	else if (e->kind == CEDAR_EXPR_LIKE)
		check_pattern(f, e);
	for (size_t i = 0; i < e->n_names; i++)
		check_text(f, e->names[i], e->range, /* is_identifier = */ true);
}
