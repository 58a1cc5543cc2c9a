#include <stdio.h>

#include "base/alloc.h"
#include "cli/doctor-private.h"
#include "engine/programs.h"

const char doctor_verdict[] = "\nSessions run here in containers of an engine: name an image "
			      "with --image.\n";

size_t doctor_native_rows(struct doctor_row rows[DOCTOR_MAX_ROWS])
{
	_cleanup_free_ char *leash = NULL;
	_cleanup_free_ char *proxy = NULL;
	static struct err err;
	bool is_present = programs_locate(&leash, &proxy, &err) >= 0;

	rows[0] = (struct doctor_row){ "leash's programs for containers",
				       is_present ? "static Linux programs of this processor"
						  : err.text,
				       is_present, true };
	return 1;
}

bool doctor_is_usable(const struct doctor_row *rows, size_t n, size_t n_engines)
{
	bool has_engine = false;

	for (size_t i = 0; i < n; i++) {
		if (!rows[i].is_present && rows[i].is_required)
			return false;
		has_engine = has_engine || (i >= n - n_engines && rows[i].is_present);
	}
	return has_engine;
}
