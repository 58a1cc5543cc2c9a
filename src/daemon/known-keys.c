#include "daemon/known-keys.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "config/agents.h"

static bool is_taken(const secret_specs *specs, const char *variable)
{
	for (size_t i = 0; i < specs->len; i++) {
		const struct secret_spec *s = &specs->items[i];

		if (strcmp(s->name, variable) == 0 ||
		    (s->variable && strcmp(s->variable, variable) == 0) ||
		    (s->source == SECRET_FROM_VARIABLE && strcmp(s->from, variable) == 0))
			return true;
	}
	return false;
}

static bool is_wanted(const struct agent_key *key, const struct known_keys *k)
{
	const char *own = secure_getenv(key->variable);
	const char *given = k->given ? environment_get(k->given, key->variable) : NULL;

	if (!own || !*own)
		return false;
	if (given && strcmp(given, own) != 0)
		return false; /* -e KEY=VALUE: that very value was asked for */
	return given || k->inherits || agent_uses_key(agent_find(k->agent), key);
}

static void add_url(struct secret_spec *s, const struct agent_key *key, const struct known_keys *k)
{
	const char *url = k->given ? environment_get(k->given, key->url_variable) : NULL;
	struct err err = { 0 };

	if (!url)
		url = secure_getenv(key->url_variable);
	if (url && *url && secret_spec_add_url(s, span_of(url), &err) < 0)
		log_warning("%s is not for %s: %s", key->variable, key->url_variable, err.text);
}

static void add(secret_specs *specs, const struct agent_key *key, const struct known_keys *k)
{
	_cleanup_free_ char *source = xasprintf("env:%s", key->variable);
	struct secret_spec s = { .note = key->agent, .is_optional = true };
	int r = secret_spec_begin(&s, span_of(key->variable), span_of(source), NULL);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(key->hosts) && key->hosts[i]; i++)
		r = secret_spec_set(&s, SPAN("host"), span_of(key->hosts[i]), NULL);
	if (r == 0)
		add_url(&s, key, k);
	if (r == 0)
		r = secret_spec_finish(&s, NULL);
	if (r < 0)
		abort(); /* the table above is wrong */
	vec_push(specs, s);
}

void known_keys_add(secret_specs *specs, const struct known_keys *k)
{
	for (size_t i = 0; i < n_agent_keys; i++)
		if (!is_taken(specs, agent_keys[i].variable) && is_wanted(&agent_keys[i], k))
			add(specs, &agent_keys[i], k);
}

void known_keys_forward(const char *agent, struct environment *e)
{
	for (size_t i = 0; i < n_agent_keys; i++) {
		const char *value = secure_getenv(agent_keys[i].variable);

		if (value && *value && agent_uses_key(agent_find(agent), &agent_keys[i]))
			environment_set(e, agent_keys[i].variable, value);
	}
}
