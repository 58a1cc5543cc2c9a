/* What `leash doctor` looks at besides engines: doctor-linux.c and doctor-posix.c, one of which is
 * built. */
#pragma once

#include "base/attributes.h"

#define DOCTOR_MAX_ROWS 64

struct doctor_row {
	const char *name, *detail;
	bool is_present, is_required;
};

/* What the native runtime needs. Texts live as long as the program. Returns how many. */
size_t doctor_native_rows(struct doctor_row rows[DOCTOR_MAX_ROWS]);
/* Can sessions run? The last rows are the engines'. */
bool doctor_is_usable(const struct doctor_row *rows, size_t n, size_t n_engines);
/* What is said of that. */
extern const char doctor_verdict[];
