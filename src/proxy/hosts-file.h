/*
 * The host's /etc/hosts: names and their addresses (hosts(5)). Kept compact,
 * because lists against advertisements have a hundred thousand lines. Lines and
 * names out of form are skipped, as the C library does.
 */
#pragma once

#include "proxy/name.h"

struct hosts_entry {
	struct policy_address address;
	uint32_t name_at; /* into text */
	uint32_t name_len;
	uint32_t order; /* in the file */
};

struct hosts_file {
	struct hosts_entry *entries; /* by name, then in the file's order */
	size_t n_entries, n_allocated;
	struct buf text; /* canonical names */
};

/* Reads the text of a hosts file. 0, or -EMSGSIZE. */
int hosts_file_parse(struct span text, struct hosts_file *ret) _must_check_;
void hosts_file_done(struct hosts_file *h);
/* The entries of a name, in the file's order; NULL and 0 if there are none. Valid as long as h. */
const struct hosts_entry *hosts_file_find(const struct hosts_file *h, struct span name,
					  size_t *ret_n);
