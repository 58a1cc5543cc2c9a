#include "api/auth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/secret.h"

static int draw(char hex[API_TOKEN_LEN + 1])
{
	unsigned char bytes[API_TOKEN_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

int api_auth_init(struct api_auth *a, const struct api_listen *listen)
{
	int r;

	*a = (struct api_auth){ .listen = *listen };
	(void)snprintf(a->cookie_name, sizeof(a->cookie_name), "leash-%u", listen->port);
	r = draw(a->token);
	return r < 0 ? r : draw(a->cookie);
}

/* ---- Host and Origin --------------------------------------------------------- */

/* Takes ":PORT" off; port 80 may be left out (RFC 9110 §4.2.1). */
static bool take_port(const struct api_auth *a, struct span *host)
{
	char port[8];

	(void)snprintf(port, sizeof(port), ":%u", a->listen.port);
	if (span_ends_with(*host, span_of(port))) {
		host->len -= strlen(port);
		return true;
	}
	return a->listen.port == 80 && host->len && host->p[host->len - 1] != ':';
}

/* An address, which no name server can make point elsewhere. */
static bool is_address(struct span host)
{
	char text[API_ADDRESS_MAX];
	unsigned char bytes[16];
	bool is_v6 = host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']';

	if (is_v6)
		host = span_make(host.p + 1, host.len - 2);
	if (host.len >= sizeof(text) || memchr(host.p, 0, host.len))
		return false;
	memcpy(text, host.p, host.len);
	text[host.len] = 0;
	return inet_pton(is_v6 ? AF_INET6 : AF_INET, text, bytes) == 1;
}

bool api_auth_is_host(const struct api_auth *a, struct span host)
{
	bool is_any = api_listen_is_any(&a->listen);
	char own[API_ADDRESS_MAX + 2];

	if (!take_port(a, &host))
		return false;
	if (is_any && is_address(host))
		return true;
	if (is_any || api_listen_is_loopback(&a->listen))
		if (span_eq_nocase(host, SPAN("localhost")) || span_eq_str(host, "127.0.0.1") ||
		    span_eq_str(host, "[::1]"))
			return true;
	(void)snprintf(own, sizeof(own), strchr(a->listen.address, ':') ? "[%s]" : "%s",
		       a->listen.address);
	return span_eq_str(host, own);
}

bool api_auth_is_same_origin(const struct http_head *head)
{
	const struct http_field *origin = http_field_find(head, "origin");
	const struct http_field *host = http_field_find(head, "host");

	if (!origin)
		return true;
	return host && span_starts_with(origin->value, SPAN("http://")) &&
	       span_eq_nocase(span_from(origin->value, 7), host->value);
}

/* Fetch Metadata: browsers say so also where there is no Origin, for GET. */
bool api_auth_is_foreign(const struct http_head *head)
{
	const struct http_field *site = http_field_find(head, "sec-fetch-site");

	return site && !span_eq_str(site->value, "same-origin") && !span_eq_str(site->value, "none");
}

/* ---- Token and cookie -------------------------------------------------------- */

static bool is_equal(struct span given, const char *secret)
{
	return given.len == API_TOKEN_LEN && secret_bytes_eq(given.p, secret, API_TOKEN_LEN);
}

bool api_auth_is_token(const struct api_auth *a, struct span token)
{
	return is_equal(token, a->token);
}

/* RFC 6265 §4.2.1: "a=b; c=d". */
static bool has_cookie(const struct api_auth *a, struct span value)
{
	while (value.len) {
		const char *end = memchr(value.p, ';', value.len);
		struct span pair = span_make(value.p, end ? (size_t)(end - value.p) : value.len);
		const char *equals;

		value = span_from(value, pair.len + 1);
		pair = span_trim(pair);
		equals = pair.len ? memchr(pair.p, '=', pair.len) : NULL;
		if (equals && span_eq_str(span_make(pair.p, (size_t)(equals - pair.p)), a->cookie_name) &&
		    is_equal(span_from(pair, (size_t)(equals - pair.p) + 1), a->cookie))
			return true;
	}
	return false;
}

enum api_who api_auth_who(const struct api_auth *a, const struct http_head *head)
{
	const struct http_field *field = http_field_find(head, "authorization");

	if (field && field->value.len > 7 &&
	    span_eq_nocase(span_make(field->value.p, 7), SPAN("Bearer ")) &&
	    is_equal(span_trim(span_from(field->value, 7)), a->token))
		return API_BEARER;
	/* Whoever gives a wrong token is told so, and not taken for the browser. */
	if (field)
		return API_NOBODY;
	for (size_t i = 0; i < head->n_fields; i++)
		if (span_eq_str(head->fields[i].name, "cookie") && has_cookie(a, head->fields[i].value))
			return API_COOKIE;
	return API_NOBODY;
}
