#include "daemon/secret-spec.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/path.h"
#include "http/message.h"
#include "http/target.h"
#include "proxy/name.h"

const char *const secret_spec_keys[] = { "host", "port", "header", "path", "env", NULL };

void secret_spec_done(struct secret_spec *s)
{
	for (size_t i = 0; i < s->hosts.len; i++)
		xfree(s->hosts.items[i].host);
	vec_done(&s->hosts);
	vec_done(&s->ports);
	xfree(s->name);
	xfree(s->from);
	xfree(s->path);
	xfree(s->header);
	xfree(s->variable);
	secret_done(&s->value);
	secret_done(&s->placeholder);
	*s = (struct secret_spec){ 0 };
}

void secret_specs_done(secret_specs *specs)
{
	for (size_t i = 0; i < specs->len; i++)
		secret_spec_done(&specs->items[i]);
	vec_done(specs);
}

struct secret_spec *secret_specs_find(const secret_specs *specs, struct span name)
{
	for (size_t i = 0; i < specs->len; i++)
		if (span_eq_str(name, specs->items[i].name))
			return &specs->items[i];
	return NULL;
}

/* ---- Names and sources ---- */

static bool is_identifier(struct span s, bool may_have_hyphen)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = ascii_lower(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && c != '_' && !(i && c >= '0' && c <= '9') &&
		    !(i && c == '-' && may_have_hyphen))
			return false;
	}
	return s.len > 0 && s.len <= 128;
}

static const struct {
	const char *prefix;
	enum secret_source source;
} sources[] = {
	{ "env:", SECRET_FROM_VARIABLE },
	{ "file:", SECRET_FROM_FILE },
	{ "cmd:", SECRET_FROM_COMMAND },
};

static int set_source(struct secret_spec *s, struct span text, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct span prefix = span_of(sources[i].prefix);

		if (!span_starts_with(text, prefix) || text.len == prefix.len)
			continue;
		text = span_from(text, prefix.len);
		s->source = sources[i].source;
		if (s->source == SECRET_FROM_VARIABLE && !is_identifier(text, false))
			return err_say(err, -EINVAL, "%.*s is not the name of a variable",
				       SPAN_ARG(text));
		s->from = xmemdup0(text.p, text.len);
		return 0;
	}
	/* What was written may be the secret itself: it is not repeated. */
	return err_say(err, -EINVAL, "its source is env:VARIABLE, file:PATH or cmd:COMMAND");
}

int secret_spec_begin(struct secret_spec *s, struct span name, struct span source, struct err *err)
{
	if (!is_identifier(name, /* may_have_hyphen = */ true))
		return err_say(err, -EINVAL,
			       "the name of a secret is made of letters, digits, _ and -");
	s->name = xmemdup0(name.p, name.len);
	return set_source(s, source, err);
}

void secret_spec_describe_source(const struct secret_spec *s, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (sources[i].source == s->source)
			(void)buf_printf(out, "%s%s", sources[i].prefix, s->from);
}

void secret_spec_expand(struct secret_spec *s, const char *home)
{
	char *path;

	if (s->source != SECRET_FROM_FILE || strncmp(s->from, "~/", 2) != 0)
		return;
	path = path_join(home, s->from + 2);
	xfree(s->from);
	s->from = path;
}

/* ---- Where it may go ---- */

static bool drop_prefix(struct span *s, struct span prefix)
{
	if (!span_starts_with(*s, prefix))
		return false;
	*s = span_from(*s, prefix.len);
	return true;
}

static char *host_text(const struct authority *a, bool is_wildcard)
{
	char text[ADDRESS_TEXT_MAX];
	struct span host = a->is_address ? address_format(&a->address, text) : name_span(&a->name);

	return xasprintf("%s%.*s", is_wildcard ? "*." : "", SPAN_ARG(host));
}

/* [http://|https://]HOST[:PORT] */
static int add_host(struct secret_spec *s, struct span text, struct err *err)
{
	struct secret_host h = { .is_clear = drop_prefix(&text, SPAN("http://")) };
	struct span rest = text;
	struct authority a;
	bool is_wildcard;

	if (!h.is_clear)
		(void)drop_prefix(&rest, SPAN("https://"));
	is_wildcard = drop_prefix(&rest, SPAN("*."));
	if (authority_parse(rest, &a) < 0 || (is_wildcard && a.is_address))
		return err_say(err, -EINVAL,
			       "host=%.*s is no host: expected NAME, *.NAME or an address, perhaps "
			       "with :PORT",
			       SPAN_ARG(text));
	h.port = a.port;
	h.host = host_text(&a, is_wildcard);
	vec_push(&s->hosts, h);
	return 0;
}

int secret_spec_add_url(struct secret_spec *s, struct span url, struct err *err)
{
	size_t begin = span_starts_with(url, SPAN("http://")) ? 7 : 8;
	const char *end;

	if (begin == 8 && !span_starts_with(url, SPAN("https://")))
		return err_say(err, -EINVAL, "it begins with neither https:// nor http://");
	end = memchr(url.p + begin, '/', url.len - begin);
	return add_host(s, span_make(url.p, end ? (size_t)(end - url.p) : url.len), err);
}

static int add_port(struct secret_spec *s, struct span text, struct err *err)
{
	uint32_t port = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || i > 4)
			return err_say(err, -EINVAL, "port=%.*s is no port", SPAN_ARG(text));
		port = port * 10 + (uint32_t)(text.p[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return err_say(err, -EINVAL, "port=%.*s is no port", SPAN_ARG(text));
	vec_push(&s->ports, (uint16_t)port);
	return 0;
}

static int set_path(struct secret_spec *s, struct span text, struct err *err)
{
	_cleanup_buf_ struct buf path = BUF_INIT(0);

	if (!text.len || text.p[0] != '/' || memchr(text.p, '?', text.len) ||
	    http_path_normalise(text, &path) < 0)
		return err_say(err, -EINVAL, "path=%.*s is no path of a URL", SPAN_ARG(text));
	xfree(s->path);
	s->path = buf_take(&path);
	return 0;
}

static int set_header(struct secret_spec *s, struct span text, struct err *err)
{
	if (!http_is_token(text))
		return err_say(err, -EINVAL, "header=%.*s is not the name of a header",
			       SPAN_ARG(text));
	xfree(s->header);
	s->header = xmemdup0(text.p, text.len);
	for (char *c = s->header; *c; c++)
		*c = ascii_lower(*c);
	return 0;
}

static int set_variable(struct secret_spec *s, struct span text, struct err *err)
{
	if (!is_identifier(text, false))
		return err_say(err, -EINVAL, "env=%.*s is not the name of a variable",
			       SPAN_ARG(text));
	xfree(s->variable);
	s->variable = xmemdup0(text.p, text.len);
	return 0;
}

int secret_spec_set(struct secret_spec *s, struct span key, struct span value, struct err *err)
{
	if (span_eq_str(key, "host"))
		return add_host(s, value, err);
	if (span_eq_str(key, "port"))
		return add_port(s, value, err);
	if (span_eq_str(key, "header"))
		return set_header(s, value, err);
	if (span_eq_str(key, "path"))
		return set_path(s, value, err);
	if (span_eq_str(key, "env"))
		return set_variable(s, value, err);
	return err_say(err, -EINVAL, "unknown key %.*s", SPAN_ARG(key));
}

/* ---- The whole ---- */

static size_t count_places(const struct secret_spec *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->hosts.len; i++)
		n += s->hosts.items[i].port ? 1 : MAX(s->ports.len, (size_t)1);
	return n;
}

int secret_spec_finish(struct secret_spec *s, struct err *err)
{
	bool has_binding = s->ports.len || s->path || s->header || s->variable;

	if (!s->hosts.len)
		/* An HttpRewrite policy may name it; a placeholder would be of no use. */
		return has_binding ? err_say(err, -EINVAL, "say where it may go: host=NAME") : 0;
	if (count_places(s) > LIMIT_SECRET_PLACES)
		return err_say(err, -EINVAL, "it may go to %zu places at most",
			       LIMIT_SECRET_PLACES);
	if (s->variable)
		return 0;
	s->variable = xstrdup(s->source == SECRET_FROM_VARIABLE ? s->from : s->name);
	return is_identifier(span_of(s->variable), false)
		       ? 0
		       : err_say(err, -EINVAL,
				 "say in which variable the agent expects it: env=VARIABLE");
}

static bool is_key(struct span text)
{
	for (size_t i = 0; secret_spec_keys[i]; i++)
		if (span_eq_str(text, secret_spec_keys[i]))
			return true;
	return false;
}

/* A command may hold commas: only what has a known key behind the last comma is cut off. */
static bool cut_setting(struct span *text, struct span *key, struct span *value)
{
	const char *comma = memrchr(text->p, ',', text->len);
	struct span last = comma ? span_from(*text, (size_t)(comma - text->p) + 1) : *text;
	const char *equals = memchr(last.p, '=', last.len);

	if (!comma || !equals)
		return false;
	*key = span_make(last.p, (size_t)(equals - last.p));
	*value = span_from(last, key->len + 1);
	if (!is_key(*key))
		return false;
	text->len = (size_t)(comma - text->p);
	return true;
}

int secret_spec_parse(struct span text, struct secret_spec *ret, struct err *err)
{
	_cleanup_(secret_spec_done) struct secret_spec s = { 0 };
	const char *equals = memchr(text.p, '=', text.len);
	struct span name = span_make(text.p, equals ? (size_t)(equals - text.p) : 0);
	struct span key, value;
	int r = 0;

	if (!equals)
		return err_say(err, -EINVAL, "--secret: expected NAME=SOURCE[,host=...]");
	text = span_from(text, name.len + 1);
	while (r == 0 && cut_setting(&text, &key, &value))
		r = secret_spec_set(&s, key, value, err);
	if (r == 0)
		r = secret_spec_begin(&s, name, text, err);
	if (r == 0)
		r = secret_spec_finish(&s, err);
	if (r < 0)
		return err_wrap(err, r, "--secret %.*s", SPAN_ARG(name));
	*ret = s;
	s = (struct secret_spec){ 0 };
	return 0;
}

static void add_place(struct secret_rule *rule, const struct secret_host *h, uint16_t port)
{
	if (rule->n_places < LIMIT_SECRET_PLACES)
		rule->places[rule->n_places++] =
			(struct secret_place){ span_of(h->host), port, h->is_clear };
}

void secret_spec_rule(const struct secret_spec *s, struct secret_rule *ret)
{
	*ret = (struct secret_rule){ .name = span_of(s->name),
				     .value = secret_span(&s->value),
				     .placeholder = secret_span(&s->placeholder),
				     .path = span_of(s->path),
				     .header = span_of(s->header) };
	for (size_t i = 0; i < s->hosts.len; i++) {
		const struct secret_host *h = &s->hosts.items[i];

		for (size_t k = 0; !h->port && k < s->ports.len; k++)
			add_place(ret, h, s->ports.items[k]);
		if (h->port || !s->ports.len)
			add_place(ret, h, h->port ? h->port : h->is_clear ? 80 : 443);
	}
}

int secret_specs_hand_on(const secret_specs *specs,
			 int (*hand)(struct span message, void *ctx, struct err *err), void *ctx,
			 struct err *err)
{
	int r = 0;

	for (size_t i = 0; specs && i < specs->len && r >= 0; i++) {
		_cleanup_buf_ struct buf message = BUF_INIT(0);
		struct secret_rule rule;

		secret_spec_rule(&specs->items[i], &rule);
		r = secret_rule_write(&rule, &message);
		r = r < 0 ? err_set(err, r, "the secret %s", specs->items[i].name)
			  : hand(buf_span(&message), ctx, err);
		if (message.data)
			explicit_bzero(message.data, message.cap);
	}
	return r;
}
