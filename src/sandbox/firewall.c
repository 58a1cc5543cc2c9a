/*
 * In nft's language:
 *
 *	table inet leash {
 *		chain redirect {
 *			type nat hook output priority dstnat; policy accept;
 *			meta l4proto udp th dport 53 redirect to :dns
 *			meta l4proto tcp th dport 53 redirect to :dns
 *			ip daddr 127.0.0.0/8 accept
 *			ip6 daddr ::1 accept
 *			meta l4proto tcp redirect to :proxy
 *		}
 *		chain output {
 *			type filter hook output priority filter; policy drop;
 *			meta l4proto tcp th dport proxy ct status ! dnat reject with tcp reset
 *			ct state established,related accept
 *			ip daddr 127.0.0.0/8 meta l4proto { tcp, udp } accept
 *			ip6 daddr ::1 meta l4proto { tcp, udp } accept
 *		}
 *	}
 *
 * The proxy learns a connection's destination from conntrack; one that was not
 * redirected has none, so nobody may dial the proxy's listener directly.
 */
#include "sandbox/firewall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#include "sandbox/netlink.h"

#define TABLE "leash"
#define REDIRECT "redirect"
#define OUTPUT "output"

#define IPV4_DADDR 16
#define IPV6_DADDR 24
#define TRANSPORT_DPORT 2

static void begin(struct netlink *n, uint16_t type, uint16_t flags)
{
	struct nfgenmsg g = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	netlink_begin(n, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, &g, sizeof(g));
}

/* NFNL_MSG_BATCH_BEGIN or _END: everything between is done in whole or not at all. */
static void batch(struct netlink *n, uint16_t type)
{
	struct nfgenmsg g = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	netlink_begin(n, type, 0, &g, sizeof(g));
}

static void add_chain(struct netlink *n, const char *name, const char *type, int32_t priority,
		      uint32_t policy)
{
	size_t hook;

	begin(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_string(n, NFTA_CHAIN_TABLE, TABLE);
	netlink_put_string(n, NFTA_CHAIN_NAME, name);
	netlink_put_string(n, NFTA_CHAIN_TYPE, type);
	netlink_put_be32(n, NFTA_CHAIN_POLICY, policy);
	hook = netlink_begin_nest(n, NFTA_CHAIN_HOOK);
	netlink_put_be32(n, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
	netlink_put_be32(n, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	netlink_end_nest(n, hook);
}

struct nest {
	size_t element, data;
};

static struct nest begin_expression(struct netlink *n, const char *name)
{
	struct nest nest = { .element = netlink_begin_nest(n, NFTA_LIST_ELEM) };

	netlink_put_string(n, NFTA_EXPR_NAME, name);
	nest.data = netlink_begin_nest(n, NFTA_EXPR_DATA);
	return nest;
}

static void end_expression(struct netlink *n, struct nest nest)
{
	netlink_end_nest(n, nest.data);
	netlink_end_nest(n, nest.element);
}

static void put_value(struct netlink *n, uint16_t type, const void *value, size_t len)
{
	size_t nest = netlink_begin_nest(n, type);

	netlink_put(n, NFTA_DATA_VALUE, value, len);
	netlink_end_nest(n, nest);
}

static void load_meta(struct netlink *n, enum nft_meta_keys key)
{
	struct nest e = begin_expression(n, "meta");

	netlink_put_be32(n, NFTA_META_KEY, key);
	netlink_put_be32(n, NFTA_META_DREG, NFT_REG_1);
	end_expression(n, e);
}

static void load_conntrack(struct netlink *n, enum nft_ct_keys key)
{
	struct nest e = begin_expression(n, "ct");

	netlink_put_be32(n, NFTA_CT_KEY, key);
	netlink_put_be32(n, NFTA_CT_DREG, NFT_REG_1);
	end_expression(n, e);
}

static void load_payload(struct netlink *n, enum nft_payload_bases base, uint32_t offset,
			 uint32_t len)
{
	struct nest e = begin_expression(n, "payload");

	netlink_put_be32(n, NFTA_PAYLOAD_DREG, NFT_REG_1);
	netlink_put_be32(n, NFTA_PAYLOAD_BASE, base);
	netlink_put_be32(n, NFTA_PAYLOAD_OFFSET, offset);
	netlink_put_be32(n, NFTA_PAYLOAD_LEN, len);
	end_expression(n, e);
}

static void mask32(struct netlink *n, uint32_t mask)
{
	static const uint32_t none;
	struct nest e = begin_expression(n, "bitwise");

	netlink_put_be32(n, NFTA_BITWISE_SREG, NFT_REG_1);
	netlink_put_be32(n, NFTA_BITWISE_DREG, NFT_REG_1);
	netlink_put_be32(n, NFTA_BITWISE_LEN, sizeof(mask));
	put_value(n, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	put_value(n, NFTA_BITWISE_XOR, &none, sizeof(none));
	end_expression(n, e);
}

static void compare(struct netlink *n, enum nft_cmp_ops op, const void *value, size_t len)
{
	struct nest e = begin_expression(n, "cmp");

	netlink_put_be32(n, NFTA_CMP_SREG, NFT_REG_1);
	netlink_put_be32(n, NFTA_CMP_OP, op);
	put_value(n, NFTA_CMP_DATA, value, len);
	end_expression(n, e);
}

static void verdict(struct netlink *n, uint32_t code)
{
	struct nest e = begin_expression(n, "immediate");
	size_t data, v;

	netlink_put_be32(n, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = netlink_begin_nest(n, NFTA_IMMEDIATE_DATA);
	v = netlink_begin_nest(n, NFTA_DATA_VERDICT);
	netlink_put_be32(n, NFTA_VERDICT_CODE, code);
	netlink_end_nest(n, v);
	netlink_end_nest(n, data);
	end_expression(n, e);
}

static void redirect(struct netlink *n, uint16_t port)
{
	struct nest e = begin_expression(n, "immediate");

	port = htons(port);
	netlink_put_be32(n, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_value(n, NFTA_IMMEDIATE_DATA, &port, sizeof(port));
	end_expression(n, e);
	e = begin_expression(n, "redir");
	netlink_put_be32(n, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
	end_expression(n, e);
}

/* A dropped SYN would be sent again and again; this ends the call at once. */
static void reset_connection(struct netlink *n)
{
	struct nest e = begin_expression(n, "reject");

	netlink_put_be32(n, NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
	end_expression(n, e);
}

static size_t begin_rule(struct netlink *n, const char *chain, uint16_t flags)
{
	begin(n, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | flags);
	netlink_put_string(n, NFTA_RULE_TABLE, TABLE);
	netlink_put_string(n, NFTA_RULE_CHAIN, chain);
	return netlink_begin_nest(n, NFTA_RULE_EXPRESSIONS);
}

static void match_protocol(struct netlink *n, uint8_t protocol)
{
	load_meta(n, NFT_META_L4PROTO);
	compare(n, NFT_CMP_EQ, &protocol, sizeof(protocol));
}

static void match_port(struct netlink *n, uint16_t port)
{
	port = htons(port);
	load_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, TRANSPORT_DPORT, sizeof(port));
	compare(n, NFT_CMP_EQ, &port, sizeof(port));
}

static void match_loopback(struct netlink *n, uint8_t family)
{
	static const uint8_t v4_net = 127;

	load_meta(n, NFT_META_NFPROTO);
	compare(n, NFT_CMP_EQ, &family, sizeof(family));
	if (family == NFPROTO_IPV4) {
		load_payload(n, NFT_PAYLOAD_NETWORK_HEADER, IPV4_DADDR, sizeof(v4_net));
		compare(n, NFT_CMP_EQ, &v4_net, sizeof(v4_net));
	} else {
		load_payload(n, NFT_PAYLOAD_NETWORK_HEADER, IPV6_DADDR, sizeof(in6addr_loopback));
		compare(n, NFT_CMP_EQ, &in6addr_loopback, sizeof(in6addr_loopback));
	}
}

static void add_redirects(struct netlink *n, uint16_t proxy_port, uint16_t dns_port)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP };
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	size_t rule;

	add_chain(n, REDIRECT, "nat", -100, NF_ACCEPT);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		rule = begin_rule(n, REDIRECT, 0);
		match_protocol(n, protocols[i]);
		match_port(n, 53);
		redirect(n, dns_port);
		netlink_end_nest(n, rule);
	}
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		rule = begin_rule(n, REDIRECT, 0);
		match_loopback(n, families[i]);
		verdict(n, NF_ACCEPT);
		netlink_end_nest(n, rule);
	}
	rule = begin_rule(n, REDIRECT, 0);
	match_protocol(n, IPPROTO_TCP);
	redirect(n, proxy_port);
	netlink_end_nest(n, rule);
}

static void add_output_rules(struct netlink *n, uint16_t proxy_port)
{
	static const uint32_t none;
	static const struct {
		uint8_t family, protocol;
	} local[] = { { NFPROTO_IPV4, IPPROTO_TCP },
		      { NFPROTO_IPV4, IPPROTO_UDP },
		      { NFPROTO_IPV6, IPPROTO_TCP },
		      { NFPROTO_IPV6, IPPROTO_UDP } };
	size_t rule;

	add_chain(n, OUTPUT, "filter", 0, NF_DROP);
	rule = begin_rule(n, OUTPUT, 0);
	match_protocol(n, IPPROTO_TCP);
	match_port(n, proxy_port);
	load_conntrack(n, NFT_CT_STATUS);
	mask32(n, IPS_DST_NAT);
	compare(n, NFT_CMP_EQ, &none, sizeof(none));
	reset_connection(n);
	netlink_end_nest(n, rule);

	rule = begin_rule(n, OUTPUT, 0);
	load_conntrack(n, NFT_CT_STATE);
	mask32(n, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
	compare(n, NFT_CMP_NEQ, &none, sizeof(none));
	verdict(n, NF_ACCEPT);
	netlink_end_nest(n, rule);

	for (size_t i = 0; i < ARRAY_SIZE(local); i++) {
		bool is_last = i + 1 == ARRAY_SIZE(local);

		rule = begin_rule(n, OUTPUT, is_last ? NLM_F_ACK : 0);
		match_loopback(n, local[i].family);
		match_protocol(n, local[i].protocol);
		verdict(n, NF_ACCEPT);
		netlink_end_nest(n, rule);
	}
}

int firewall_make(uint16_t proxy_port, uint16_t dns_port, struct err *err)
{
	_cleanup_netlink_ struct netlink n = NETLINK_INIT;
	uint32_t last;
	int r = netlink_open(&n, NETLINK_NETFILTER);

	if (r < 0)
		return err_set(err, r, "open a netfilter socket");
	batch(&n, NFNL_MSG_BATCH_BEGIN);
	begin(&n, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	netlink_put_string(&n, NFTA_TABLE_NAME, TABLE);
	add_redirects(&n, proxy_port, dns_port);
	add_output_rules(&n, proxy_port);
	last = n.seq;
	batch(&n, NFNL_MSG_BATCH_END);
	n.seq = last; /* the last rule is what gets answered, once the batch is in force */
	r = netlink_exchange(&n);
	return r < 0 ? err_set(err, r,
			       "put the packet rules in force (the kernel needs nf_tables, "
			       "nft_redir "
			       "and nft_ct)")
		     : 0;
}
