#include "proxy/dns-budget.h"

#include <math.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"

enum {
	LONG_PREFIX = 24,  /* what stands before the zone, below which nothing is suspicious */
	LONG_LABEL = 40,   /* a label that no person would choose */
	RANDOM_BITS = 320, /* entropy per byte, in hundredths of a bit; words have less, hex and
			      base32 more */
};

struct zone {
	TAILQ_ENTRY(zone) entry;
	char *name;
	uint64_t at_ms;
	double names_left, bytes_left;
};

struct seen {
	TAILQ_ENTRY(seen) entry;
	char *name;
};

struct dns_budget {
	struct map zones, seen;
	TAILQ_HEAD(zone_list, zone) zones_by_age; /* most recent first */
	TAILQ_HEAD(seen_list, seen) seen_by_age;
};

struct dns_budget *dns_budget_new(void)
{
	struct dns_budget *b = xnew(struct dns_budget);

	TAILQ_INIT(&b->zones_by_age);
	TAILQ_INIT(&b->seen_by_age);
	return b;
}

static void zone_free(struct dns_budget *b, struct zone *z)
{
	(void)map_remove(&b->zones, span_of(z->name));
	TAILQ_REMOVE(&b->zones_by_age, z, entry);
	xfree(z->name);
	xfree(z);
}

static void seen_free(struct dns_budget *b, struct seen *s)
{
	(void)map_remove(&b->seen, span_of(s->name));
	TAILQ_REMOVE(&b->seen_by_age, s, entry);
	xfree(s->name);
	xfree(s);
}

void dns_budget_free(struct dns_budget *b)
{
	if (!b)
		return;
	while (!TAILQ_EMPTY(&b->zones_by_age))
		zone_free(b, TAILQ_FIRST(&b->zones_by_age));
	while (!TAILQ_EMPTY(&b->seen_by_age))
		seen_free(b, TAILQ_FIRST(&b->seen_by_age));
	map_done(&b->zones, NULL);
	map_done(&b->seen, NULL);
	xfree(b);
}

/*
 * Where the registered name begins: the last two labels, or three where the
 * second is as short as those of "co.uk". A zone taken too wide only shares its
 * budget among more names.
 */
static size_t zone_start(const struct name *name)
{
	size_t end = name->len, n_labels = 0, at = name->len;

	while (at > 0) {
		at--;
		if (name->text[at] != '.')
			continue;
		n_labels++;
		if (n_labels >= 3 || (n_labels == 2 && end - at - 1 > 3))
			return at + 1;
		end = at;
	}
	return 0;
}

/* Shannon entropy of the bytes, in hundredths of a bit per byte. */
static int entropy(struct span s)
{
	unsigned counts[256] = { 0 };
	double sum = 0;

	for (size_t i = 0; i < s.len; i++)
		counts[(unsigned char)s.p[i]]++;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		double share = (double)counts[i] / (double)s.len;

		if (counts[i])
			sum -= share * log2(share);
	}
	return (int)(sum * 100);
}

static bool looks_random(struct span prefix)
{
	size_t label = 0, longest = 0;

	if (prefix.len < LONG_PREFIX)
		return false;
	for (size_t i = 0; i < prefix.len; i++) {
		label = prefix.p[i] == '.' ? 0 : label + 1;
		longest = MAX(longest, label);
	}
	return longest >= LONG_LABEL || entropy(prefix) >= RANDOM_BITS;
}

static struct zone *zone_of(struct dns_budget *b, struct span name, uint64_t now_ms)
{
	struct zone *z = map_get(&b->zones, name);
	double seconds;

	if (!z) {
		if (b->zones.len >= LIMIT_DNS_ZONES)
			zone_free(b, TAILQ_LAST(&b->zones_by_age, zone_list));
		z = xnew(struct zone);
		z->name = xmemdup0(name.p, name.len);
		z->names_left = LIMIT_DNS_ZONE_NAMES;
		z->bytes_left = LIMIT_DNS_ZONE_BYTES;
		z->at_ms = now_ms;
		(void)map_put(&b->zones, name, z);
		TAILQ_INSERT_HEAD(&b->zones_by_age, z, entry);
		return z;
	}
	seconds = (double)(now_ms - z->at_ms) / 1000;
	z->names_left = MIN(z->names_left + seconds * LIMIT_DNS_ZONE_NAMES_PER_SECOND,
			    LIMIT_DNS_ZONE_NAMES);
	z->bytes_left = MIN(z->bytes_left + seconds * LIMIT_DNS_ZONE_BYTES_PER_SECOND,
			    LIMIT_DNS_ZONE_BYTES);
	z->at_ms = now_ms;
	TAILQ_REMOVE(&b->zones_by_age, z, entry);
	TAILQ_INSERT_HEAD(&b->zones_by_age, z, entry);
	return z;
}

static void remember(struct dns_budget *b, const struct name *name)
{
	struct seen *s;

	if (b->seen.len >= LIMIT_DNS_SEEN)
		seen_free(b, TAILQ_LAST(&b->seen_by_age, seen_list));
	s = xnew(struct seen);
	s->name = xstrdup(name->text);
	(void)map_put(&b->seen, name_span(name), s);
	TAILQ_INSERT_HEAD(&b->seen_by_age, s, entry);
}

bool dns_budget_spend(struct dns_budget *b, const struct name *name, uint64_t now_ms)
{
	struct seen *s = map_get(&b->seen, name_span(name));
	size_t start = zone_start(name);
	struct span prefix = { name->text, start };
	struct zone *z;
	double cost;

	if (s) {
		TAILQ_REMOVE(&b->seen_by_age, s, entry);
		TAILQ_INSERT_HEAD(&b->seen_by_age, s, entry);
		return true;
	}
	z = zone_of(b, span_from(name_span(name), start), now_ms);
	cost = looks_random(prefix) ? (double)prefix.len : 0;
	if (z->names_left < 1 || z->bytes_left < cost)
		return false;
	z->names_left -= 1;
	z->bytes_left -= cost;
	remember(b, name);
	return true;
}
