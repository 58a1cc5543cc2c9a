#include "proxy/ca.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "proxy/name.h"

#define SECONDS_PER_DAY 86400L
#define AUTHORITY_DAYS 30
/* Some clients refuse a server's certificate that is valid for long; a session's tools don't keep
 * one. */
#define LEAF_DAYS 7
/* Clocks of other machines play no part; one that was set back a little does. */
#define SLACK_SECONDS 3600L

#define SERIAL_BYTES 16
#define KEY_ID_BYTES 20
/* X.520's bound on a common name. */
#define COMMON_NAME_MAX 64
/* Keys and their temporaries; the library wants powers of two. */
#define SECURE_HEAP ((size_t)32 * 1024)
#define SECURE_HEAP_UNIT 32

/* An uncompressed point of P-256: what certificates hold of a key (SEC 1 §2.3.3). */
#define POINT_BYTES 65

struct ca {
	EVP_PKEY *key;
	unsigned char point[POINT_BYTES], leaf_point[POINT_BYTES];
	bool has_leaf_key;
	X509 *certificate;
	unsigned char key_id[KEY_ID_BYTES];
	time_t not_after;
};

/* Bit numbers of a KeyUsage (RFC 5280 §4.2.1.3). */
enum key_usage {
	USAGE_DIGITAL_SIGNATURE = 0,
	USAGE_KEY_CERT_SIGN = 5,
	USAGE_CRL_SIGN = 6,
};

/* What is common to both kinds of certificate; the functions return 1 or 0, as the library does. */

static int set_serial(X509 *c)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *n = RAND_priv_bytes(bytes, sizeof(bytes)) == 1
			    ? BN_bin2bn(bytes, sizeof(bytes), NULL)
			    : NULL;
	int done = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(c)) != NULL;

	BN_free(n);
	return done;
}

static int set_times(X509 *c, time_t now, time_t not_after)
{
	return ASN1_TIME_set(X509_getm_notBefore(c), now - SLACK_SECONDS) &&
	       ASN1_TIME_set(X509_getm_notAfter(c), not_after);
}

static int set_common_name(X509 *c, struct span name)
{
	return X509_NAME_add_entry_by_NID(X509_get_subject_name(c), NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *)name.p, (int)name.len, -1, 0);
}

static int add_extension(X509 *c, int nid, void *value, bool is_critical)
{
	return value && X509_add1_ext_i2d(c, nid, value, is_critical, X509V3_ADD_DEFAULT);
}

static int add_basic_constraints(X509 *c, bool is_authority)
{
	BASIC_CONSTRAINTS *b = BASIC_CONSTRAINTS_new();
	int done = b != NULL;

	if (done && is_authority) {
		b->ca = 0xff; /* the byte that is written: DER's only form of TRUE (X.690 §11.1) */
		b->pathlen = ASN1_INTEGER_new();
		done = b->pathlen && ASN1_INTEGER_set(b->pathlen, 0);
	}
	done = done && add_extension(c, NID_basic_constraints, b, /* is_critical = */ true);
	BASIC_CONSTRAINTS_free(b);
	return done;
}

static int add_key_usage(X509 *c, const enum key_usage *bits, size_t n)
{
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
	int done = usage != NULL;

	for (size_t i = 0; i < n && done; i++)
		done = ASN1_BIT_STRING_set_bit(usage, (int)bits[i], 1);
	done = done && add_extension(c, NID_key_usage, usage, /* is_critical = */ true);
	ASN1_BIT_STRING_free(usage);
	return done;
}

/* The leftmost 160 bits of the key's SHA-256 (RFC 7093 §2, method 1). */
static int make_key_id(const unsigned char point[POINT_BYTES], unsigned char id[KEY_ID_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!EVP_Digest(point, POINT_BYTES, digest, &len, EVP_sha256(), NULL) || len < KEY_ID_BYTES)
		return 0;
	memcpy(id, digest, KEY_ID_BYTES);
	return 1;
}

static int add_subject_key_id(X509 *c, const unsigned char id[KEY_ID_BYTES])
{
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	int done = s && ASN1_OCTET_STRING_set(s, id, KEY_ID_BYTES) &&
		   add_extension(c, NID_subject_key_identifier, s, /* is_critical = */ false);

	ASN1_OCTET_STRING_free(s);
	return done;
}

/*
 * X509_set_pubkey would do the same by way of the library's encoders, which it
 * has to gather first: a millisecond of a session's start.
 */
static int set_public_key(X509 *c, const unsigned char point[POINT_BYTES])
{
	unsigned char *copy = OPENSSL_memdup(point, POINT_BYTES);

	if (copy && X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(c),
					   OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
					   OBJ_nid2obj(NID_X9_62_prime256v1), copy, POINT_BYTES))
		return 1;
	OPENSSL_free(copy);
	return 0;
}

static X509 *certificate_new(const unsigned char point[POINT_BYTES], time_t now, time_t not_after)
{
	X509 *c = X509_new();

	if (!c || !X509_set_version(c, X509_VERSION_3) || !set_serial(c) ||
	    !set_times(c, now, not_after) || !set_public_key(c, point)) {
		X509_free(c);
		return NULL;
	}
	return c;
}

/* ---- The authority -------------------------------------------------------------- */

/* False for a key of any other kind. */
static bool get_point(EVP_PKEY *key, unsigned char point[POINT_BYTES])
{
	char group[32];
	size_t len = 0;

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, SN_X9_62_prime256v1) == 0 &&
	       EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_BYTES,
					       &len) == 1 &&
	       len == POINT_BYTES;
}

static X509 *make_certificate(struct ca *a)
{
	static const enum key_usage usage[] = { USAGE_KEY_CERT_SIGN, USAGE_CRL_SIGN };
	time_t now = time(NULL);
	X509 *c;

	a->not_after = now + AUTHORITY_DAYS * SECONDS_PER_DAY;
	c = certificate_new(a->point, now, a->not_after);
	if (c && set_common_name(c, SPAN("leash session CA")) &&
	    X509_set_issuer_name(c, X509_get_subject_name(c)) &&
	    add_basic_constraints(c, /* is_authority = */ true) &&
	    add_key_usage(c, usage, ARRAY_SIZE(usage)) && make_key_id(a->point, a->key_id) &&
	    add_subject_key_id(c, a->key_id) && X509_sign(c, a->key, EVP_sha256()) > 0)
		return c;
	X509_free(c);
	return NULL;
}

int ca_new(struct ca **ret, struct err *err)
{
	/* Nothing found by name that we don't ask for: lists of hundreds of names take a while. */
	const uint64_t plain = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
			       OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS |
			       OPENSSL_INIT_NO_ATEXIT;
	struct ca *a = xnew(struct ca);

	/* No configuration file of the user's has a say here, and none is read. */
	if (OPENSSL_init_crypto(plain, NULL) != 1)
		return err_say(err, -EIO, "start OpenSSL");
	/* Where memory cannot be locked the keys lie in a heap of their own all the same. */
	(void)CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_HEAP_UNIT);
	/*
	 * On top of the one hash that is needed anyway: for the default one the library
	 * gathers all its ciphers first. Where it is too late to choose that one is used.
	 */
	(void)RAND_set_DRBG_type(NULL, "HASH-DRBG", NULL, NULL, "SHA256");
	a->key = EVP_EC_gen(SN_X9_62_prime256v1);
	a->certificate = a->key && get_point(a->key, a->point) ? make_certificate(a) : NULL;
	if (!a->certificate)
		return err_say(err, -EIO, "make the session's certificate authority");
	*ret = a;
	return 0;
}

static int append_der(X509 *c, struct buf *out)
{
	int len = i2d_X509(c, NULL);
	unsigned char *p = len > 0 && (size_t)len <= CA_CERTIFICATE_MAX
				   ? (unsigned char *)buf_reserve(out, (size_t)len)
				   : NULL;

	if (!p || i2d_X509(c, &p) != len)
		return -EIO;
	buf_grow(out, (size_t)len);
	return 0;
}

int ca_certificate(const struct ca *a, struct buf *out)
{
	return append_der(a->certificate, out);
}

/* ---- Leaves ---------------------------------------------------------------------- */

int ca_set_leaf_key(struct ca *a, struct span der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = a->has_leaf_key ? NULL : d2i_PUBKEY(NULL, &p, (long)der.len);
	bool is_good =
		key && p == (const unsigned char *)der.p + der.len && get_point(key, a->leaf_point);

	EVP_PKEY_free(key);
	a->has_leaf_key = is_good;
	return is_good ? 0 : -EBADMSG;
}

/* The one name or address of a certificate, as the library wants it; NULL for what is neither. */
static GENERAL_NAME *parse_host(struct span host)
{
	struct policy_address address;
	struct name name;
	bool is_address = address_parse(host, &address) == 0;
	ASN1_STRING *value;
	GENERAL_NAME *g;

	/* The canonical form is ASCII: the code that finds it for others need not see them here. */
	for (size_t i = 0; i < host.len; i++)
		if ((unsigned char)host.p[i] >= 0x80)
			return NULL;
	if (!is_address && (name_parse(host, &name) < 0 || !span_eq(name_span(&name), host)))
		return NULL;
	value = ASN1_STRING_type_new(is_address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	g = GENERAL_NAME_new();
	if (!value || !g ||
	    !(is_address ? ASN1_STRING_set(value, address.bytes, address.is_v6 ? 16 : 4)
			 : ASN1_STRING_set(value, name.text, (int)name.len))) {
		ASN1_STRING_free(value);
		GENERAL_NAME_free(g);
		return NULL;
	}
	GENERAL_NAME_set0_value(g, is_address ? GEN_IPADD : GEN_DNS, value);
	return g;
}

/* Without a subject the alternative name must be critical (RFC 5280 §4.2.1.6). */
static int set_names(X509 *c, struct span host)
{
	bool has_subject = host.len <= COMMON_NAME_MAX;
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = parse_host(host);
	int done = names && name && sk_GENERAL_NAME_push(names, name) > 0;

	if (!done)
		GENERAL_NAME_free(name);
	done = done && add_extension(c, NID_subject_alt_name, names, !has_subject) &&
	       (!has_subject || set_common_name(c, host));
	GENERAL_NAMES_free(names);
	return done;
}

static int add_server_use(X509 *c)
{
	EXTENDED_KEY_USAGE *use = EXTENDED_KEY_USAGE_new();
	int done = use && sk_ASN1_OBJECT_push(use, OBJ_nid2obj(NID_server_auth)) > 0 &&
		   add_extension(c, NID_ext_key_usage, use, /* is_critical = */ false);

	EXTENDED_KEY_USAGE_free(use);
	return done;
}

static int add_authority_key_id(X509 *c, const unsigned char id[KEY_ID_BYTES])
{
	AUTHORITY_KEYID *k = AUTHORITY_KEYID_new();
	int done = k != NULL;

	if (done) {
		k->keyid = ASN1_OCTET_STRING_new();
		done = k->keyid && ASN1_OCTET_STRING_set(k->keyid, id, KEY_ID_BYTES) &&
		       add_extension(c, NID_authority_key_identifier, k, /* is_critical = */ false);
	}
	AUTHORITY_KEYID_free(k);
	return done;
}

static X509 *make_leaf(const struct ca *a, struct span host)
{
	static const enum key_usage usage[] = { USAGE_DIGITAL_SIGNATURE };
	unsigned char own_id[KEY_ID_BYTES];
	time_t now = time(NULL);
	X509 *c = certificate_new(a->leaf_point, now,
				  MIN(now + LEAF_DAYS * SECONDS_PER_DAY, a->not_after));

	if (c && set_names(c, host) &&
	    X509_set_issuer_name(c, X509_get_subject_name(a->certificate)) &&
	    add_basic_constraints(c, /* is_authority = */ false) &&
	    add_key_usage(c, usage, ARRAY_SIZE(usage)) && add_server_use(c) &&
	    make_key_id(a->leaf_point, own_id) && add_subject_key_id(c, own_id) &&
	    add_authority_key_id(c, a->key_id) && X509_sign(c, a->key, EVP_sha256()) > 0)
		return c;
	X509_free(c);
	return NULL;
}

static bool is_host(struct span host)
{
	GENERAL_NAME *g = parse_host(host);

	GENERAL_NAME_free(g);
	return g != NULL;
}

int ca_sign(const struct ca *a, struct span host, struct buf *out)
{
	X509 *c;
	int r;

	if (!a->has_leaf_key)
		return -EBADMSG;
	if (!is_host(host) || time(NULL) >= a->not_after)
		return -EINVAL;
	c = make_leaf(a, host);
	r = c ? append_der(c, out) : -EIO;
	X509_free(c);
	return r;
}
