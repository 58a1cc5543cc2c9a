/*
 * The secrets of a session: those of flags and config.toml and the known keys
 * become placeholders in the environment.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cli/config-file.h"
#include "cli/run-private.h"
#include "daemon/known-keys.h"

int run_add_secret(struct run *run, const char *text, struct err *err)
{
	struct secret_spec s;
	int r = secret_spec_parse(span_of(text), &s, err);

	if (r < 0)
		return r;
	if (secret_specs_find(&run->secrets, span_of(s.name))) {
		r = err_say(err, -EINVAL, "--secret %s: there is one of that name already", s.name);
		secret_spec_done(&s);
		return r;
	}
	vec_push(&run->secrets, s);
	return 0;
}

int run_hide_secrets(struct run *run, struct err *err)
{
	const struct known_keys known = { .agent = run->layers.environment.agent,
					  .given = &run->env_options,
					  .inherits = run->want_env_inherit };
	int r = config_take_secrets(&run->document, &run->secrets, err);

	if (r < 0)
		return r;
	if (!run->want_keys)
		known_keys_add(&run->secrets, &known);
	for (size_t i = 0; i < run->secrets.len; i++)
		secret_spec_expand(&run->secrets.items[i], run->home);
	r = secret_specs_read(&run->secrets, err);
	if (r < 0)
		return r;
	if (run->secrets.len > LIMIT_SECRETS)
		return err_say(err, -EINVAL, "there are more than %zu secrets", LIMIT_SECRETS);
	secret_specs_hide(&run->secrets, &run->environment);
	environment_done(&run->env_options);
	return 0;
}
