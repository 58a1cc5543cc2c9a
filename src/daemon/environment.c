#include "daemon/environment.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/trust-places.h"

/* Taken from the caller where set. Nothing here carries a credential or the address of a host service. */
static const char *const passed_on[] = { "PATH",   "TERM",	 "COLORTERM", "LANG",	  "LANGUAGE",
					 "LC_ALL", "LC_CTYPE",	 "LC_COLLATE", "LC_MESSAGES", "LC_NUMERIC",
					 "LC_TIME", "TZ",	 "USER",      "LOGNAME",  "SHELL",
					 "EDITOR", "VISUAL",	 "PAGER",     "NO_COLOR", "TERM_PROGRAM" };

static void entry_free(char *entry)
{
	explicit_bzero(entry, strlen(entry));
	xfree(entry);
}

void environment_done(struct environment *e)
{
	for (size_t i = 0; i < e->entries.len; i++)
		entry_free(e->entries.items[i]);
	vec_done(&e->entries);
}

static bool is_key(const char *entry, const char *key)
{
	size_t n = strlen(key);

	return strncmp(entry, key, n) == 0 && entry[n] == '=';
}

static char **find(const struct environment *e, const char *key)
{
	for (size_t i = 0; i < e->entries.len; i++)
		if (is_key(e->entries.items[i], key))
			return &e->entries.items[i];
	return NULL;
}

/* Not by printf, which leaves copies behind. */
static char *make_entry(const char *key, struct span value)
{
	size_t n = strlen(key);
	char *entry = xnew_array(char, n + 1 + value.len + 1);

	memcpy(entry, key, n);
	entry[n] = '=';
	memcpy(entry + n + 1, value.p, value.len);
	return entry;
}

void environment_set_span(struct environment *e, const char *key, struct span value)
{
	char *entry = make_entry(key, value), **old = find(e, key);

	if (!old) {
		vec_push(&e->entries, entry);
		return;
	}
	entry_free(*old);
	*old = entry;
}

void environment_set(struct environment *e, const char *key, const char *value)
{
	environment_set_span(e, key, span_of(value));
}

const char *environment_get(const struct environment *e, const char *key)
{
	char **entry = find(e, key);

	return entry ? *entry + strlen(key) + 1 : NULL;
}

void environment_unset(struct environment *e, const char *key)
{
	char **entry = find(e, key);

	if (!entry)
		return;
	entry_free(*entry);
	*entry = e->entries.items[--e->entries.len];
}

void environment_replace(struct environment *e, struct span text, struct span by)
{
	for (size_t i = 0; text.len && i < e->entries.len; i++) {
		char *at = e->entries.items[i];

		for (; (at = memmem(at, strlen(at), text.p, text.len)); at += text.len)
			memcpy(at, by.p, text.len);
	}
}

void environment_add_basics(struct environment *e, const char *home, const char *cwd)
{
	environment_set(e, "PATH", "/usr/local/bin:/usr/bin:/bin");
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		const char *value = secure_getenv(passed_on[i]);

		if (value)
			environment_set(e, passed_on[i], value);
	}
	environment_set(e, "HOME", home);
	environment_set(e, "PWD", cwd);
	environment_set(e, "LEASH", "1");
}

/* A login in a URL is a secret that nobody has named as one. */
static bool has_login(const char *variable, const char *value)
{
	return span_ends_with(span_of(variable), SPAN("_URL")) && strchr(value, '@');
}

void environment_add_agent(struct environment *e, const struct agent *a, bool has_image)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->variables) && a->variables[i]; i++) {
		const char *name = a->variables[i], *value = secure_getenv(name);

		if (!value || (has_image && agent_names_place(a, name)))
			continue;
		if (has_login(name, value))
			log_warning("%s is not passed on to %s: it has a login in it; -e %s does",
				    name, a->name, name);
		else
			environment_set(e, name, value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(a->settings) && a->settings[i].name; i++)
		environment_set(e, a->settings[i].name, a->settings[i].value);
}

void environment_inherit(struct environment *e)
{
	for (char **entry = environ; entry && *entry; entry++) {
		const char *equals = strchr(*entry, '=');
		_cleanup_free_ char *key = NULL;

		if (!equals || equals == *entry)
			continue;
		key = xmemdup0(*entry, (size_t)(equals - *entry));
		environment_set(e, key, equals + 1);
	}
}

/* Those that bring roots of their own and want to know what to trust beside them. */
static const char *const take_authority[] = { "NODE_EXTRA_CA_CERTS", "DENO_CERT" };

/* Those that trust this file instead of theirs. uv, Ruby, Go, PHP and others take SSL_CERT_FILE. */
static const char *const take_bundle[] = {
	"SSL_CERT_FILE",
	"CURL_CA_BUNDLE",
	"REQUESTS_CA_BUNDLE",
	"PIP_CERT",
	"GIT_SSL_CAINFO",
	"AWS_CA_BUNDLE",
	"CARGO_HTTP_CAINFO",
	"NIX_SSL_CERT_FILE",
	"BUNDLE_SSL_CA_CERT",
	"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
	"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
	"HTTPLIB2_CA_CERTS",
	"PERL_LWP_SSL_CA_FILE",
	"HEX_CACERTS_PATH",
};

void environment_add_trust(struct environment *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(take_authority); i++)
		environment_set(e, take_authority[i], CONTAINER_TRUST_AUTHORITY);
	for (size_t i = 0; i < ARRAY_SIZE(take_bundle); i++)
		environment_set(e, take_bundle[i], CONTAINER_TRUST_BUNDLE);
}

int environment_add_option(struct environment *e, const char *option, struct err *err)
{
	const char *equals = strchr(option, '=');
	_cleanup_free_ char *key = NULL;

	if (option[0] == 0 || option[0] == '=' || option[0] == '-')
		return err_say(err, -EINVAL, "-e %s: expected KEY=VALUE, or KEY to pass your own value on",
			       option);
	key = xmemdup0(option, equals ? (size_t)(equals - option) : strlen(option));
	if (equals)
		environment_set(e, key, equals + 1);
	else if (secure_getenv(key))
		environment_set(e, key, secure_getenv(key));
	return 0;
}

char *const *environment_envp(struct environment *e)
{
	vec_push(&e->entries, NULL);
	e->entries.len--;
	return e->entries.items;
}
