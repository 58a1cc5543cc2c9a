/*
 * The signer as it runs in a session: a process of its own, talked to over its
 * two sockets. What it makes is judged by OpenSSL's own verifier.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/fd.h"
#include "proxy/keys.h"

#define TIMEOUT_MS 10000

struct signer {
	pid_t pid;
	int control_fd, proxy_fd;
	X509 *authority;
	EVP_PKEY *leaf_key;
};

static void receive(int fd, const struct ipc_type *table, struct ipc_message *m)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	*m = (struct ipc_message)IPC_MESSAGE_INIT;
	assert_int_equal(poll(&p, 1, TIMEOUT_MS), 1);
	assert_int_equal(ipc_receive(fd, table, KEYS_MESSAGE_MAX, m), 1);
}

static X509 *parse(const struct ipc_message *m)
{
	const unsigned char *p = (const unsigned char *)m->payload.data;
	X509 *c = d2i_X509(NULL, &p, (long)m->payload.len);

	assert_non_null(c);
	assert_ptr_equal(p, m->payload.data + m->payload.len);
	return c;
}

static void start(struct signer *s)
{
	struct ipc_message m;
	int pair[2];

	*s = (struct signer){ .proxy_fd = -1 };
	assert_int_equal(ipc_socketpair(pair), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		_exit(keys_main(pair[1]));
	fd_close(pair[1]);
	s->control_fd = pair[0];
	receive(s->control_fd, keys_to_daemon, &m);
	assert_int_equal(m.type, KEYS_AUTHORITY);
	s->authority = parse(&m);
	ipc_message_done(&m);
}

static void introduce(struct signer *s)
{
	int pair[2];

	assert_int_equal(ipc_socketpair(pair), 0);
	assert_int_equal(ipc_send(s->control_fd, KEYS_PROXY, 0, (struct span){ 0 }, &pair[1], 1),
			 0);
	fd_close(pair[1]);
	s->proxy_fd = pair[0];
}

static int ask(const struct signer *s, uint16_t type, uint32_t id, struct span payload)
{
	return ipc_send(s->proxy_fd, type, id, payload, NULL, 0);
}

static void send_key(const struct signer *s, const EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	assert_true(len > 0);
	assert_int_equal(ask(s, KEYS_LEAF_KEY, 0, span_make(der, (size_t)len)), 0);
	OPENSSL_free(der);
}

static void begin(struct signer *s)
{
	start(s);
	introduce(s);
	s->leaf_key = EVP_EC_gen("P-256");
	send_key(s, s->leaf_key);
}

/* The process's exit status; it must end by itself. */
static int wait_end(struct signer *s)
{
	int status = -1;

	for (int waited = 0; waited < TIMEOUT_MS; waited += 10) {
		if (waitpid(s->pid, &status, WNOHANG) == s->pid)
			break;
		(void)poll(NULL, 0, 10);
		status = -1;
	}
	if (status == -1) {
		(void)kill(s->pid, SIGKILL);
		(void)waitpid(s->pid, NULL, 0);
		fail_msg("the signer did not end");
	}
	s->pid = 0;
	return status;
}

static void end(struct signer *s)
{
	fd_close(s->control_fd);
	if (s->pid)
		assert_int_equal(wait_end(s), 0);
	if (s->proxy_fd >= 0)
		fd_close(s->proxy_fd);
	X509_free(s->authority);
	EVP_PKEY_free(s->leaf_key);
}

static X509 *request_leaf(const struct signer *s, struct span host)
{
	struct ipc_message m;
	X509 *leaf = NULL;

	assert_int_equal(ask(s, KEYS_SIGN, 4711, host), 0);
	receive(s->proxy_fd, keys_to_proxy, &m);
	assert_int_equal(m.id, 4711);
	if (m.type == KEYS_SIGNED)
		leaf = parse(&m);
	ipc_message_done(&m);
	return leaf;
}

/* Is it a server's certificate for that name or address, by that authority? */
static int verify(X509 *authority, X509 *leaf, const char *name, const char *address)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int error;

	assert_int_equal(X509_STORE_add_cert(store, authority), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
	assert_int_equal(X509_STORE_CTX_set_default(ctx, "ssl_server"), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param,
				    X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
	if (name)
		assert_int_equal(X509_VERIFY_PARAM_set1_host(param, name, 0), 1);
	if (address)
		assert_int_equal(X509_VERIFY_PARAM_set1_ip_asc(param, address), 1);
	error = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return error;
}

/* ---- The authority ------------------------------------------------------------- */

static double days_until(const ASN1_TIME *t)
{
	int days, seconds;

	assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL, t), 1);
	return days + seconds / 86400.0;
}

static void test_authority(void **state)
{
	struct signer s;
	char name[64] = "";
	uint32_t usage;

	(void)state;
	start(&s);
	assert_int_equal(X509_check_ca(s.authority), 1);
	assert_int_equal(X509_get_pathlen(s.authority), 0);
	usage = X509_get_key_usage(s.authority);
	assert_int_equal(usage, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_non_null(X509_get0_subject_key_id(s.authority));
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(s.authority), NID_commonName,
					      name, sizeof(name)) > 0);
	assert_string_equal(name, "leash session CA");
	assert_true(days_until(X509_get0_notBefore(s.authority)) < -0.04);
	assert_true(days_until(X509_get0_notAfter(s.authority)) > 29.9);
	assert_true(days_until(X509_get0_notAfter(s.authority)) < 30.1);
	assert_int_equal(verify(s.authority, s.authority, NULL, NULL), X509_V_ERR_INVALID_PURPOSE);
	end(&s);
}

/* As Go and others want it; OpenSSL reads sloppier forms of TRUE as well. */
static void test_constraints_are_der(void **state)
{
	static const unsigned char wanted[] = { 0x30, 6, 1, 1, 0xff, 2, 1, 0 };
	const ASN1_OCTET_STRING *value;
	X509_EXTENSION *extension;
	struct signer s;

	(void)state;
	start(&s);
	extension = X509_get_ext(s.authority,
				 X509_get_ext_by_NID(s.authority, NID_basic_constraints, -1));
	assert_int_equal(X509_EXTENSION_get_critical(extension), 1);
	value = X509_EXTENSION_get_data(extension);
	assert_int_equal(ASN1_STRING_length(value), sizeof(wanted));
	assert_memory_equal(ASN1_STRING_get0_data(value), wanted, sizeof(wanted));
	end(&s);
}

static void test_two_sessions(void **state)
{
	struct signer a, b;
	X509 *leaf;

	(void)state;
	begin(&a);
	begin(&b);
	assert_int_not_equal(
		EVP_PKEY_eq(X509_get0_pubkey(a.authority), X509_get0_pubkey(b.authority)), 1);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a.authority),
					      X509_get0_serialNumber(b.authority)),
			     0);
	leaf = request_leaf(&a, SPAN("example.com"));
	assert_int_equal(verify(a.authority, leaf, "example.com", NULL), X509_V_OK);
	assert_int_not_equal(verify(b.authority, leaf, "example.com", NULL), X509_V_OK);
	X509_free(leaf);
	end(&a);
	end(&b);
}

/* ---- Leaves ---------------------------------------------------------------------- */

static void test_leaf(void **state)
{
	struct signer s;
	X509 *leaf, *second;
	char name[80] = "";

	(void)state;
	begin(&s);
	leaf = request_leaf(&s, SPAN("example.com"));
	assert_int_equal(verify(s.authority, leaf, "example.com", NULL), X509_V_OK);
	assert_int_equal(verify(s.authority, leaf, "www.example.com", NULL),
			 X509_V_ERR_HOSTNAME_MISMATCH);
	assert_int_equal(verify(s.authority, leaf, NULL, "192.0.2.1"),
			 X509_V_ERR_IP_ADDRESS_MISMATCH);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(leaf), s.leaf_key), 1);
	assert_int_equal(X509_check_ca(leaf), 0);
	assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_SERVER);
	assert_int_equal(X509_check_issued(s.authority, leaf), X509_V_OK);
	assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf),
					       X509_get0_subject_key_id(s.authority)),
			 0);
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, name,
					      sizeof(name)) > 0);
	assert_string_equal(name, "example.com");
	assert_true(days_until(X509_get0_notBefore(leaf)) < -0.04);
	assert_true(days_until(X509_get0_notAfter(leaf)) > 6.9);
	assert_true(days_until(X509_get0_notAfter(leaf)) < 7.01);
	second = request_leaf(&s, SPAN("example.com"));
	assert_int_not_equal(
		ASN1_INTEGER_cmp(X509_get0_serialNumber(leaf), X509_get0_serialNumber(second)), 0);
	X509_free(leaf);
	X509_free(second);
	end(&s);
}

static void test_addresses(void **state)
{
	static const char *const addresses[] = { "192.0.2.7", "2001:db8::7", "::1" };
	struct signer s;

	(void)state;
	begin(&s);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		X509 *leaf = request_leaf(&s, span_of(addresses[i]));

		assert_non_null(leaf);
		assert_int_equal(verify(s.authority, leaf, NULL, addresses[i]), X509_V_OK);
		assert_int_equal(verify(s.authority, leaf, NULL, "192.0.2.8"),
				 X509_V_ERR_IP_ADDRESS_MISMATCH);
		X509_free(leaf);
	}
	end(&s);
}

/* Longer than a common name may be, up to the longest name there is. */
static void test_long_names(void **state)
{
	char name[254] = "";
	struct signer s;

	(void)state;
	begin(&s);
	for (size_t len = 0; len < 253; len++)
		name[len] = len % 50 == 49 ? '.' : 'a';
	for (size_t len = 60; len <= 253; len++) {
		X509 *leaf;
		char host[254];

		if (len % 50 == 0)
			continue;
		(void)snprintf(host, sizeof(host), "%.*s", (int)len, name);
		leaf = request_leaf(&s, span_of(host));
		assert_non_null(leaf);
		assert_int_equal(verify(s.authority, leaf, host, NULL), X509_V_OK);
		assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(leaf)), len <= 64);
		X509_free(leaf);
	}
	end(&s);
}

static void test_refused_names(void **state)
{
	static const struct span refused[] = {
		SPAN("*"),
		SPAN("*.example.com"),
		SPAN("a.*.com"),
		SPAN("Example.com"),
		SPAN("example.com."),
		SPAN("a..b"),
		SPAN(".a"),
		SPAN("a b"),
		SPAN("a/b"),
		SPAN("a@b"),
		SPAN("a:443"),
		SPAN("[::1]"),
		SPAN("a\0.b"),
		SPAN("b\xc3\xbc.de"),
		SPAN("127.1"),
		SPAN("0x7f.1"),
		SPAN("1.2.3.4.5"),
		SPAN("1.2.3"),
		SPAN("2001:db8::g"),
		SPAN("fe80::1%eth0"),
		SPAN("a,DNS:b"),
		SPAN("a\n"),
		SPAN("DNS:example.com"),
		SPAN("\xff"),
	};
	struct signer s;

	(void)state;
	begin(&s);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_null(request_leaf(&s, refused[i]));
	/* It goes on after them. */
	X509_free(request_leaf(&s, SPAN("example.com")));
	end(&s);
}

/* ---- A hostile proxy --------------------------------------------------------------- */

static void must_end(struct signer *s)
{
	char c;

	assert_int_not_equal(wait_end(s), 0);
	/* Without an answer. */
	assert_true(recv(s->proxy_fd, &c, 1, 0) <= 0);
	end(s);
}

static void test_order(void **state)
{
	struct signer s;
	EVP_PKEY *other = EVP_EC_gen("P-256");

	(void)state;
	start(&s);
	introduce(&s);
	assert_int_equal(ask(&s, KEYS_SIGN, 1, SPAN("example.com")), 0);
	must_end(&s); /* no key yet */

	begin(&s);
	send_key(&s, other);
	must_end(&s); /* a second key */
	EVP_PKEY_free(other);
}

static void test_keys_of_other_kinds(void **state)
{
	EVP_PKEY *keys[] = { EVP_EC_gen("P-384"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
			     EVP_PKEY_Q_keygen(NULL, NULL, "X25519") };
	unsigned char *der = NULL, broken[92];
	EVP_PKEY *good = EVP_EC_gen("P-256");
	struct signer s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		start(&s);
		introduce(&s);
		send_key(&s, keys[i]);
		must_end(&s);
		EVP_PKEY_free(keys[i]);
	}
	assert_int_equal(i2d_PUBKEY(good, &der), 91);
	for (int how = 0; how < 3; how++) { /* something behind it; cut off; not on the curve */
		memcpy(broken, der, 91);
		broken[91] = 0;
		if (how == 2)
			broken[60] ^= 1;
		start(&s);
		introduce(&s);
		assert_int_equal(ask(&s, KEYS_LEAF_KEY, 0,
				     span_make(broken, how == 0	  ? 92
						       : how == 1 ? 90
								  : 91)),
				 0);
		must_end(&s);
	}
	OPENSSL_free(der);
	EVP_PKEY_free(good);
}

static void test_malformed(void **state)
{
	static const uint16_t types[] = { KEYS_NONE,	    KEYS_AUTHORITY, KEYS_PROXY,
					  KEYS_FAILED,	    KEYS_SIGNED,    KEYS_REFUSED,
					  KEYS_MESSAGE_MAX, 0xffff };
	char long_name[300];
	struct signer s;
	int fds[4] = { 0, 1, 2, 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		begin(&s);
		assert_int_equal(ask(&s, types[i], 1, SPAN("x")), 0);
		must_end(&s);
	}
	memset(long_name, 'a', sizeof(long_name));
	for (size_t len = 31; len < 64; len += 32)
		long_name[len] = '.';
	begin(&s);
	assert_int_equal(ask(&s, KEYS_SIGN, 1, span_make(long_name, 254)), 0);
	must_end(&s);
	begin(&s);
	assert_int_equal(ask(&s, KEYS_SIGN, 1, (struct span){ 0 }), 0);
	must_end(&s);
	begin(&s);
	assert_int_equal(ipc_send(s.proxy_fd, KEYS_SIGN, 1, SPAN("example.com"), fds, 4), 0);
	must_end(&s);
	begin(&s);
	assert_int_equal(send(s.proxy_fd, "hello", 5, 0), 5);
	must_end(&s);
}

static void test_ends(void **state)
{
	struct signer s;
	int fd;

	(void)state;
	begin(&s); /* the proxy goes */
	fd_close(s.proxy_fd);
	s.proxy_fd = -1;
	assert_int_equal(wait_end(&s), 0);
	end(&s);
	begin(&s); /* the daemon goes, in end() */
	end(&s);
	begin(&s); /* a second proxy */
	fd = s.proxy_fd;
	introduce(&s);
	assert_int_not_equal(wait_end(&s), 0);
	fd_close(fd);
	end(&s);
}

/* ---- Confinement -------------------------------------------------------------------- */

static char *status_line(pid_t pid, const char *key)
{
	static struct buf text;
	char path[64], *at;

	buf_reset(&text);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	assert_int_equal(file_read_at(AT_FDCWD, path, &text), 0);
	at = strstr(text.data, key);
	assert_non_null(at);
	at += strlen(key);
	at[strcspn(at, "\n")] = 0;
	return at + strspn(at, "\t ");
}

/* What a process of the same user gets at, as bits. */
static int look_into(pid_t pid)
{
	char path[64], byte;
	struct iovec local = { &byte, 1 }, remote = { &byte, 1 };
	int found = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	found |= open(path, O_RDONLY | O_CLOEXEC) >= 0 ? 1 : 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/3", (int)pid);
	found |= open(path, O_RDONLY | O_CLOEXEC) >= 0 ? 2 : 0;
	found |= process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0 || errno != EPERM ? 4 : 0;
	found |= ptrace(PTRACE_SEIZE, pid, NULL, NULL) >= 0 ? 8 : 0;
	return found;
}

/* Root may look into everything, so this is done as somebody else: both processes. */
static void test_unreadable(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct ipc_message m = IPC_MESSAGE_INIT;
		int pair[2];

		if ((geteuid() == 0 &&
		     (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)) ||
		    ipc_socketpair(pair) < 0)
			_exit(64);
		pid = fork();
		if (pid == 0)
			_exit(keys_main(pair[1]));
		if (ipc_receive(pair[0], keys_to_daemon, KEYS_MESSAGE_MAX, &m) != 1)
			_exit(65);
		_exit(look_into(pid));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_confined(void **state)
{
	struct signer s;

	(void)state;
	begin(&s);
	X509_free(request_leaf(&s, SPAN("example.com"))); /* it is confined by now */
	assert_string_equal(status_line(s.pid, "\nSeccomp:"), "2");
	assert_string_equal(status_line(s.pid, "\nNoNewPrivs:"), "1");
	assert_string_equal(status_line(s.pid, "\nCapEff:"), "0000000000000000");
	assert_string_equal(status_line(s.pid, "\nCapPrm:"), "0000000000000000");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authority),
		cmocka_unit_test(test_constraints_are_der),
		cmocka_unit_test(test_two_sessions),
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_refused_names),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_keys_of_other_kinds),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_confined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
