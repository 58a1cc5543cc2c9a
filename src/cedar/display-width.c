#include "cedar/display-width.h"

#include "base/utf8.h"

enum {
	WIDTH_EMOJI = 1,	/* an emoji, by default as text */
	WIDTH_PICTURE = 2,	/* an emoji, by default as a picture */
	WIDTH_VARIES = 4,	/* and a variation selector chooses */
	WIDTH_MODIFIED = 8,	/* and a skin tone can follow */
	WIDTH_TRANSPARENT = 16, /* does not part the Arabic letters around it */
};

struct width_range {
	uint32_t first, last;
	uint8_t columns;
	uint8_t flags;
};

#include "cedar/display-width-table.h"

/* What can be continued. */
enum state {
	START,
	REGIONAL,	 /* half a flag */
	TEXT,		 /* an emoji as text */
	PICTURE,	 /* a complete emoji */
	TAGGED,		 /* an emoji with tags, not terminated */
	JOINER,		 /* a zero width joiner behind a picture */
	JOINED_REGIONAL, /* behind a joiner */
	JOINED_TEXT,
	JOINED_PICTURE,
	LAM,
};

struct measure {
	enum state state;
	uint32_t before[3]; /* the last first */
	uint8_t flags;	    /* of the last */
	uint8_t kirat_rai_room;
	int columns; /* that the last added */
	size_t total;
};

static const struct width_range *find_range(uint32_t c)
{
	size_t low = 0, high = ARRAY_SIZE(width_ranges);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c > width_ranges[middle].last)
			low = middle + 1;
		else if (c < width_ranges[middle].first)
			high = middle;
		else
			return &width_ranges[middle];
	}
	return NULL;
}

static bool is_within(uint32_t c, uint32_t first, uint32_t last)
{
	return c >= first && c <= last;
}

static bool is_lam(uint32_t c)
{
	return c == 0x644 || is_within(c, 0x6b5, 0x6b8) || c == 0x76a || c == 0x8a6 || c == 0x8c7;
}

static bool is_alef(uint32_t c)
{
	return c == 0x622 || c == 0x623 || c == 0x625 || c == 0x627 || is_within(c, 0x671, 0x673) ||
	       c == 0x675 || c == 0x773 || c == 0x774 || is_within(c, 0x870, 0x882);
}

static bool is_tifinagh(uint32_t c)
{
	return is_within(c, 0x2d31, 0x2d65) || c == 0x2d6f;
}

/* Khmer consonants and vowels that go below the letter before, behind a coeng sign. */
static bool is_khmer(uint32_t c)
{
	return is_within(c, 0x1780, 0x17af) && c != 0x1783 && c != 0x1788 && c != 0x178d &&
	       c != 0x1794 && c != 0x1799 && c != 0x179a && c != 0x179e && c != 0x179f &&
	       c != 0x17a1 && !is_within(c, 0x17a3, 0x17a6) && !is_within(c, 0x17a8, 0x17aa) &&
	       c != 0x17ad && c != 0x17ae;
}

/* Letters that melt into the ones before them take no column. */
static bool melts(const struct measure *m, uint32_t c)
{
	const uint32_t *b = m->before;

	if ((m->state == LAM && is_alef(c)) || (b[0] == 0x17d2 && is_khmer(c)) ||
	    (is_within(b[0], 0xa4f8, 0xa4fb) && is_within(c, 0xa4fc, 0xa4fd)))
		return true;
	return b[0] == 0x200d &&
	       ((b[1] == 0x5d0 && c == 0x5dc) || (b[1] == 0x10c32 && c == 0x10c03) ||
		(b[2] == 0x1a15 && b[1] == 0x1a17 && c == 0x1a10));
}

/*
 * Kirat Rai vowels are built of two signs, E and AI: one column is AI with up
 * to two E behind it, or up to two E.
 */
static int add_kirat_rai(struct measure *m, uint32_t c)
{
	static const struct {
		bool has_ai;
		uint8_t n_e;
	} parts[] = {
		{ true, 0 }, { false, 1 }, { false, 2 }, { true, 1 }, { true, 2 },
	};
	size_t i = c == 0x16d63 ? 0 : c - 0x16d66;
	int columns = 0;

	m->state = START;
	if (parts[i].has_ai) {
		columns++;
		m->kirat_rai_room = 2;
	}
	for (int n = parts[i].n_e; n > 0; n--) {
		if (m->kirat_rai_room > 0) {
			m->kirat_rai_room--;
		} else {
			columns++;
			m->kirat_rai_room = 1;
		}
	}
	return columns;
}

static bool is_kirat_rai(uint32_t c)
{
	return c == 0x16d63 || is_within(c, 0x16d67, 0x16d6a);
}

/* The last character was an emoji; it becomes a picture of two columns, or part of one. */
static int become_picture(struct measure *m)
{
	bool is_joined = m->state == JOINED_TEXT || m->state == JOINED_PICTURE;

	m->state = PICTURE;
	return (is_joined ? 0 : 2) - m->columns;
}

static bool is_emoji(const struct measure *m)
{
	return m->state == TEXT || m->state == PICTURE || m->state == JOINED_TEXT ||
	       m->state == JOINED_PICTURE;
}

/* A selector: a picture, or text, please. */
static int select_variation(struct measure *m, bool is_picture)
{
	bool can_vary = m->flags & WIDTH_VARIES && !is_within(m->before[0], 0x1f200, 0x1f2ff);
	int columns = 1 - m->columns;

	if (is_picture && m->flags & WIDTH_VARIES && is_emoji(m))
		return become_picture(m);
	m->state = START;
	return !is_picture && can_vary && m->flags & WIDTH_PICTURE ? columns : 0;
}

static int add_regional(struct measure *m)
{
	bool is_joined = m->state == JOINED_REGIONAL;

	if (m->state == REGIONAL || is_joined)
		m->state = PICTURE;
	else
		m->state = m->state == JOINER ? JOINED_REGIONAL : REGIONAL;
	return is_joined ? -m->columns : 1;
}

static int add_emoji(struct measure *m, bool is_picture, int columns)
{
	bool is_joined = m->state == JOINER;

	if (!is_picture) {
		m->state = is_joined ? JOINED_TEXT : TEXT;
		return columns;
	}
	m->state = is_joined ? JOINED_PICTURE : PICTURE;
	return is_joined ? 0 : columns;
}

/* Tags, a keycap, a joiner: nothing to see, but the emoji goes on, or ends. */
static void add_invisible(struct measure *m, uint32_t c, uint8_t flags)
{
	enum state before = m->state;
	bool is_picture = before == PICTURE || before == JOINED_PICTURE;

	m->state = START;
	if (c == 0x200d && is_picture)
		m->state = JOINER;
	else if (c == 0x20e3 && before == PICTURE && m->before[0] == 0xfe0f)
		m->state = PICTURE;
	else if (is_within(c, 0xe0020, 0xe007e) && (is_picture || before == TAGGED))
		m->state = TAGGED;
	else if (c == 0xe007f && before == TAGGED)
		m->state = PICTURE;
	else if (before == LAM && flags & WIDTH_TRANSPARENT)
		m->state = LAM;
}

static int add_other(struct measure *m, uint32_t c, int columns)
{
	bool is_free = melts(m, c);

	m->state = is_lam(c) ? LAM : START;
	return is_free ? 0 : columns;
}

static int add(struct measure *m, uint32_t c, int columns, uint8_t flags)
{
	if (c == 0xfe0e || c == 0xfe0f)
		return select_variation(m, c == 0xfe0f);
	if (is_within(c, 0x1f1e6, 0x1f1ff))
		return add_regional(m);
	if (is_within(c, 0x1f3fb, 0x1f3ff) && m->flags & WIDTH_MODIFIED && is_emoji(m))
		return become_picture(m);
	if (flags & (WIDTH_EMOJI | WIDTH_PICTURE))
		return add_emoji(m, flags & WIDTH_PICTURE, columns);
	if (is_kirat_rai(c))
		return add_kirat_rai(m, c);
	if (columns > 0)
		return add_other(m, c, columns);
	add_invisible(m, c, flags);
	return 0;
}

static void measure(struct measure *m, uint32_t c)
{
	const struct width_range *range = find_range(c);
	uint8_t flags = range ? range->flags : 0;

	if (!is_kirat_rai(c))
		m->kirat_rai_room = 0;
	m->columns = add(m, c, range ? range->columns : 1, flags);
	m->total += (size_t)(ptrdiff_t)m->columns;
	m->flags = flags;
	if (c == 0x200d && m->before[0] == c)
		return;
	m->before[2] = m->before[1];
	m->before[1] = m->before[0];
	m->before[0] = c;
}

static bool is_ascii(struct span text)
{
	uint64_t all = 0;
	size_t i = 0;

	for (; i + 8 <= text.len; i += 8) {
		uint64_t word;

		memcpy(&word, text.p + i, 8);
		all |= word;
	}
	for (; i < text.len; i++)
		all |= (unsigned char)text.p[i];
	return !(all & 0x8080808080808080);
}

/*
 * Tifinagh letters with joiners between them are drawn in pairs, from the last
 * to the first; a joiner outside a pair may be seen. Takes them off the text.
 */
static size_t take_tifinagh(struct span *text)
{
	size_t paired = 0;	  /* the width when the last letter is paired or alone */
	size_t before = 0;	  /* the same, of all but the last letter */
	size_t joiner_before = 0; /* width of the joiners in front of the last letter */
	size_t joiner = 0;
	bool is_joined = true;
	struct span rest = *text;
	uint32_t c;
	size_t n;

	for (; (n = utf8_decode(rest, &c)) > 0; rest = span_from(rest, n)) {
		if (is_tifinagh(c) && is_joined) {
			size_t last = paired;

			paired = before + joiner_before + 1;
			before = last;
			joiner_before = joiner;
			joiner = 0;
			is_joined = false;
			*text = span_from(rest, n);
		} else if (c == 0x2d7f || c == 0x200d) {
			joiner += c == 0x2d7f;
			is_joined = joiner < 2;
		} else {
			break;
		}
	}
	return paired;
}

size_t display_width(struct span text)
{
	struct measure m = { 0 };
	uint32_t c;
	size_t n;

	if (is_ascii(text))
		return text.len;
	while ((n = utf8_decode(text, &c)) > 0) {
		if (is_tifinagh(c)) {
			m = (struct measure){ .total = m.total + take_tifinagh(&text) };
			continue;
		}
		measure(&m, c);
		text = span_from(text, n);
	}
	return m.total;
}
