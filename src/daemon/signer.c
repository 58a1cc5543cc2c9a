/*
 * The session's certificate authority as the daemon sees it: a process that is
 * started early, says its certificate, and then talks with the proxy alone.
 */
#include <errno.h>

#include "base/fd.h"
#include "base/log.h"
#include "daemon/roots.h"
#include "daemon/session-private.h"
#include "proxy/keys.h"

static int open_roots(struct session *s, struct err *err)
{
	bool is_found = false;

	s->roots_fd = roots_open(&is_found, err);
	if (s->roots_fd >= 0 && !is_found)
		log_warning("this machine has no list of trusted certificate authorities, so no "
			    "server can be "
			    "verified; install the package ca-certificates, or set SSL_CERT_FILE");
	/* The file may be one that the agent may write, and it is read later. */
	if (s->roots_fd >= 0 && s->options->user)
		s->roots_fd = roots_seal(TAKE_FD(s->roots_fd), err);
	return s->roots_fd;
}

/* The signer reads it when it has confined itself. */
static int introduce_proxy(struct session *s, struct err *err)
{
	_cleanup_close_ int signer_end = -1;
	int pair[2];
	int r = ipc_socketpair(pair);

	if (r < 0)
		return err_set(err, r, "socketpair");
	signer_end = pair[0];
	s->signer_fd = pair[1];
	return child_send(&s->signer, KEYS_PROXY, (struct span){ 0 }, &signer_end, 1, err);
}

int session_start_signer(struct session *s, struct err *err)
{
	int r = child_start(&s->signer, err);

	if (r >= 0)
		r = introduce_proxy(s, err);
	return r < 0 ? r : open_roots(s, err);
}

int session_write_roots(struct session *s, struct err *err)
{
	return container_trust_begin(s->sandbox.file_fds, s->roots_fd, err);
}

static void take_authority(struct session *s, struct span der)
{
	struct err err = { 0 };

	if (container_trust_finish(&s->trust, s->sandbox.file_fds, der, &err) < 0) {
		session_end(s, EXIT_LEASH_FAILED, err.text);
		return;
	}
	for (size_t i = 0; i < s->trust.n_files; i++)
		fd_close(TAKE_FD(s->sandbox.file_fds[i]));
	s->has_authority = true;
	session_release(s);
}

static void on_message(uv_poll_t *handle, int status, int events)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct session *s = handle->data;

	(void)status;
	(void)events;
	if (session_take_message(&s->signer, keys_to_daemon, KEYS_MESSAGE_MAX, s, &m) <= 0)
		return;
	if (m.type == KEYS_FAILED || s->has_authority) {
		session_end(s, EXIT_LEASH_FAILED,
			    m.type == KEYS_FAILED ? m.payload.data
						  : "the signer sent a second authority");
		return;
	}
	take_authority(s, buf_span(&m.payload));
}

static void on_end(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	session_child_ended(handle->data);
}

int session_watch_signer(struct session *s)
{
	int r = session_watch_fd(s, &s->signer_control, s->signer.control_fd, on_message);

	return r < 0 ? r : session_watch_fd(s, &s->signer_end, s->signer.pidfd, on_end);
}
