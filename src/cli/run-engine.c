/*
 * The choice of the runtime: an image, wherever it is named, makes a session one
 * of a container engine; without one it is native. Finds the engine, and what its
 * image says of itself.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "cli/image.h"
#include "cli/roles.h"
#include "cli/run-private.h"

int run_choose_runtime(struct run *run, const char *configured, struct err *err)
{
	bool is_native = run->runtime && strcmp(run->runtime, "native") == 0;
	bool is_auto = !run->runtime || strcmp(run->runtime, "auto") == 0;

	if (is_native && run->image)
		return err_say(err, -EINVAL,
			       "--image %s: the native runtime has no images; leave --runtime "
			       "native out, or the image",
			       run->image);
	if (!is_native && !run->image)
		run->image = image_by_default(configured);
	if (!is_native && !is_auto && !run->image)
		return err_say(err, -EINVAL,
			       "--runtime %s: of which image? Name one with --image, or set "
			       "LEASH_TARGET_IMAGE",
			       run->runtime);
	if (!run->image && !role_has_native())
		return err_say(err, -EINVAL,
			       "on this system a command runs in a container, by a container "
			       "engine: of which image? Name one with --image, LEASH_TARGET_IMAGE "
			       "or `leash config set target_image IMAGE`");
	if (is_auto)
		run->runtime = NULL;
	return 0;
}

static int publish_exposed(struct run *run, struct err *err)
{
	size_t n_named = run->ports.len;
	int r = 0;

	if (run->engine.exposed.len == 0)
		log_notice("-P: the image %s exposes no TCP port", run->image);
	for (size_t i = 0; i < run->engine.exposed.len && r >= 0; i++) {
		uint16_t port = run->engine.exposed.items[i];
		_cleanup_free_ char *option = xasprintf("%u", port);
		bool is_named = false;

		for (size_t p = 0; p < n_named; p++)
			is_named = is_named || run->ports.items[p].container == port;
		r = is_named ? 0 : publish_open(&run->ports, option, err);
	}
	return r;
}

/* Exit code or 0. */
int run_open_engine(struct run *run, struct err *err)
{
	if (engine_open(run->runtime, run->image, &run->engine, err) < 0)
		return EXIT_LEASH_FAILED;
	return run->want_all_ports && publish_exposed(run, err) < 0 ? EXIT_LEASH_FAILED : 0;
}
