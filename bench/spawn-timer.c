/*
 * How long commands take, one beside the other. The commands are run in turns,
 * so that what else happens on the machine hits all of them; printed is, for
 * each, the median, the lower quartile and the least, in microseconds.
 *
 *   spawn-timer ROUNDS NAME COMMAND… [--- NAME COMMAND…]…
 *   spawn-timer --turns NAME COMMAND…
 *
 * With --turns it takes turns with others of its kind: for each line on its
 * standard input, a number of rounds, it prints a line of what each of them took.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 16

struct command {
	const char *name;
	char **argv;
	double *us;
};

extern char **environ;
static posix_spawn_file_actions_t quiet;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double run(const struct command *c)
{
	double start = now_us();
	int status, error;
	pid_t pid;

	error = posix_spawnp(&pid, c->argv[0], &quiet, NULL, c->argv, environ);
	if (error) {
		fprintf(stderr, "spawn-timer: %s: %s\n", c->argv[0], strerror(error));
		exit(1);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "spawn-timer: %s ended with status 0x%x\n", c->name,
			(unsigned)status);
		exit(1);
	}
	return now_us() - start;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Splits argv at "---"; returns how many commands there are. */
static size_t parse(char **argv, struct command *commands)
{
	size_t n = 0;

	while (*argv && n < MAX_COMMANDS) {
		commands[n].name = argv[0];
		commands[n].argv = argv + 1;
		while (*argv && strcmp(*argv, "---") != 0)
			argv++;
		if (*argv)
			*argv++ = NULL;
		if (!commands[n++].argv[0])
			return 0;
	}
	return n;
}

static int take_turns(const struct command *c)
{
	char line[32];

	run(c); /* fills caches */
	while (fgets(line, sizeof(line), stdin)) {
		for (unsigned long n = strtoul(line, NULL, 10); n > 0; n--)
			printf("%.1f ", run(c));
		printf("\n");
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct command commands[MAX_COMMANDS];
	bool has_turns = argc > 1 && strcmp(argv[1], "--turns") == 0;
	size_t rounds = argc > 1 && !has_turns ? strtoul(argv[1], NULL, 10) : has_turns,
	       n = argc > 3 ? parse(argv + 2, commands) : 0;
	int null_fd;

	if (rounds == 0 || n == 0) {
		fprintf(stderr,
			"usage: spawn-timer ROUNDS NAME COMMAND... [--- NAME COMMAND...]...\n"
			"       spawn-timer --turns NAME COMMAND...\n");
		return 2;
	}
	posix_spawn_file_actions_init(&quiet);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return 1;
	/* Opened once, here: what is measured is the command, not its opens. */
	posix_spawn_file_actions_adddup2(&quiet, null_fd, 0);
	posix_spawn_file_actions_adddup2(&quiet, null_fd, 1);
	if (has_turns)
		return take_turns(&commands[0]);
	for (size_t c = 0; c < n; c++) {
		commands[c].us = calloc(rounds, sizeof(double));
		if (!commands[c].us)
			return 1;
		run(&commands[c]); /* fills caches */
	}
	for (size_t i = 0; i < rounds; i++)
		for (size_t c = 0; c < n; c++)
			commands[c].us[i] = run(&commands[c]);
	for (size_t c = 0; c < n; c++) {
		qsort(commands[c].us, rounds, sizeof(double), by_value);
		printf("%s %.1f %.1f %.1f\n", commands[c].name, commands[c].us[rounds / 2],
		       commands[c].us[rounds / 4], commands[c].us[0]);
		free(commands[c].us);
	}
	return 0;
}
