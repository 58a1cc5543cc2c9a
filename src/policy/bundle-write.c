#include "policy/bundle.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "policy/image-format.h"

/*
 * FNV-1a over words of eight bytes: finds damage to our own bytes; no
 * protection against an author. Every step is a bijection, so one changed word
 * always changes it.
 */
uint64_t bundle_checksum(struct span bytes)
{
	const size_t at = offsetof(struct bundle_header, checksum);
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes.len; i += 8) {
		uint64_t word = 0;

		if (i != at)
			memcpy(&word, bytes.p + i, MIN(bytes.len - i, 8));
		h = (h ^ word) * UINT64_C(0x100000001b3);
		h ^= h >> 32;
	}
	return h;
}

static int append_string(struct buf *out, struct span s, struct bundle_string *ret)
{
	*ret = (struct bundle_string){ (uint32_t)out->len, (uint32_t)s.len };
	return buf_append_span(out, s);
}

/* Where the policy table lies in out; offsets, for out may move. */
static int write_policies(const struct bundle_description *d, struct buf *out)
{
	for (size_t i = 0; i < d->n_items; i++) {
		const struct bundle_item *item = &d->items[i];
		struct bundle_policy p = { .layer = item->layer,
					   .line = (uint32_t)item->line,
					   .passes_tls = item->passes_tls };
		int r = append_string(out, item->id, &p.id);

		if (r >= 0)
			r = append_string(out, item->file, &p.file);
		if (r >= 0)
			r = append_string(out, item->text, &p.text);
		if (r < 0)
			return r;
		memcpy(out->data + sizeof(struct bundle_header) + i * sizeof(p), &p, sizeof(p));
	}
	return 0;
}

static int write_cedar(const struct bundle_description *d, struct buf *out,
		       struct bundle_string *ret)
{
	size_t start = out->len;

	for (size_t i = 0; i < d->n_items; i++)
		if (buf_append_span(out, d->items[i].normalised) < 0 ||
		    buf_append_char(out, '\n') < 0)
			return -EMSGSIZE;
	if (out->len - start > LIMIT_POLICY_TEXT)
		return -EMSGSIZE;
	*ret = (struct bundle_string){ (uint32_t)start, (uint32_t)(out->len - start) };
	return 0;
}

static int append_lower(struct buf *out, struct span s, struct bundle_string *ret)
{
	int r = append_string(out, s, ret);

	for (size_t i = 0; r >= 0 && i < s.len; i++)
		out->data[ret->offset + i] = ascii_lower(s.p[i]);
	return r;
}

static int write_instructions(const struct bundle_description *d, struct buf *out,
			      struct bundle_string *ret)
{
	struct bundle_instruction *all =
		xnew_array(struct bundle_instruction, d->n_instructions + 1);
	int r = 0;

	for (size_t i = 0; i < d->n_instructions && r >= 0; i++) {
		const struct policy_instruction *from = &d->instructions[i];

		all[i].port = from->port;
		r = append_string(out, from->policy, &all[i].policy);
		if (r >= 0)
			r = append_string(out, from->host, &all[i].host);
		if (r >= 0)
			r = append_lower(out, from->header, &all[i].header);
		if (r >= 0)
			r = append_string(out, from->value, &all[i].value);
	}
	if (r >= 0)
		r = append_string(out, span_make(all, d->n_instructions * sizeof(*all)), ret);
	xfree(all);
	return r;
}

/* Aligned for its words, and its lines. */
static int append_image(struct span image, struct buf *out, struct bundle_string *ret)
{
	int r = 0;

	while (r >= 0 && out->len % IMAGE_ALIGNMENT)
		r = buf_append_char(out, 0);
	return r < 0 ? r : append_string(out, image, ret);
}

static void describe_actions(const struct bundle_description *d, struct bundle_header *h)
{
	h->has_actions = d->actions != NULL;
	for (size_t a = 0; d->actions && a < POLICY_ACTION_MAX; a++)
		h->actions[a] = (struct bundle_action){
			d->actions[a].keys,
			(d->actions[a].is_uncacheable ? BUNDLE_ACTION_UNCACHEABLE : 0) |
				(d->actions[a].is_restricted ? BUNDLE_ACTION_RESTRICTED : 0),
		};
}

int bundle_write(const struct bundle_description *d, struct buf *out)
{
	struct bundle_header h = {
		.magic = BUNDLE_MAGIC,
		.version = BUNDLE_VERSION,
		.n_policies = (uint32_t)d->n_items,
		.generation = d->generation,
		.mode = d->mode,
	};
	size_t head_len = sizeof(h) + d->n_items * sizeof(struct bundle_policy);
	int r;

	if (d->n_items > BUNDLE_MAX_POLICIES || !buf_reserve(out, head_len))
		return -EMSGSIZE;
	describe_actions(d, &h);
	memset(out->data, 0, head_len);
	buf_grow(out, head_len);
	r = write_policies(d, out);
	if (r >= 0)
		r = append_string(out, d->agent, &h.agent);
	if (r >= 0)
		r = append_string(out, d->profile, &h.profile);
	if (r >= 0)
		r = write_cedar(d, out, &h.cedar);
	if (r >= 0)
		r = write_instructions(d, out, &h.instructions);
	if (r >= 0)
		r = append_image(d->image, out, &h.image);
	if (r < 0 || out->len > UINT32_MAX)
		return -EMSGSIZE;
	h.total_len = out->len;
	memcpy(out->data, &h, sizeof(h));
	h.checksum = bundle_checksum(buf_span(out));
	memcpy(out->data, &h, sizeof(h));
	return 0;
}
