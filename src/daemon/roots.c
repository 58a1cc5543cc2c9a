#include "daemon/roots.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/limits.h"

/* Debian, Arch, Alpine, Gentoo; Fedora, RHEL; SUSE; Fedora, RHEL; Alpine, OpenBSD's tools. */
static const char *const places[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
};

static int open_regular(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	return TAKE_FD(fd);
}

static int open_first(const char **ret_path)
{
	/* As programs that use OpenSSL do. */
	const char *own = secure_getenv("SSL_CERT_FILE");
	int fd = own && *own ? open_regular(own) : -1;

	*ret_path = own;
	for (size_t i = 0; i < ARRAY_SIZE(places) && fd < 0; i++) {
		fd = open_regular(places[i]);
		*ret_path = places[i];
	}
	return fd;
}

const char *roots_path(void)
{
	const char *path;
	_cleanup_close_ int fd = open_first(&path);

	return fd < 0 ? NULL : path;
}

int roots_seal(int fd, struct err *err)
{
	_cleanup_close_ int from = fd;
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_TRUSTED_ROOTS);
	int r = fd_read_all(from, &text);

	if (r >= 0)
		r = memfd_sealed("leash-roots", buf_span(&text));
	return r < 0 ? err_set(err, r, "copy the list of certificates") : r;
}

int roots_open(bool *ret_found, struct err *err)
{
	const char *path;
	int fd = open_first(&path);

	*ret_found = fd >= 0;
	if (fd < 0)
		fd = memfd_sealed("leash-roots", (struct span){ 0 });
	return fd < 0 ? err_set(err, fd, "make an empty list of certificates") : fd;
}
