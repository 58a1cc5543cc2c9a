/*
 * DNS messages (RFC 1035, EDNS of RFC 6891), read and written strictly and
 * without I/O. A query has one question of class IN with a name in canonical
 * form. Of an answer only the records that belong to the question are kept (its
 * name, and those its CNAMEs lead to), in types whose content is understood or
 * opaque; they are written anew, never copied as a message.
 */
#pragma once

#include "base/buf.h"
#include "proxy/name.h"

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_NULL = 10,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_LOC = 29,
	DNS_SRV = 33,
	DNS_NAPTR = 35,
	DNS_OPT = 41,
	DNS_DS = 43,
	DNS_SSHFP = 44,
	DNS_RRSIG = 46,
	DNS_NSEC = 47,
	DNS_DNSKEY = 48,
	DNS_NSEC3 = 50,
	DNS_TLSA = 52,
	DNS_OPENPGPKEY = 61,
	DNS_SVCB = 64,
	DNS_HTTPS = 65,
	DNS_URI = 256,
	DNS_CAA = 257,
};

enum dns_rcode {
	DNS_NOERROR,
	DNS_FORMERR,
	DNS_SERVFAIL,
	DNS_NXDOMAIN,
	DNS_NOTIMP,
	DNS_REFUSED,
};

struct dns_question {
	uint16_t id, type;
	bool wants_recursion;
	bool has_edns, wants_dnssec;
	uint16_t max_len;	      /* of an answer over UDP */
	struct name name;	      /* canonical */
	unsigned char wire_name[255]; /* as it was asked, with its case */
	size_t wire_name_len;
};

/*
 * Reads a query. 0; -EBADMSG for what deserves no answer; or -EINVAL with
 * *ret_rcode set and as much of *ret filled in as dns_write_error needs.
 */
int dns_read_query(struct span message, struct dns_question *ret,
		   enum dns_rcode *ret_rcode) _must_check_;

/* "A", "TXT" and so on, or "TYPE1234" written into text. */
#define DNS_TYPE_TEXT_MAX 16
struct span dns_type_name(uint16_t type, char text[DNS_TYPE_TEXT_MAX]);
/* May questions of this type be asked at all? */
bool dns_type_is_known(uint16_t type);

/* An address among the answers. */
typedef void (*dns_address_fn)(void *ctx, const struct policy_address *address, uint32_t ttl);

/*
 * Takes what belongs to the question out of a resolver's answer: calls fn for
 * each address and appends a message for the client to out (NULL: only fn).
 * -EBADMSG when the answer is malformed; out is then as before.
 */
int dns_take_answer(const struct dns_question *q, struct span answer, dns_address_fn fn, void *ctx,
		    struct buf *out) _must_check_;

/* Writes an answer without records. */
int dns_write_error(const struct dns_question *q, enum dns_rcode rcode, struct buf *out);
/* Writes an answer with these addresses, those of the question's type. */
int dns_write_addresses(const struct dns_question *q, const struct policy_address *addresses,
			size_t n, uint32_t ttl, struct buf *out);
/* Cuts a message that is longer than the client takes over UDP down to its question, and says so
 * (TC). */
void dns_truncate(const struct dns_question *q, struct buf *message);
/* A question of our own. */
void dns_make_question(const struct name *name, uint16_t type, struct dns_question *ret);
