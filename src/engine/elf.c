#include "engine/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* ELF-64 as its specification has it; both processors have their numbers in this order, too. */
struct head {
	unsigned char ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_headers, section_headers;
	uint32_t flags;
	uint16_t size, program_header_size, n_program_headers;
	uint16_t section_header_size, n_section_headers, names;
};
_Static_assert(sizeof(struct head) == 64, "as in the file");

struct program_header {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, alignment;
};
_Static_assert(sizeof(struct program_header) == 56, "as in the file");

#define INTERPRETER 3 /* PT_INTERP */
#define MAX_PROGRAM_HEADERS 64
#if defined(__x86_64__)
#define MACHINE 62
#elif defined(__aarch64__)
#define MACHINE 183
#endif

static const unsigned char ident[] = { 0x7f, 'E', 'L', 'F', /* 64 bits */ 2, /* little end */ 1 };

static int say_other(const char *path, struct err *err)
{
	return err_say(err, -ENOEXEC, "%s is no program that a container can run", path);
}

int elf_check_static(const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct program_header ph;
	struct head head;

	if (fd < 0)
		return err_set(err, -errno, "open %s", path);
	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.ident, ident, sizeof(ident)) != 0 ||
	    head.n_program_headers > MAX_PROGRAM_HEADERS)
		return say_other(path, err);
	if (head.machine != MACHINE)
		return err_say(err, -ENOEXEC, "%s is for another processor than this leash", path);
	for (uint16_t i = 0; i < head.n_program_headers; i++) {
		off_t at = (off_t)(head.program_headers + i * sizeof(ph));

		if (pread(fd, &ph, sizeof(ph), at) != sizeof(ph))
			return say_other(path, err);
		/* Then it needs what an image may not have. */
		if (ph.type == INTERPRETER)
			return err_say(err, -ENOEXEC,
				       "%s is linked against this machine's libraries, which an "
				       "image need not have; use a leash that is linked statically",
				       path);
	}
	return 0;
}
