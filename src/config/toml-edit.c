#include "config/toml-edit.h"

#include <stdio.h>

#include "config/toml-private.h"

#define EDIT_ARENA ((size_t)64 * 1024 * 1024)

/* ---- Writing -------------------------------------------------------------------------- */

int toml_append_string(struct buf *out, struct span text)
{
	int r = buf_append_char(out, '"');

	for (size_t i = 0; i < text.len && r >= 0; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '"' || c == '\\')
			r = buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			r = buf_printf(out, "\\u%04X", c);
		else
			r = buf_append_char(out, (char)c);
	}
	return r < 0 ? r : buf_append_char(out, '"');
}

int toml_append_key(struct buf *out, struct span key)
{
	for (size_t i = 0; i < key.len; i++)
		if (!toml_is_bare((unsigned char)key.p[i]))
			return toml_append_string(out, key);
	return key.len ? buf_append_span(out, key) : toml_append_string(out, key);
}

static int append_path(struct buf *out, const struct span *keys, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		if (i)
			r = buf_append_char(out, '.');
		if (r >= 0)
			r = toml_append_key(out, keys[i]);
	}
	return r;
}

static int append_items(struct buf *out, const struct toml *v)
{
	int r = buf_append_char(out, v->type == TOML_ARRAY ? '[' : '{');

	for (const struct toml *item = v->first; item && r >= 0; item = item->next) {
		if (item != v->first)
			r = buf_append_str(out, ", ");
		if (r >= 0 && v->type == TOML_TABLE)
			r = toml_append_key(out, item->key);
		if (r >= 0 && v->type == TOML_TABLE)
			r = buf_append_str(out, " = ");
		if (r >= 0)
			r = toml_append_value(out, item);
	}
	return r < 0 ? r : buf_append_char(out, v->type == TOML_ARRAY ? ']' : '}');
}

/* The reader bounds the depth. */
int toml_append_value(struct buf *out, const struct toml *v)
{
	switch (v->type) {
	case TOML_STRING:
		return toml_append_string(out, v->text);
	case TOML_BOOLEAN:
		return buf_append_str(out, v->is_true ? "true" : "false");
	case TOML_ARRAY:
	case TOML_TABLE:
		return append_items(out, v);
	case TOML_INTEGER:
	case TOML_FLOAT:
	case TOML_DATETIME:
		break;
	}
	return buf_append_span(out, v->text);
}

/* ---- Finding ------------------------------------------------------------------------- */

/* How far the way to a value exists. */
struct place {
	const struct toml *node;      /* what the keys so far lead to */
	size_t depth;		      /* how many of them */
	const struct toml *container; /* the last table on the way that is written in one piece, */
	size_t container_depth;	      /* where keys below it can be put */
};

/* Is it written behind a `=`? */
static bool is_value(const struct toml *v)
{
	return v->origin == TOML_INLINE;
}

static int fail(struct toml_error *error, const struct toml *at, const char *what, struct span key)
{
	error->line = at->key_line ? at->key_line : at->line;
	error->column = at->key_line ? at->key_column : at->column;
	(void)snprintf(error->message, sizeof(error->message), "\"%.*s\" %s",
		       (int)MIN(key.len, (size_t)60), key.p, what);
	return -EBADMSG;
}

static int find(const struct toml *root, const struct span *keys, size_t n, struct place *ret,
		struct toml_error *error)
{
	*ret = (struct place){ .node = root, .container = root };
	while (ret->depth < n) {
		const struct toml *next;

		if (ret->node->type != TOML_TABLE)
			return fail(error, ret->node, "is no table", keys[ret->depth - 1]);
		next = toml_get_span(ret->node, keys[ret->depth]);
		if (!next)
			return 0;
		ret->node = next;
		ret->depth++;
		if (ret->depth < n && next->type == TOML_TABLE &&
		    (next->origin == TOML_HEADER || next->origin == TOML_INLINE)) {
			ret->container = next;
			ret->container_depth = ret->depth;
		}
	}
	if (!is_value(ret->node))
		return fail(error, ret->node, "is a table: name one of its keys", keys[n - 1]);
	return 0;
}

/* ---- Changing ------------------------------------------------------------------------ */

static struct span before(struct span text, size_t at)
{
	return span_make(text.p, at);
}

static int append_line_end(struct buf *out)
{
	return !out->len || out->data[out->len - 1] == '\n' ? 0 : buf_append_char(out, '\n');
}

static int append_assignment(struct buf *out, const struct span *keys, size_t n, struct span value)
{
	int r = append_path(out, keys, n);

	if (r >= 0)
		r = buf_append_str(out, " = ");
	return r < 0 ? r : buf_append_span(out, value);
}

static int replace(struct span text, const struct toml *old, struct span value, struct buf *out)
{
	int r = buf_append_span(out, before(text, old->begin));

	if (r >= 0)
		r = buf_append_span(out, value);
	return r < 0 ? r : buf_append_span(out, span_from(text, old->end));
}

static int insert_line(struct span text, const struct place *p, const struct span *keys, size_t n,
		       struct span value, struct buf *out)
{
	int r = buf_append_span(out, before(text, p->container->own_end));

	if (r >= 0)
		r = append_line_end(out);
	if (r >= 0)
		r = append_assignment(out, keys + p->container_depth, n - p->container_depth,
				      value);
	if (r >= 0)
		r = buf_append_char(out, '\n');
	return r < 0 ? r : buf_append_span(out, span_from(text, p->container->own_end));
}

/* Before the brace, and the blanks before that. */
static int insert_inline(struct span text, const struct place *p, const struct span *keys, size_t n,
			 struct span value, struct buf *out)
{
	const struct toml *table = p->container;
	size_t at = table->end - 1;
	int r;

	while (at > table->begin + 1 && (text.p[at - 1] == ' ' || text.p[at - 1] == '\t'))
		at--;
	r = buf_append_span(out, before(text, at));
	if (r >= 0)
		r = buf_append_str(out, table->n_items ? ", " : " ");
	if (r >= 0)
		r = append_assignment(out, keys + p->container_depth, n - p->container_depth,
				      value);
	if (r >= 0 && !table->n_items)
		r = buf_append_char(out, ' ');
	return r < 0 ? r
		     : buf_append_span(out, span_from(text, table->n_items ? at : table->end - 1));
}

static int append_section(struct span text, const struct span *keys, size_t n, struct span value,
			  struct buf *out)
{
	int r = buf_append_span(out, text);

	if (r >= 0)
		r = append_line_end(out);
	if (r >= 0 && out->len)
		r = buf_append_char(out, '\n');
	if (r >= 0)
		r = buf_append_char(out, '[');
	if (r >= 0)
		r = append_path(out, keys, n - 1);
	if (r >= 0)
		r = buf_append_str(out, "]\n");
	if (r >= 0)
		r = append_assignment(out, keys + n - 1, 1, value);
	return r < 0 ? r : buf_append_char(out, '\n');
}

static int put(struct span text, const struct place *p, const struct span *keys, size_t n,
	       struct span value, struct buf *out)
{
	bool is_last = p->depth + 1 == n;

	if (p->depth == n)
		return replace(text, p->node, value, out);
	if (p->container->origin == TOML_INLINE)
		return insert_inline(text, p, keys, n, value, out);
	if (p->node->origin == TOML_DOTTED || (is_last && p->node->origin == TOML_HEADER))
		return insert_line(text, p, keys, n, value, out);
	return append_section(text, keys, n, value, out);
}

/* With its comma: the one after it, else the one before it. */
static int remove_inline(struct span text, const struct toml *v, struct buf *out)
{
	size_t begin = v->key_begin, end = v->end, at = end;
	int r;

	while (text.p[at] == ' ' || text.p[at] == '\t')
		at++;
	if (text.p[at] == ',') {
		for (end = at + 1; text.p[end] == ' ' || text.p[end] == '\t';)
			end++;
	} else {
		for (at = begin; text.p[at - 1] == ' ' || text.p[at - 1] == '\t';)
			at--;
		begin = text.p[at - 1] == ',' ? at - 1 : begin;
	}
	r = buf_append_span(out, before(text, begin));
	return r < 0 ? r : buf_append_span(out, span_from(text, end));
}

static int remove_line(struct span text, const struct toml *v, struct buf *out)
{
	size_t begin = v->key_begin, end = v->end;
	int r;

	while (begin && text.p[begin - 1] != '\n')
		begin--;
	while (end < text.len && text.p[end] != '\n')
		end++;
	r = buf_append_span(out, before(text, begin));
	return r < 0 ? r : buf_append_span(out, span_from(text, MIN(end + 1, text.len)));
}

/* ---- All ----------------------------------------------------------------------------- */

/* One value and nothing behind it: else it could say more than it is asked to. */
static int check_value(struct arena *a, struct span value, struct toml_error *error)
{
	_cleanup_buf_ struct buf line = BUF_INIT(0);
	struct toml *root = NULL;
	int r = buf_append_str(&line, "v=");

	if (r >= 0)
		r = buf_append_span(&line, value);
	if (r >= 0)
		r = toml_parse(a, buf_span(&line), &root, error);
	if (r < 0)
		return r;
	if (root->n_items != 1 || root->first->begin != 2 || root->first->end != line.len)
		return fail(error, root, "is more than one value", value);
	return 0;
}

/* What was written is read again, and must hold what was asked for. NULL: nothing. */
static int check_result(struct arena *a, struct span text, const struct span *keys, size_t n,
			const struct span *value, struct toml_error *error)
{
	struct toml *root = NULL;
	struct place p;
	int r = toml_parse(a, text, &root, error);

	if (r >= 0)
		r = find(root, keys, n, &p, error);
	if (r < 0)
		return r;
	if (value ? p.depth < n ||
			    !span_eq(span_make(text.p + p.node->begin, p.node->end - p.node->begin),
				     *value)
		  : p.depth == n)
		return fail(error, root, "cannot be changed", keys[n - 1]);
	return 0;
}

int toml_set(struct span text, const struct span *keys, size_t n, struct span value,
	     struct buf *out, struct toml_error *error)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(EDIT_ARENA);
	struct toml *root = NULL;
	struct place p;
	int r = check_value(&arena, value, error);

	if (r >= 0)
		r = toml_parse(&arena, text, &root, error);
	if (r >= 0)
		r = find(root, keys, n, &p, error);
	if (r >= 0 && put(text, &p, keys, n, value, out) < 0)
		return fail(error, root, "makes the document too large", keys[n - 1]);
	return r < 0 ? r : check_result(&arena, buf_span(out), keys, n, &value, error);
}

int toml_unset(struct span text, const struct span *keys, size_t n, struct buf *out,
	       struct toml_error *error)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(EDIT_ARENA);
	struct toml *root = NULL;
	struct place p;
	int r = toml_parse(&arena, text, &root, error);

	if (r >= 0)
		r = find(root, keys, n, &p, error);
	if (r < 0)
		return r;
	if (p.depth < n)
		return -ENOENT;
	r = p.container->origin == TOML_INLINE ? remove_inline(text, p.node, out)
					       : remove_line(text, p.node, out);
	if (r < 0)
		return fail(error, root, "cannot be changed", keys[n - 1]);
	return check_result(&arena, buf_span(out), keys, n, NULL, error);
}

int toml_read_path(struct arena *a, struct span text, struct span parts[TOML_MAX_DEPTH],
		   size_t *ret_n, struct toml_error *error)
{
	struct toml_reader r = { .arena = a, .text = text, .line = 1, .error = error };
	struct toml_key key;
	int code;

	*error = (struct toml_error){ 0 };
	code = toml_read_key(&r, &key);
	if (code < 0)
		return code;
	if (r.at < text.len)
		return toml_fail_at(&r, r.at, "expected `.` or the end of the key");
	memcpy(parts, key.parts, key.n * sizeof(*parts));
	*ret_n = key.n;
	return 0;
}
