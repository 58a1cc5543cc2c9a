/*
 * Any bytes as the first of a connection: what they are, and for whom, must not
 * depend on how they are split.
 */
#include <stdint.h>
#include <stdlib.h>

#include "proxy/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static enum sniff_kind feed(struct sniff *s, struct span bytes, size_t piece)
{
	enum sniff_kind kind = SNIFF_MORE;

	sniff_init(s);
	for (size_t at = 0; at < bytes.len && kind == SNIFF_MORE; at += piece)
		kind = sniff_feed(s, span_make(bytes.p + at, MIN(piece, bytes.len - at)));
	return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 2, 7, 143 };
	struct span bytes = span_make(data, size);
	struct sniff whole;
	enum sniff_kind kind = feed(&whole, bytes, MAX(size, (size_t)1));
	const struct authority *claim = sniff_claim(&whole);

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct sniff s;
		const struct authority *other;

		require(feed(&s, bytes, pieces[i]) == kind);
		other = sniff_claim(&s);
		require(!claim == !other);
		require(!claim || (claim->is_address == other->is_address && claim->port == other->port &&
				   span_eq(name_span(&claim->name), name_span(&other->name))));
		sniff_done(&s);
	}
	if (claim && !claim->is_address) {
		struct name again;

		require(name_parse(name_span(&claim->name), &again) == 0);
		require(span_eq(name_span(&again), name_span(&claim->name)));
	}
	sniff_done(&whole);
	return 0;
}
