/* Machines: made once, grown to the largest program they have run. */
#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/vm-private.h"

#define CHUNK_MIN ((size_t)4096)

struct memory_chunk {
	struct memory_chunk *next;
	size_t size;
	_Alignas(max_align_t) char data[];
};

/* Behind the current chunk, whose followers are all unused. */
static bool add_chunk(struct memory *m, size_t size)
{
	size_t room = MAX(size, m->current ? m->current->size * 2 : CHUNK_MIN);
	struct memory_chunk *chunk;

	if (room > m->max - m->size)
		room = size;
	if (room > m->max - m->size)
		return false;
	chunk = xcalloc(1, sizeof(*chunk) + room);
	chunk->size = room;
	m->size += room;
	if (m->current) {
		chunk->next = m->current->next;
		m->current->next = chunk;
	} else {
		m->first = chunk;
	}
	m->current = chunk;
	m->at = 0;
	return true;
}

/* To a chunk with that much room: one that is there, or a new one. */
static bool next_chunk(struct memory *m, size_t size)
{
	while (m->current && m->current->next) {
		m->current = m->current->next;
		m->at = 0;
		if (m->current->size >= size)
			return true;
	}
	return add_chunk(m, size);
}

void *memory_alloc(struct memory *m, size_t n, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(n, size, &total) || total > SIZE_MAX / 4)
		return NULL;
	total = (total + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if ((!m->current || total > m->current->size - m->at) && !next_chunk(m, total))
		return NULL;
	p = m->current->data + m->at;
	m->at += total;
	return p;
}

void memory_reset(struct memory *m)
{
	m->current = m->first;
	m->at = 0;
}

void memory_done(struct memory *m)
{
	while (m->first) {
		struct memory_chunk *chunk = m->first;

		m->first = chunk->next;
		xfree(chunk);
	}
	*m = (struct memory){ 0 };
}

struct cedar_machine *cedar_machine_new(size_t max)
{
	struct cedar_machine *m = xnew(struct cedar_machine);

	m->memory.max = max ? max : LIMIT_CEDAR_MACHINE;
	return m;
}

void cedar_machine_free(struct cedar_machine *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(m->subjects); i++)
		xfree(m->subjects[i].virtual.refs);
	memory_done(&m->memory);
	xfree(m->registers);
	xfree(m->memos);
	xfree(m->memo_values);
	xfree(m->memo_decisions);
	xfree(m->candidates);
	xfree(m->row);
	xfree(m->errors);
	xfree(m->reasons);
	xfree(m->policy_errors);
	xfree(m);
}
