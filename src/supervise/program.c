#include "supervise/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_HEADERS 64
#define MAX_DYNAMIC 256

static bool read_at(int fd, void *out, size_t len, uint64_t offset)
{
	return offset <= INT64_MAX && pread(fd, out, len, (off_t)offset) == (ssize_t)len;
}

/* "#!", blanks, a path up to a blank or the line's end; load_script in the kernel. */
static int read_interpreter(const char *head, size_t len, struct program *p)
{
	size_t at = 2, end;

	while (at < len && (head[at] == ' ' || head[at] == '\t'))
		at++;
	end = at;
	while (end < len && !strchr(" \t\n", head[end])) /* NUL ends it too */
		end++;
	/* cut off by the end of what the kernel reads: it would refuse, and so do we */
	if (end == at || (end == len && len == PROGRAM_HEAD))
		return -ENOEXEC;
	memcpy(p->interpreter, head + at, end - at);
	p->interpreter[end - at] = 0;
	p->kind = PROGRAM_SCRIPT;
	return 0;
}

/* File offset of an address, by the load segments. */
static bool offset_of(const Elf64_Phdr *headers, size_t n, uint64_t address, uint64_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		const Elf64_Phdr *h = &headers[i];

		if (h->p_type != PT_LOAD || address < h->p_vaddr ||
		    address - h->p_vaddr >= h->p_filesz)
			continue;
		*ret = h->p_offset + (address - h->p_vaddr);
		return true;
	}
	return false;
}

/* A loader's own name, DT_SONAME, begins with "ld" in glibc; musl's is that of its C library. */
static bool has_loader_name(int fd, const Elf64_Phdr *headers, size_t n, const Elf64_Phdr *dynamic,
			    bool *ret_is_c_library)
{
	Elf64_Dyn entries[MAX_DYNAMIC];
	size_t n_entries = MIN(dynamic->p_filesz / sizeof(entries[0]), MAX_DYNAMIC);
	ssize_t len = -1;
	uint64_t strings = 0, name = 0, offset;
	bool has_name = false;
	char text[3];

	if (dynamic->p_offset <= INT64_MAX)
		len = pread(fd, entries, n_entries * sizeof(entries[0]), (off_t)dynamic->p_offset);
	if (len < 0)
		return false;
	n_entries = (size_t)len / sizeof(entries[0]); /* a file may end before its segment does */
	for (size_t i = 0; i < n_entries && entries[i].d_tag != DT_NULL; i++) {
		if (entries[i].d_tag == DT_STRTAB)
			strings = entries[i].d_un.d_ptr;
		if (entries[i].d_tag == DT_SONAME) {
			name = entries[i].d_un.d_val;
			has_name = true;
		}
	}
	if (!has_name)
		return false;
	if (!offset_of(headers, n, strings + name, &offset) ||
	    !read_at(fd, text, sizeof(text), offset))
		return false;
	*ret_is_c_library = memcmp(text, "lib", 3) == 0;
	return *ret_is_c_library || (memcmp(text, "ld", 2) == 0 && strchr("-.6", text[2]));
}

/* An ELF file without an interpreter of its own, but with a loader's name. */
static bool is_loader(int fd, const Elf64_Ehdr *elf, bool *ret_is_c_library)
{
	Elf64_Phdr headers[MAX_HEADERS];
	size_t n = elf->e_phnum;
	const Elf64_Phdr *dynamic = NULL;

	if (elf->e_type != ET_DYN || elf->e_phentsize != sizeof(headers[0]) || n > MAX_HEADERS)
		return false;
	if (!read_at(fd, headers, n * sizeof(headers[0]), elf->e_phoff))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (headers[i].p_type == PT_INTERP)
			return false;
		if (headers[i].p_type == PT_DYNAMIC)
			dynamic = &headers[i];
	}
	return dynamic && has_loader_name(fd, headers, n, dynamic, ret_is_c_library);
}

int program_inspect(int path_fd, struct program *ret)
{
	_cleanup_close_ int fd = -1;
	union {
		char bytes[PROGRAM_HEAD];
		Elf64_Ehdr elf;
	} head;
	char name[16];
	ssize_t n;

	*ret = (struct program){ 0 };
	(void)snprintf(name, sizeof(name), "%d", path_fd);
	fd = openat(AT_FDCWD, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return 0; /* executable but not readable: PROGRAM_UNKNOWN */
	n = pread(fd, head.bytes, sizeof(head.bytes), 0);
	if (n >= 2 && head.bytes[0] == '#' && head.bytes[1] == '!')
		return read_interpreter(head.bytes, (size_t)n, ret);
	if (n >= (ssize_t)sizeof(head.elf) && memcmp(head.bytes, ELFMAG, SELFMAG) == 0)
		ret->kind =
			is_loader(fd, &head.elf, &ret->is_c_library) ? PROGRAM_LOADER : PROGRAM_ELF;
	return 0;
}

/* Set before there is a second thread. */
static bool is_no_owner_trusted;

void program_trust_no_owner(void)
{
	is_no_owner_trusted = true;
}

bool program_is_out_of_reach(const struct stat *st)
{
	return !is_no_owner_trusted && !(st->st_mode & (S_IWGRP | S_IWOTH)) &&
	       st->st_uid != geteuid();
}

static bool is_of(const struct program_facts *f, const struct stat *st)
{
	return f->is_used && f->ino == st->st_ino && f->dev == st->st_dev && f->size == st->st_size &&
	       f->changed.tv_sec == st->st_ctim.tv_sec && f->changed.tv_nsec == st->st_ctim.tv_nsec;
}

int program_look_up(struct program_cache *c, int path_fd, const struct stat *st, struct program *ret)
{
	struct program_facts *f = &c->facts[(st->st_ino ^ st->st_dev) % PROGRAM_CACHE_SIZE];
	int r;

	if (is_of(f, st)) {
		*ret = (struct program){ .kind = f->kind };
		return 0;
	}
	r = program_inspect(path_fd, ret);
	if (r == 0 && (ret->kind == PROGRAM_ELF || ret->kind == PROGRAM_LOADER) &&
	    program_is_out_of_reach(st))
		*f = (struct program_facts){ st->st_dev,  st->st_ino, st->st_size,
					     st->st_ctim, ret->kind,  /* is_used = */ true };
	return r;
}

bool program_is_elf(int fd)
{
	char head[SELFMAG];

	return pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       memcmp(head, ELFMAG, SELFMAG) == 0;
}
