#include "policy/bundle.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "policy/image-clauses.h"
#include "policy/image.h"

static const char damaged[] = "the policy bundle is damaged";

static bool string_get(struct span bytes, struct bundle_string at, struct span *ret)
{
	if (at.offset > bytes.len || at.len > bytes.len - at.offset)
		return false;
	*ret = span_make(bytes.p + at.offset, at.len);
	return true;
}

static bool header_is_sound(struct span bytes, const struct bundle_header *h)
{
	size_t table_len;

	if (memcmp(h->magic, BUNDLE_MAGIC, sizeof(h->magic)) != 0 || h->version != BUNDLE_VERSION ||
	    h->total_len != bytes.len || h->n_policies > BUNDLE_MAX_POLICIES ||
	    h->mode > POLICY_RECORD || h->has_actions > 1)
		return false;
	table_len = h->n_policies * sizeof(struct bundle_policy);
	return table_len <= bytes.len - sizeof(*h) && bundle_checksum(bytes) == h->checksum;
}

/* Copies into the policy's arena: nothing points into the mapping afterwards. */
static bool copy_string(struct policy *p, struct span bytes, struct bundle_string at,
			struct span *ret)
{
	struct span s;
	const char *copy;

	if (!string_get(bytes, at, &s))
		return false;
	copy = arena_dup(&p->arena, s);
	*ret = span_make(copy, s.len);
	return copy;
}

static struct bundle_policy entry_at(struct span bytes, size_t i)
{
	struct bundle_policy entry;

	memcpy(&entry, bytes.p + sizeof(struct bundle_header) + i * sizeof(entry), sizeof(entry));
	return entry;
}

/* ---- What every process needs ------------------------------------------- */

/* leash's own first, so that they are never among the reasons that do not fit. */
static bool read_ids(struct policy *p, struct span bytes)
{
	size_t rank = 0;

	p->ids = arena_alloc_array(&p->arena, p->n_rules, sizeof(*p->ids));
	p->ids_in_order = arena_alloc_array(&p->arena, p->n_rules, sizeof(*p->ids));
	for (int pass = 0; p->ids && p->ids_in_order && pass < 2; pass++)
		for (size_t i = 0; i < p->n_rules; i++) {
			struct bundle_policy entry = entry_at(bytes, i);
			struct span id;

			if ((entry.layer == POLICY_LAYER_OWN) != (pass == 0))
				continue;
			if (entry.layer >= LAYER_MAX || !copy_string(p, bytes, entry.id, &id))
				return false;
			p->ids[rank++] = p->ids_in_order[i] = id.p;
		}
	return p->ids && p->ids_in_order;
}

/* They are few: an array of their own is soon looked through. */
static bool read_tls_ids(struct policy *p, struct span bytes)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_rules; i++) {
		struct bundle_policy entry = entry_at(bytes, i);

		if (entry.passes_tls > 1 || entry.reserved)
			return false;
		n += entry.passes_tls;
	}
	if (n == 0)
		return true;
	p->tls_ids = arena_alloc_array(&p->arena, n, sizeof(*p->tls_ids));
	for (size_t i = 0; p->tls_ids && i < p->n_rules; i++)
		if (entry_at(bytes, i).passes_tls)
			p->tls_ids[p->n_tls_ids++] = p->ids_in_order[i];
	return p->tls_ids != NULL;
}

static bool read_actions(struct policy *p, const struct bundle_header *h)
{
	for (size_t a = 0; a < POLICY_ACTION_MAX; a++) {
		if (h->actions[a].flags & ~BUNDLE_ACTION_FLAGS)
			return false;
		p->actions[a].keys = h->actions[a].keys;
		p->actions[a].is_uncacheable = h->actions[a].flags & BUNDLE_ACTION_UNCACHEABLE;
		p->actions[a].is_restricted = h->actions[a].flags & BUNDLE_ACTION_RESTRICTED;
	}
	return true;
}

static bool read_instructions(struct policy *p, struct span bytes, struct bundle_string at)
{
	struct span all;

	if (!string_get(bytes, at, &all) || all.len % sizeof(struct bundle_instruction))
		return false;
	p->n_instructions = all.len / sizeof(struct bundle_instruction);
	p->instructions =
		arena_alloc_array(&p->arena, p->n_instructions + 1, sizeof(*p->instructions));
	for (size_t i = 0; p->instructions && i < p->n_instructions; i++) {
		struct policy_instruction *to = &p->instructions[i];
		struct bundle_instruction from;

		memcpy(&from, all.p + i * sizeof(from), sizeof(from));
		if (from.port > UINT16_MAX || !copy_string(p, bytes, from.policy, &to->policy) ||
		    !copy_string(p, bytes, from.host, &to->host) ||
		    !copy_string(p, bytes, from.header, &to->header) ||
		    !copy_string(p, bytes, from.value, &to->value))
			return false;
		to->port = (uint16_t)from.port;
	}
	return p->instructions;
}

/* The image may stay where it is if that is mapped for as long as the policy. */
static int read_image(struct policy *p, struct span bytes, struct bundle_string at, bool is_mapped)
{
	struct span image;
	char *copy;

	if (!string_get(bytes, at, &image) || at.offset % 8)
		return -EBADMSG;
	if (!image.len)
		return 0;
	if (!is_mapped) {
		copy = arena_dup(&p->arena, image);
		if (!copy)
			return -ENOMEM;
		image.p = copy;
	}
	p->image = arena_new(&p->arena, struct image);
	return p->image ? image_open(image, p->n_rules, p->image) : -ENOMEM;
}

/* ---- What evaluating needs ---------------------------------------------- */

static bool read_rule(struct policy *p, struct span bytes, size_t i)
{
	struct rule *rule = &p->rules[i];
	struct bundle_policy entry = entry_at(bytes, i);
	struct span file;

	if (entry.layer >= LAYER_MAX || !copy_string(p, bytes, entry.file, &file) ||
	    !copy_string(p, bytes, entry.text, &rule->text))
		return false;
	rule->id = p->ids_in_order[i];
	rule->file = file.p;
	rule->number = i;
	rule->line = entry.line;
	rule->layer = (enum policy_layer)entry.layer;
	rule->cedar = cedar_policy_set_at(p->set, i);
	if (rule->cedar->is_template)
		return false;
	rule_analyse(rule, p->agent);
	return true;
}

static int parse_cedar(struct policy *p, struct span bytes, struct bundle_string at,
		       struct err *err)
{
	struct cedar_diagnostics diags = { 0 };
	struct span text;
	int r = -EBADMSG;

	if (string_get(bytes, at, &text))
		r = cedar_policy_set_parse(text, &diags, &p->set);
	if (r < 0)
		r = err_say(err, -EBADMSG, "%s: its policies cannot be read: %s", damaged,
			    diags.len ? diags.items[0].message : "no text");
	cedar_diagnostics_done(&diags);
	return r;
}

static bool list_add(struct policy *p, struct rule_list *list, const struct rule *rule)
{
	if (!list->rules)
		list->rules = arena_alloc_array(&p->arena, p->n_rules, sizeof(struct rule *));
	if (!list->rules)
		return false;
	list->rules[list->len++] = rule;
	return true;
}

static bool index_rule(struct policy *p, const struct rule *rule)
{
	for (size_t a = 0; a < POLICY_ACTION_MAX; a++) {
		struct action_rules *rules = &p->actions[a];

		if ((rule->actions & ACTION_BIT(a)) &&
		    !list_add(p, rule->cedar->is_forbid ? &rules->forbids : &rules->permits, rule))
			return false;
	}
	return true;
}

static bool index_rules(struct policy *p)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < p->n_rules; i++)
			if ((p->rules[i].layer == POLICY_LAYER_OWN) == (pass == 0) &&
			    !index_rule(p, &p->rules[i]))
				return false;
	return true;
}

static int read_evaluator(struct policy *p, struct span bytes, struct err *err)
{
	struct bundle_header h;
	int r;

	memcpy(&h, bytes.p, sizeof(h));
	r = parse_cedar(p, bytes, h.cedar, err);
	if (r < 0)
		return r;
	if (cedar_policy_set_len(p->set) != p->n_rules)
		return err_say(err, -EBADMSG, "%s", damaged);
	p->rules = arena_alloc_array(&p->arena, p->n_rules, sizeof(*p->rules));
	for (size_t i = 0; i < p->n_rules; i++)
		if (!p->rules || !read_rule(p, bytes, i))
			return err_say(err, -EBADMSG, "%s", damaged);
	return index_rules(p) && rule_index_make(&p->index, p, &p->arena)
		       ? 0
		       : err_set(err, -ENOMEM, "read the policy bundle");
}

/* Every file that has a name, that is: who may run all of those gains nothing by one without. */
static bool permits_everything(const struct cedar_policy *p)
{
	const struct cedar_scope *r = &p->resource;

	return !p->is_forbid && !p->n_conditions && p->principal.op == CEDAR_SCOPE_ANY &&
	       (r->op == CEDAR_SCOPE_ANY ||
		(r->op == CEDAR_SCOPE_IN && r->n_uids == 1 && span_eq_str(r->uids[0].type, "Dir") &&
		 span_eq_str(r->uids[0].id, "/")));
}

static bool is_restricted(const struct action_rules *rules)
{
	for (size_t i = 0; i < rules->forbids.len; i++)
		if (rules->forbids.rules[i]->layer != POLICY_LAYER_OWN)
			return true;
	for (size_t i = 0; i < rules->permits.len; i++)
		if (permits_everything(rules->permits.rules[i]->cedar))
			return false;
	return true;
}

/* Says of each action what a bundle then carries in its table. */
static void describe_actions(struct policy *p)
{
	for (size_t i = 0; i < p->n_rules; i++)
		for (size_t a = 0; a < POLICY_ACTION_MAX; a++) {
			const struct rule *rule = &p->rules[i];

			if (!(rule->actions & ACTION_BIT(a)))
				continue;
			p->actions[a].keys |= rule->keys;
			p->actions[a].is_uncacheable |=
				rule->uses_whole_context || (rule->keys & CONTEXT_BIT(CONTEXT_NOW));
		}
	for (size_t a = 0; a < POLICY_ACTION_MAX; a++)
		p->actions[a].is_restricted = is_restricted(&p->actions[a]);
}

bool policy_prepare(const struct policy *shared)
{
	/* Only what is read here changes, once, and under its lock. */
	struct policy *p = (struct policy *)(uintptr_t)shared;
	int state = atomic_load_explicit(&p->prepared, memory_order_acquire);

	if (state == 0) {
		(void)pthread_mutex_lock(&p->prepare_lock);
		state = atomic_load_explicit(&p->prepared, memory_order_relaxed);
		if (state == 0) {
			state = read_evaluator(p, p->mapped, NULL) < 0 ? -1 : 1;
			atomic_store_explicit(&p->prepared, state, memory_order_release);
		}
		(void)pthread_mutex_unlock(&p->prepare_lock);
	}
	return state > 0;
}

/* ---- Both --------------------------------------------------------------- */

static int read_all(struct policy *p, struct span bytes, bool is_mapped, struct err *err)
{
	struct bundle_header h;
	int r;

	if (bytes.len < sizeof(h))
		return err_say(err, -EBADMSG, "%s", damaged);
	memcpy(&h, bytes.p, sizeof(h));
	if (!header_is_sound(bytes, &h))
		return err_say(err, -EBADMSG, "%s", damaged);
	p->generation = h.generation;
	p->mode = (enum policy_mode)h.mode;
	p->n_rules = h.n_policies;
	if (!copy_string(p, bytes, h.agent, &p->agent) ||
	    !copy_string(p, bytes, h.profile, &p->profile) || !read_ids(p, bytes) ||
	    !read_instructions(p, bytes, h.instructions) || !read_tls_ids(p, bytes))
		return err_say(err, -EBADMSG, "%s", damaged);
	r = read_image(p, bytes, h.image, is_mapped);
	if (r < 0)
		return err_set(err, r, "%s", damaged);
	if (h.has_actions && !read_actions(p, &h))
		return err_say(err, -EBADMSG, "%s", damaged);
	if (h.has_actions && is_mapped)
		return 0;
	r = read_evaluator(p, bytes, err);
	if (r < 0)
		return r;
	if (!h.has_actions)
		describe_actions(p);
	atomic_store(&p->prepared, 1);
	return 0;
}

static void policy_free(struct policy *p)
{
	rule_index_done(&p->index);
	cedar_policy_set_free(p->set);
	(void)pthread_mutex_destroy(&p->prepare_lock);
	memfd_unmap(p->mapped);
	arena_done(&p->arena);
	xfree(p);
}

static int make_policy(struct span bytes, bool is_mapped, struct policy **ret, struct err *err)
{
	struct policy *p = xnew(struct policy);
	int r;

	atomic_init(&p->n_refs, 1);
	(void)pthread_mutex_init(&p->prepare_lock, NULL);
	r = read_all(p, bytes, is_mapped, err);
	if (r < 0) {
		policy_free(p);
		return r;
	}
	if (is_mapped)
		p->mapped = bytes;
	*ret = p;
	return 0;
}

int bundle_read(struct span bytes, struct policy **ret, struct err *err)
{
	return make_policy(bytes, /* is_mapped = */ false, ret, err);
}

int policy_open(int bundle_fd, struct policy **ret, struct err *err)
{
	struct span mapped;
	int r = memfd_map_sealed(bundle_fd, &mapped);

	if (r < 0)
		return err_set(err, -EBADMSG, "map the policy bundle (not a sealed memory file)");
	r = make_policy(mapped, /* is_mapped = */ true, ret, err);
	if (r < 0)
		memfd_unmap(mapped);
	return r;
}

struct policy *policy_ref(struct policy *p)
{
	atomic_fetch_add_explicit(&p->n_refs, 1, memory_order_relaxed);
	return p;
}

void policy_unref(struct policy *p)
{
	if (p && atomic_fetch_sub_explicit(&p->n_refs, 1, memory_order_acq_rel) == 1)
		policy_free(p);
}

size_t policy_image_size(const struct policy *p)
{
	return p->image ? (size_t)p->image->head->total_len : 0;
}

const struct policy_instruction *policy_instructions(const struct policy *p, size_t *ret_n)
{
	*ret_n = p->n_instructions;
	return p->instructions;
}

uint64_t policy_generation(const struct policy *p)
{
	return p->generation;
}

enum policy_mode policy_session_mode(const struct policy *p)
{
	return p->mode;
}
