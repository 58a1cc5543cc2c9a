#include "supervise/give.h"

#include "base/clock.h"
#include "supervise/notify.h"
#include "supervise/worker.h"

/* So often each of the two ways is measured. */
#define MEASURE_EVERY 16
/* How much of the average is the newest. */
#define SHARE 4

static void learn(uint64_t *average_ns, uint64_t took_ns)
{
	*average_ns = *average_ns ? *average_ns - *average_ns / SHARE + took_ns / SHARE : took_ns;
}

static int place_apart(struct worker *w, int fd, bool close_on_exec)
{
	return notify_place_fd(w->s->listener_fd, w->call->id, fd, close_on_exec);
}

static int place_beside(struct worker *w, int fd, bool close_on_exec)
{
	pid_t caller = (pid_t)w->call->pid;
	int number;

	affinity_take(&w->affinity, caller);
	number = place_apart(w, fd, close_on_exec);
	affinity_free_self(&w->affinity);
	affinity_free_caller(&w->affinity, caller);
	return number;
}

/* Both ways in turn: what is measured is that the caller wakes up, does its part and wakes the
 * worker. */
static int place_measured(struct worker *w, int fd, bool close_on_exec)
{
	struct give_times *t = &w->give_times;
	bool is_beside = t->n / MEASURE_EVERY % 2;
	uint64_t start_ns = clock_monotonic_ns();
	int number =
		is_beside ? place_beside(w, fd, close_on_exec) : place_apart(w, fd, close_on_exec);

	learn(is_beside ? &t->beside_ns : &t->apart_ns, clock_monotonic_ns() - start_ns);
	return number;
}

/* Clearly: apart, an answer in the same step saves something that is not measured. */
static bool is_beside_faster(const struct worker *w)
{
	return w->give_times.beside_ns < w->give_times.apart_ns / 4 * 3;
}

int give(struct worker *w, int fd, bool close_on_exec)
{
	/* Where an answer wakes the caller on any processor there is nothing to be won. */
	if (!w->s->has_sync_wake)
		return place_apart(w, fd, close_on_exec);
	if (w->give_times.n++ % MEASURE_EVERY == 0)
		return place_measured(w, fd, close_on_exec);
	return is_beside_faster(w) ? place_beside(w, fd, close_on_exec)
				   : place_apart(w, fd, close_on_exec);
}

/*
 * Beside each other in two steps: the caller sleeps again before it is let go, for it must not run
 * on while it is held. If it is killed in between it has been given the descriptor all the same,
 * and others may share its table.
 */
int give_and_answer(struct worker *w, int fd, bool close_on_exec)
{
	int number;

	if (!w->s->has_sync_wake ||
	    (!is_beside_faster(w) && w->give_times.n % MEASURE_EVERY != 0)) {
		w->give_times.n++;
		return notify_give_fd(w->s->listener_fd, w->call->id, fd, close_on_exec);
	}
	number = give(w, fd, close_on_exec);
	if (number >= 0)
		(void)notify_answer(w->s->listener_fd, w->call->id, number, 0);
	return number;
}
