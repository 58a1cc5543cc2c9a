#include "race.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

struct swapper {
	void (*swap)(void *);
	void *arg;
	pthread_t thread;
	pid_t pid;
	atomic_bool is_over;
};

/* How often each side must have been met. */
static long enough(long rounds)
{
	return rounds / 1000 + 5;
}

bool race_goes_on(const struct tally *t)
{
	long rounds = need_number("ROUNDS", 100000), min = enough(rounds);

	if (t->n_rounds < rounds)
		return true;
	if (t->n_allowed >= min && t->n_refused + t->n_reached >= min)
		return false;
	if (t->n_rounds % 16 == 0)
		sched_yield();
	return t->n_rounds < 10 * rounds;
}

/* Not always the same time, or both sides may fall into step. */
static void linger(void)
{
	static __thread unsigned int x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	for (unsigned int i = x % 4096; i > 0; i--)
		__asm__ volatile("");
}

void race_flip(void *flip)
{
	struct flip *f = flip;

	*f->byte = f->one;
	linger();
	*f->byte = f->other;
	linger();
}

void race_count_fd(struct tally *t, int fd)
{
	char bytes[256];
	ssize_t n;

	t->n_rounds++;
	if (fd < 0) {
		t->n_refused += errno == EACCES || errno == EPERM;
		t->n_other += errno != EACCES && errno != EPERM;
		return;
	}
	n = read(fd, bytes, sizeof(bytes));
	if (n > 0 && has_secret(bytes, (size_t)n) == 0)
		t->n_reached++;
	else if (n >= 6 && memcmp(bytes, "public", 6) == 0)
		t->n_allowed++;
	else
		t->n_other++;
	close(fd);
}

void race_end(const struct tally *t, const char *name)
{
	note("%s: %ld rounds, %ld permitted, %ld refused, %ld reached, %ld other", name,
	     t->n_rounds, t->n_allowed, t->n_refused, t->n_reached, t->n_other);
	must_fail(t->n_reached ? 0 : -EACCES, "%s: %ld of %ld rounds reached the denied object",
		  name, t->n_reached, t->n_rounds);
	must_work(t->n_allowed > 4 ? 0 : -EACCES, "%s: %ld of %ld rounds reached the permitted one",
		  name, t->n_allowed, t->n_rounds);
	must_work(t->n_refused + t->n_reached > 4 ? 0 : -ENODATA,
		  "%s: %ld of %ld rounds met the denied one", name, t->n_refused + t->n_reached,
		  t->n_rounds);
}

void race_end_refused(const struct tally *t, const char *name)
{
	note("%s: %ld rounds, %ld permitted, %ld refused, %ld reached", name, t->n_rounds, t->n_allowed,
	     t->n_refused, t->n_reached);
	must_fail(t->n_reached ? 0 : -EACCES, "%s: %ld of %ld rounds reached the denied object",
		  name, t->n_reached, t->n_rounds);
	must_work(t->n_refused > 4 ? 0 : -ENODATA, "%s: %ld of %ld rounds were refused", name, t->n_refused,
		  t->n_rounds);
}

static void *swapper_main(void *swapper)
{
	struct swapper *s = swapper;

	while (!atomic_load_explicit(&s->is_over, memory_order_relaxed))
		s->swap(s->arg);
	return NULL;
}

struct swapper *swapper_start(void (*swap)(void *), void *arg, bool in_process)
{
	struct swapper *s = calloc(1, sizeof(*s));

	if (!s)
		give_up("no memory");
	s->swap = swap;
	s->arg = arg;
	if (!in_process) {
		if (pthread_create(&s->thread, NULL, swapper_main, s))
			give_up("pthread_create");
		return s;
	}
	s->pid = fork();
	if (s->pid < 0)
		give_up("fork");
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		swapper_main(s);
		_exit(0);
	}
	return s;
}

void swapper_stop(struct swapper *s)
{
	atomic_store(&s->is_over, true);
	if (s->pid) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	} else {
		pthread_join(s->thread, NULL);
	}
	free(s);
}

char *race_path(size_t *ret_place)
{
	char *path = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t len = strlen(allowed), n_different = 0;

	if (path == MAP_FAILED || len != strlen(denied) || len >= 8192)
		give_up("ALLOWED and DENIED must be of one length");
	for (size_t i = 0; i < len; i++)
		if (allowed[i] != denied[i]) {
			*ret_place = i;
			n_different++;
		}
	if (n_different != 1)
		give_up("ALLOWED and DENIED must differ in one byte");
	memcpy(path, allowed, len + 1);
	return path;
}
