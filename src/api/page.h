/*
 * The page's files, as they were when leash was built (tools/embed-files).
 */
#pragma once

#include "base/span.h"

struct page_file {
	const char *path, *type;
	const char *tag; /* with its quotes */
	struct span bytes;
	bool is_packed; /* with gzip */
	bool is_hashed; /* its name changes with its content */
};

extern const struct page_file page_files[];
extern const size_t n_page_files;

/* openapi.json */
extern const struct span api_openapi;
