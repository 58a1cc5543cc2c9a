#include "cli/doctor-private.h"
#include "sandbox/sandbox.h"
#include "supervise/supervise.h"

#define MAX_EACH (DOCTOR_MAX_ROWS / 2)

const char doctor_verdict[] = "\nSessions run here: native container, supervisor.\n";

size_t doctor_native_rows(struct doctor_row rows[DOCTOR_MAX_ROWS])
{
	static struct sandbox_probe sandbox[MAX_EACH];
	static struct supervise_probe supervise[MAX_EACH];
	size_t n_sandbox = sandbox_probe(sandbox, MAX_EACH);
	size_t n_supervise = supervise_probe(supervise, MAX_EACH), n = 0;

	for (size_t i = 0; i < n_sandbox; i++)
		rows[n++] = (struct doctor_row){ sandbox[i].name, sandbox[i].detail,
						 sandbox[i].is_present, sandbox[i].is_required };
	for (size_t i = 0; i < n_supervise; i++)
		rows[n++] =
			(struct doctor_row){ supervise[i].name, supervise[i].detail,
					     supervise[i].is_present, supervise[i].is_required };
	return n;
}

bool doctor_is_usable(const struct doctor_row *rows, size_t n, size_t n_engines)
{
	bool is_usable = true;

	(void)n_engines;
	for (size_t i = 0; i < n; i++)
		is_usable = is_usable && (rows[i].is_present || !rows[i].is_required);
	return is_usable;
}
