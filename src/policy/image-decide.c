/* A request against an image: its facts are looked up, then the clauses they lead to are weighed. */
#include "base/alloc.h"
#include "base/clock.h"
#include "policy/host.h"
#include "policy/image-hash.h"
#include "policy/image-scan.h"
#include "policy/image.h"
#include "policy/text.h"

#define SUBJECT_BIT(s) (UINT32_C(1) << (s))
#define MS_PER_DAY INT64_C(86400000)

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
	return !run->has_own_dir;
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

/* ---- Clauses ---------------------------------------------------------------------------- */

static bool check_holds(struct image_run *run, const struct image_check *check)
{
	int64_t time;

	if (!run->has_now) {
		run->now_ms = (int64_t)(clock_real_ns() / NS_PER_MS);
		run->has_now = true;
	}
	time = run->now_ms % MS_PER_DAY;
	if (time < 0)
		time += MS_PER_DAY;
	switch ((enum image_check_kind)check->kind) {
	case IMAGE_NOW_BEFORE:
		return run->now_ms < check->number;
	case IMAGE_NOW_NOT_AFTER:
		return run->now_ms <= check->number;
	case IMAGE_TIME_BEFORE:
		return time < check->number;
	case IMAGE_TIME_NOT_AFTER:
		return time <= check->number;
	case IMAGE_N_CHECKS:
		break;
	}
	return false;
}

static bool literal_holds(struct image_run *run, uint32_t literal)
{
	uint32_t number = literal >> 2;

	if ((literal & 3) >= IMAGE_LITERAL_CHECK)
		return check_holds(run, &run->image->checks[number]) ==
		       ((literal & 3) == IMAGE_LITERAL_CHECK);
	return (run->bits[number / 64] >> number % 64 & 1) ==
	       ((literal & 3) == IMAGE_LITERAL_SET);
}

static const struct image_clause *clause_at(const struct image_run *run, uint32_t at)
{
	return (const void *)(run->image->words + at);
}

static const uint32_t *literals_of(const struct image_clause *c)
{
	return (const uint32_t *)(const void *)(c + 1);
}

/* One round of questions: about the action, or about reading beside it. */
struct round {
	uint32_t action; /* a bit */
	uint32_t asked;	 /* actions already asked about; a policy that does not mention its action is not asked twice */
	bool asks;	 /* the evaluator has to be asked */
	bool forbid_errs, permit_errs, is_own;
	bool permit_asks;
	size_t first_forbid; /* of the run's */
};

static void weigh(struct image_run *run, struct round *round, const struct image_clause *c)
{
	if (!(c->actions & round->action) ||
	    (round->asked && (c->effect < IMAGE_FORBID ||
			      (!c->mentions_action && (c->actions & round->asked)))))
		return;
	for (uint32_t i = 0; i < c->n_literals; i++)
		if (!literal_holds(run, literals_of(c)[i]))
			return;
	switch ((enum image_effect)c->effect) {
	case IMAGE_PERMIT:
		if (run->n_permits == IMAGE_MAX_CLAUSES)
			round->permit_asks = true;
		else
			run->permits[run->n_permits++] = (const uint32_t *)(const void *)c;
		return;
	case IMAGE_PERMIT_ERRS:
		round->permit_errs = true;
		return;
	case IMAGE_PERMIT_ASK:
		round->permit_asks = true;
		return;
	case IMAGE_FORBID_ERRS:
		round->forbid_errs = true;
		break;
	case IMAGE_FORBID:
		break;
	case IMAGE_FORBID_ASK:
	case IMAGE_N_EFFECTS:
		round->asks = true;
		return;
	}
	round->is_own |= c->is_own;
	if (run->n_forbids == IMAGE_MAX_CLAUSES)
		round->asks = true;
	else
		run->forbids[run->n_forbids++] = (const uint32_t *)(const void *)c;
}

static void weigh_list(struct image_run *run, struct round *round, uint32_t list)
{
	const uint32_t *words = run->image->words;

	for (uint32_t i = 0; list && i < words[list] && !round->asks; i++)
		weigh(run, round, clause_at(run, words[list + 1 + i]));
}

static void weigh_all(struct image_run *run, struct round *round, enum policy_action action)
{
	const struct image *image = run->image;

	round->first_forbid = run->n_forbids;
	weigh_list(run, round, image->head->actions[action].always);
	for (size_t i = 0; i < run->n_found && !round->asks; i++) {
		uint32_t number = IMAGE_ENTRY_NUMBER(run->found[i]);

		if (IMAGE_ENTRY_KIND(run->found[i]) == IMAGE_ENTRY_CLAUSE)
			weigh(run, round, clause_at(run, number));
		else
			weigh_list(run, round, image->words[image->head->atoms + number]);
	}
}

/* ---- Reasons -------------------------------------------------------------------------------- */

static void add_reason(struct policy_decision *d, const char *id)
{
	for (size_t i = 0; i < d->n_reasons; i++)
		if (d->reasons[i] == id)
			return;
	if (d->n_reasons < POLICY_MAX_REASONS)
		d->reasons[d->n_reasons++] = id;
	else
		d->n_more_reasons++;
}

static const struct image_clause *nth(const uint32_t *const *clauses, size_t i)
{
	return (const struct image_clause *)(const void *)clauses[i];
}

/* Puts the rank where it belongs, unless it is there; the list is kept at its max smallest. */
static size_t insert(uint32_t *sorted, size_t n, size_t max, uint32_t rank)
{
	size_t at = n;

	while (at > 0 && sorted[at - 1] > rank)
		at--;
	if ((at > 0 && sorted[at - 1] == rank) || at == max)
		return n;
	n = MIN(n + 1, max);
	memmove(sorted + at + 1, sorted + at, (n - 1 - at) * sizeof(*sorted));
	sorted[at] = rank;
	return n;
}

/* The policies of all clauses, each once, in their order. False: too many to tell. */
static bool add_reasons(uint32_t *sorted, const uint32_t *const *clauses, size_t n_clauses,
			const char *const *ids, struct policy_decision *d)
{
	size_t total = 0, n = 0, max = IMAGE_MAX_SORTED;
	bool is_shared = false;

	if (n_clauses == 1 && !d->n_reasons && nth(clauses, 0)->n_policies == 1) {
		d->reasons[d->n_reasons++] =
			ids[literals_of(nth(clauses, 0))[nth(clauses, 0)->n_literals]];
		return true;
	}
	for (size_t i = 0; i < n_clauses; i++) {
		total += nth(clauses, i)->n_policies;
		is_shared |= nth(clauses, i)->is_shared;
	}
	if (total > IMAGE_MAX_SORTED) {
		/* Only the first have names; the others count, so they must be different ones. */
		if (is_shared || d->n_reasons)
			return false;
		max = POLICY_MAX_REASONS;
	}
	for (size_t i = 0; i < n_clauses; i++) {
		const struct image_clause *c = nth(clauses, i);
		const uint32_t *ranks = literals_of(c) + c->n_literals;

		for (uint32_t j = 0; j < c->n_policies && j < max; j++)
			n = insert(sorted, n, max, ranks[j]);
	}
	for (size_t i = 0; i < n; i++)
		add_reason(d, ids[sorted[i]]);
	if (total > IMAGE_MAX_SORTED)
		d->n_more_reasons += total - n;
	return true;
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
	struct round round = { .action = ACTION_BIT(r->action) };

	weigh_all(run, &round, r->action);
	if (round.asks || !add_reasons(run->sorted, run->forbids, run->n_forbids, ids, d))
		return false;
	if (reads_too(r)) {
		round.action = ACTION_BIT(POLICY_FILE_OPEN_READ_ONLY);
		round.asked = ACTION_BIT(r->action);
		weigh_all(run, &round, POLICY_FILE_OPEN_READ_ONLY);
		if (round.asks || !add_reasons(run->sorted, run->forbids + round.first_forbid,
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
	return add_reasons(run->sorted, run->permits, run->n_permits, ids, d);
}

static void forget(struct image_run *run)
{
	for (size_t i = 0; i < run->n_found; i++)
		if (IMAGE_ENTRY_KIND(run->found[i]) == IMAGE_ENTRY_ATOM)
			run->bits[IMAGE_ENTRY_NUMBER(run->found[i]) / 64] = 0;
	run->bits[0] = 0;
	run->n_found = run->n_forbids = run->n_permits = 0;
	run->is_overrun = run->has_own_dir = run->has_now = false;
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
