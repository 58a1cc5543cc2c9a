/*
 * Which directories the permits let be written, read off their literals.
 * Forbids are not subtracted: this is the outer wall, the exact rules stand in
 * front of it.
 */
#include "policy/bounds.h"
#include "policy/policy-private.h"
#include "policy/source.h"
#include "policy/text.h"

typedef VEC(char *) path_list;

static bool may_write(const struct cedar_policy *p)
{
	return !p->is_forbid && (scope_matches_action(&p->action, POLICY_FILE_OPEN_READ_WRITE) ||
				 scope_matches_action(&p->action, POLICY_FILE_CREATE) ||
				 scope_matches_action(&p->action, POLICY_FILE_DELETE) ||
				 scope_matches_action(&p->action, POLICY_FILE_LINK) ||
				 scope_matches_action(&p->action, POLICY_FILE_SET_ATTRIBUTES));
}

static void add_once(path_list *list, char *path)
{
	for (size_t i = 0; i < list->len; i++) {
		if (strcmp(list->items[i], path) == 0) {
			xfree(path);
			return;
		}
	}
	vec_push(list, path);
}

/* The directory, or that of a file: files are made and replaced there. */
static void add_place(path_list *list, struct bound place)
{
	_cleanup_buf_ struct buf path = BUF_INIT(0);

	if (place.text.len == 0 || place.text.p[0] != '/')
		return;
	while (place.is_file && place.text.len > 1 && place.text.p[place.text.len - 1] != '/')
		place.text.len--;
	if (place.text.len > 1 && place.text.p[place.text.len - 1] == '/')
		place.text.len--;
	(void)text_to_bytes(place.text, &path);
	add_once(list, buf_take(&path));
}

char **policy_source_writable(const struct policy_source *s)
{
	path_list found = { 0 };

	for (size_t i = 0; i < s->policies.len; i++) {
		const struct cedar_policy *p = s->policies.items[i].cedar;
		struct bounds b;

		if (!may_write(p))
			continue;
		b = policy_bounds(p, BOUNDS_OF_TRUTH);
		if (!b.is_bounded)
			add_once(&found, xstrdup("/"));
		for (size_t j = 0; j < b.places.len; j++)
			add_place(&found, b.places.items[j]);
		bounds_done(&b);
	}
	vec_push(&found, NULL);
	return found.items;
}
