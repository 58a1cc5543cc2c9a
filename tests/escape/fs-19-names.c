/*
 * FS-19: names with any bytes but NUL and slash. Below DENIED_DIR and ALLOWED_DIR stand, made from
 * outside with MAKE=1, files of such names; the log must stay readable by machines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static const char *const names[] = {
	"\xff\xfe\x80",
	"new\nline",
	"\x1b[31mred\x1b[0m",
	"\xe2\x80\xaetxt.exe",
	"mnt:[1]",
	"pipe:[123]",
	"memfd:x (deleted)",
	"x (deleted)",
	"quote\"and\\backslash",
	"tab\there",
	"*",
	"?",
	"[a-z]",
	"$(id)",
	" space ",
	"-rf",
	"\x7f\x01",
	"\xed\xa0\x80surrogate",
	"\xc0\xaf",
	"...",
	"a\\u002fb",
	"%2e%2e",
};

static const char *entry(const char *directory, size_t i)
{
	return in("%s/%s", directory, names[i]);
}

void technique(void)
{
	const char *denied_dir = need("DENIED_DIR"), *allowed_dir = need("ALLOWED_DIR");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (optional("MAKE", NULL)) {
			put(entry(denied_dir, i), secret);
			put(entry(allowed_dir, i), "public");
			continue;
		}
		must_work(has_content(open(entry(allowed_dir, i), O_RDONLY), "public"), "name %zu",
			  i);
		must_fail(took(open(entry(denied_dir, i), O_RDONLY)), "name %zu", i);
		must_fail(took(open(in("%s-new", entry(denied_dir, i)), O_WRONLY | O_CREAT, 0644)),
			  "new name %zu", i);
		must_fail(
			outcome(rename(entry(allowed_dir, i), in("%s-new", entry(denied_dir, i)))),
			"renamed to new name %zu", i);
	}
}
