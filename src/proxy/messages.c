/*
 * What each process accepts from the others. Apart from the code that acts on
 * it, because the daemon needs the tables and nothing else of this room.
 */
#include "proxy/ca.h"
#include "proxy/keys.h"
#include "proxy/name.h"
#include "proxy/proxy.h"
#include "proxy/secret-rule.h"

/* A key of P-256 has 91 bytes. */
#define LEAF_KEY_MAX ((size_t)256)

const struct ipc_type proxy_to_proxy[PROXY_MESSAGE_MAX] = {
	[PROXY_START] = { "start", sizeof(struct proxy_start), sizeof(struct proxy_start), 3 },
	[PROXY_LISTENERS] = { "listeners", 0, 0, 2 },
	[PROXY_DNS] = { "dns", 0, 0, 4 },
	[PROXY_PUBLISH] = { "publish", sizeof(uint16_t), sizeof(uint16_t), 1 },
	[PROXY_SECRET] = { "secret", 1, SECRET_RULE_MAX, 0 },
	[PROXY_TRUST] = { "trust", 0, 0, 2 },
	[PROXY_POLICY] = { "policy", 0, 0, 1 },
};

const struct ipc_type proxy_to_daemon[PROXY_MESSAGE_MAX] = {
	[PROXY_POLICY_APPLIED] = { "policy applied", sizeof(uint64_t), sizeof(uint64_t), 0 },
	[PROXY_READY] = { "ready", 0, 0, 0 },
	[PROXY_FAILED] = { "failed", 1, sizeof(((struct err *)NULL)->text), 0 },
};

const struct ipc_type keys_to_daemon[KEYS_MESSAGE_MAX] = {
	[KEYS_AUTHORITY] = { "authority", 1, CA_CERTIFICATE_MAX, 0 },
	[KEYS_FAILED] = { "failed", 1, sizeof(((struct err *)NULL)->text), 0 },
};

const struct ipc_type keys_from_daemon[KEYS_MESSAGE_MAX] = {
	[KEYS_PROXY] = { "proxy", 0, 0, 1 },
};

const struct ipc_type keys_to_proxy[KEYS_MESSAGE_MAX] = {
	[KEYS_SIGNED] = { "signed", 1, CA_CERTIFICATE_MAX, 0 },
	[KEYS_REFUSED] = { "refused", 0, 0, 0 },
};

const struct ipc_type keys_from_proxy[KEYS_MESSAGE_MAX] = {
	[KEYS_LEAF_KEY] = { "leaf key", 1, LEAF_KEY_MAX, 0 },
	[KEYS_SIGN] = { "sign", 1, NAME_MAX_LEN, 0 },
};
