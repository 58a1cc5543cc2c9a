/*
 * Writes what a container is given to trust into a directory, and certificates
 * that the real signer made for some hosts, for clients to judge.
 *
 * trust-tool LEASH-PROXY DIRECTORY HOST…
 * Leaves ca-bundle.crt, ca.crt, cacerts, key.pem and HOST.pem there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "daemon/container-trust.h"
#include "daemon/roots.h"
#include "proxy/keys.h"

static void check(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "trust-tool: %s: %s\n", what, strerror(-r));
		exit(1);
	}
}

static FILE *create(const char *dir, const char *name)
{
	_cleanup_free_ char *path = path_join(dir, name);
	FILE *f = fopen(path, "we");

	check(f ? 0 : -errno, path);
	return f;
}

static int start_signer(const char *program)
{
	int pair[2];

	check(ipc_socketpair(pair), "socketpair");
	if (fork() == 0) {
		if (dup2(pair[1], IPC_CONTROL_FD) < 0)
			_exit(1);
		if (pair[1] == IPC_CONTROL_FD)
			(void)fcntl(IPC_CONTROL_FD, F_SETFD, 0);
		(void)execl(program, "leash: keys", "--internal-keys", (char *)NULL);
		_exit(1);
	}
	fd_close(pair[1]);
	return pair[0];
}

static void receive(int fd, const struct ipc_type *table, uint16_t type, struct ipc_message *m)
{
	*m = (struct ipc_message)IPC_MESSAGE_INIT;
	if (ipc_receive(fd, table, KEYS_MESSAGE_MAX, m) != 1 || m->type != type)
		check(-EPROTO, "the signer's answer");
}

static void write_trust(const char *dir, struct span der)
{
	static const char *const names[] = { "ca-bundle.crt", "ca.crt", "cacerts" };
	struct container_trust t;
	struct err err = { 0 };
	bool is_found;
	int roots_fd = roots_open(&is_found, &err), fds[3];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = path_join(dir, names[i]);

		fds[i] = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		check(fds[i] < 0 ? -errno : 0, path);
	}
	container_trust_init(&t);
	t.n_files = ARRAY_SIZE(names);
	check(container_trust_prepare(&t, roots_fd, &err), err.text);
	check(container_trust_begin(fds, roots_fd, &err), err.text);
	check(container_trust_finish(&t, fds, der, &err), err.text);
	container_trust_done(&t);
}

static EVP_PKEY *make_key(const char *dir, int fd)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	FILE *f = create(dir, "key.pem");

	if (!PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) || fclose(f) != 0)
		check(-EIO, "write the key");
	check(ipc_send(fd, KEYS_LEAF_KEY, 0, span_make(der, (size_t)len), NULL, 0), "send the key");
	OPENSSL_free(der);
	return key;
}

static void make_leaf(const char *dir, int fd, const char *host)
{
	_cleanup_free_ char *name = xasprintf("%s.pem", host);
	struct ipc_message m;
	const unsigned char *p;
	X509 *leaf;
	FILE *f = create(dir, name);

	check(ipc_send(fd, KEYS_SIGN, 0, span_of(host), NULL, 0), "ask for a certificate");
	receive(fd, keys_to_proxy, KEYS_SIGNED, &m);
	p = (const unsigned char *)m.payload.data;
	leaf = d2i_X509(NULL, &p, (long)m.payload.len);
	if (!leaf || !PEM_write_X509(f, leaf) || fclose(f) != 0)
		check(-EIO, "write the certificate");
	X509_free(leaf);
	ipc_message_done(&m);
}

int main(int argc, char **argv)
{
	struct ipc_message m;
	int control_fd, pair[2];

	if (argc < 3)
		return 2;
	control_fd = start_signer(argv[1]);
	receive(control_fd, keys_to_daemon, KEYS_AUTHORITY, &m);
	write_trust(argv[2], buf_span(&m.payload));
	ipc_message_done(&m);
	check(ipc_socketpair(pair), "socketpair");
	check(ipc_send(control_fd, KEYS_PROXY, 0, (struct span){ 0 }, &pair[1], 1), "introduce");
	EVP_PKEY_free(make_key(argv[2], pair[0]));
	for (int i = 3; i < argc; i++)
		make_leaf(argv[2], pair[0], argv[i]);
	return 0;
}
