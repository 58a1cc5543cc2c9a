#include <errno.h>

#include "base/limits.h"
#include "engine/hello-private.h"

#define MAX_ITEMS 65536 /* arguments, variables, mounts, ports: of each */

static char *keep(struct hello *h, struct span text)
{
	char *copy = xmemdup0(text.p, text.len);

	vec_push(&h->texts, copy);
	return copy;
}

static int take_numbers(struct hello *h, struct span s)
{
	struct hello_numbers n;

	if (s.len != sizeof(n))
		return -EBADMSG;
	memcpy(&n, s.p, sizeof(n));
	if (n.mode > POLICY_RECORD)
		return -EBADMSG;
	h->layers.environment.mode = (enum policy_mode)n.mode;
	h->options.limits = (struct sandbox_limits){ n.memory_bytes, n.max_pids, n.cpu_percent };
	h->window = (struct winsize){ .ws_row = n.rows, .ws_col = n.columns };
	h->listen.port = n.listen_port;
	h->listen.is_port_given = n.is_port_given;
	h->options.outer_pid = n.outer_pid;
	h->options.want_pty = n.want_pty;
	h->options.is_verbose = n.is_verbose;
	h->options.want_url = n.want_url;
	h->options.is_far = n.is_far;
	return 0;
}

static int take_listen(struct hello *h, struct span s)
{
	if (s.len >= sizeof(h->listen.address))
		return -EBADMSG;
	memcpy(h->listen.address, s.p, s.len);
	return 0;
}

static int take_variable(struct hello *h, struct span s)
{
	const char *equals = s.len ? memchr(s.p, '=', s.len) : NULL;
	_cleanup_free_ char *key = NULL;

	if (!equals || equals == s.p)
		return -EBADMSG;
	key = xmemdup0(s.p, (size_t)(equals - s.p));
	environment_set_span(&h->environment, key, span_from(s, (size_t)(equals - s.p) + 1));
	return 0;
}

static int take_port(struct hello *h, struct span s)
{
	struct hello_port p;

	if (s.len != sizeof(p))
		return -EBADMSG;
	memcpy(&p, s.p, sizeof(p));
	vec_push(&h->ports,
		 (struct published_port){ xstrdup(""), p.host, p.container, .listen_fd = -1 });
	return 0;
}

static int take_secret(struct hello *h, struct span message)
{
	struct secret_spec s = { 0 };
	struct secret_rule rule;
	int r = secret_rule_read(message, &rule);

	if (r < 0)
		return r;
	s.name = xmemdup0(rule.name.p, rule.name.len);
	s.path = rule.path.len ? xmemdup0(rule.path.p, rule.path.len) : NULL;
	s.header = rule.header.len ? xmemdup0(rule.header.p, rule.header.len) : NULL;
	for (size_t i = 0; i < rule.n_places; i++) {
		const struct secret_place *p = &rule.places[i];

		vec_push(&s.hosts, (struct secret_host){ xmemdup0(p->host.p, p->host.len), p->port,
							 p->is_clear });
	}
	r = secret_copy(rule.value, &s.value);
	if (r >= 0)
		r = secret_copy(rule.placeholder, &s.placeholder);
	vec_push(&h->secrets, s);
	return r;
}

static int take_mount(struct hello *h, struct span s, bool is_read_only)
{
	const char *path = keep(h, s);

	vec_push(&h->mounts, (struct sandbox_mount){ path, path, is_read_only });
	return 0;
}

/* Texts that are kept as they are: pointers in struct hello. */
static const struct {
	enum hello_tag tag;
	size_t at;
} kept_texts[] = {
	{ TAG_ID, offsetof(struct hello, options.id) },
	{ TAG_DIRECTORY, offsetof(struct hello, options.directory) },
	{ TAG_CWD, offsetof(struct hello, options.cwd) },
	{ TAG_USER, offsetof(struct hello, user) },
	{ TAG_NAME, offsetof(struct hello, options.name) },
	{ TAG_RUNTIME, offsetof(struct hello, options.runtime) },
	{ TAG_AGENT, offsetof(struct hello, layers.environment.agent) },
	{ TAG_PROFILE, offsetof(struct hello, layers.environment.profile) },
	{ TAG_POLICY_FILE, offsetof(struct hello, layers.policy_file) },
	{ TAG_USER_FILE, offsetof(struct hello, layers.user_file) },
	{ TAG_PROJECT_FILE, offsetof(struct hello, layers.project_file) },
	{ TAG_TRUSTED, offsetof(struct hello, layers.trusted) },
	{ TAG_TOKEN_FILE, offsetof(struct hello, options.token_file) },
	{ TAG_ATTACH_SOCKET, offsetof(struct hello, options.attach_socket) },
};

static int take_text(struct hello *h, uint32_t tag, struct span s)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept_texts); i++)
		if (kept_texts[i].tag == tag) {
			char *copy = keep(h, s);

			memcpy((char *)h + kept_texts[i].at, &copy, sizeof(copy));
			return 0;
		}
	return -EBADMSG;
}

static int take(struct hello *h, uint32_t tag, struct span s)
{
	if (tag != TAG_SECRET && tag != TAG_NUMBERS && tag != TAG_PORT && s.len &&
	    memchr(s.p, 0, s.len))
		return -EBADMSG;
	switch (tag) {
	case TAG_VERSION:
		return span_eq_str(s, LEASH_VERSION) ? 0 : -EPROTO;
	case TAG_NUMBERS:
		return take_numbers(h, s);
	case TAG_SESSION_TEXT:
		h->layers.session_text = span_make(keep(h, s), s.len);
		return 0;
	case TAG_ATTACH_SOCKET:
		h->options.attach_socket = keep(h, s);
		return 0;
	case TAG_LISTEN:
		return take_listen(h, s);
	case TAG_ARGUMENT:
		vec_push(&h->argv, keep(h, s));
		return 0;
	case TAG_VARIABLE:
		return take_variable(h, s);
	case TAG_MOUNT:
	case TAG_MOUNT_READ_ONLY:
		return take_mount(h, s, tag == TAG_MOUNT_READ_ONLY);
	case TAG_PORT:
		return take_port(h, s);
	case TAG_SECRET:
		return take_secret(h, s);
	default:
		return take_text(h, tag, s);
	}
}

static int take_all(struct hello *h, struct span rest)
{
	uint32_t head[2];
	size_t n = 0;

	while (rest.len) {
		int r;

		if (rest.len < sizeof(head) || ++n > MAX_ITEMS)
			return -EBADMSG;
		memcpy(head, rest.p, sizeof(head));
		rest = span_from(rest, sizeof(head));
		if (head[1] > rest.len)
			return -EBADMSG;
		r = take(h, head[0], span_make(rest.p, head[1]));
		if (r < 0)
			return r;
		rest = span_from(rest, head[1]);
	}
	return 0;
}

static bool is_complete(const struct hello *h)
{
	return h->options.id && h->options.directory && h->options.cwd && h->user &&
	       h->options.token_file && h->argv.len && h->layers.environment.agent &&
	       h->layers.environment.profile && h->layers.user_file && h->layers.project_file;
}

int hello_read(struct span message, struct hello *ret, struct err *err)
{
	struct hello *h = ret;
	int r;

	*h = (struct hello){ .listen = { .fd = -1 } };
	r = take_all(h, message);
	if (r == -EPROTO)
		return err_say(err, r,
			       "leash in the container is of another version than leash outside");
	if (r >= 0 && !is_complete(h))
		r = -EBADMSG;
	if (r < 0)
		return err_set(err, r, "read what to run");
	vec_push(&h->argv, NULL);
	h->options.workspace = h->layers.environment.workspace = h->options.cwd;
	h->options.layers = &h->layers;
	h->options.environment = &h->environment;
	h->options.secrets = &h->secrets;
	h->options.ports = &h->ports;
	h->options.listen = &h->listen;
	h->options.argv = h->argv.items;
	h->options.mounts = h->mounts.items;
	h->options.n_mounts = h->mounts.len;
	return 0;
}

void hello_done(struct hello *h)
{
	environment_done(&h->environment);
	secret_specs_done(&h->secrets);
	publish_done(&h->ports);
	api_listen_close(&h->listen);
	for (size_t i = 0; i < h->texts.len; i++)
		xfree(h->texts.items[i]);
	vec_done(&h->texts);
	vec_done(&h->argv);
	vec_done(&h->mounts);
	xfree(h->layers.kept_text);
	xfree(h->layers.runtime_text);
}
