#include "engine/hello.h"

#include <errno.h>

#include "base/limits.h"
#include "engine/frame.h"

enum hello_tag {
	TAG_NONE,
	TAG_VERSION,
	TAG_NUMBERS,
	TAG_ID,
	TAG_DIRECTORY,
	TAG_CWD,
	TAG_USER,
	TAG_NAME,
	TAG_RUNTIME,
	TAG_AGENT,
	TAG_PROFILE,
	TAG_POLICY_FILE,
	TAG_USER_FILE,
	TAG_PROJECT_FILE,
	TAG_TRUSTED,
	TAG_SESSION_TEXT,
	TAG_TOKEN_FILE,
	TAG_ATTACH_SOCKET,
	TAG_LISTEN,
	TAG_ARGUMENT,
	TAG_VARIABLE,
	TAG_MOUNT,
	TAG_MOUNT_READ_ONLY,
	TAG_PORT,
	TAG_SECRET,
	TAG_MAX,
};

struct numbers {
	uint64_t memory_bytes;
	uint32_t mode, max_pids, cpu_percent;
	int32_t outer_pid;
	uint16_t rows, columns, listen_port;
	uint8_t is_port_given, want_pty, is_verbose, want_url;
};

struct port {
	uint16_t container, host;
};

#define MAX_ITEMS 65536 /* arguments, variables, mounts, ports: of each */

/* ---- Writing ---------------------------------------------------------------- */

static void put(struct buf *out, enum hello_tag tag, const void *p, size_t len)
{
	const uint32_t head[2] = { tag, (uint32_t)len };

	(void)buf_append(out, head, sizeof(head));
	(void)buf_append(out, p, len);
}

static void put_text(struct buf *out, enum hello_tag tag, const char *text)
{
	if (text)
		put(out, tag, text, strlen(text));
}

static void put_numbers(struct buf *out, const struct session_options *o,
			const struct hello_extra *extra)
{
	const struct numbers n = { .memory_bytes = o->limits.memory_bytes,
				   .max_pids = o->limits.max_pids,
				   .cpu_percent = o->limits.cpu_percent,
				   .mode = o->layers->environment.mode,
				   .outer_pid = o->outer_pid,
				   .rows = extra->window.ws_row,
				   .columns = extra->window.ws_col,
				   .listen_port = o->listen->port,
				   .is_port_given = o->listen->is_port_given,
				   .want_pty = o->want_pty,
				   .is_verbose = o->is_verbose,
				   .want_url = o->want_url };

	put(out, TAG_NUMBERS, &n, sizeof(n));
}

static int put_secret(struct span message, void *ctx, struct err *err)
{
	(void)err;
	put(ctx, TAG_SECRET, message.p, message.len);
	return 0;
}

static void put_layers(struct buf *out, const struct policy_layers *l)
{
	put_text(out, TAG_AGENT, l->environment.agent);
	put_text(out, TAG_PROFILE, l->environment.profile);
	put_text(out, TAG_POLICY_FILE, l->policy_file);
	put_text(out, TAG_USER_FILE, l->user_file);
	put_text(out, TAG_PROJECT_FILE, l->project_file);
	put_text(out, TAG_TRUSTED, l->trusted);
	put(out, TAG_SESSION_TEXT, l->session_text.p, l->session_text.len);
}

static void put_ports(struct buf *out, const published_ports *ports)
{
	for (size_t i = 0; i < ports->len; i++) {
		const struct port p = { ports->items[i].container, ports->items[i].host };

		put(out, TAG_PORT, &p, sizeof(p));
	}
}

int hello_write(const struct session_options *o, const struct hello_extra *extra, struct buf *out,
		struct err *err)
{
	int r;

	out->max = FRAME_HELLO_MAX;
	/* Once: a buffer that grows leaves copies behind. */
	if (!buf_reserve(out, FRAME_HELLO_MAX))
		return err_set(err, -ENOMEM, "describe the session");
	put_text(out, TAG_VERSION, LEASH_VERSION);
	put_numbers(out, o, extra);
	put_text(out, TAG_ID, o->id);
	put_text(out, TAG_DIRECTORY, o->directory);
	put_text(out, TAG_CWD, o->cwd);
	put_text(out, TAG_USER, extra->user);
	put_text(out, TAG_NAME, o->name);
	put_text(out, TAG_RUNTIME, o->runtime);
	put_text(out, TAG_TOKEN_FILE, o->token_file);
	put_text(out, TAG_ATTACH_SOCKET, o->attach_socket);
	put_text(out, TAG_LISTEN, o->listen->address);
	put_layers(out, o->layers);
	for (char *const *a = o->argv; *a; a++)
		put_text(out, TAG_ARGUMENT, *a);
	for (size_t i = 0; i < o->environment->entries.len; i++)
		put_text(out, TAG_VARIABLE, o->environment->entries.items[i]);
	for (size_t i = 0; i < o->n_mounts; i++)
		put_text(out, o->mounts[i].is_read_only ? TAG_MOUNT_READ_ONLY : TAG_MOUNT,
			 o->mounts[i].target);
	put_ports(out, o->ports);
	r = secret_specs_hand_on(o->secrets, put_secret, out, err);
	if (r >= 0 && out->failed)
		r = err_say(err, -E2BIG,
			    "arguments, environment and policies are too long together");
	return r;
}

/* ---- Reading ---------------------------------------------------------------- */

static char *keep(struct hello *h, struct span text)
{
	char *copy = xmemdup0(text.p, text.len);

	vec_push(&h->texts, copy);
	return copy;
}

static int take_numbers(struct hello *h, struct span s)
{
	struct numbers n;

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
	struct port p;

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

static int take(struct hello *h, uint32_t tag, struct span s)
{
	struct policy_layers *l = &h->layers;

	if (tag != TAG_SECRET && tag != TAG_NUMBERS && tag != TAG_PORT && s.len &&
	    memchr(s.p, 0, s.len))
		return -EBADMSG;
	switch ((enum hello_tag)tag) {
	case TAG_VERSION:
		return span_eq_str(s, LEASH_VERSION) ? 0 : -EPROTO;
	case TAG_NUMBERS:
		return take_numbers(h, s);
	case TAG_ID:
		h->options.id = keep(h, s);
		return 0;
	case TAG_DIRECTORY:
		h->options.directory = keep(h, s);
		return 0;
	case TAG_CWD:
		h->options.cwd = h->options.workspace = keep(h, s);
		return 0;
	case TAG_USER:
		h->user = keep(h, s);
		return 0;
	case TAG_NAME:
		h->options.name = keep(h, s);
		return 0;
	case TAG_RUNTIME:
		h->options.runtime = keep(h, s);
		return 0;
	case TAG_AGENT:
		l->environment.agent = keep(h, s);
		return 0;
	case TAG_PROFILE:
		l->environment.profile = keep(h, s);
		return 0;
	case TAG_POLICY_FILE:
		l->policy_file = keep(h, s);
		return 0;
	case TAG_USER_FILE:
		l->user_file = keep(h, s);
		return 0;
	case TAG_PROJECT_FILE:
		l->project_file = keep(h, s);
		return 0;
	case TAG_TRUSTED:
		l->trusted = keep(h, s);
		return 0;
	case TAG_SESSION_TEXT:
		l->session_text = span_make(keep(h, s), s.len);
		return 0;
	case TAG_TOKEN_FILE:
		h->options.token_file = keep(h, s);
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
	case TAG_NONE:
	case TAG_MAX:
		break;
	}
	return -EBADMSG;
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
	h->layers.environment.workspace = h->options.cwd;
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
