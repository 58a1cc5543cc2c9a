#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "cli/running.h"
#include "event/store.h"

#define LOOK_MS 20

/* Its lock is held as long as it lives; so the number is its own, but for the moment after. */
static bool is_there(const struct running_process *p)
{
	return event_store_is_open(p->session->directory);
}

int running_process_open(const struct running *r, struct running_process *ret, struct err *err)
{
	struct running_process p = { .fd = -1, .session = r };

	if (r->pid <= 1)
		return err_say(err, -ESRCH, "the session %s has not said which process it is",
			       r->id);
	if (!is_there(&p))
		return err_say(err, -ESRCH, "the session %s is over", r->id);
	*ret = p;
	return 0;
}

void running_process_close(struct running_process *p)
{
	(void)p;
}

int running_process_signal(const struct running_process *p, int number)
{
	return is_there(p) && kill(p->session->pid, number) < 0 && errno != ESRCH ? -errno : 0;
}

int running_process_wait(const struct running_process *p, uint64_t wait_ms)
{
	uint64_t until = clock_monotonic_ns() + wait_ms * NS_PER_MS;

	while (is_there(p) && clock_monotonic_ns() < until)
		(void)poll(NULL, 0, LOOK_MS);
	return !is_there(p);
}
