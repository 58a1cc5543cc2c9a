/* A request against an image: its facts are looked up, then the clauses they lead to are weighed.
 */
#include "policy/host.h"
#include "policy/image-hash.h"
#include "policy/image-scan.h"
#include "policy/image.h"
#include "policy/text.h"

#define SUBJECT_BIT(s) (UINT32_C(1) << (s))

/* ---- Facts --------------------------------------------------------------------------- */

/* As text, which for most bytes is the bytes themselves. */
static bool set_text(struct image_run *run, struct span bytes, size_t *ret_len)
{
	uint64_t high = 0;

	if (!run_set_text(run, bytes))
		return false;
	for (size_t block = 0; block < bytes.len; block += 64)
		high |= scan_high(run->text + block);
	*ret_len = bytes.len;
	if (!high || text_is_plain(bytes))
		return true;
	buf_reset(&run->converted);
	(void)text_from_bytes(bytes, &run->converted);
	*ret_len = run->converted.len;
	return run_set_text(run, buf_span(&run->converted));
}

/* The bits of where a text is, and what it was one to three bytes before. */
struct trail {
	uint64_t slash, dot; /* of the block before */
};

static uint64_t behind(uint64_t mask, uint64_t before, int n)
{
	return mask << n | before >> (64 - n);
}

/* Absolute, no empty component, no "." or "..": the text is in the run, the end counts as a slash. */
static bool path_is_canonical(const struct image_run *run, size_t len)
{
	struct trail before = { 0 };
	uint64_t bad = 0;

	if (len == 0 || run->text[0] != '/')
		return len == 6 && memcmp(run->text, "memfd:", 6) == 0;
	for (size_t block = 0; len > 1 && block <= len; block += 64) {
		uint64_t slash = scan_equal(run->text + block, '/');
		uint64_t dot = scan_equal(run->text + block, '.');
		uint64_t one, two, three;

		if (len - block < 64)
			slash |= UINT64_C(1) << (len - block);
		one = behind(slash, before.slash, 1);
		two = behind(slash, before.slash, 2) & behind(dot, before.dot, 1);
		three = behind(slash, before.slash, 3) & behind(dot, before.dot, 2) &
			behind(dot, before.dot, 1);
		bad |= slash & (one | two | three);
		before = (struct trail){ slash, dot };
	}
	return !bad;
}

static bool match_path(struct image_run *run, const struct policy_request *r)
{
	size_t len;

	if (!set_text(run, r->path, &len) || !path_is_canonical(run, len))
		return false;
	run_match_text(run, IMAGE_PATH, len);
	return true;
}

static bool match_string(struct image_run *run, enum image_subject subject, struct span bytes)
{
	size_t len;

	if (!set_text(run, bytes, &len))
		return false;
	run_match_text(run, subject, len);
	return true;
}

/* Each of a list whose parts end with NUL, the last perhaps without. */
static bool match_list(struct image_run *run, enum image_subject subject, struct span list)
{
	while (list.len) {
		const char *end = memchr(list.p, 0, list.len);
		size_t len = end ? (size_t)(end - list.p) : list.len, text_len;

		if (!set_text(run, span_make(list.p, len), &text_len))
			return false;
		run_match_element(run, subject, text_len);
		list = span_from(list, len + 1);
	}
	return true;
}

/* The arguments joined by spaces. */
static bool match_joined(struct image_run *run, struct span list)
{
	struct buf *joined = &run->joined;

	if (list.len && list.p[list.len - 1] == 0)
		list.len--;
	buf_reset(joined);
	(void)buf_append_span(joined, list);
	for (size_t i = 0; i < list.len; i++)
		if (joined->data[i] == 0)
			joined->data[i] = ' ';
	return match_string(run, IMAGE_ARGS, buf_span(joined));
}

#define PROCESS_SUBJECTS                                                                           \
	(SUBJECT_BIT(IMAGE_EXE) | SUBJECT_BIT(IMAGE_COMM) | SUBJECT_BIT(IMAGE_CWD) |               \
	 SUBJECT_BIT(IMAGE_ANCESTORS) | SUBJECT_BIT(IMAGE_ARGS) | SUBJECT_BIT(IMAGE_ARGV))

static bool match_process(struct image_run *run, uint32_t subjects, const struct facts *f)
{
	static const struct {
		enum image_subject subject;
		enum policy_fact fact;
	} known[] = {
		{ IMAGE_EXE, POLICY_FACT_EXE },	    { IMAGE_COMM, POLICY_FACT_COMM },
		{ IMAGE_CWD, POLICY_FACT_CWD },	    { IMAGE_ANCESTORS, POLICY_FACT_ANCESTORS },
		{ IMAGE_ARGV, POLICY_FACT_ARGV },   { IMAGE_ARGS, POLICY_FACT_ARGV },
	};

	if (!f)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		enum image_subject subject = known[i].subject;
		struct span value = f->values[known[i].fact];
		bool is_matched;

		if (!(subjects & SUBJECT_BIT(subject)))
			continue;
		if (!f->is_known[known[i].fact])
			return false;
		if (subject == IMAGE_ARGS)
			is_matched = match_joined(run, value);
		else if (subject == IMAGE_ARGV || subject == IMAGE_ANCESTORS)
			is_matched = match_list(run, subject, value);
		else
			is_matched = match_string(run, subject, value);
		if (!is_matched)
			return false;
	}
	return true;
}

/* An address whose text is another's: the evaluator sees both. */
static bool is_mapped(const struct policy_address *a)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	return a->is_v6 && memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

static bool match_host(struct image_run *run, const struct policy_request *r, uint32_t subjects)
{
	int len = host_name_copy(r->host, (char *)run->text);

	if (len < 0)
		return false;
	run_set_flag(run, IMAGE_HAS_HOST);
	if (!(subjects & SUBJECT_BIT(IMAGE_HOST)))
		return true;
	memset(run->text + len, 0, IMAGE_TEXT_PADDING);
	run_match_host(run, (size_t)len);
	return true;
}

static bool match_endpoint(struct image_run *run, const struct policy_request *r, uint32_t subjects)
{
	if (r->port) {
		run_set_flag(run, IMAGE_HAS_PORT);
		if (subjects & SUBJECT_BIT(IMAGE_PORT))
			run_match_port(run, r->port);
	}
	if (r->has_address) {
		if (is_mapped(&r->address))
			return false;
		run_set_flag(run, IMAGE_HAS_IP);
		if (subjects & (SUBJECT_BIT(IMAGE_ADDRESS_V4) | SUBJECT_BIT(IMAGE_ADDRESS_V6)))
			run_match_address(run, &r->address);
	}
	if (r->protocol.len) {
		run_set_flag(run, IMAGE_HAS_PROTOCOL);
		if ((subjects & SUBJECT_BIT(IMAGE_PROTOCOL)) &&
		    !match_string(run, IMAGE_PROTOCOL, r->protocol))
			return false;
	}
	return true;
}

static bool match_network(struct image_run *run, const struct policy_request *r, uint32_t subjects,
			  bool needs_host_name)
{
	bool is_dns = r->action == POLICY_DNS_RESOLVE;

	if (r->host.len) {
		if (!match_host(run, r, subjects))
			return false;
	} else if (is_dns || needs_host_name || !r->has_address) {
		return false;
	}
	return is_dns || match_endpoint(run, r, subjects);
}

static bool match_tool(struct image_run *run, const struct policy_request *r, uint32_t subjects)
{
	if (r->tool.len == 0 || (r->host.len == 0 && r->has_address))
		return false;
	if (r->host.len && !match_host(run, r, subjects))
		return false;
	if ((subjects & SUBJECT_BIT(IMAGE_TOOL)) && !match_string(run, IMAGE_TOOL, r->tool))
		return false;
	if ((subjects & SUBJECT_BIT(IMAGE_SERVER)) && !match_string(run, IMAGE_SERVER, r->server))
		return false;
	return match_endpoint(run, r, subjects);
}

static bool match_object(struct image_run *run, const struct policy_request *r, uint32_t subjects)
{
	const struct image_action *a = &run->image->head->actions[r->action];

	if (r->action <= POLICY_PROCESS_EXEC)
		return match_path(run, r);
	if (r->action == POLICY_MCP_CALL)
		return match_tool(run, r, subjects);
	return match_network(run, r, subjects, a->needs_host_name);
}

/* ---- Deciding ---------------------------------------------------------------------------------- */

static bool reads_too(const struct policy_request *r)
{
	return r->also_reads && r->action > POLICY_FILE_OPEN_READ_ONLY &&
	       r->action <= POLICY_FILE_SET_ATTRIBUTES;
}

static bool decide(struct image_run *run, const struct policy_request *r, const char *const *ids,
		   struct policy_decision *d)
{
	struct image_round round = { .action = ACTION_BIT(r->action) };

	run_weigh(run, &round, r->action);
	if (round.asks || !run_add_reasons(run, run->forbids, run->n_forbids, ids, d))
		return false;
	if (reads_too(r)) {
		round.action = ACTION_BIT(POLICY_FILE_OPEN_READ_ONLY);
		round.asked = ACTION_BIT(r->action);
		run_weigh(run, &round, POLICY_FILE_OPEN_READ_ONLY);
		if (round.asks || !run_add_reasons(run, run->forbids + round.first_forbid,
						   run->n_forbids - round.first_forbid, ids, d))
			return false;
	}
	d->is_own_rule = round.is_own;
	d->has_error = round.forbid_errs;
	if (run->n_forbids)
		return true;
	if (round.permit_asks)
		return false;
	d->has_error |= round.permit_errs;
	d->verdict = run->n_permits ? DECISION_ALLOW : DECISION_DENY;
	return run_add_reasons(run, run->permits, run->n_permits, ids, d);
}

static void forget(struct image_run *run)
{
	for (size_t i = 0; i < run->n_found; i++)
		if (IMAGE_ENTRY_KIND(run->found[i]) == IMAGE_ENTRY_ATOM)
			run->bits[IMAGE_ENTRY_NUMBER(run->found[i]) / 64] = 0;
	run->bits[0] = 0;
	run->n_found = run->n_forbids = run->n_permits = 0;
	run->is_overrun = run->has_now = false;
	run->own_dir = NULL;
}

bool image_decide(struct image_run *run, const struct policy_request *r, const struct facts *facts,
		  const char *const *ids, struct policy_decision *ret)
{
	const struct image_header *h = run->image->head;
	uint32_t subjects = h->actions[r->action].subjects;
	bool is_decided;

	ret->verdict = DECISION_DENY;
	ret->is_own_rule = ret->has_error = false;
	ret->n_reasons = ret->n_more_reasons = 0;
	run->request = r;
	run->automata = h->actions[r->action].automata;
	if (reads_too(r)) {
		subjects |= h->actions[POLICY_FILE_OPEN_READ_ONLY].subjects;
		run->automata |= h->actions[POLICY_FILE_OPEN_READ_ONLY].automata;
	}
	is_decided = match_object(run, r, subjects) &&
		     (!(subjects & PROCESS_SUBJECTS) || match_process(run, subjects, facts)) &&
		     !run->is_overrun && decide(run, r, ids, ret);
	forget(run);
	return is_decided;
}
