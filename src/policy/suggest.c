#include "policy/suggest.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/path.h"
#include "policy/domain.h"
#include "policy/host.h"
#include "policy/text.h"

/* Different objects that are kept; events repeat them. */
#define MAX_OBJECTS ((size_t)20000)

/* One object with what was done to it. */
struct object {
	enum policy_action action;
	char *name;    /* a path, or a host id */
	char *general; /* the directory or zone that stands for it; NULL: none does */
	VEC(uint64_t) seqs;
};

/* Objects under one general name. */
struct family {
	char *name;
	enum policy_action action;
	size_t n; /* members */
};

struct suggest {
	VEC(struct object *) objects;
	struct map known;    /* action and name */
	struct map families; /* action and general name */
	char **roots;
};

static void family_free(void *value)
{
	struct family *f = value;

	xfree(f->name);
	xfree(f);
}

struct suggest *suggest_new(const char *const *roots)
{
	struct suggest *s = xnew(struct suggest);
	size_t n = 0;

	while (roots[n])
		n++;
	s->roots = xnew_array(char *, n + 1);
	for (size_t i = 0; i < n; i++)
		s->roots[i] = xstrdup(roots[i]);
	return s;
}

void suggest_free(struct suggest *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->objects.len; i++) {
		xfree(s->objects.items[i]->name);
		xfree(s->objects.items[i]->general);
		vec_done(&s->objects.items[i]->seqs);
		xfree(s->objects.items[i]);
	}
	vec_done(&s->objects);
	map_done(&s->known, NULL);
	map_done(&s->families, family_free);
	for (char **root = s->roots; *root; root++)
		xfree(*root);
	xfree(s->roots);
	xfree(s);
}

/* ---- What was observed ------------------------------------------------------------------- */

static bool is_file(enum policy_action action)
{
	return action <= POLICY_PROCESS_EXEC;
}

/* What permits all of them: connecting to a host permits looking its name up and HTTP to it. */
static enum policy_action class_of(enum policy_action action)
{
	if (action == POLICY_FILE_CREATE || action == POLICY_FILE_DELETE ||
	    action == POLICY_FILE_LINK || action == POLICY_FILE_SET_ATTRIBUTES)
		return POLICY_FILE_OPEN_READ_WRITE;
	return action == POLICY_HTTP_REQUEST ? POLICY_NETWORK_CONNECT : action;
}

static bool write_name(const struct policy_request *r, struct buf *out)
{
	if (is_file(r->action))
		return r->path.len && r->path.p[0] == '/' && buf_append_span(out, r->path) >= 0;
	return host_id_make(r->host, r->host.len || !r->has_address ? NULL : &r->address, r->port,
			    out) >= 0;
}

static void make_key(enum policy_action action, struct span name, struct buf *key)
{
	(void)buf_printf(key, "%d:", (int)action);
	(void)buf_append_span(key, name);
}

static struct object *add_object(struct suggest *s, enum policy_action action, struct span name)
{
	_cleanup_buf_ struct buf key = BUF_INIT(0);
	struct object *o;

	make_key(action, name, &key);
	o = map_get(&s->known, buf_span(&key));
	if (o || s->objects.len >= MAX_OBJECTS)
		return o;
	o = xnew(struct object);
	o->action = action;
	o->name = xmemdup0(name.p, name.len);
	vec_push(&s->objects, o);
	(void)map_put(&s->known, buf_span(&key), o);
	return o;
}

bool suggest_add(struct suggest *s, const struct policy_request *r, uint64_t seq)
{
	_cleanup_buf_ struct buf name = BUF_INIT(LIMIT_PATH + 64);
	struct object *o;

	if (r->action == POLICY_MCP_CALL || !write_name(r, &name))
		return false;
	o = add_object(s, class_of(r->action), buf_span(&name));
	if (!o)
		return false;
	vec_push(&o->seqs, seq);
	return true;
}

/* ---- Families ----------------------------------------------------------------------------- */

static struct family *family_of(struct suggest *s, enum policy_action action, struct span name)
{
	_cleanup_buf_ struct buf key = BUF_INIT(0);
	struct family *f;

	make_key(action, name, &key);
	f = map_get(&s->families, buf_span(&key));
	if (f)
		return f;
	f = xnew(struct family);
	f->name = xmemdup0(name.p, name.len);
	f->action = action;
	(void)map_put(&s->families, buf_span(&key), f);
	return f;
}

/* With its slash; empty for what lies in the root. */
static struct span directory_below_root(struct span path)
{
	struct span directory = path_directory(path);

	return directory.len > 1 ? directory : (struct span){ 0 };
}

/* Not the root and what lies in it, and not what holds a root of the user's or is one. */
static bool may_stand_for_all(const struct suggest *s, struct span directory)
{
	size_t n_slashes = 0;

	for (size_t i = 0; i < directory.len; i++)
		n_slashes += directory.p[i] == '/';
	if (n_slashes < 3)
		return false;
	for (char **root = s->roots; *root; root++)
		if (path_is_within(span_of(*root), directory))
			return false;
	return true;
}

static struct span general_name(const struct object *o)
{
	struct host_id id;
	struct span name = span_of(o->name);

	if (is_file(o->action))
		return directory_below_root(name);
	if (!host_id_parse(name, &id) || id.has_address)
		return (struct span){ 0 };
	return registrable_domain(id.name);
}

static void set_general(struct object *o, struct span name)
{
	xfree(o->general);
	o->general = xmemdup0(name.p, name.len);
}

/* Files by their directories, names by their zones. */
static void generalise(struct suggest *s)
{
	for (size_t i = 0; i < s->objects.len; i++) {
		struct span name = general_name(s->objects.items[i]);

		if (name.len)
			family_of(s, s->objects.items[i]->action, name)->n++;
	}
	for (size_t i = 0; i < s->objects.len; i++) {
		struct object *o = s->objects.items[i];
		struct span name = general_name(o);
		size_t enough = is_file(o->action) ? SUGGEST_FILES : SUGGEST_NAMES;

		if (name.len && (!is_file(o->action) || may_stand_for_all(s, name)) &&
		    family_of(s, o->action, name)->n >= enough)
			set_general(o, name);
	}
}

/* Directories by the one that holds them, level by level; true: there was one. */
static bool generalise_again(struct suggest *s)
{
	struct map parents = { 0 }, seen = { 0 };
	bool is_changed = false;

	for (size_t i = 0; i < s->objects.len; i++) {
		struct object *o = s->objects.items[i];
		struct span parent =
			o->general ? directory_below_root(span_of(o->general)) : (struct span){ 0 };
		_cleanup_buf_ struct buf key = BUF_INIT(0);
		_cleanup_buf_ struct buf parent_key = BUF_INIT(0);

		if (!is_file(o->action) || !parent.len || !may_stand_for_all(s, parent))
			continue;
		make_key(o->action, span_of(o->general), &key);
		make_key(o->action, parent, &parent_key);
		if (!map_put(&seen, buf_span(&key), s)) {
			uintptr_t n = (uintptr_t)map_get(&parents, buf_span(&parent_key));

			(void)map_put(&parents, buf_span(&parent_key), (void *)(n + 1));
		}
	}
	for (size_t i = 0; i < s->objects.len; i++) {
		struct object *o = s->objects.items[i];
		struct span parent =
			o->general ? directory_below_root(span_of(o->general)) : (struct span){ 0 };
		_cleanup_buf_ struct buf parent_key = BUF_INIT(0);

		if (!is_file(o->action) || !parent.len || !may_stand_for_all(s, parent))
			continue;
		make_key(o->action, parent, &parent_key);
		if ((uintptr_t)map_get(&parents, buf_span(&parent_key)) >= SUGGEST_DIRECTORIES) {
			_cleanup_free_ char *copy = xmemdup0(parent.p, parent.len);

			set_general(o, span_of(copy));
			is_changed = true;
		}
	}
	map_done(&parents, NULL);
	map_done(&seen, NULL);
	return is_changed;
}

/* What lies below a directory that is permitted anyway needs no line of its own. */
static void absorb(struct suggest *s)
{
	for (size_t i = 0; i < s->objects.len; i++) {
		struct object *o = s->objects.items[i];

		for (struct span at = directory_below_root(span_of(o->name));
		     is_file(o->action) && at.len; at = directory_below_root(at)) {
			_cleanup_buf_ struct buf key = BUF_INIT(0);

			make_key(o->action, at, &key);
			if (map_get(&s->families, buf_span(&key)))
				set_general(o, at);
		}
	}
}

/* From here on `families` holds those names that stand for all below them. */
static void keep_families(struct suggest *s)
{
	map_done(&s->families, family_free);
	s->families = (struct map){ 0 };
	for (size_t i = 0; i < s->objects.len; i++)
		if (s->objects.items[i]->general)
			(void)family_of(s, s->objects.items[i]->action,
					span_of(s->objects.items[i]->general));
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static struct span line_name(const struct object *o)
{
	return span_of(o->general ? o->general : o->name);
}

static int by_line(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
	int c = (int)x->action - (int)y->action;

	c = c ? c : span_cmp(line_name(x), line_name(y));
	return c ? c : !!y->general - !!x->general;
}

static bool is_same_line(const struct object *x, const struct object *y)
{
	return by_line(&x, &y) == 0;
}

static void write_line(const struct object *o, struct buf *out)
{
	bool is_group =
		o->action == POLICY_FILE_OPEN_READ_WRITE || o->action == POLICY_NETWORK_CONNECT;
	const char *type = is_file(o->action) ? (o->general ? "Dir" : "File")
					      : (o->general ? "DnsZone" : "Host");

	(void)buf_printf(out, "permit (principal, action %s Action::\"%s\", resource %s %s::",
			 is_group ? "in" : "==", policy_action_name(o->action),
			 o->general ? "in" : "==", type);
	(void)text_append_literal(line_name(o), out);
	(void)buf_append_str(out, ");\n");
}

void suggest_each(struct suggest *s, suggestion_fn fn, void *ctx)
{
	generalise(s);
	while (generalise_again(s))
		;
	keep_families(s);
	absorb(s);
	if (s->objects.len)
		qsort(s->objects.items, s->objects.len, sizeof(*s->objects.items), by_line);
	for (size_t i = 0; i < s->objects.len;) {
		struct suggestion line = { .text = BUF_INIT(0) };
		VEC(uint64_t) seqs = { 0 };
		size_t first = i;

		for (; i < s->objects.len &&
		       is_same_line(s->objects.items[first], s->objects.items[i]);
		     i++)
			for (size_t k = 0; k < s->objects.items[i]->seqs.len; k++)
				vec_push(&seqs, s->objects.items[i]->seqs.items[k]);
		write_line(s->objects.items[first], &line.text);
		line.seqs = seqs.items;
		line.n_seqs = seqs.len;
		fn(&line, ctx);
		buf_done(&line.text);
		vec_done(&seqs);
	}
}
