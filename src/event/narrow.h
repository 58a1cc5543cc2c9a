/*
 * Where in a store the records can be that a filter selects: by the tables that
 * are small, without reading the events themselves. Everything it leaves out is
 * surely not selected; what it leaves in must still be looked at.
 */
#pragma once

#include "event/filter.h"
#include "event/store-private.h"

/* A growing set of numbers. */
struct bits {
	uint64_t *words;
	size_t n_words;
};

struct narrow {
	bool has_actions, has_processes, has_directories, has_hosts;
	struct bits actions, processes, directories; /* ids of rows that may be meant */
	struct bits targets, hosts;		     /* seqs whose other path, or host, is meant */
	struct bits blocks;			     /* in which there may be something */
};

/* Looks at what last_seq records left. -EBADMSG: ids in it that no writer gives. */
int narrow_init(struct narrow *n, sqlite3 *db, const struct event_filter *f, uint64_t last_seq)
	_must_check_;
void narrow_done(struct narrow *n);
/* Is there anything that a row's numbers can tell? */
bool narrow_has_numbers(const struct narrow *n);
bool narrow_may_match(const struct narrow *n, uint64_t seq, int64_t action, int64_t process,
		      int64_t directory);
/* The next block from that one on, upward or downward, in which something may be; false: none. */
bool narrow_next_block(const struct narrow *n, uint64_t *block, bool is_down);
