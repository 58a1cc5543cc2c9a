/*
 * What lies in a ring's shared memory: one page of counters, then the data.
 * The data is mapped twice in a row, so that a record is always contiguous.
 * Public to the ring's tests, which break it on purpose.
 */
#pragma once

#include <stdatomic.h>

#include "event/ring.h"

#define RING_HEADER_SIZE ((size_t)4096)
#define RING_ALIGN ((size_t)8) /* records start at multiples of it */

/* Each group has a cache line (or two, for prefetchers that fetch pairs) of its own. */
struct ring_header {
	/* The writer's. */
	_Alignas(128) _Atomic uint64_t head; /* bytes ever written */
	_Atomic uint64_t n_lost;	     /* events ever lost */
	/* The reader's. */
	_Alignas(128) _Atomic uint64_t tail; /* bytes ever taken */
	/* Who waits. */
	_Alignas(128) _Atomic uint32_t is_reader_asleep;
	_Atomic uint32_t is_writer_waiting;
	_Atomic uint32_t room_futex; /* counts the wake-ups of a waiting writer */
};

enum ring_flag {
	RING_HAS_UID = 1,
	RING_ARGV_CUT = 2,
	RING_IS_CUT = 4,
	RING_HAS_FLAGS = 8,
	RING_HAS_MODE_BITS = 16,
	RING_HAS_PORT = 32,
	RING_HAS_STATUS = 64,
	RING_ALL_FLAGS = 127,
};

#define RING_N_TEXTS 18 /* EVENT_N_TEXTS */

/* A record's fixed part; the texts follow without separators, then padding. */
struct ring_record {
	uint32_t len;				  /* of all of it, a multiple of RING_ALIGN */
	uint8_t kind, decision, backend, present; /* present: enum ring_flag */
	uint64_t time_ns, generation, bytes_in, bytes_out, count;
	int32_t pid, ppid, error, status;
	uint32_t uid, flags, mode_bits, latency_us;
	uint16_t port, padding[3];
	uint32_t text_len[RING_N_TEXTS];
};

#define RING_RECORD_MAX                                                                            \
	(sizeof(struct ring_record) + LIMIT_ARGV + (RING_N_TEXTS - 1) * RING_TEXT_MAX + RING_ALIGN)
