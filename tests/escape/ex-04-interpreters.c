/* EX-04: a denied program as the interpreter of a script or of an ELF file; a denied script. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_THREAD;

static const char *mine(const char *name)
{
	return in("%s/ex-04-%d-%s", work, gettid(), name);
}

static const char *script(const char *name, const char *interpreter)
{
	const char *path = mine(name);

	put(path, in("#!%s\n", interpreter));
	chmod(path, 0755);
	return path;
}

static const char *raw_script(const char *text)
{
	const char *path = mine("direct");

	put(path, text);
	chmod(path, 0755);
	return path;
}

static int run_script(const char *path, const char *want)
{
	char name[] = "harmless";
	char *argv[] = { name, NULL };

	return runs(execve, path, argv, want);
}

/* Four scripts may follow each other before the kernel says ELOOP. */
static const char *nested(const char *program, int depth)
{
	const char *path = program;

	for (int i = 0; i < depth; i++)
		path = script(in("nested%d", i), path);
	return path;
}

/* A copy of this very program whose PT_INTERP names, through a short link, the given one. */
static const char *with_interpreter(const char *program)
{
	static const char loader[] = "/lib64/ld-linux-x86-64.so.2";
	const char *path = mine("elf"), *link = in("/tmp/i%d", gettid() % 1000000);
	int from = open("/proc/self/exe", O_RDONLY),
	    to = open(path, O_RDWR | O_CREAT | O_TRUNC, 0755);
	char *image, *place;
	ssize_t n;
	off_t len = lseek(from, 0, SEEK_END);

	lseek(from, 0, SEEK_SET);
	while ((n = copy_file_range(from, NULL, to, NULL, (size_t)len, 0)) > 0)
		;
	image = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
	close(from);
	close(to);
	place = image == MAP_FAILED ? NULL : memmem(image, 4096, loader, sizeof(loader));
	if (!place)
		return NULL;
	memset(place, 0, sizeof(loader));
	memcpy(place, link, strlen(link));
	munmap(image, (size_t)len);
	unlink(link);
	if (symlink(program, link) < 0)
		give_up("symlink %s", link);
	return path;
}

static void remove_all(void)
{
	static const char *const names[] = { "direct",	"env",	   "nested0", "nested1", "nested2",
					     "nested3", "nested4", "elf",     "link",	 "linked" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(mine(names[i]));
	unlink(in("/tmp/i%d", gettid() % 1000000));
}

static void interpreters(void (*expect)(int, const char *, ...), const char *program,
			 const char *want)
{
	const char *path;

	expect(run_script(script("direct", program), want), "#!PROGRAM");
	expect(run_script(script("env", in("/usr/bin/env %s", program)), want),
	       "#!/usr/bin/env PROGRAM");
	for (int depth = 2; depth <= 4; depth++)
		expect(run_script(nested(program, depth), want), "a script of a script, %d deep",
		       depth);
	if (symlink(program, mine("link")) < 0)
		give_up("symlink");
	expect(run_script(script("linked", mine("link")), want), "#!link to PROGRAM");
	expect(run_script(raw_script(in("#! \t %s \t \n", program)), want),
	       "#! with blanks around");
	expect(run_script(raw_script(in("#!%s", program)), want), "#! without a line feed");
	expect(run_script(raw_script(in("#!%s -x y z\n", program)), want), "#! with arguments");
	expect(run_script(script("linked", in("/proc/self/root%s", program)), want),
	       "#!/proc/self/root/...");
	if (chdir(directory_of(program)) == 0)
		expect(run_script(script("direct", in("./%s", name_of(program))), want),
		       "#!./PROGRAM");
	/* A static program that is run as an interpreter starts as if it had been called. */
	path = with_interpreter(program);
	if (path) {
		expect(run_script(path, want), "the PT_INTERP of an ELF file");
		expect(run_script(script("linked", path), want),
		       "a script whose interpreter has that PT_INTERP");
	}
	remove_all();
}

void technique(void)
{
	int fd;

	interpreters(must_fail, denied, secret);
	interpreters(must_work, allowed, "public");
	must_fail(run_script(need("DENIED_SCRIPT"), secret),
		  "a denied script with a permitted interpreter");
	must_work(run_script(need("ALLOWED_SCRIPT"), "public"), "a permitted script");
	fd = open("/proc/sys/fs/binfmt_misc/register", O_WRONLY);
	must_fail(took(fd), "binfmt_misc");
}
