/*
 * Runs a fuzz target over the files of its kept corpus, for machines and
 * builds without libFuzzer: run-corpus FOLDER...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *folder, const char *name)
{
	_cleanup_buf_ struct buf path = BUF_INIT(0);
	_cleanup_buf_ struct buf data = BUF_INIT(0);
	FILE *f;

	(void)buf_printf(&path, "%s/%s", folder, name);
	f = fopen(path.data, "re");
	if (!f)
		return -1;
	while (!feof(f) && !ferror(f)) {
		char *to = buf_reserve(&data, 4096);

		buf_grow(&data, fread(to, 1, 4096, f));
	}
	(void)fclose(f);
	return LLVMFuzzerTestOneInput((const uint8_t *)data.data, data.len);
}

static size_t run_folder(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && run_file(folder, entry->d_name) == 0)
			n++;
	if (d)
		(void)closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		n += run_folder(argv[i]);
	(void)printf("%zu inputs\n", n);
	return n ? 0 : 1;
}
