#include <errno.h>

#include "engine/frame.h"
#include "engine/hello-private.h"

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
	const struct hello_numbers n = { .memory_bytes = o->limits.memory_bytes,
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
					 .want_url = o->want_url,
					 .is_far = o->is_far };

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
		const struct hello_port p = { ports->items[i].container, ports->items[i].host };

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
