/*
 * What a Go program does to a supervisor: many threads open files while each
 * is interrupted all the time (Go preempts its threads with SIGURG). Every
 * open of a permitted file must succeed, every open of the forbidden one must
 * fail with EACCES, and nothing else may be seen.
 *
 * storm PERMITTED FORBIDDEN THREADS ROUNDS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *permitted, *forbidden;
static long rounds;
static atomic_long wrong, handled;
static atomic_int running;

static void on_signal(int number)
{
	(void)number;
	atomic_fetch_add(&handled, 1);
}

static void report(const char *what, int error)
{
	if (atomic_fetch_add(&wrong, 1) < 5)
		fprintf(stderr, "%s: %s\n", what, error ? strerror(error) : "succeeded");
}

static void *work(void *unused)
{
	(void)unused;
	for (long i = 0; i < rounds; i++) {
		char byte;
		int fd = open(permitted, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			report(permitted, errno);
		else if (read(fd, &byte, 1) != 1)
			report("read", errno);
		if (fd >= 0)
			close(fd);
		fd = open(forbidden, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 || errno != EACCES)
			report(forbidden, fd >= 0 ? 0 : errno);
		if (fd >= 0)
			close(fd);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pthread_t *threads;
	int n;

	if (argc != 5)
		return 2;
	permitted = argv[1];
	forbidden = argv[2];
	n = (int)strtol(argv[3], NULL, 10);
	rounds = strtol(argv[4], NULL, 10);
	threads = calloc((size_t)n, sizeof(*threads));
	if (!threads || sigaction(SIGURG, &action, NULL) < 0)
		return 2;
	atomic_store(&running, n);
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 2;
	while (atomic_load(&running) > 0) {
		struct timespec pause = { .tv_nsec = 100000 };

		for (int i = 0; i < n; i++)
			(void)pthread_kill(threads[i], SIGURG);
		(void)nanosleep(&pause, NULL);
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("signals %s, wrong %ld\n", atomic_load(&handled) > 100 ? "many" : "few", atomic_load(&wrong));
	free(threads);
	return atomic_load(&wrong) ? 1 : 0;
}
