/*
 * The entry of the processes that read bytes from the network and hold keys. A
 * program of its own: it brings OpenSSL along, and loading that takes time that
 * the processes which have no use for it need not spend.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "proxy/keys.h"
#include "proxy/proxy.h"

int main(int argc, char **argv)
{
	const char *role = argc == 2 ? argv[1] : "";

	/* OpenSSL's configuration names code to load, and in an engine's container its file is one
	 * that the agent may write. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return 1;

	if (strcmp(role, "--internal-proxy") == 0)
		return proxy_main(IPC_CONTROL_FD);
	if (strcmp(role, "--internal-keys") == 0)
		return keys_main(IPC_CONTROL_FD);
	(void)fputs("leash starts this program itself\n", stderr);
	return 2;
}
