/*
 * Two sockets joined: bytes both ways, back-pressure, half-close, no timeout.
 * What is read goes through one buffer of the process and is written at once;
 * only what the slower side does not take is kept, and then nothing more is
 * read. An idle connection therefore holds no buffer.
 */
#pragma once

#include <uv.h>

#include "base/span.h"

enum {
	RELAY_CLIENT,
	RELAY_SERVER,
};

struct relay;

struct relay_events {
	/* Both directions have ended (0), or one failed (negative errno). The owner calls
	 * relay_free. */
	void (*ended)(void *ctx, int error);
	/* While the client's bytes are tapped: they come here instead; an empty span is their end.
	 */
	void (*tapped)(void *ctx, struct span bytes);
	/* The server's first bytes have gone to the client; or NULL. */
	void (*server_spoke)(void *ctx);
};

/* Takes both descriptors. scratch: LIMIT_PROXY_RELAY bytes, shared by all relays of a loop. */
struct relay *relay_new(uv_loop_t *loop, int client_fd, int server_fd, char *scratch,
			const struct relay_events *events, void *ctx);
/* Bytes for the server that were read before the relay began. Before relay_start, or while tapped.
 */
void relay_send(struct relay *r, struct span bytes);
void relay_start(struct relay *r, bool is_tapped);
/* Stops reading from the client while its first bytes are being judged; untap resumes. */
void relay_pause(struct relay *r);
void relay_untap(struct relay *r);
/* Bytes from the client to the server, and back. */
uint64_t relay_bytes(const struct relay *r, int from);
/* Gives both sockets back, and ends: instead of relay_free. -EBUSY while bytes wait to be written. */
int relay_release(struct relay *r, int *ret_client_fd, int *ret_server_fd) _must_check_;
/* Closes both sockets, by RST if abort. NULL allowed. */
void relay_free(struct relay *r, bool abort);
