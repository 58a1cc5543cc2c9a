/*
 * The session's socket is in the engine's virtual machine, so leash inside connects this
 * terminal with it: the engine's client becomes the command.
 */
#include <unistd.h>

#include "base/alloc.h"
#include "cli/attach.h"
#include "engine/container.h"
#include "engine/places.h"

/* leash inside has its own; the engine's would leave it there. Nobody types these. */
#define NO_KEYS "ctrl-@,ctrl-^,ctrl-@,ctrl-_"

int attach_to(const struct running *r, struct err *err)
{
	_cleanup_free_ char *program = xmemdup0(r->runtime.p, r->runtime.len);
	_cleanup_free_ char *name = container_name(r->id);
	_cleanup_(client_done) client_words w = { 0 };
	int code;

	client_add(&w, program);
	client_add(&w, "exec");
	client_add(&w, "--interactive");
	if (isatty(STDIN_FILENO))
		client_add(&w, "--tty");
	if (!span_starts_with(r->runtime, SPAN("nerdctl"))) {
		client_add(&w, "--detach-keys");
		client_add(&w, NO_KEYS);
	}
	client_add(&w, name);
	client_add(&w, PLACES_PROGRAM);
	client_add(&w, "--internal-attach");
	client_add(&w, r->id);
	code = client_become(program, &w);
	return err_set(err, code, "run %s", program);
}
