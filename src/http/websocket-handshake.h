/*
 * How a connection of HTTP/1.1 becomes a WebSocket (RFC 6455 §4): what must be
 * right in the client's request, and in the server's agreement. No sockets.
 */
#pragma once

#include "base/base64.h"
#include "base/sha1.h"
#include "http/message.h"

#define WEBSOCKET_ACCEPT_LEN BASE64_LEN(SHA1_LEN)

/* What was asked for. Zeroed before its first use; done with websocket_offer_done. */
struct websocket_offer {
	char accept[WEBSOCKET_ACCEPT_LEN]; /* what answers the key */
	struct buf protocols;		   /* a list; empty: none */
};

/* Does the client want the connection to become a WebSocket? */
bool websocket_is_asked_for(const struct http_head *request);
/* NULL, and the offer is filled; else what is wrong, for people; static. has_body: the request has
 * one. */
const char *websocket_read_offer(const struct http_head *request, bool has_body,
				 struct websocket_offer *offer);
/* A response of status 101: NULL, or what is wrong with it. */
const char *websocket_check_answer(const struct http_head *response,
				   const struct websocket_offer *offer);
void websocket_offer_done(struct websocket_offer *offer);
