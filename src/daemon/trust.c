#include "daemon/trust.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json-writer.h"
#include "base/json.h"
#include "base/path.h"
#include "base/sha256.h"

/* A path, a hash and a time. */
#define RECORD_MAX ((size_t)16 * 1024)

char *trust_directory(const char *state)
{
	return path_join(state, "trusted");
}

/* One file per policy, named by the hash of its path: any path makes a valid name. */
static char *record_path(const char *directory, const char *file)
{
	char name[SHA256_HEX_LEN + 1];

	sha256_hex(span_of(file), name);
	return path_join(directory, name);
}

/* The record must speak of the file under whose name it lies. */
static int read_record(const char *path, struct trust_record *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(RECORD_MAX);
	_cleanup_arena_ struct arena arena = ARENA_INIT(4 * RECORD_MAX);
	struct json *json = NULL;
	struct span file, hash;
	int r = file_read_at(AT_FDCWD, path, &text);

	if (r >= 0)
		r = json_parse(&arena, buf_span(&text), &json, NULL);
	if (r < 0)
		return r;
	file = json_get_string(json, "file");
	hash = json_get_string(json, "sha256");
	if (!file.len || hash.len != SHA256_HEX_LEN || memchr(file.p, 0, file.len))
		return -EBADMSG;
	*ret = (struct trust_record){ .file = xmemdup0(file.p, file.len),
				      .sha256 = xmemdup0(hash.p, hash.len) };
	(void)json_to_uint(json_get(json, "time_ns"), &ret->time_ns);
	return 0;
}

static void record_done(struct trust_record *r)
{
	xfree(r->file);
	xfree(r->sha256);
}

bool trust_holds(const char *directory, const char *file, struct span content)
{
	_cleanup_free_ char *path = record_path(directory, file);
	char hash[SHA256_HEX_LEN + 1];
	struct trust_record record;
	bool holds;

	if (read_record(path, &record) < 0)
		return false;
	sha256_hex(content, hash);
	holds = strcmp(record.file, file) == 0 && strcmp(record.sha256, hash) == 0;
	record_done(&record);
	return holds;
}

int trust_add(const char *directory, const char *file, struct span content, struct err *err)
{
	_cleanup_free_ char *path = record_path(directory, file);
	_cleanup_buf_ struct buf text = BUF_INIT(RECORD_MAX);
	struct json_writer w = { .out = &text };
	char hash[SHA256_HEX_LEN + 1];
	int r = mkdir_all(directory, 0700);

	if (r < 0)
		return err_set(err, r, "make the directory %s", directory);
	sha256_hex(content, hash);
	json_begin_object(&w);
	json_key_string(&w, "file", span_of(file));
	json_key_string(&w, "sha256", span_of(hash));
	json_key_uint(&w, "time_ns", clock_real_ns());
	json_end_object(&w);
	(void)buf_append_char(&text, '\n');
	return file_replace(path, buf_span(&text), 0600, /* want_sync = */ true, err);
}

int trust_revoke(const char *directory, const char *file, struct err *err)
{
	_cleanup_free_ char *path = record_path(directory, file);

	if (unlink(path) == 0)
		return 0;
	if (errno == ENOENT)
		return err_say(err, -ENOENT, "%s is not trusted", file);
	return err_set(err, -errno, "remove %s", path);
}

static int by_file(const void *a, const void *b)
{
	const struct trust_record *x = a, *y = b;

	return strcmp(x->file, y->file);
}

int trust_list(const char *directory, trust_records *ret, struct err *err)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int error;

	if (!dir)
		return errno == ENOENT ? 0 : err_set(err, -errno, "list %s", directory);
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		_cleanup_free_ char *path = path_join(directory, entry->d_name);
		_cleanup_free_ char *expected = NULL;
		struct trust_record record;

		if (strlen(entry->d_name) != SHA256_HEX_LEN || read_record(path, &record) < 0)
			continue;
		expected = record_path(directory, record.file);
		if (strcmp(expected, path) == 0)
			vec_push(ret, record);
		else
			record_done(&record);
	}
	error = errno;
	(void)closedir(dir);
	if (error)
		return err_set(err, -error, "list %s", directory);
	if (ret->len)
		qsort(ret->items, ret->len, sizeof(*ret->items), by_file);
	return 0;
}

void trust_records_done(trust_records *records)
{
	for (size_t i = 0; i < records->len; i++)
		record_done(&records->items[i]);
	vec_done(records);
}
