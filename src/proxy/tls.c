#include "proxy/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"

struct tls {
	SSL_CTX *to_servers, *to_clients;
	EVP_PKEY *key;
};

static const unsigned char both[] = "\x02h2\x08http/1.1";

/* What the error queue holds, as one error. */
static int fail(struct err *err, const char *what)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return err_say(err, -ENOMEM, "set up TLS: %s: %s", what, reason ? reason : "out of memory");
}

/* ---- Towards servers ---- */

static void add_roots(X509_STORE *store, struct span roots)
{
	BIO *bio =
		roots.len && roots.len <= INT_MAX ? BIO_new_mem_buf(roots.p, (int)roots.len) : NULL;
	X509 *certificate;

	while (bio && (certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL))) {
		(void)X509_STORE_add_cert(store, certificate);
		X509_free(certificate);
	}
	BIO_free(bio);
	ERR_clear_error(); /* among them the one that tells the end */
}

static int make_to_servers(struct tls *t, struct span roots, struct err *err)
{
	SSL_CTX *ctx = t->to_servers = SSL_CTX_new(TLS_client_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION))
		return fail(err, "towards servers");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	add_roots(SSL_CTX_get_cert_store(ctx), roots);
	return 0;
}

static int set_peer(SSL *ssl, const struct name *name, const struct policy_address *address)
{
	char text[MAX(ADDRESS_TEXT_MAX, NAME_MAX_LEN + 1)];
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (!name) {
		(void)address_format(address, text);
		return X509_VERIFY_PARAM_set1_ip_asc(param, text) ? 0 : -EINVAL;
	}
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	memcpy(text, name->text, name->len + 1);
	return SSL_set1_host(ssl, text) && SSL_set_tlsext_host_name(ssl, text) ? 0 : -EINVAL;
}

static int offer(SSL *ssl, unsigned int protocols)
{
	const unsigned char *list = both;
	unsigned int len = sizeof(both) - 1;

	if (protocols == 0)
		return 0;
	if (!(protocols & TLS_PROTOCOL_HTTP2)) {
		list += 3;
		len -= 3;
	} else if (!(protocols & TLS_PROTOCOL_HTTP1)) {
		len = 3;
	}
	return SSL_set_alpn_protos(ssl, list, len) == 0 ? 0 : -ENOMEM;
}

SSL *tls_to_server(struct tls *t, const struct name *name, const struct policy_address *address,
		   unsigned int protocols)
{
	SSL *ssl = SSL_new(t->to_servers);

	if (!ssl || set_peer(ssl, name, address) < 0 || offer(ssl, protocols) < 0) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

const char *tls_verify_error(const SSL *ssl)
{
	long result = SSL_get_verify_result(ssl);

	return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}

/* ---- Towards clients ---- */

static int on_offer(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		    const unsigned char *in, unsigned int in_len, void *arg)
{
	enum tls_protocol want = (enum tls_protocol)(uintptr_t)SSL_get_app_data(ssl);
	const unsigned char *list = want == TLS_PROTOCOL_HTTP2 ? both : both + 3;
	unsigned int len = want == TLS_PROTOCOL_HTTP2 ? 3 : 9;
	unsigned char *found;

	(void)arg;
	if (want == TLS_PROTOCOL_NONE ||
	    SSL_select_next_proto(&found, out_len, list, len, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

static int make_to_clients(struct tls *t, struct err *err)
{
	SSL_CTX *ctx = t->to_clients = SSL_CTX_new(TLS_server_method());

	t->key = EVP_EC_gen("P-256");
	if (!ctx || !t->key || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION))
		return fail(err, "towards clients");
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					       SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_num_tickets(ctx, 0);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(ctx, on_offer, NULL);
	return 0;
}

int tls_public_key(const struct tls *t, struct buf *out)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(t->key, &der);
	int r = len > 0 ? buf_append(out, (const char *)der, (size_t)len) : -ENOMEM;

	OPENSSL_free(der);
	return r;
}

SSL *tls_to_client(struct tls *t, X509 *certificate, enum tls_protocol protocol)
{
	SSL *ssl = SSL_new(t->to_clients);

	if (!ssl || !SSL_use_certificate(ssl, certificate) || !SSL_use_PrivateKey(ssl, t->key)) {
		SSL_free(ssl);
		ERR_clear_error();
		return NULL;
	}
	(void)SSL_set_app_data(ssl, (void *)(uintptr_t)protocol);
	SSL_set_accept_state(ssl);
	return ssl;
}

enum tls_protocol tls_agreed(const SSL *ssl)
{
	const unsigned char *protocol = NULL;
	unsigned int len = 0;

	SSL_get0_alpn_selected(ssl, &protocol, &len);
	if (len == 2 && memcmp(protocol, "h2", 2) == 0)
		return TLS_PROTOCOL_HTTP2;
	return len ? TLS_PROTOCOL_HTTP1 : TLS_PROTOCOL_NONE;
}

bool tls_is_mistrust(unsigned long error)
{
	switch (ERR_GET_REASON(error)) {
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
		return ERR_GET_LIB(error) == ERR_LIB_SSL;
	default:
		return false;
	}
}

/* ---- Life ---- */

int tls_new(struct span roots, struct tls **ret, struct err *err)
{
	struct tls *t = xnew(struct tls);
	int r;

	/* No configuration file: what it says is for other programs, and reading it takes time. */
	(void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, NULL);
	r = make_to_servers(t, roots, err);
	if (r == 0)
		r = make_to_clients(t, err);
	if (r < 0) {
		tls_free(t);
		return r;
	}
	for (int i = 0; i < 2; i++)
		(void)SSL_CTX_set_mode(i ? t->to_servers : t->to_clients,
				       SSL_MODE_ENABLE_PARTIAL_WRITE |
					       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					       SSL_MODE_RELEASE_BUFFERS);
	*ret = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->to_servers);
	SSL_CTX_free(t->to_clients);
	EVP_PKEY_free(t->key);
	xfree(t);
}
