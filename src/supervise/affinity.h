/*
 * A caller and the thread that answers it, on one processor. The kernel runs whom
 * it wakes on an idle processor, and to wake that up may take longer than all that the two
 * have to do, above all in a virtual machine; a program that moves between
 * processors also leaves its memory map behind on the other.
 *
 * Nobody gets to see that he is held: a caller has its own mask again before it runs on. A
 * program that begins in its dynamic loader is left held until that asks for a library, which
 * happens before anything that could look. (After an exec that fails against all
 * appearances, for want of memory say, it takes until its worker gets the processor.)
 */
#pragma once

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* A task that is held, by the number it has now. */
struct affinity_hold {
	pid_t tid;	   /* 0: nobody */
	cpu_set_t callers; /* what it had */
	cpu_set_t here;	   /* what it has */
};

#define AFFINITY_LEFT 8

/* Programs that go on while they are held; all workers share this. All zero but for the lock: none.
 */
struct affinity_left {
	pthread_mutex_t lock;
	_Atomic unsigned n;
	struct affinity_hold holds[AFFINITY_LEFT];
};

/* Of one worker, which holds one caller at a time. */
struct affinity {
	struct affinity_left *left;
	cpu_set_t own;	      /* the thread's mask */
	cpu_set_t everywhere; /* of a task that may run wherever its cpuset lets it */
	bool is_known;	      /* false: nobody is ever held */
	struct affinity_hold hold;
};

/* For the calling thread, which alone may use it. */
void affinity_init(struct affinity *a, struct affinity_left *left);
/*
 * Holds a caller and the calling thread on the processor that the thread is on. Without
 * effect where that is not among those the caller may use, or where masks cannot be set.
 */
void affinity_take(struct affinity *a, pid_t tid);
/* Gives the thread its own mask back. The caller stays held. */
void affinity_free_self(struct affinity *a);
/* The caller is gone, or will not run again: frees the thread alone. */
void affinity_drop(struct affinity *a);
/* Gives the caller its own mask back, unless somebody has given it another one meanwhile. tid: its
 * number by now. */
void affinity_free_caller(struct affinity *a, pid_t tid);
/* Lets the caller go on while it is held, until affinity_free_left. False where there is no room,
 * or nobody held: then affinity_free_caller must come first. */
bool affinity_leave(struct affinity *a, pid_t tid);
/* Frees the task if it is one that was left. To be called, by any worker, before a call is
 * answered. */
void affinity_free_left(struct affinity *a, pid_t tid);
