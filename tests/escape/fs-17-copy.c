/* FS-17: copy a denied file inside the kernel, from whatever descriptor of it can be had. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_THREAD;

enum { N_WAYS = 6, N_SOURCES = 4 };

static const char *const names[N_WAYS] = { "copy_file_range", "sendfile", "splice",
					   "FICLONE",	      "mmap",	  "readlink" };
static const char *const sources[N_SOURCES] = { "O_RDONLY", "O_PATH", "O_WRONLY", "access mode 3" };

static int open_source(int way, const char *path)
{
	static const int flags[N_SOURCES] = { O_RDONLY, O_PATH, O_WRONLY, 3 };

	return open(path, flags[way]);
}

static int by_splice(int from, int to)
{
	int pipes[2];
	ssize_t n;

	if (pipe(pipes) < 0)
		give_up("pipe");
	n = splice(from, NULL, pipes[1], NULL, 4096, 0);
	if (n > 0)
		n = splice(pipes[0], NULL, to, NULL, (size_t)n, 0);
	close(pipes[0]);
	close(pipes[1]);
	return n > 0 ? 0 : -1;
}

static int by_mmap(int from, int to)
{
	const char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, from, 0);
	struct stat st;

	if (p == MAP_FAILED || fstat(from, &st) < 0)
		return -1;
	return write(to, p, (size_t)st.st_size) > 0 ? 0 : -1;
}

static int copy(int way, int from, int to)
{
	char text[1];

	switch (way) {
	case 0:
		return copy_file_range(from, NULL, to, NULL, 4096, 0) > 0 ? 0 : -1;
	case 1:
		return sendfile(to, from, NULL, 4096) > 0 ? 0 : -1;
	case 2:
		return by_splice(from, to);
	case 3:
		return ioctl(to, FICLONE, from);
	case 4:
		return by_mmap(from, to);
	default:
		return (int)readlinkat(from, "", text, sizeof(text));
	}
}

static int copies(int way, int source, const char *path, const char *want)
{
	const char *to = in("%s/fs-17-%d", work, gettid());
	int result, out, from = open_source(source, path);

	if (from < 0)
		return -errno;
	out = open(to, O_RDWR | O_CREAT | O_TRUNC, 0600);
	result = outcome(copy(way, from, out));
	close(from);
	close(out);
	if (result == 0)
		result = has_content(open(to, O_RDONLY), want);
	unlink(to);
	return result;
}

void technique(void)
{
	for (int way = 0; way < N_WAYS; way++)
		for (int source = 0; source < N_SOURCES; source++)
			must_fail(copies(way, source, denied, secret), "%s from %s", names[way],
				  sources[source]);
	must_work(copies(0, 0, allowed, "public"), "copy_file_range");
	must_work(copies(1, 0, allowed, "public"), "sendfile");
	must_work(copies(2, 0, allowed, "public"), "splice");
	must_work(copies(4, 0, allowed, "public"), "mmap");
}
