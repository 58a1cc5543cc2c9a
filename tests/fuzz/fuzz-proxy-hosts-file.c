/*
 * Any bytes as a hosts file: each entry can be found by its name, in the
 * file's order.
 */
#include <stdint.h>
#include <stdlib.h>

#include "proxy/hosts-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hosts_file h;

	if (hosts_file_parse(span_make(data, size), &h) < 0)
		return 0;
	for (size_t i = 0; i < h.n_entries; i++) {
		const struct hosts_entry *e = &h.entries[i];
		size_t n;
		const struct hosts_entry *found =
			hosts_file_find(&h, span_make(h.text.data + e->name_at, e->name_len), &n);

		if (!found || n == 0 || found > e || found + n <= e)
			abort();
		for (size_t k = 1; k < n; k++)
			if (found[k - 1].order >= found[k].order)
				abort();
	}
	hosts_file_done(&h);
	return 0;
}
