/*
 * Descriptors: reading and writing whole contents, sealed memory files, and
 * passing descriptors between our own processes. Every descriptor made here
 * is close-on-exec.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Reads to the end of file into out (whose limit applies). 0 or negative errno. */
int fd_read_all(int fd, struct buf *out) _must_check_;
/* Reads a whole file, relative to dir_fd (AT_FDCWD allowed). */
int file_read_at(int dir_fd, const char *path, struct buf *out) _must_check_;
/* Writes all bytes, restarting after signals and short writes. */
int fd_write_all(int fd, const void *p, size_t len) _must_check_;
/* Writes a new file beside path and renames it over it: readers see old or new, never half. want_sync: also after a power cut. */
int file_replace(const char *path, struct span content, unsigned mode, bool want_sync,
		 struct err *err) _must_check_;
/*
 * The same for the file that a link leads to: the link stays. Missing directories
 * above it are made, for their owner alone.
 */
int file_replace_target(const char *path, struct span content, unsigned mode, bool want_sync,
			struct err *err) _must_check_;
/* Creates the directory and its missing parents with the mode. 0 also where it exists. */
int mkdir_all(const char *path, unsigned mode) _must_check_;

/*
 * Opens /dev/null at each of 0, 1 and 2 that is closed, before anything else can
 * get one of these numbers and pass for standard input or output.
 */
int fd_open_stdio(void) _must_check_;
/* A duplicate at the lowest number >= 3, close-on-exec. */
int fd_dup(int fd) _must_check_;
int fd_set_nonblock(int fd, bool on) _must_check_;
/* A memory file with this content, to be read from its beginning, sealed against every change. */
int memfd_sealed(const char *name, struct span content) _must_check_;
/* Maps all of a file read-only; memfd_unmap undoes it. */
int fd_map(int fd, struct span *ret) _must_check_;
/* Maps a sealed memory file read-only; -EINVAL unless it is sealed against writing and shrinking. */
int memfd_map_sealed(int fd, struct span *ret) _must_check_;
void memfd_unmap(struct span mapped);

/* Closes a descriptor; errors cannot be acted on. Use for descriptors not held by _cleanup_close_. */
void fd_close(int fd);
