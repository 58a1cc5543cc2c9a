#include "proxy/dns-message.h"

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"

enum {
	HEADER_LEN = 12,
	CLASS_IN = 1,
	FLAG_QR = 0x8000,
	FLAG_OPCODE = 0x7800,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_RA = 0x0080,
	RCODE_MASK = 0x000f,
	MIN_UDP = 512,	   /* RFC 1035 §4.2.1 */
	MAX_UDP = 1232,	   /* what crosses any path unfragmented; DNS flag day 2020 */
	MAX_RECORDS = 256, /* of one section: more would not fit in what programs read */
	MAX_CHAIN = 16,
};

/* How a type's data is laid out, where it holds names that may be compressed (RFC 3597 §4). */
static const struct type_info {
	uint16_t type;
	const char *name;
	unsigned char fixed; /* bytes before the first name */
	unsigned char n_names;
	unsigned char tail; /* bytes after the last name, exactly; opaque types: any */
} types[] = {
	{ DNS_A, "A", 4, 0, 0 },
	{ DNS_NS, "NS", 0, 1, 0 },
	{ DNS_CNAME, "CNAME", 0, 1, 0 },
	{ DNS_SOA, "SOA", 0, 2, 20 },
	{ DNS_PTR, "PTR", 0, 1, 0 },
	{ DNS_MX, "MX", 2, 1, 0 },
	{ DNS_TXT, "TXT", 0, 0, 0 },
	{ DNS_AAAA, "AAAA", 16, 0, 0 },
	{ DNS_LOC, "LOC", 0, 0, 0 },
	{ DNS_SRV, "SRV", 6, 1, 0 },
	{ DNS_NAPTR, "NAPTR", 0, 0, 0 },
	{ DNS_DS, "DS", 0, 0, 0 },
	{ DNS_SSHFP, "SSHFP", 0, 0, 0 },
	{ DNS_RRSIG, "RRSIG", 0, 0, 0 },
	{ DNS_NSEC, "NSEC", 0, 0, 0 },
	{ DNS_DNSKEY, "DNSKEY", 0, 0, 0 },
	{ DNS_NSEC3, "NSEC3", 0, 0, 0 },
	{ DNS_TLSA, "TLSA", 0, 0, 0 },
	{ DNS_OPENPGPKEY, "OPENPGPKEY", 0, 0, 0 },
	{ DNS_SVCB, "SVCB", 0, 0, 0 },
	{ DNS_HTTPS, "HTTPS", 0, 0, 0 },
	{ DNS_URI, "URI", 0, 0, 0 },
	{ DNS_CAA, "CAA", 0, 0, 0 },
};

struct message {
	const unsigned char *p;
	size_t len, at;
	bool is_bad;
};

struct record {
	unsigned char owner[255];
	size_t owner_len;
	uint16_t type, class;
	uint32_t ttl;
	size_t data_at, data_len;
};

static const struct type_info *find_type(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

bool dns_type_is_known(uint16_t type)
{
	return find_type(type);
}

struct span dns_type_name(uint16_t type, char text[DNS_TYPE_TEXT_MAX])
{
	const struct type_info *t = find_type(type);

	if (t)
		return span_of(t->name);
	(void)snprintf(text, DNS_TYPE_TEXT_MAX, "TYPE%u", type);
	return span_of(text);
}

static uint16_t take16(struct message *m)
{
	if (m->len - m->at < 2) {
		m->is_bad = true;
		return 0;
	}
	m->at += 2;
	return (uint16_t)(m->p[m->at - 2] << 8 | m->p[m->at - 1]);
}

static uint32_t take32(struct message *m)
{
	uint32_t high = take16(m);

	return high << 16 | take16(m);
}

/*
 * Reads a name at m->at into wire form without compression. A pointer must lead
 * backwards, before the name it stands in, so that reading always ends.
 */
static int take_name(struct message *m, bool may_compress, unsigned char ret[255], size_t *ret_len)
{
	size_t at = m->at, limit = m->at, len = 0;
	bool has_jumped = false;

	for (;;) {
		unsigned char c;

		if (at >= m->len)
			return -EBADMSG;
		c = m->p[at];
		if ((c & 0xc0) == 0xc0) {
			size_t to;

			if (!may_compress || m->len - at < 2)
				return -EBADMSG;
			to = (size_t)(c & 0x3f) << 8 | m->p[at + 1];
			if (to >= limit || to < HEADER_LEN)
				return -EBADMSG;
			if (!has_jumped)
				m->at = at + 2;
			has_jumped = true;
			at = limit = to;
			continue;
		}
		if (c > 63 || m->len - at < (size_t)c + 1 || len + c + 1 > 255)
			return -EBADMSG;
		memcpy(ret + len, m->p + at, (size_t)c + 1);
		len += (size_t)c + 1;
		at += (size_t)c + 1;
		if (c == 0)
			break;
	}
	if (!has_jumped)
		m->at = at;
	*ret_len = len;
	return 0;
}

/* The canonical form of a name on the wire; a dot inside a label is no name. */
static int name_of_wire(const unsigned char *wire, size_t len, struct name *ret)
{
	char text[256];
	size_t n = 0;

	for (size_t i = 0; i + 1 < len; i += (size_t)wire[i] + 1) {
		if (memchr(wire + i + 1, '.', wire[i]))
			return -EINVAL;
		memcpy(text + n, wire + i + 1, wire[i]);
		n += wire[i];
		text[n++] = '.';
	}
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] >= 0x80)
			return -EINVAL;
	return n ? name_parse(span_make(text, n), ret) : -EINVAL;
}

static bool same_name(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len)
{
	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++) {
		unsigned char x = a[i], y = b[i];

		x = x >= 'A' && x <= 'Z' ? (unsigned char)(x + 32) : x;
		y = y >= 'A' && y <= 'Z' ? (unsigned char)(y + 32) : y;
		if (x != y)
			return false;
	}
	return true;
}

static int take_record(struct message *m, struct record *ret)
{
	if (take_name(m, true, ret->owner, &ret->owner_len) < 0)
		return -EBADMSG;
	ret->type = take16(m);
	ret->class = take16(m);
	ret->ttl = take32(m);
	ret->data_len = take16(m);
	if (m->is_bad || m->len - m->at < ret->data_len)
		return -EBADMSG;
	ret->data_at = m->at;
	m->at += ret->data_len;
	return 0;
}

/* RFC 6891 §6.1: at most one OPT, version 0, owner root. */
static int read_additional(struct message *m, size_t n, struct dns_question *q)
{
	for (size_t i = 0; i < n; i++) {
		struct record r;

		if (take_record(m, &r) < 0)
			return -EBADMSG;
		if (r.type != DNS_OPT)
			continue;
		if (q->has_edns || r.owner_len != 1)
			return -EBADMSG;
		q->has_edns = true;
		q->wants_dnssec = r.ttl & 0x8000;
		q->max_len = (uint16_t)MIN(MAX(r.class, (uint16_t)MIN_UDP), (uint16_t)MAX_UDP);
	}
	return m->at == m->len ? 0 : -EBADMSG;
}

static int read_question(struct message *m, struct dns_question *q)
{
	uint16_t class;

	if (take_name(m, false, q->wire_name, &q->wire_name_len) < 0)
		return DNS_FORMERR;
	q->type = take16(m);
	class = take16(m);
	if (m->is_bad)
		return DNS_FORMERR;
	if (name_of_wire(q->wire_name, q->wire_name_len, &q->name) < 0 || class != CLASS_IN)
		return DNS_REFUSED;
	return DNS_NOERROR;
}

int dns_read_query(struct span text, struct dns_question *ret, enum dns_rcode *ret_rcode)
{
	struct message m = { (const unsigned char *)text.p, text.len, 0, false };
	struct dns_question q = { .max_len = MIN_UDP };
	uint16_t flags, n_questions, n_answers, n_authority, n_additional;
	int rcode;

	q.id = take16(&m);
	flags = take16(&m);
	n_questions = take16(&m);
	n_answers = take16(&m);
	n_authority = take16(&m);
	n_additional = take16(&m);
	if (m.is_bad || flags & FLAG_QR)
		return -EBADMSG;
	q.wants_recursion = flags & FLAG_RD;
	if (flags & FLAG_OPCODE)
		rcode = DNS_NOTIMP;
	else if (n_questions != 1 || n_answers || n_authority || n_additional > 4)
		rcode = DNS_FORMERR;
	else
		rcode = read_question(&m, &q);
	if (rcode == DNS_NOERROR && read_additional(&m, n_additional, &q) < 0)
		rcode = DNS_FORMERR;
	if (rcode == DNS_FORMERR || rcode == DNS_NOTIMP)
		q.wire_name_len = 0;
	*ret = q;
	*ret_rcode = (enum dns_rcode)rcode;
	return rcode == DNS_NOERROR ? 0 : -EINVAL;
}

void dns_make_question(const struct name *name, uint16_t type, struct dns_question *ret)
{
	struct dns_question q = {
		.type = type, .wants_recursion = true, .max_len = MIN_UDP, .name = *name
	};
	size_t label = 0;

	/* The dots become the lengths of the labels behind them. */
	memcpy(q.wire_name + 1, name->text, name->len);
	for (size_t i = 0; i <= name->len; i++) {
		if (i < name->len && name->text[i] != '.')
			continue;
		q.wire_name[label] = (unsigned char)(i - label);
		label = i + 1;
	}
	q.wire_name_len = name->len + 2;
	*ret = q;
}

/* ---- Writing ---------------------------------------------------------------- */

static void put16(struct buf *out, size_t n)
{
	(void)buf_append_char(out, (char)(n >> 8));
	(void)buf_append_char(out, (char)n);
}

static void put32(struct buf *out, uint32_t n)
{
	put16(out, n >> 16);
	put16(out, n & 0xffff);
}

static void set16(struct buf *b, size_t at, size_t n)
{
	b->data[at] = (char)(n >> 8);
	b->data[at + 1] = (char)n;
}

/* Header and question; the counts of answers follow when they are known. */
static void put_start(const struct dns_question *q, unsigned rcode, struct buf *out)
{
	put16(out, q->id);
	put16(out, FLAG_QR | FLAG_RA | (q->wants_recursion ? FLAG_RD : 0) | (rcode & RCODE_MASK));
	put16(out, q->wire_name_len ? 1 : 0);
	put32(out, 0);
	put16(out, q->has_edns ? 1 : 0);
	if (!q->wire_name_len)
		return;
	(void)buf_append(out, q->wire_name, q->wire_name_len);
	put16(out, q->type);
	put16(out, CLASS_IN);
}

static void put_end(const struct dns_question *q, struct buf *out)
{
	if (!q->has_edns)
		return;
	(void)buf_append_char(out, 0);
	put16(out, DNS_OPT);
	put16(out, MAX_UDP);
	put32(out, q->wants_dnssec ? 0x8000 : 0);
	put16(out, 0);
}

static void put_owner(const struct dns_question *q, const unsigned char *name, size_t len,
		      struct buf *out)
{
	if (same_name(name, len, q->wire_name, q->wire_name_len))
		put16(out, 0xc000 | HEADER_LEN);
	else
		(void)buf_append(out, name, len);
}

int dns_write_error(const struct dns_question *q, enum dns_rcode rcode, struct buf *out)
{
	put_start(q, rcode, out);
	put_end(q, out);
	return out->failed ? -EMSGSIZE : 0;
}

int dns_write_addresses(const struct dns_question *q, const struct policy_address *addresses,
			size_t n, uint32_t ttl, struct buf *out)
{
	size_t start = out->len, count = 0;

	put_start(q, DNS_NOERROR, out);
	for (size_t i = 0; i < n; i++) {
		size_t len = addresses[i].is_v6 ? 16 : 4;

		if (q->type != (addresses[i].is_v6 ? DNS_AAAA : DNS_A))
			continue;
		put_owner(q, q->wire_name, q->wire_name_len, out);
		put16(out, q->type);
		put16(out, CLASS_IN);
		put32(out, ttl);
		put16(out, len);
		(void)buf_append(out, addresses[i].bytes, len);
		count++;
	}
	put_end(q, out);
	if (out->failed)
		return -EMSGSIZE;
	set16(out, start + 6, count);
	return 0;
}

void dns_truncate(const struct dns_question *q, struct buf *message)
{
	unsigned rcode;

	if (message->len <= q->max_len || message->len < HEADER_LEN)
		return;
	rcode = (unsigned char)message->data[3] & RCODE_MASK;
	buf_reset(message);
	put_start(q, rcode, message);
	put_end(q, message);
	message->data[2] = (char)(message->data[2] | (FLAG_TC >> 8));
}

/* ---- Taking an answer ------------------------------------------------------- */

/* The names that the question's CNAMEs lead through. */
struct chain {
	struct {
		unsigned char name[255];
		size_t len;
	} links[MAX_CHAIN];
	size_t n;
};

static bool is_in_chain(const struct chain *c, const unsigned char *name, size_t len)
{
	for (size_t i = 0; i < c->n; i++)
		if (same_name(c->links[i].name, c->links[i].len, name, len))
			return true;
	return false;
}

static int follow(struct chain *c, const struct message *m, const struct record *r)
{
	struct message at = *m;

	if (c->n == MAX_CHAIN)
		return -EBADMSG;
	at.at = r->data_at;
	if (take_name(&at, true, c->links[c->n].name, &c->links[c->n].len) < 0 ||
	    at.at != r->data_at + r->data_len)
		return -EBADMSG;
	c->n++;
	return 0;
}

/* Data with its names decompressed. */
static int put_data(const struct message *m, const struct record *r, const struct type_info *t,
		    struct buf *out)
{
	struct message at = *m;
	size_t len_at = out->len;
	bool is_opaque = !t->fixed && !t->n_names;

	put16(out, 0);
	at.at = r->data_at;
	at.len = r->data_at + r->data_len;
	if (at.len - at.at < t->fixed)
		return -EBADMSG;
	(void)buf_append(out, at.p + at.at, t->fixed);
	at.at += t->fixed;
	for (unsigned i = 0; i < t->n_names; i++) {
		unsigned char name[255];
		size_t len;

		if (take_name(&at, true, name, &len) < 0)
			return -EBADMSG;
		(void)buf_append(out, name, len);
	}
	if (!is_opaque && at.len - at.at != t->tail)
		return -EBADMSG;
	(void)buf_append(out, at.p + at.at, at.len - at.at);
	if (out->failed)
		return -EBADMSG;
	set16(out, len_at, out->len - len_at - 2);
	return 0;
}

static int put_record(const struct dns_question *q, const struct message *m, const struct record *r,
		      const struct type_info *t, struct buf *out)
{
	put_owner(q, r->owner, r->owner_len, out);
	put16(out, r->type);
	put16(out, CLASS_IN);
	put32(out, MIN(r->ttl, UINT32_C(0x7fffffff)));
	return put_data(m, r, t, out);
}

static void report_address(const struct message *m, const struct record *r, dns_address_fn fn,
			   void *ctx)
{
	struct policy_address a;

	if (r->type == DNS_A && r->data_len == 4)
		a = address_v4(m->p + r->data_at);
	else if (r->type == DNS_AAAA && r->data_len == 16)
		a = address_v6(m->p + r->data_at);
	else
		return;
	if (fn)
		fn(ctx, &a, r->ttl);
}

static bool is_wanted(const struct dns_question *q, const struct record *r, const struct chain *c)
{
	if (r->class != CLASS_IN || !find_type(r->type) || r->type == DNS_SVCB ||
	    r->type == DNS_HTTPS)
		return false;
	if (r->type != q->type && r->type != DNS_CNAME &&
	    !(r->type == DNS_RRSIG && q->wants_dnssec))
		return false;
	return is_in_chain(c, r->owner, r->owner_len);
}

/* Where the sections of an answer are; the question must be ours. */
struct sections {
	unsigned rcode;
	size_t n_answers, n_authority;
};

static int read_start(const struct dns_question *q, struct message *m, struct sections *ret)
{
	unsigned char name[255];
	size_t name_len, n_questions;
	uint16_t flags;

	(void)take16(m);
	flags = take16(m);
	n_questions = take16(m);
	ret->n_answers = take16(m);
	ret->n_authority = take16(m);
	(void)take16(m);
	if (m->is_bad || !(flags & FLAG_QR) || n_questions != 1)
		return -EBADMSG;
	if (ret->n_answers > MAX_RECORDS || ret->n_authority > MAX_RECORDS)
		return -EBADMSG;
	ret->rcode = flags & RCODE_MASK;
	if (take_name(m, false, name, &name_len) < 0 ||
	    !same_name(name, name_len, q->wire_name, q->wire_name_len))
		return -EBADMSG;
	return take16(m) == q->type && take16(m) == CLASS_IN && !m->is_bad ? 0 : -EBADMSG;
}

/* The answers that belong to the question, in their order. */
static int take_answers(const struct dns_question *q, struct message *m, size_t n,
			dns_address_fn fn, void *ctx, struct buf *out)
{
	struct chain chain = { .n = 1 };
	int count = 0;

	memcpy(chain.links[0].name, q->wire_name, q->wire_name_len);
	chain.links[0].len = q->wire_name_len;
	for (size_t i = 0; i < n; i++) {
		struct record r;

		if (take_record(m, &r) < 0)
			return -EBADMSG;
		if (!is_wanted(q, &r, &chain))
			continue;
		if (r.type == DNS_CNAME && q->type != DNS_CNAME && follow(&chain, m, &r) < 0)
			return -EBADMSG;
		if (out && put_record(q, m, &r, find_type(r.type), out) < 0)
			return -EBADMSG;
		report_address(m, &r, fn, ctx);
		count++;
	}
	return count;
}

/* The zone's SOA, which says how long a negative answer holds (RFC 2308). */
static int take_authority(const struct dns_question *q, struct message *m, size_t n,
			  struct buf *out)
{
	int count = 0;

	for (size_t i = 0; i < n; i++) {
		struct record r;

		if (take_record(m, &r) < 0)
			return -EBADMSG;
		if (r.type != DNS_SOA || r.class != CLASS_IN || count)
			continue;
		if (put_record(q, m, &r, find_type(DNS_SOA), out) < 0)
			return -EBADMSG;
		count++;
	}
	return count;
}

static int write_answer(const struct dns_question *q, struct message *m, const struct sections *s,
			dns_address_fn fn, void *ctx, struct buf *out)
{
	int n_answers, n_authority = 0;

	put_start(q, s->rcode, out);
	n_answers = take_answers(q, m, s->n_answers, fn, ctx, out);
	if (n_answers == 0)
		n_authority = take_authority(q, m, s->n_authority, out);
	put_end(q, out);
	if (n_answers < 0 || n_authority < 0 || out->failed)
		return -EBADMSG;
	set16(out, 6, (size_t)n_answers);
	set16(out, 8, (size_t)n_authority);
	return 0;
}

int dns_take_answer(const struct dns_question *q, struct span answer, dns_address_fn fn, void *ctx,
		    struct buf *out)
{
	struct message m = { (const unsigned char *)answer.p, answer.len, 0, false };
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_DNS_MESSAGE);
	struct sections s;

	if (read_start(q, &m, &s) < 0)
		return -EBADMSG;
	if (!out)
		return take_answers(q, &m, s.n_answers, fn, ctx, NULL) < 0 ? -EBADMSG : 0;
	if (write_answer(q, &m, &s, fn, ctx, &text) < 0)
		return -EBADMSG;
	return buf_append_span(out, buf_span(&text));
}
