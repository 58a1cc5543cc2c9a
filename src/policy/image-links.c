/*
 * The question of below.h from a trie: does a forbid name something below a
 * path? Kept are the paths that forbids name, and the components that their
 * patterns hold between slashes, each closed by a slash, so that what begins
 * with a path and a slash is what lies below it.
 */
#include "base/path.h"
#include "policy/image-tables.h"
#include "policy/image.h"

struct link_names {
	struct tables *tables;
	lead_list paths, names;
	uint32_t rank;
};

static void add_path(struct link_names *l, struct span text)
{
	while (text.len > 1 && text.p[text.len - 1] == '/')
		text.len--;
	if (text.len > 1 && text.p[0] == '/')
		vec_push(&l->paths, (struct lead){ text, l->rank });
}

static void add_components(struct link_names *l, struct span text)
{
	const char *slash = text.len ? memchr(text.p, '/', text.len) : NULL;

	while (slash) {
		const char *begin = slash + 1;
		size_t left = text.len - (size_t)(begin - text.p);

		slash = left ? memchr(begin, '/', left) : NULL;
		if (slash > begin)
			vec_push(&l->names,
				 (struct lead){ span_make(begin, (size_t)(slash - begin) + 1),
						l->rank });
	}
}

static void add_pattern(struct link_names *l, const struct cedar_expr *e)
{
	for (size_t i = 0; i < e->n_pattern; i++) {
		if (e->pattern[i].is_wildcard)
			continue;
		if (i == 0)
			add_path(l, e->pattern[i].literal);
		else
			add_components(l, e->pattern[i].literal);
	}
}

/* The parser bounds how deep a tree can be. */
static void add_expr(struct link_names *l, const struct cedar_expr *e)
{
	if (!e)
		return;
	if (e->kind == CEDAR_EXPR_LIKE)
		add_pattern(l, e);
	if (e->kind == CEDAR_EXPR_ENTITY)
		add_path(l, e->uid.id);
	if (e->kind == CEDAR_EXPR_STRING)
		add_path(l, e->string);
	for (size_t i = 0; i < e->n_items; i++)
		add_expr(l, e->items[i]);
	add_expr(l, e->left);
	add_expr(l, e->right);
	add_expr(l, e->third);
}

static void add_rule(struct link_names *l, const struct cedar_policy *p)
{
	for (size_t i = 0; i < p->resource.n_uids; i++)
		add_path(l, p->resource.uids[i].id);
	for (size_t i = 0; i < p->n_conditions; i++)
		add_expr(l, p->conditions[i].body);
}

void tables_add_links(struct tables *t, const struct policy *p, const uint32_t *ranks)
{
	struct link_names l = { .tables = t };

	for (size_t i = 0; i < p->n_rules; i++) {
		const struct rule *rule = &p->rules[i];

		l.rank = ranks[i];
		if (rule->cedar->is_forbid && (rule->actions & ACTION_BIT(POLICY_FILE_CREATE)))
			add_rule(&l, rule->cedar);
	}
	t->head.link_paths = tables_links(t, &l.paths);
	t->head.link_names = tables_links(t, &l.names);
	vec_done(&l.paths);
	vec_done(&l.names);
}

/* The least rank among the texts that begin with this one and a slash, or UINT32_MAX. */
static uint32_t least_below(const struct image *image, uint32_t root, struct span text)
{
	const struct image_trie *t;
	size_t at = 0;

	if (!root)
		return UINT32_MAX;
	for (t = &image->links[root - 1];;) {
		const unsigned char *label = image->bytes + t->label, *bytes, *found;
		unsigned char next;

		for (uint32_t i = 0; i < t->label_len; i++, at++) {
			if (at > text.len)
				return t->list;
			if (label[i] != (at < text.len ? (unsigned char)text.p[at] : '/'))
				return UINT32_MAX;
		}
		if (at > text.len)
			return t->list;
		next = at < text.len ? (unsigned char)text.p[at] : '/';
		bytes = image->bytes + t->bytes;
		found = t->n_children ? memchr(bytes, next, t->n_children) : NULL;
		if (!found)
			return UINT32_MAX;
		t = &image->links[t->first_child + (uint32_t)(found - bytes)];
	}
}

bool image_find_below(const struct image *image, struct span path, uint32_t *ret_rank)
{
	struct span name = path_base_name(path);
	uint32_t by_path, by_name;

	while (path.len > 1 && path.p[path.len - 1] == '/')
		path.len--;
	if (!name.len || path.len < 2)
		return false;
	by_path = least_below(image, image->head->link_paths, path);
	by_name = least_below(image, image->head->link_names, name);
	*ret_rank = MIN(by_path, by_name);
	return true;
}
