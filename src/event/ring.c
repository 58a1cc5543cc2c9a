#include "event/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "event/event-private.h"
#include "event/ring-private.h"

_Static_assert(sizeof(struct ring_header) <= RING_HEADER_SIZE, "the header fits its page");
_Static_assert(sizeof(struct ring_record) % RING_ALIGN == 0, "texts follow the record directly");

struct event_ring {
	struct ring_header *header; /* shared */
	unsigned char *data;	    /* shared, mapped twice */
	size_t size;
	int wake_fd; /* not owned */
	/* Writer */
	pthread_mutex_t lock;
	bool is_lossy; /* a wait ran out: do not wait again before there was room */
	/* Reader */
	uint64_t tail, n_lost_seen;
	unsigned char *record; /* a copy that the writer cannot change under us */
	bool is_broken;
};

/* ---- The shared memory --------------------------------------------------- */

int event_ring_create(size_t size, int *ret_memory_fd, int *ret_wake_fd, struct err *err)
{
	_cleanup_close_ int memory_fd = -1;
	_cleanup_close_ int wake_fd = -1;

	if (size < RING_HEADER_SIZE || (size & (size - 1)))
		return err_set(err, -EINVAL, "make an event ring of %zu bytes", size);
	memory_fd = memfd_create("leash-events", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory_fd < 0)
		return err_set(err, -errno, "make the event ring's memory");
	/* Whoever maps it must not get SIGBUS because another process made it smaller. */
	if (ftruncate(memory_fd, (off_t)(RING_HEADER_SIZE + size)) < 0 ||
	    fcntl(memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_set(err, -errno, "size the event ring's memory");
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return err_set(err, -errno, "make the event ring's wake-up");
	*ret_memory_fd = TAKE_FD(memory_fd);
	*ret_wake_fd = TAKE_FD(wake_fd);
	return 0;
}

_Static_assert(RING_N_TEXTS == EVENT_N_TEXTS, "the ring carries every text");

static int ring_size(int memory_fd, size_t *ret)
{
	int seals = fcntl(memory_fd, F_GET_SEALS);
	struct stat st;
	size_t size;

	if (seals < 0 || fstat(memory_fd, &st) < 0)
		return -errno;
	if ((seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW) ||
	    st.st_size < (off_t)(2 * RING_HEADER_SIZE))
		return -EINVAL;
	size = (size_t)st.st_size - RING_HEADER_SIZE;
	if (size & (size - 1))
		return -EINVAL;
	*ret = size;
	return 0;
}

/* One reserved range holds header, data, and data again; data_prot is how the data may be used. */
static int map_ring(struct event_ring *r, int memory_fd, int data_prot)
{
	unsigned char *at;

	at = mmap(NULL, RING_HEADER_SIZE + 2 * r->size, PROT_NONE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	r->header = (struct ring_header *)(void *)at;
	r->data = at + RING_HEADER_SIZE;
	if (mmap(at, RING_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory_fd,
		 0) == MAP_FAILED ||
	    mmap(r->data, r->size, data_prot, MAP_SHARED | MAP_FIXED, memory_fd,
		 (off_t)RING_HEADER_SIZE) == MAP_FAILED ||
	    mmap(r->data + r->size, r->size, data_prot, MAP_SHARED | MAP_FIXED, memory_fd,
		 (off_t)RING_HEADER_SIZE) == MAP_FAILED)
		return -errno;
	return 0;
}

static int open_ring(int memory_fd, int wake_fd, int data_prot, struct event_ring **ret)
{
	struct event_ring *r = xnew(struct event_ring);
	int err;

	r->wake_fd = wake_fd;
	err = ring_size(memory_fd, &r->size);
	if (err == 0)
		err = map_ring(r, memory_fd, data_prot);
	if (err == 0)
		err = -pthread_mutex_init(&r->lock, NULL);
	if (err < 0) {
		event_ring_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

int event_ring_open_writer(int memory_fd, int wake_fd, struct event_ring **ret)
{
	struct event_ring *r;
	int err = open_ring(memory_fd, wake_fd, PROT_READ | PROT_WRITE, &r);

	if (err < 0)
		return err;
	r->tail = atomic_load(&r->header->tail);
	*ret = r;
	return 0;
}

int event_ring_open_reader(int memory_fd, int wake_fd, struct event_ring **ret)
{
	struct event_ring *r;
	int err = open_ring(memory_fd, wake_fd, PROT_READ, &r);

	if (err < 0)
		return err;
	r->record = xcalloc(1, RING_RECORD_MAX);
	atomic_store(&r->header->is_reader_asleep, 1);
	*ret = r;
	return 0;
}

void event_ring_free(struct event_ring *r)
{
	if (!r)
		return;
	if (r->header)
		(void)munmap(r->header, RING_HEADER_SIZE + 2 * r->size);
	xfree(r->record);
	xfree(r);
}

static void ring_bell(const struct event_ring *r)
{
	uint64_t one = 1;

	/* EAGAIN: the counter is full, so the reader is being woken already. */
	if (write(r->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* ---- Writing ------------------------------------------------------------- */

static size_t aligned(size_t n)
{
	return (n + RING_ALIGN - 1) & ~(RING_ALIGN - 1);
}

static uint8_t present_flags(const struct event *e)
{
	return (uint8_t)((e->has_uid ? RING_HAS_UID : 0) | (e->argv_cut ? RING_ARGV_CUT : 0) |
			 (e->is_cut ? RING_IS_CUT : 0) | (e->has_flags ? RING_HAS_FLAGS : 0) |
			 (e->has_mode_bits ? RING_HAS_MODE_BITS : 0) |
			 (e->has_port ? RING_HAS_PORT : 0) | (e->has_status ? RING_HAS_STATUS : 0));
}

/* Cuts the texts of e to what a ring takes, and describes it. */
static struct ring_record describe(struct event *e)
{
	struct ring_record rec = { .kind = (uint8_t)e->kind,
				   .decision = (uint8_t)e->decision,
				   .backend = (uint8_t)e->backend,
				   .time_ns = e->time_ns ? e->time_ns : clock_real_ns(),
				   .generation = e->generation,
				   .bytes_in = e->bytes_in,
				   .bytes_out = e->bytes_out,
				   .count = e->count,
				   .pid = e->pid,
				   .ppid = e->ppid,
				   .error = e->error,
				   .status = e->status,
				   .uid = e->uid,
				   .flags = e->flags,
				   .mode_bits = e->mode_bits,
				   .latency_us = e->latency_us,
				   .port = e->port };
	size_t len = sizeof(rec);

	for (size_t i = 0; i < RING_N_TEXTS; i++) {
		struct span *text = event_text(e, i);
		size_t max = i == 0 ? LIMIT_ARGV : RING_TEXT_MAX;

		if (text->len > max) {
			text->len = max;
			*(i == 0 ? &e->argv_cut : &e->is_cut) = true;
		}
		rec.text_len[i] = (uint32_t)text->len;
		len += text->len;
	}
	rec.present = present_flags(e);
	rec.len = (uint32_t)aligned(len);
	return rec;
}

static bool has_room(struct event_ring *r, size_t len)
{
	uint64_t head = atomic_load_explicit(&r->header->head, memory_order_relaxed);

	if (r->size - (head - r->tail) >= len && head - r->tail <= r->size)
		return true;
	r->tail = atomic_load(&r->header->tail);
	return head - r->tail <= r->size && r->size - (head - r->tail) >= len;
}

static void futex_wait(_Atomic uint32_t *futex, uint32_t expected, uint64_t max_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(max_ns / NS_PER_SEC),
			       .tv_nsec = (long)(max_ns % NS_PER_SEC) };

	/* Every way this can return is answered by looking again. */
	(void)syscall(SYS_futex, futex, FUTEX_WAIT, expected, &ts, NULL, 0);
}

/* Waits for at most RING_BLOCK_MS; once that was in vain, not again before there was room. */
static bool wait_for_room(struct event_ring *r, size_t len)
{
	uint64_t deadline, now;

	if (has_room(r, len)) {
		r->is_lossy = false;
		return true;
	}
	if (r->is_lossy || len > r->size)
		return false;
	deadline = clock_monotonic_ns() + RING_BLOCK_MS * NS_PER_MS;
	while ((now = clock_monotonic_ns()) < deadline && !has_room(r, len)) {
		uint32_t seen = atomic_load(&r->header->room_futex);

		atomic_store(&r->header->is_writer_waiting, 1);
		/* The reader may have made room before it could see that somebody waits. */
		if (!has_room(r, len))
			futex_wait(&r->header->room_futex, seen, deadline - now);
	}
	/* Left standing, it would have the reader wake nobody, with a system call. */
	atomic_store(&r->header->is_writer_waiting, 0);
	r->is_lossy = !has_room(r, len);
	return !r->is_lossy;
}

static void publish(struct event_ring *r, const struct ring_record *rec, struct event *e)
{
	uint64_t head = atomic_load_explicit(&r->header->head, memory_order_relaxed);
	unsigned char *to = r->data + (head & (r->size - 1));

	memcpy(to, rec, sizeof(*rec));
	to += sizeof(*rec);
	for (size_t i = 0; i < RING_N_TEXTS; i++) {
		if (rec->text_len[i])
			memcpy(to, event_text(e, i)->p, rec->text_len[i]);
		to += rec->text_len[i];
	}
	atomic_store(&r->header->head, head + rec->len);
}

void event_ring_write(struct event_ring *r, const struct event *e)
{
	struct event cut = *e;
	struct ring_record rec = describe(&cut);

	(void)pthread_mutex_lock(&r->lock);
	if (wait_for_room(r, rec.len))
		publish(r, &rec, &cut);
	else
		atomic_fetch_add(&r->header->n_lost, 1);
	(void)pthread_mutex_unlock(&r->lock);
	/* The first who finds the reader asleep wakes it; no system call while it is awake. */
	if (atomic_load(&r->header->is_reader_asleep) &&
	    atomic_exchange(&r->header->is_reader_asleep, 0))
		ring_bell(r);
}

/* ---- Reading ------------------------------------------------------------- */

/* Is the record, our own copy, well-formed, and do its texts fill it up to the padding? */
static bool is_sound(const struct ring_record *rec)
{
	size_t len = sizeof(*rec);

	if (rec->kind == EVENT_NONE || rec->kind >= EVENT_KIND_MAX ||
	    rec->decision >= EVENT_DECISION_MAX || rec->backend > EVENT_BACKEND_DAEMON ||
	    (rec->present & ~RING_ALL_FLAGS))
		return false;
	for (size_t i = 0; i < RING_N_TEXTS; i++) {
		if (rec->text_len[i] > (i == 0 ? LIMIT_ARGV : RING_TEXT_MAX))
			return false;
		len += rec->text_len[i];
	}
	return rec->len == aligned(len);
}

static void restore(const struct ring_record *rec, const unsigned char *texts, struct event *e)
{
	*e = (struct event){ .kind = (enum event_kind)rec->kind,
			     .decision = (enum event_decision)rec->decision,
			     .backend = (enum event_backend)rec->backend,
			     .time_ns = rec->time_ns,
			     .generation = rec->generation,
			     .bytes_in = rec->bytes_in,
			     .bytes_out = rec->bytes_out,
			     .count = rec->count,
			     .pid = rec->pid,
			     .ppid = rec->ppid,
			     .error = rec->error,
			     .status = rec->status,
			     .uid = rec->uid,
			     .flags = rec->flags,
			     .mode_bits = rec->mode_bits,
			     .latency_us = rec->latency_us,
			     .port = rec->port,
			     .has_uid = rec->present & RING_HAS_UID,
			     .argv_cut = rec->present & RING_ARGV_CUT,
			     .is_cut = rec->present & RING_IS_CUT,
			     .has_flags = rec->present & RING_HAS_FLAGS,
			     .has_mode_bits = rec->present & RING_HAS_MODE_BITS,
			     .has_port = rec->present & RING_HAS_PORT,
			     .has_status = rec->present & RING_HAS_STATUS };
	for (size_t i = 0; i < RING_N_TEXTS; i++) {
		*event_text(e, i) = span_make(texts, rec->text_len[i]);
		texts += rec->text_len[i];
	}
}

/* Copies the next record out, then looks at the copy only. Returns its length, or -EBADMSG. */
static int take(struct event_ring *r, uint64_t available, struct event *e)
{
	const unsigned char *from = r->data + (r->tail & (r->size - 1));
	struct ring_record rec;

	if (available < sizeof(rec))
		return -EBADMSG;
	memcpy(&rec, from, sizeof(rec));
	if (rec.len > available || rec.len > RING_RECORD_MAX || !is_sound(&rec))
		return -EBADMSG;
	memcpy(r->record, from + sizeof(rec), rec.len - sizeof(rec));
	restore(&rec, r->record, e);
	return (int)rec.len;
}

/*
 * A waiting writer is woken when an eighth of the ring is free, not for each
 * record taken. What is free is up to where it has written by now: one that waits
 * again has filled what it was woken for.
 */
static void make_room(struct event_ring *r, size_t len)
{
	uint64_t head;

	r->tail += len;
	atomic_store(&r->header->tail, r->tail);
	if (!atomic_load(&r->header->is_writer_waiting))
		return;
	head = atomic_load(&r->header->head);
	if (r->size - (head - r->tail) < r->size / 8)
		return;
	atomic_store(&r->header->is_writer_waiting, 0);
	atomic_fetch_add(&r->header->room_futex, 1);
	(void)syscall(SYS_futex, &r->header->room_futex, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static bool report_lost(struct event_ring *r, uint64_t n_lost,
			void (*fn)(const struct event *e, void *ctx), void *ctx)
{
	struct event e = { .kind = EVENT_LOST, .time_ns = clock_real_ns() };

	if (n_lost == r->n_lost_seen)
		return false;
	e.count = n_lost - r->n_lost_seen;
	e.message = SPAN("events could not be kept: the ring was full for too long");
	r->n_lost_seen = n_lost;
	fn(&e, ctx);
	return true;
}

/* From here on a writer rings the bell; what came before it could know that rings it now. */
static void fall_asleep(struct event_ring *r)
{
	struct ring_header *h = r->header;

	atomic_store(&h->is_reader_asleep, 1);
	if ((atomic_load(&h->head) != r->tail || atomic_load(&h->n_lost) != r->n_lost_seen) &&
	    atomic_exchange(&h->is_reader_asleep, 0))
		ring_bell(r);
}

/* Times that one drain looks again where a busy writer has filled half of the ring meanwhile. */
#define DRAIN_ROUNDS 4

static int fail(struct event_ring *r)
{
	r->is_broken = true;
	return -EBADMSG;
}

/* Hands over the records up to head. Returns how many, or -EBADMSG. */
static int drain_to(struct event_ring *r, uint64_t head,
		    void (*fn)(const struct event *e, void *ctx), void *ctx)
{
	int n = 0;

	while (r->tail != head) {
		struct event e;
		int len = take(r, head - r->tail, &e);

		if (len < 0)
			return -EBADMSG;
		fn(&e, ctx);
		make_room(r, (size_t)len);
		n++;
	}
	return n;
}

int event_ring_drain(struct event_ring *r, void (*fn)(const struct event *e, void *ctx), void *ctx)
{
	uint64_t bell, head, n_lost;
	int n = 0, taken;

	if (read(r->wake_fd, &bell, sizeof(bell)) < 0 && errno != EAGAIN)
		return fail(r);
	if (r->is_broken)
		return -EBADMSG;
	n_lost = atomic_load(&r->header->n_lost);
	for (int i = 0; i < DRAIN_ROUNDS; i++) {
		head = atomic_load(&r->header->head);
		if (head - r->tail > r->size || head % RING_ALIGN)
			return fail(r);
		/* Who waits is not left waiting until somebody drains again. */
		if (i && head - r->tail < r->size / 2)
			break;
		taken = drain_to(r, head, fn, ctx);
		if (taken < 0)
			return fail(r);
		n += taken;
	}
	n += report_lost(r, n_lost, fn, ctx);
	fall_asleep(r);
	return n;
}
