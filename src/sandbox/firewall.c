#include "sandbox/firewall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#include "sandbox/netlink.h"

#define TABLE "leash"

/* Hook priorities as nft names them: dstnat on output, and filter. */
#define PRIORITY_NAT_OUTPUT (-100)
#define PRIORITY_FILTER 0

static void begin(struct netlink *n, uint16_t message, uint16_t flags)
{
	struct nfgenmsg header = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	netlink_begin(n, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), (uint16_t)(flags | NLM_F_ACK), &header,
		      sizeof(header));
}

/* All between begin and end of a batch takes effect together, or not at all. */
static void batch(struct netlink *n, uint16_t type)
{
	struct nfgenmsg header = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	netlink_begin(n, type, 0, &header, sizeof(header));
	netlink_end(n);
}

static void add_table(struct netlink *n)
{
	begin(n, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	netlink_put_string(n, NFTA_TABLE_NAME, TABLE);
	netlink_end(n);
}

static void add_chain(struct netlink *n, const char *name, const char *type, int priority)
{
	size_t nest;

	begin(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_string(n, NFTA_CHAIN_TABLE, TABLE);
	netlink_put_string(n, NFTA_CHAIN_NAME, name);
	nest = netlink_nest(n, NFTA_CHAIN_HOOK);
	netlink_put_be32(n, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
	netlink_put_be32(n, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	netlink_unnest(n, nest);
	netlink_put_string(n, NFTA_CHAIN_TYPE, type);
	netlink_end(n);
}

/* ---- Expressions: each loads into register 1, compares with it, or acts --- */

struct rule {
	struct netlink *n;
	size_t expressions;
};

static struct rule rule_begin(struct netlink *n, const char *chain)
{
	begin(n, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	netlink_put_string(n, NFTA_RULE_TABLE, TABLE);
	netlink_put_string(n, NFTA_RULE_CHAIN, chain);
	return (struct rule){ n, netlink_nest(n, NFTA_RULE_EXPRESSIONS) };
}

static void rule_end(struct rule *r)
{
	netlink_unnest(r->n, r->expressions);
	netlink_end(r->n);
}

struct expression {
	size_t element, data;
};

static struct expression expression_begin(struct rule *r, const char *name)
{
	struct expression e;

	e.element = netlink_nest(r->n, NFTA_LIST_ELEM);
	netlink_put_string(r->n, NFTA_EXPR_NAME, name);
	e.data = netlink_nest(r->n, NFTA_EXPR_DATA);
	return e;
}

static void expression_end(struct rule *r, struct expression e)
{
	netlink_unnest(r->n, e.data);
	netlink_unnest(r->n, e.element);
}

static void put_data(struct rule *r, uint16_t attribute, const void *value, size_t len)
{
	size_t nest = netlink_nest(r->n, attribute);

	netlink_put(r->n, NFTA_DATA_VALUE, value, len);
	netlink_unnest(r->n, nest);
}

static void compare(struct rule *r, const void *value, size_t len)
{
	struct expression e = expression_begin(r, "cmp");

	netlink_put_be32(r->n, NFTA_CMP_SREG, NFT_REG_1);
	netlink_put_be32(r->n, NFTA_CMP_OP, NFT_CMP_EQ);
	put_data(r, NFTA_CMP_DATA, value, len);
	expression_end(r, e);
}

static void match_meta(struct rule *r, uint32_t key, uint8_t value)
{
	struct expression e = expression_begin(r, "meta");

	netlink_put_be32(r->n, NFTA_META_KEY, key);
	netlink_put_be32(r->n, NFTA_META_DREG, NFT_REG_1);
	expression_end(r, e);
	compare(r, &value, sizeof(value));
}

static void load_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len)
{
	struct expression e = expression_begin(r, "payload");

	netlink_put_be32(r->n, NFTA_PAYLOAD_DREG, NFT_REG_1);
	netlink_put_be32(r->n, NFTA_PAYLOAD_BASE, base);
	netlink_put_be32(r->n, NFTA_PAYLOAD_OFFSET, offset);
	netlink_put_be32(r->n, NFTA_PAYLOAD_LEN, len);
	expression_end(r, e);
}

static void match_port_53(struct rule *r, uint8_t protocol)
{
	uint16_t port = htons(53);

	match_meta(r, NFT_META_L4PROTO, protocol);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(port));
	compare(r, &port, sizeof(port));
}

static void match_loopback_v4(struct rule *r)
{
	const uint8_t net = 127;

	match_meta(r, NFT_META_NFPROTO, NFPROTO_IPV4);
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, 16, sizeof(net)); /* first byte of the destination */
	compare(r, &net, sizeof(net));
}

static void match_loopback_v6(struct rule *r)
{
	match_meta(r, NFT_META_NFPROTO, NFPROTO_IPV6);
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, 24, sizeof(in6addr_loopback));
	compare(r, &in6addr_loopback, sizeof(in6addr_loopback));
}

static void act_verdict(struct rule *r, uint32_t verdict)
{
	struct expression e = expression_begin(r, "immediate");
	size_t data, nest;

	netlink_put_be32(r->n, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = netlink_nest(r->n, NFTA_IMMEDIATE_DATA);
	nest = netlink_nest(r->n, NFTA_DATA_VERDICT);
	netlink_put_be32(r->n, NFTA_VERDICT_CODE, verdict);
	netlink_unnest(r->n, nest);
	netlink_unnest(r->n, data);
	expression_end(r, e);
}

static void act_redirect(struct rule *r, uint16_t port)
{
	uint16_t be = htons(port);
	struct expression e = expression_begin(r, "immediate");

	netlink_put_be32(r->n, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_data(r, NFTA_IMMEDIATE_DATA, &be, sizeof(be));
	expression_end(r, e);
	e = expression_begin(r, "redir");
	netlink_put_be32(r->n, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
	expression_end(r, e);
}

/* ---- The rules -------------------------------------------------------------- */

static void add_redirects(struct netlink *n, uint16_t proxy_port, uint16_t dns_port)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP };
	struct rule r;

	/* Port 53 is DNS whatever address is asked: a resolver of the agent's own would be a way around. */
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		r = rule_begin(n, "redirect");
		match_port_53(&r, protocols[i]);
		act_redirect(&r, dns_port);
		rule_end(&r);
	}
	r = rule_begin(n, "redirect");
	match_loopback_v4(&r);
	act_verdict(&r, NF_ACCEPT);
	rule_end(&r);
	r = rule_begin(n, "redirect");
	match_loopback_v6(&r);
	act_verdict(&r, NF_ACCEPT);
	rule_end(&r);
	r = rule_begin(n, "redirect");
	match_meta(&r, NFT_META_L4PROTO, IPPROTO_TCP);
	act_redirect(&r, proxy_port);
	rule_end(&r);
}

/* A packet dropped on output makes send(2) fail with EPERM at once: programs need not wait. */
static void add_filter(struct netlink *n)
{
	struct rule r = rule_begin(n, "filter");

	match_meta(&r, NFT_META_L4PROTO, IPPROTO_TCP);
	act_verdict(&r, NF_ACCEPT);
	rule_end(&r);
	r = rule_begin(n, "filter");
	match_loopback_v4(&r);
	act_verdict(&r, NF_ACCEPT);
	rule_end(&r);
	r = rule_begin(n, "filter");
	match_loopback_v6(&r);
	act_verdict(&r, NF_ACCEPT);
	rule_end(&r);
	r = rule_begin(n, "filter");
	act_verdict(&r, NF_DROP);
	rule_end(&r);
}

int firewall_install(uint16_t proxy_port, uint16_t dns_port, struct err *err)
{
	struct netlink n = NETLINK_INIT;
	int r;

	batch(&n, NFNL_MSG_BATCH_BEGIN);
	add_table(&n);
	add_chain(&n, "redirect", "nat", PRIORITY_NAT_OUTPUT);
	add_chain(&n, "filter", "filter", PRIORITY_FILTER);
	add_redirects(&n, proxy_port, dns_port);
	add_filter(&n);
	batch(&n, NFNL_MSG_BATCH_END);
	r = netlink_commit(&n, NETLINK_NETFILTER, err);
	buf_done(&n.out);
	return r < 0 ? err_wrap(err, r, "install the network's rules (nf_tables)") : 0;
}
