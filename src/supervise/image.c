#include "supervise/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "supervise/program.h"
#include "supervise/worker.h"

#define MAX_MAPS ((size_t)256 * 1024) /* an image as exec leaves it has about ten mappings */
#define MAX_MAPPINGS 256

/* proc(5), PROCMAP_QUERY of Linux 6.11: one mapping without printing all of them. */
struct map_query {
	uint64_t size, flags, address;
	uint64_t start, end, vma_flags, page_size, offset, inode;
	uint32_t dev_major, dev_minor, name_size, build_id_size;
	uint64_t name_address, build_id_address;
};
#define MAP_QUERY _IOWR('f', 17, struct map_query)
#define MAP_EXECUTABLE_ALONE 0x04
#define MAP_COVERING_OR_NEXT 0x10
#define MAP_FILE_BACKED 0x20

/* ---- in short ---- */

static bool is_same(struct image_file a, struct image_file b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

/* A loader that was looked at before, or NULL. */
static const struct image_file *find_loader(const struct image_loaders *l, struct image_file file)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_same(l->files[i], file))
			return &l->files[i];
	return NULL;
}

/*
 * Is there no code but the image's and that of loaders which were looked at
 * before? False also where that cannot be told: on a kernel before 6.11, or for a
 * loader not seen yet. What is not mapped executable cannot be an interpreter.
 */
static bool has_known_code_alone(const struct image_loaders *l, int dir_fd,
				 const struct stat *image, bool *ret_begins_in_loader)
{
	_cleanup_close_ int maps_fd = process_open(dir_fd, "maps", O_RDONLY);
	const struct image_file itself = { .dev = image->st_dev, .ino = image->st_ino };
	const struct image_file *loader;
	struct map_query q = { .size = sizeof(q),
			       .flags = MAP_COVERING_OR_NEXT | MAP_FILE_BACKED | MAP_EXECUTABLE_ALONE };
	bool has_image = false;

	for (size_t i = 0; i < MAX_MAPPINGS; i++) {
		struct image_file file;

		if (ioctl(maps_fd, MAP_QUERY, &q) < 0)
			return errno == ENOENT && has_image;
		file = (struct image_file){ .dev = makedev(q.dev_major, q.dev_minor),
					    .ino = q.inode };
		loader = find_loader(l, file);
		if (is_same(file, itself))
			has_image = true;
		else if (!loader)
			return false;
		else
			*ret_begins_in_loader = !loader->is_c_library;
		q.address = q.end;
	}
	return false;
}

/* ---- in full ---- */

/* The file of one line of proc(5)'s maps: its path begins at the first slash. Empty: none, or the image itself. */
static struct span mapped_file(struct span line, ino_t image)
{
	const char *slash = memchr(line.p, '/', line.len);
	unsigned long long inode = 0;
	const char *end;

	if (!slash)
		return (struct span){ 0 };
	/* Before the path, blanks; before those, the inode. */
	for (end = slash; end > line.p && end[-1] == ' '; end--)
		;
	while (end > line.p && end[-1] >= '0' && end[-1] <= '9')
		end--;
	inode = strtoull(end, NULL, 10);
	return inode == image ? (struct span){ 0 } : span_from(line, (size_t)(slash - line.p));
}

/* Takes over fd. A loader that somebody inside could change has to be looked at each time. */
static void remember(struct worker *w, int fd, const struct program *program)
{
	struct image_loaders *l = &w->loaders;
	struct stat st;

	if (l->n == IMAGE_LOADERS || fstat(fd, &st) < 0 || !program_is_out_of_reach(&st) ||
	    find_loader(l, (struct image_file){ .dev = st.st_dev, .ino = st.st_ino })) {
		fd_close(fd);
		return;
	}
	l->files[l->n] = (struct image_file){ st.st_dev, st.st_ino, program->is_c_library };
	l->fds[l->n++] = fd;
}

static bool is_file_permitted(struct worker *w, struct span path, struct verdict *v, struct span *ret_denied)
{
	_cleanup_free_ char *text = xmemdup0(path.p, path.len);
	_cleanup_close_ int fd = -1;
	struct program program;

	/* A name with a newline is shown escaped, and would not be the file's. */
	if (strchr(text, '\\') || path.len >= sizeof(w->name2))
		return false;
	fd = open(text, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && program_inspect(fd, &program) == 0 && program.kind == PROGRAM_LOADER) {
		remember(w, TAKE_FD(fd), &program);
		return true;
	}
	memcpy(w->name2, text, path.len);
	*ret_denied = span_make(w->name2, path.len);
	return decide_path(w, POLICY_PROCESS_EXEC, *ret_denied, false, false, v);
}

static bool are_files_permitted(struct worker *w, int dir_fd, const struct stat *image, struct verdict *v,
				struct span *ret_denied)
{
	_cleanup_buf_ struct buf maps = BUF_INIT(MAX_MAPS);
	struct span last = { 0 };
	_cleanup_close_ int maps_fd = process_open(dir_fd, "maps", O_RDONLY);
	const char *line;

	if (maps_fd < 0 || fd_read_all(maps_fd, &maps) < 0 || !maps.len)
		return false;
	for (line = maps.data; *line; line += strcspn(line, "\n") + 1) {
		struct span path = mapped_file(span_make(line, strcspn(line, "\n")), image->st_ino);

		if (path.len && !span_eq(path, last) && !is_file_permitted(w, path, v, ret_denied))
			return false;
		last = path.len ? path : last;
		if (line[strcspn(line, "\n")] == 0)
			break;
	}
	return true;
}

bool image_is_permitted(struct worker *w, int dir_fd, const struct stat *image, struct verdict *v,
			struct span *ret_denied, bool *ret_begins_in_loader)
{
	*ret_begins_in_loader = false;
	if (has_known_code_alone(&w->loaders, dir_fd, image, ret_begins_in_loader))
		return true;
	*ret_begins_in_loader = false;
	return are_files_permitted(w, dir_fd, image, v, ret_denied);
}

void image_loaders_done(struct image_loaders *l)
{
	while (l->n > 0)
		fd_close(l->fds[--l->n]);
}
