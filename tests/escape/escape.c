#include "escape.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_PARAMETERS 3

const char *allowed, *denied, *secret, *work;

static struct {
	volatile int n_escaped, n_broken;
} * shared;
static const char *context_name = "self";
static char *own_path;

static void say(const char *verdict, int result, const char *format, va_list args)
{
	char text[900], line[1200];

	vsnprintf(text, sizeof(text), format, args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = '?';
	snprintf(line, sizeof(line), "%-8s [%s] %s%s%s\n", verdict, context_name, text,
		 result < 0 ? ": " : "",
		 result < 0 ? strerrorname_np(-result) ?: "unknown errno" : "");
	if (write(STDOUT_FILENO, line, strlen(line)) < 0)
		abort();
}

void must_fail(int result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(result < 0 ? "denied" : "ESCAPED", result, format, args);
	va_end(args);
	if (result >= 0)
		__atomic_add_fetch(&shared->n_escaped, 1, __ATOMIC_SEQ_CST);
}

void must_work(int result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(result < 0 ? "BROKEN" : "works", result, format, args);
	va_end(args);
	if (result < 0)
		__atomic_add_fetch(&shared->n_broken, 1, __ATOMIC_SEQ_CST);
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("note", 0, format, args);
	va_end(args);
}

void give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("UNFIT", -errno, format, args);
	va_end(args);
	_exit(EXIT_PARAMETERS);
}

const char *optional(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

const char *need(const char *name)
{
	const char *value = optional(name, NULL);

	errno = ENOENT;
	if (!value)
		give_up("the environment variable %s is not set", name);
	return value;
}

long need_number(const char *name, long otherwise)
{
	const char *value = optional(name, NULL);

	return value ? strtol(value, NULL, 0) : otherwise;
}

int outcome(long result)
{
	if (result >= 0)
		return 0;
	return errno ? -errno : -EIO;
}

int took(int fd)
{
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int has_content(int fd, const char *want)
{
	char bytes[8192];
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (len < sizeof(bytes) && (n = read(fd, bytes + len, sizeof(bytes) - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	return len >= strlen(want) && memcmp(bytes, want, strlen(want)) == 0 ? 0 : -EBADMSG;
}

int has_secret(const void *bytes, size_t len)
{
	return memmem(bytes, len, secret, strlen(secret)) ? 0 : -ENODATA;
}

int in_child(int (*fn)(void *), void *arg)
{
	int *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int value;
	pid_t pid;

	if (result == MAP_FAILED)
		give_up("mmap");
	*result = -ECANCELED;
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		*result = fn(arg);
		_exit(0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	value = *result;
	munmap(result, sizeof(*result));
	return value;
}

int runs(exec_fn exec, const char *path, char *const *argv, const char *want)
{
	int out[2], failed[2], error = 0, result, status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(failed, O_CLOEXEC) < 0)
		give_up("pipe");
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		exec(path, argv, environ);
		error = errno;
		if (write(failed[1], &error, sizeof(error)) < 0)
			abort();
		_exit(127);
	}
	close(out[1]);
	close(failed[1]);
	result = has_content(out[0], want);
	if (read(failed[0], &error, sizeof(error)) == sizeof(error))
		result = -error;
	close(failed[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (result == -EBADMSG && WIFSIGNALED(status))
		result = -ECANCELED;
	return result;
}

const char *in(const char *format, ...)
{
	char *path;
	va_list args;

	va_start(args, format);
	if (vasprintf(&path, format, args) < 0)
		give_up("no memory");
	va_end(args);
	return path;
}

const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *directory_of(const char *path)
{
	return in("%.*s", (int)(name_of(path) - path - 1), path);
}

void put(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, content, strlen(content)) != (ssize_t)strlen(content))
		give_up("write %s", path);
	close(fd);
}

bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void *thread_main(void *unused)
{
	technique();
	return unused;
}

static void in_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_main, NULL) || pthread_join(thread, NULL))
		give_up("pthread_create");
}

static int in_forked(void *unused)
{
	(void)unused;
	technique();
	return 0;
}

static int in_orphan(void *done)
{
	pid_t parent = getpid(), pid;

	setsid();
	pid = fork();
	if (pid != 0)
		return 0;
	while (getppid() == parent)
		usleep(100);
	technique();
	if (write(*(int *)done, "", 1) < 0)
		abort();
	_exit(0);
}

static void wait_for_orphan(void)
{
	int done[2];
	char byte;

	if (pipe2(done, O_CLOEXEC) < 0)
		give_up("pipe");
	in_child(in_orphan, &done[1]);
	close(done[1]);
	if (read(done[0], &byte, 1) != 1)
		must_work(-ECANCELED, "the orphan ran to its end");
	close(done[0]);
}

static void after_exec(void)
{
	char *argv[] = { own_path, NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("ESCAPE_CONTEXT", "exec", 1);
		execv(own_path, argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		give_up("exec");
	shared->n_escaped += WIFEXITED(status) && WEXITSTATUS(status) == 1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		must_work(-ENOEXEC, "the program ran to its end after an exec (status 0x%x)",
			  status);
}

static void run_in(enum context context)
{
	switch (context) {
	case CONTEXT_SELF:
		technique();
		return;
	case CONTEXT_CHILD:
		context_name = "child";
		if (in_child(in_forked, NULL) < 0)
			must_work(-ECANCELED, "the child ran to its end");
		return;
	case CONTEXT_THREAD:
		context_name = "thread";
		in_thread();
		return;
	case CONTEXT_ORPHAN:
		context_name = "orphan";
		wait_for_orphan();
		return;
	case CONTEXT_EXEC:
		after_exec();
		return;
	case CONTEXT_ALL:
		return;
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	own_path = realpath(argv[0], NULL);
	allowed = need("ALLOWED");
	denied = need("DENIED");
	secret = need("SECRET");
	work = need("WORK");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || !own_path)
		return EXIT_PARAMETERS;
	context_name = optional("ESCAPE_CONTEXT", "self");
	if (getenv("ESCAPE_CONTEXT")) {
		technique();
	} else {
		for (unsigned int bit = 1; bit < CONTEXT_ALL; bit <<= 1)
			if (technique_contexts & bit)
				run_in(bit);
	}
	return shared->n_escaped ? 1 : shared->n_broken ? 2 : 0;
}
