#include "event/narrow.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/path.h"

/* More rows than a session can have in a year; a database with such ids was not made by us. */
#define BITS_MAX (UINT64_C(1) << 33)

/* ---- Sets ------------------------------------------------------------------ */

static int bits_set(struct bits *b, int64_t i)
{
	size_t word = (size_t)i / 64;

	if (i < 0 || (uint64_t)i >= BITS_MAX)
		return -EBADMSG;
	if (word >= b->n_words) {
		size_t n = MAX(word + 1, b->n_words * 2);

		b->words = xrealloc_array(b->words, n, sizeof(*b->words));
		memset(b->words + b->n_words, 0, (n - b->n_words) * sizeof(*b->words));
		b->n_words = n;
	}
	b->words[word] |= EVENT_BIT(i % 64);
	return 0;
}

static bool bits_has(const struct bits *b, uint64_t i)
{
	return i / 64 < b->n_words && b->words[i / 64] & EVENT_BIT(i % 64);
}

static void bits_and(struct bits *b, const struct bits *other)
{
	for (size_t i = 0; i < b->n_words; i++)
		b->words[i] &= i < other->n_words ? other->words[i] : 0;
}

static void bits_done(struct bits *b)
{
	xfree(b->words);
	*b = (struct bits){ 0 };
}

/* ---- Looking --------------------------------------------------------------- */

struct look {
	struct narrow *narrow;
	sqlite3 *db;
	const struct event_filter *filter;
	struct bits blocks; /* of the condition that is looked at */
};

/* Calls fn for each row; fn returns 0, or a negative errno. */
static int each_row(const struct look *l, const char *sql, int (*fn)(sqlite3_stmt *row, void *ctx),
		    void *ctx)
{
	sqlite3_stmt *row = NULL;
	int code = SQLITE_ROW;
	int r = sql_prepare(l->db, sql, &row);

	while (r == 0 && (code = sqlite3_step(row)) == SQLITE_ROW)
		r = fn(row, ctx);
	if (r == 0)
		r = sql_errno(l->db, code);
	(void)sqlite3_finalize(row);
	return r;
}

static int add_block_of(struct look *l, int64_t seq)
{
	return seq < 0 ? -EBADMSG : bits_set(&l->blocks, seq >> EVENT_BLOCK_BITS);
}

/* What one condition leaves: only blocks that all of them leave are looked at. */
static void end_condition(struct look *l)
{
	bits_and(&l->narrow->blocks, &l->blocks);
	bits_done(&l->blocks);
}

/* The blocks in which that id was seen, by a statement with the id as its parameter. */
static int add_seen(struct look *l, sqlite3_stmt *seen, int64_t id)
{
	int code = SQLITE_ROW;
	int r = 0;

	(void)sqlite3_bind_int64(seen, 1, id);
	while (r == 0 && (code = sqlite3_step(seen)) == SQLITE_ROW)
		r = bits_set(&l->blocks, sqlite3_column_int64(seen, 0));
	(void)sqlite3_reset(seen);
	return r < 0 ? r : sql_errno(l->db, code);
}

/* ---- Kind and decision ----------------------------------------------------- */

static bool is_wanted(const struct event_filter *f, int64_t kind, int64_t decision)
{
	return kind >= 0 && kind < EVENT_KIND_MAX && decision >= 0 &&
	       decision < EVENT_DECISION_MAX && (!f->kinds || f->kinds & EVENT_BIT(kind)) &&
	       (!f->decisions || f->decisions & EVENT_BIT(decision));
}

static int on_action(sqlite3_stmt *row, void *ctx)
{
	struct look *l = ctx;

	if (!is_wanted(l->filter, sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)))
		return 0;
	return bits_set(&l->narrow->actions, sqlite3_column_int64(row, 0));
}

/* From block to block, for a mark may stand in most rows of each. */
static int add_marked(struct look *l, sqlite3_stmt *first, int mark)
{
	int64_t from = 0;
	int r = 0;

	(void)sqlite3_bind_int(first, 1, mark);
	while (r == 0) {
		int code;

		(void)sqlite3_bind_int64(first, 2, from);
		code = sqlite3_step(first);
		if (code != SQLITE_ROW || sqlite3_column_type(first, 0) == SQLITE_NULL) {
			r = sql_errno(l->db, code);
			break;
		}
		from = sqlite3_column_int64(first, 0);
		r = add_block_of(l, from);
		from = (int64_t)(((uint64_t)from | (EVENT_BLOCK - 1)) + 1);
		(void)sqlite3_reset(first);
	}
	(void)sqlite3_reset(first);
	return r;
}

static int look_at_marks(struct look *l)
{
	sqlite3_stmt *first = NULL;
	int r = sql_prepare(l->db, "SELECT min(seq) FROM event WHERE mark = ?1 AND seq >= ?2",
			    &first);

	for (int kind = 0; kind < EVENT_KIND_MAX && r == 0; kind++)
		for (int decision = 0; decision < EVENT_DECISION_MAX && r == 0; decision++)
			if (is_wanted(l->filter, kind, decision))
				r = add_marked(l, first, kind << EVENT_MARK_BITS | decision);
	(void)sqlite3_finalize(first);
	if (r == 0)
		end_condition(l);
	return r;
}

static int look_at_actions(struct look *l)
{
	int r;

	if (!l->filter->kinds && !l->filter->decisions)
		return 0;
	l->narrow->has_actions = true;
	r = each_row(l, "SELECT id, kind, decision FROM action", on_action, l);
	/* What is everywhere has no mark. */
	return r < 0 || is_wanted(l->filter, EVENT_FILE_OPEN, EVENT_ALLOW) ? r : look_at_marks(l);
}

/* ---- Processes ------------------------------------------------------------- */

struct look_seen {
	struct look *look;
	sqlite3_stmt *seen;
};

static int on_process(sqlite3_stmt *row, void *ctx)
{
	const struct look_seen *s = ctx;
	const struct event_filter *f = s->look->filter;
	int64_t id = sqlite3_column_int64(row, 0);
	int r;

	if ((f->pid && sqlite3_column_int64(row, 1) != f->pid) ||
	    (f->exe && !event_exe_matches(sql_text(row, 2), f->exe)))
		return 0;
	r = bits_set(&s->look->narrow->processes, id);
	return r < 0 ? r : add_seen(s->look, s->seen, id);
}

static int look_at_processes(struct look *l)
{
	struct look_seen s = { .look = l };
	int r;

	if (!l->filter->pid && !l->filter->exe)
		return 0;
	l->narrow->has_processes = true;
	r = sql_prepare(l->db, "SELECT block FROM process_seen WHERE process = ?1", &s.seen);
	if (r == 0)
		r = each_row(l, "SELECT id, pid, exe FROM process", on_process, &s);
	(void)sqlite3_finalize(s.seen);
	if (r == 0)
		end_condition(l);
	return r;
}

/* ---- Paths ----------------------------------------------------------------- */

/* Can a path in that directory be the wanted one, or below it? */
static bool can_hold(struct span directory, struct span wanted)
{
	if (directory.len == 0)
		directory = SPAN("/");
	return path_is_within(directory, wanted) || path_is_within(wanted, directory);
}

static int on_directory(sqlite3_stmt *row, void *ctx)
{
	const struct look_seen *s = ctx;
	int64_t id = sqlite3_column_int64(row, 0);
	int r;

	if (!can_hold(sql_text(row, 1), span_of(s->look->filter->path)))
		return 0;
	r = bits_set(&s->look->narrow->directories, id);
	return r < 0 ? r : add_seen(s->look, s->seen, id);
}

static int on_target(sqlite3_stmt *row, void *ctx)
{
	struct look *l = ctx;
	int64_t seq = sqlite3_column_int64(row, 0);
	int r;

	if (!path_is_within(sql_text(row, 1), span_of(l->filter->path)))
		return 0;
	r = bits_set(&l->narrow->targets, seq);
	return r < 0 ? r : add_block_of(l, seq);
}

static int look_at_paths(struct look *l)
{
	struct look_seen s = { .look = l };
	int r;

	if (!l->filter->path)
		return 0;
	l->narrow->has_directories = true;
	r = sql_prepare(l->db, "SELECT block FROM directory_seen WHERE directory = ?1", &s.seen);
	if (r == 0)
		r = each_row(l, "SELECT id, path FROM directory", on_directory, &s);
	(void)sqlite3_finalize(s.seen);
	if (r == 0)
		r = each_row(l, "SELECT seq, target FROM detail WHERE target IS NOT NULL",
			     on_target, l);
	if (r == 0)
		end_condition(l);
	return r;
}

/* ---- Hosts and times ------------------------------------------------------- */

static int on_host(sqlite3_stmt *row, void *ctx)
{
	struct look *l = ctx;
	int64_t seq = sqlite3_column_int64(row, 0);
	int r;

	if (!event_host_matches(sql_text(row, 1), l->filter->host))
		return 0;
	r = bits_set(&l->narrow->hosts, seq);
	return r < 0 ? r : add_block_of(l, seq);
}

static int look_at_hosts(struct look *l)
{
	int r;

	if (!l->filter->host)
		return 0;
	l->narrow->has_hosts = true;
	r = each_row(l, "SELECT seq, host FROM detail WHERE host IS NOT NULL", on_host, l);
	if (r == 0)
		end_condition(l);
	return r;
}

static int on_block(sqlite3_stmt *row, void *ctx)
{
	struct look *l = ctx;
	uint64_t first = (uint64_t)sqlite3_column_int64(row, 1);
	uint64_t last = (uint64_t)sqlite3_column_int64(row, 2);

	if (last < l->filter->since_ns || (l->filter->until_ns && first > l->filter->until_ns))
		return 0;
	return bits_set(&l->blocks, sqlite3_column_int64(row, 0));
}

static int look_at_times(struct look *l)
{
	int r;

	if (!l->filter->since_ns && !l->filter->until_ns)
		return 0;
	r = each_row(l, "SELECT id, first_time, last_time FROM block", on_block, l);
	if (r == 0)
		end_condition(l);
	return r;
}

/* ---- All of it ------------------------------------------------------------- */

int narrow_init(struct narrow *n, sqlite3 *db, const struct event_filter *f, uint64_t last_seq)
{
	static int (*const conditions[])(struct look *l) = { look_at_actions, look_at_processes,
							     look_at_paths, look_at_hosts,
							     look_at_times };
	struct look l = { .narrow = n, .db = db, .filter = f };
	int r;

	*n = (struct narrow){ 0 };
	r = last_seq >= BITS_MAX ? -EBADMSG : bits_set(&n->blocks, (int64_t)(last_seq >> EVENT_BLOCK_BITS));
	if (r == 0)
		memset(n->blocks.words, 0xff, n->blocks.n_words * sizeof(*n->blocks.words));
	for (size_t i = 0; i < ARRAY_SIZE(conditions) && r == 0; i++)
		r = conditions[i](&l);
	bits_done(&l.blocks);
	return r;
}

void narrow_done(struct narrow *n)
{
	bits_done(&n->actions);
	bits_done(&n->processes);
	bits_done(&n->directories);
	bits_done(&n->targets);
	bits_done(&n->hosts);
	bits_done(&n->blocks);
}

bool narrow_has_numbers(const struct narrow *n)
{
	return n->has_actions || n->has_processes || n->has_directories || n->has_hosts;
}

bool narrow_may_match(const struct narrow *n, uint64_t seq, int64_t action, int64_t process,
		      int64_t directory)
{
	return (!n->has_actions || bits_has(&n->actions, (uint64_t)action)) &&
	       (!n->has_processes || bits_has(&n->processes, (uint64_t)process)) &&
	       (!n->has_hosts || bits_has(&n->hosts, seq)) &&
	       (!n->has_directories || bits_has(&n->directories, (uint64_t)directory) ||
		bits_has(&n->targets, seq));
}

bool narrow_next_block(const struct narrow *n, uint64_t *block, bool is_down)
{
	const uint64_t end = (uint64_t)n->blocks.n_words * 64;

	for (uint64_t b = *block; b < end; b += is_down ? -(uint64_t)1 : 1) {
		if (bits_has(&n->blocks, b)) {
			*block = b;
			return true;
		}
	}
	return false;
}
