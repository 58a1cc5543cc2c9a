/*
 * Who may use the API: the session's token, the cookie that a browser trades
 * it for, and what Host and Origin must say. No sockets.
 *
 * The token stands between the API and other users of the machine; Host and
 * Origin between it and pages that the user's own browser has open: a name that
 * was made to point at 127.0.0.1, and a form or script of another origin.
 */
#pragma once

#include "api/listen.h"
#include "http/message.h"

#define API_TOKEN_LEN 64 /* 256 random bits, hexadecimal */

struct api_auth {
	struct api_listen listen;
	char token[API_TOKEN_LEN + 1];
	char cookie[API_TOKEN_LEN + 1]; /* its value: of its own, so that it cannot be put to use elsewhere */
	char cookie_name[16];		/* "leash-18080": two sessions have two */
};

enum api_who {
	API_NOBODY = 0,
	API_COOKIE,
	API_BEARER,
};

/* Draws token and cookie; listen is where the API is to be found. */
int api_auth_init(struct api_auth *a, const struct api_listen *listen) _must_check_;
/* May that be the value of Host? An address or name that leash listens on, with the port. */
bool api_auth_is_host(const struct api_auth *a, struct span host);
/* Is the request of the same origin as the API, as far as the browser says? */
bool api_auth_is_same_origin(const struct http_head *head);
/* Does a browser say that a page of another origin has asked? */
bool api_auth_is_foreign(const struct http_head *head);
enum api_who api_auth_who(const struct api_auth *a, const struct http_head *head);
bool api_auth_is_token(const struct api_auth *a, struct span token);
