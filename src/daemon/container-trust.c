#include "daemon/container-trust.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/fd.h"
#include "base/limits.h"

enum {
	BUNDLE,
	AUTHORITY,
	N_ALWAYS,
};

#define PEM_LINE 64

/* Where programs look for the one file of all roots; several are links to one another on most
 * systems. */
static const char *const bundle_places[] = {
	"/etc/ssl/certs/ca-certificates.crt",	  /* Debian, Alpine, Arch, Gentoo */
	"/etc/ssl/cert.pem",			  /* Alpine, and OpenSSL's default on many */
	"/etc/ssl/certs/ca-bundle.crt",		  /* NixOS, Fedora */
	"/etc/ssl/ca-bundle.pem",		  /* SUSE */
	"/var/lib/ca-certificates/ca-bundle.pem", /* SUSE, what that leads to */
	"/etc/pki/tls/certs/ca-bundle.crt",	  /* Fedora, RHEL */
	"/etc/pki/tls/cert.pem",		  /* Fedora, OpenSSL's default there */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, what those lead to */
	"/etc/ca-certificates/extracted/tls-ca-bundle.pem",  /* Arch, likewise */
	"/usr/lib/ssl/cert.pem",			     /* Debian, OpenSSL's default there */
	NULL,
};

/*
 * A managed policy, which Chromium and its kin read from a directory that other
 * policies share. So it covers a file that somebody put there for leash.
 */
static const char *const chromium_places[] = {
	"/etc/chromium/policies/managed/leash.json", /* Debian, Arch, Alpine */
	"/etc/chromium-browser/policies/managed/leash.json",
	"/etc/opt/chrome/policies/managed/leash.json",
	"/etc/opt/edge/policies/managed/leash.json",
	"/etc/brave/policies/managed/leash.json",
	NULL,
};

static const char *const no_places[] = { NULL };

static const char *const keystore_places[] = {
	"/etc/ssl/certs/java/cacerts",		    /* Debian, Alpine */
	"/etc/pki/ca-trust/extracted/java/cacerts", /* Fedora, RHEL */
	"/etc/pki/java/cacerts",
	"/var/lib/ca-certificates/java-cacerts",	   /* SUSE */
	"/etc/ca-certificates/extracted/java-cacerts.jks", /* Arch */
};

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void find_keystores(struct container_trust *t)
{
	const char *home = secure_getenv("JAVA_HOME");
	size_t n = 0;

	_Static_assert(ARRAY_SIZE(keystore_places) + ARRAY_SIZE(t->java_home) <
			       ARRAY_SIZE(t->keystore_places),
		       "all places and a NULL fit");
	for (size_t i = 0; i < ARRAY_SIZE(t->java_home) && home && home[0] == '/'; i++) {
		/* Of Java 9 and later, and of those before. */
		t->java_home[i] = xasprintf("%s/%slib/security/cacerts", home, i ? "jre/" : "");
		if (is_file(t->java_home[i]))
			t->keystore_places[n++] = t->java_home[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(keystore_places); i++)
		if (is_file(keystore_places[i]))
			t->keystore_places[n++] = keystore_places[i];
}

static bool is_any_file(const char *const *paths)
{
	for (; *paths; paths++)
		if (is_file(*paths))
			return true;
	return false;
}

/* Returns where in the list it is. */
static size_t add_file(struct container_trust *t, const char *path, const char *const *places)
{
	t->files[t->n_files] = (struct sandbox_file){ path, places };
	return t->n_files++;
}

void container_trust_init(struct container_trust *t)
{
	*t = (struct container_trust){ .files[BUNDLE] = { CONTAINER_TRUST_BUNDLE, bundle_places },
				       .files[AUTHORITY] = { CONTAINER_TRUST_AUTHORITY, no_places },
				       .n_files = N_ALWAYS };
	find_keystores(t);
	if (t->keystore_places[0])
		t->keystore_at = add_file(t, CONTAINER_TRUST_KEYSTORE, t->keystore_places);
	if (is_any_file(chromium_places))
		t->chromium_at = add_file(t, CONTAINER_TRUST_CHROMIUM, chromium_places);
}

void container_trust_done(struct container_trust *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(t->java_home); i++)
		xfree(t->java_home[i]);
	java_keystore_done(&t->keystore);
}

/* The descriptor is the proxy's too: its offset stays. */
static int read_roots(int roots_fd, struct buf *out)
{
	char *to;
	ssize_t n;

	for (;;) {
		to = buf_reserve(out, 64 * 1024);
		if (!to)
			return -EFBIG;
		n = pread(roots_fd, to, 64 * 1024, (off_t)out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		buf_grow(out, (size_t)n);
	}
}

static int copy_roots(int roots_fd, int fd)
{
	off_t at = 0;
	ssize_t n;

	do
		n = sendfile(fd, roots_fd, &at, LIMIT_TRUSTED_ROOTS);
	while ((n > 0 && (size_t)at < LIMIT_TRUSTED_ROOTS) || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : n > 0 ? -EFBIG : 0;
}

int container_trust_prepare(struct container_trust *t, int roots_fd, struct err *err)
{
	_cleanup_buf_ struct buf roots = BUF_INIT(LIMIT_TRUSTED_ROOTS);
	int r;

	if (!t->keystore_at)
		return 0;
	r = read_roots(roots_fd, &roots);
	if (r >= 0)
		r = java_keystore_begin(&t->keystore, buf_span(&roots));
	return r < 0 ? err_set(err, r, "make a keystore of the trusted certificates") : 0;
}

int container_trust_begin(const int *fds, int roots_fd, struct err *err)
{
	int r = copy_roots(roots_fd, fds[BUNDLE]);

	return r < 0 ? err_set(err, r, "give the container its trusted certificates") : 0;
}

/* The empty line is for a list that ends within one. */
static int append_pem(struct buf *out, struct span der)
{
	int r = buf_append_str(out,
			       "\n# leash: made for this session\n-----BEGIN CERTIFICATE-----\n");

	if (r >= 0)
		r = base64_append(der, PEM_LINE, out);
	return r < 0 ? r : buf_append_str(out, "-----END CERTIFICATE-----\n");
}

static int write_chromium(int fd, struct span der)
{
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	int r = buf_append_str(&json, "{\"CACertificates\":[\"");

	if (r >= 0)
		r = base64_append(der, 0, &json);
	if (r >= 0)
		r = buf_append_str(&json, "\"]}\n");
	return r < 0 ? r : fd_write_all(fd, json.data, json.len);
}

int container_trust_finish(struct container_trust *t, const int *fds, struct span der,
			   struct err *err)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(0);
	struct span keystore = { 0 };
	int r = append_pem(&pem, der);

	if (r >= 0)
		r = fd_write_all(fds[BUNDLE], pem.data, pem.len);
	if (r >= 0)
		r = fd_write_all(fds[AUTHORITY], pem.data, pem.len);
	if (r >= 0 && t->keystore_at)
		r = java_keystore_finish(&t->keystore, der, &keystore);
	if (r >= 0 && keystore.len)
		r = fd_write_all(fds[t->keystore_at], keystore.p, keystore.len);
	if (r >= 0 && t->chromium_at)
		r = write_chromium(fds[t->chromium_at], der);
	return r < 0 ? err_set(err, r, "give the container its certificate authority") : 0;
}
