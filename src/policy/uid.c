#include "policy/uid.h"

#include <errno.h>
#include <libpsl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/path.h"
#include "policy/entities.h"
#include "policy/host.h"
#include "policy/names.h"
#include "policy/policy-private.h"
#include "policy/text.h"

static struct span keep(struct lint *l, struct span s)
{
	const char *copy = arena_dup(l->arena, s);

	if (!copy)
		l->n_errors++;
	return span_make(copy, copy ? s.len : 0);
}

/* ---- Paths --------------------------------------------------------------- */

/* What a placeholder at the start of text stands for, and how long it is. */
static const char *placeholder(const struct lint *l, struct span text, size_t *ret_len)
{
	const struct {
		struct span name;
		const char *value;
	} known[] = {
		{ SPAN("${HOME}"), l->env->home },
		{ SPAN("${WORKSPACE}"), l->env->workspace },
		{ SPAN("~"), l->env->home },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct span rest = span_from(text, known[i].name.len);

		if (span_starts_with(text, known[i].name) && known[i].value &&
		    (rest.len == 0 || rest.p[0] == '/')) {
			*ret_len = known[i].name.len;
			return known[i].value;
		}
	}
	return NULL;
}

/* Appends the bytes of the absolute path that the text names, not yet resolved. */
static bool path_expand(struct lint *l, struct span text, struct cedar_range range, struct buf *out)
{
	size_t skip = 0;
	const char *value = placeholder(l, text, &skip);

	if (memchr(text.p ? text.p : "", 0, text.len)) {
		lint_add(l, CEDAR_ERROR, "bad_path", range, NULL, "a path cannot hold a NUL byte");
		return false;
	}
	if (!value && span_starts_with(text, SPAN("${"))) {
		lint_add(l, CEDAR_ERROR, "unknown_placeholder", range,
			 "paths may begin with ${HOME}, ${WORKSPACE} or ~/",
			 "unknown placeholder in \"%.*s\"", SPAN_ARG(text));
		return false;
	}
	if (!value && (text.len == 0 || text.p[0] != '/')) {
		lint_add(l, CEDAR_ERROR, "relative_path", range,
			 lint_text(l, "write an absolute path, \"${WORKSPACE}/%.*s\" or \"~/%.*s\"",
				   SPAN_ARG(text), SPAN_ARG(text)),
			 "\"%.*s\" is no absolute path", SPAN_ARG(text));
		return false;
	}
	if (value)
		(void)buf_append_str(out, value);
	if (text_to_bytes(span_from(text, skip), out) < 0)
		return false;
	if (out->len <= LIMIT_PATH)
		return true;
	lint_add(l, CEDAR_ERROR, "bad_path", range, NULL,
		 "no request has a path of more than %zu bytes", LIMIT_PATH);
	return false;
}

static bool keep_path(struct lint *l, const char *path, bool is_dir, struct span *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	(void)text_from_bytes(span_of(path), &text);
	if (is_dir && path[0] && path[1])
		(void)buf_append_char(&text, '/');
	*ret = keep(l, buf_span(&text));
	return ret->p;
}

/*
 * What path_resolve makes of the name `link` in a directory that is resolved
 * already. *ret_absent: there is nothing of that name, nor can there be anything
 * below it.
 */
static char *resolve_last(const char *link, bool *ret_absent)
{
	struct stat st;

	*ret_absent = false;
	if (lstat(link, &st) < 0) {
		*ret_absent = errno == ENOENT || errno == ENOTDIR;
		return *ret_absent ? xstrdup(link) : path_resolve(link);
	}
	return S_ISLNK(st.st_mode) ? path_resolve(link) : xstrdup(link);
}

/*
 * path_resolve of a clean path of a directory. Each directory above it is asked
 * about once, and nothing below one that does not exist: policies name many
 * files in few directories, most of which a home does not have.
 */
static const struct known_dir *resolve_dir(struct lint *l, struct span dir)
{
	struct known_dir *known;
	const struct known_dir *above;
	_cleanup_free_ char *link = NULL;
	struct span name = path_base_name(dir);
	char *path = NULL;
	bool is_absent = false;

	while (dir.len > 1 && dir.p[dir.len - 1] == '/')
		dir.len--;
	known = map_get(&l->dirs, dir);
	if (known)
		return known;
	if (dir.len <= 1) {
		path = xstrdup("/");
	} else if (dir.len > LIMIT_PATH) {
		link = xmemdup0(dir.p, dir.len);
		path = path_resolve(
			link); /* the kernel will not have it; no reason to go down it */
	} else {
		above = resolve_dir(l, span_make(dir.p, dir.len - name.len));
		link = above ? xasprintf("%s%s%.*s", above->path, above->path[1] ? "/" : "",
					 SPAN_ARG(name))
			     : NULL;
		is_absent = above && above->is_absent;
		path = is_absent ? TAKE_PTR(link) : link ? resolve_last(link, &is_absent) : NULL;
	}
	if (!path)
		return NULL;
	known = xnew(struct known_dir);
	*known = (struct known_dir){ path, is_absent };
	(void)map_put(&l->dirs, dir, known);
	return known;
}

/*
 * What the path is called where it stands: only its last part may be a link.
 * *ret_absent: its directory does not exist.
 */
static char *resolve_parent(struct lint *l, const char *path, bool *ret_absent)
{
	_cleanup_buf_ struct buf clean = BUF_INIT(0);
	const struct known_dir *parent;
	struct span name;

	*ret_absent = false;

	(void)path_normalise(SPAN("/"), span_of(path), &clean);
	name = path_base_name(buf_span(&clean));
	if (name.len == 0)
		return xstrdup("/");
	parent = resolve_dir(l, span_make(clean.data, clean.len - name.len));
	if (!parent)
		return NULL;
	*ret_absent = parent->is_absent;
	return path_join(parent->path, name.p);
}

static bool cannot_resolve(struct lint *l, struct cedar_range range, const char *path)
{
	lint_add(l, CEDAR_ERROR, "bad_path", range, NULL, "cannot resolve %s: %s", path,
		 strerror(errno));
	return false;
}

/* The built-in texts name usual places on purpose, links or not. */
static void note_resolved(struct lint *l, struct cedar_range range, const char *from,
			  const char *to)
{
	size_t len = strlen(from);

	while (len > 1 && from[len - 1] == '/')
		len--;
	if (l->layer == POLICY_LAYER_OWN || l->layer == POLICY_LAYER_PROFILE ||
	    span_eq(span_make(from, len), span_of(to)))
		return;
	lint_add(l, CEDAR_WARNING, "path_resolved", range, NULL, "%s is %s here", from, to);
}

/*
 * In the workspace an agent can put a link where a directory was. A permit
 * that followed it would open whatever the link's maker chose.
 */
static bool leads_out(struct lint *l, struct cedar_range range, const char *from, const char *to)
{
	struct span workspace = span_of(l->env->workspace);
	_cleanup_free_ char *real = NULL;

	if (!l->is_permit || !workspace.len || !path_is_below(span_of(from), workspace))
		return false;
	real = path_resolve(l->env->workspace);
	if (real && path_is_within(span_of(to), span_of(real)))
		return false;
	lint_add(l, CEDAR_ERROR, "link_leads_out", range,
		 "permit the place itself, if that is meant",
		 "%s leads out of the workspace, to %s", from, to);
	return true;
}

static bool is_by_a_person(const struct lint *l)
{
	return l->layer == POLICY_LAYER_USER || l->layer == POLICY_LAYER_PROJECT ||
	       l->layer == POLICY_LAYER_FILE;
}

static bool parent_is_missing(const char *path)
{
	size_t len = strlen(path);
	_cleanup_free_ char *parent = NULL;

	while (len > 1 && path[len - 1] != '/')
		len--;
	parent = xmemdup0(path, len);
	return access(parent, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/*
 * A name may be protected, or made, before there is anything of that name. But
 * where not even its directory exists, or what may only be used does not,
 * the name is perhaps misspelt. is_absent: the kernel said so already.
 */
static void note_missing(struct lint *l, struct cedar_range range, const char *path, bool is_dir,
			 bool is_absent)
{
	bool can_wait = !l->is_permit ||
			(!is_dir && scope_matches_action(&l->policy->action, POLICY_FILE_CREATE));

	if (!is_by_a_person(l))
		return;
	if (!is_absent && (access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)))
		return;
	if (!can_wait || parent_is_missing(path))
		lint_add(l, CEDAR_WARNING, "path_missing", range, NULL, "%s does not exist", path);
}

static bool path_resolve_text(struct lint *l, struct span text, struct cedar_range range,
			      bool is_dir, struct normal_uid *ret)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	_cleanup_free_ char *full = NULL;
	_cleanup_free_ char *link = NULL;
	bool is_absent;

	if (!path_expand(l, text, range, &bytes))
		return false;
	link = resolve_parent(l, bytes.data, &is_absent);
	if (link)
		full = is_absent ? xstrdup(link) : resolve_last(link, &is_absent);
	if (!full)
		return cannot_resolve(l, range, bytes.data);
	if (leads_out(l, range, bytes.data, full))
		return false;
	note_resolved(l, range, bytes.data, full);
	note_missing(l, range, full, is_dir, is_absent);
	if (!keep_path(l, full, is_dir, &ret->uid.id))
		return false;
	if (is_dir)
		return true;
	ret->link.type = ret->uid.type;
	ret->has_link = strcmp(link, full) != 0;
	return !ret->has_link || keep_path(l, link, false, &ret->link.id);
}

bool path_text_normalise(struct lint *l, struct span text, struct cedar_range range,
			 struct normal_uid *ret)
{
	*ret = (struct normal_uid){ 0 };
	if (span_eq(text, SPAN("memfd:"))) {
		ret->uid.id = text;
		return true;
	}
	return path_resolve_text(l, text, range, /* is_dir = */ false, ret);
}

bool path_prefix_normalise(struct lint *l, struct span text, struct cedar_range range,
			   struct span *ret)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	_cleanup_buf_ struct buf clean = BUF_INIT(0);
	_cleanup_free_ char *tail = NULL;
	const struct known_dir *dir;
	const char *parent;
	struct span name = { 0 };

	if (span_eq(text, SPAN("memfd:"))) {
		*ret = text;
		return true;
	}
	if (!path_expand(l, text, range, &bytes))
		return false;
	if (bytes.data[bytes.len - 1] != '/')
		name = path_base_name(buf_span(&bytes));
	tail = xmemdup0(name.p ? name.p : "", name.len);
	bytes.len -= name.len;
	bytes.data[bytes.len] = 0;
	(void)path_normalise(SPAN("/"), buf_span(&bytes), &clean);
	dir = resolve_dir(l, buf_span(&clean));
	if (!dir)
		return cannot_resolve(l, range, bytes.data);
	parent = dir->path;
	if (leads_out(l, range, bytes.data, parent))
		return false;
	note_resolved(l, range, bytes.data, parent);
	note_missing(l, range, parent, /* is_dir = */ true, dir->is_absent);
	(void)text_from_bytes(span_of(parent), &out);
	if (parent[1])
		(void)buf_append_char(&out, '/');
	(void)text_from_bytes(span_of(tail), &out);
	*ret = keep(l, buf_span(&out));
	return ret->p;
}

/* ---- Hosts --------------------------------------------------------------- */

static const char *host_suggestion(struct lint *l, struct span id)
{
	struct ip_range range;

	if (ip_range_parse(id, &range))
		return lint_text(l, "for a range of addresses write IpRange::\"%.*s\"",
				 SPAN_ARG(id));
	for (size_t i = 0; i < id.len; i++)
		if ((unsigned char)id.p[i] >= 0x80)
			return "write international names in their ASCII form, as in "
			       "xn--bcher-kva.example";
	if (id.len && memchr(id.p, '/', id.len))
		return "write only name and port, as in Host::\"api.example.com:443\"";
	return "hosts are written \"name\", \"name:port\", \"*.name\", \"*\", an address, or "
	       "\"[v6]:port\"";
}

/* A name under which anyone can have one of his own, as "co.uk" and "github.io". */
static bool is_public_suffix(struct span name)
{
	_cleanup_free_ char *copy = xmemdup0(name.p, name.len);
	const psl_ctx_t *list = psl_builtin();

	/* A single label that the list does not know is a name in one's own network. */
	return list && psl_is_public_suffix2(list, copy, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

/* Does the policy widen what is allowed where the literal holds? */
static bool widens(const struct lint *l)
{
	return l->is_permit != l->is_negated;
}

static void note_wide(struct lint *l, struct cedar_range range, struct cedar_entity_uid uid,
		      struct span name)
{
	bool is_zone = span_eq(uid.type, TYPE_DNS_ZONE);

	if (!is_by_a_person(l) || !widens(l) || !name.len || !is_public_suffix(name))
		return;
	lint_add(l, CEDAR_WARNING, "wide_wildcard", range,
		 lint_text(l, "name the domain, as in %.*s::\"%sexample.%.*s\"", SPAN_ARG(uid.type),
			   is_zone ? "" : "*.", SPAN_ARG(name)),
		 "%.*s is a public suffix: anyone can have a name below it", SPAN_ARG(name));
}

static bool host_uid(struct lint *l, struct cedar_range range, struct cedar_entity_uid *uid)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct host_id host;

	if (host_id_normalise(uid->id, &out) < 0) {
		lint_add(l, CEDAR_ERROR, "bad_host", range, host_suggestion(l, uid->id),
			 "\"%.*s\" is no host", SPAN_ARG(uid->id));
		return false;
	}
	uid->id = keep(l, buf_span(&out));
	if (host_id_parse(uid->id, &host) && host.is_wildcard)
		note_wide(l, range, *uid, host.name);
	return uid->id.p;
}

static bool zone_uid(struct lint *l, struct cedar_range range, struct cedar_entity_uid *uid)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	if (host_name_normalise(uid->id, &out) < 0) {
		lint_add(
			l, CEDAR_ERROR, "bad_zone", range,
			"a zone is a name without wildcard or port, as in DnsZone::\"example.com\"",
			"\"%.*s\" is no DNS zone", SPAN_ARG(uid->id));
		return false;
	}
	uid->id = keep(l, buf_span(&out));
	note_wide(l, range, *uid, uid->id);
	return uid->id.p;
}

static bool range_uid(struct lint *l, struct cedar_range range, struct cedar_entity_uid *uid)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct ip_range r;

	if (!ip_range_parse(uid->id, &r)) {
		lint_add(l, CEDAR_ERROR, "bad_ip_range", range,
			 "a range is an address and a prefix length, as in IpRange::\"10.0.0.0/8\"",
			 "\"%.*s\" is no range of addresses", SPAN_ARG(uid->id));
		return false;
	}
	(void)ip_range_print(&r, &out);
	uid->id = keep(l, buf_span(&out));
	return uid->id.p;
}

/* ---- All ------------------------------------------------------------------ */

struct span type_normalise(struct lint *l, struct span type, struct cedar_range range)
{
	const char *near;

	if (span_eq(type, SPAN("Net::DnsZone")))
		return TYPE_DNS_ZONE;
	if (span_eq(type, SPAN("Net::IpRange")))
		return TYPE_IP_RANGE;
	if (span_eq(type, SPAN("User"))) {
		lint_add(l, CEDAR_WARNING, "user_is_agent", range, "write Agent",
			 "User is read as Agent: the principal is the agent that runs");
		return TYPE_AGENT;
	}
	if (entity_type_is_known(type))
		return type;
	near = nearest_entity_type(type);
	lint_add(l, CEDAR_ERROR, "unknown_entity_type", range,
		 near ? lint_text(l, "did you mean %s?", near)
		      : "the types are Agent, Action, File, Dir, Host, DnsZone, IpRange, "
			"MCP::Server and MCP::Tool",
		 "unknown entity type %.*s", SPAN_ARG(type));
	return type;
}

static bool action_uid(struct lint *l, struct cedar_range range, struct cedar_entity_uid uid)
{
	int index = action_index(uid.id);
	const char *near;

	if (index >= 0)
		return true;
	near = nearest_action(uid.id);
	lint_add(l, CEDAR_ERROR, "unknown_action", range,
		 near ? lint_text(l, "did you mean Action::\"%s\"?", near) : NULL,
		 "unknown action \"%.*s\"", SPAN_ARG(uid.id));
	return false;
}

bool uid_normalise(struct lint *l, struct cedar_entity_uid uid, struct cedar_range range,
		   struct normal_uid *ret)
{
	size_t n_errors = l->n_errors;

	*ret = (struct normal_uid){ .uid = uid };
	ret->uid.type = type_normalise(l, uid.type, range);
	if (l->n_errors > n_errors)
		return false;
	if (span_eq(ret->uid.type, TYPE_ACTION))
		return action_uid(l, range, uid);
	if (span_eq(ret->uid.type, TYPE_DIR))
		return path_resolve_text(l, uid.id, range, /* is_dir = */ true, ret);
	if (span_eq(ret->uid.type, TYPE_FILE) && !span_eq(uid.id, SPAN("memfd:")))
		return path_resolve_text(l, uid.id, range, /* is_dir = */ false, ret);
	if (span_eq(ret->uid.type, TYPE_HOST))
		return host_uid(l, range, &ret->uid);
	if (span_eq(ret->uid.type, TYPE_DNS_ZONE))
		return zone_uid(l, range, &ret->uid);
	if (span_eq(ret->uid.type, TYPE_IP_RANGE))
		return range_uid(l, range, &ret->uid);
	return true;
}

bool uid_is_group(struct cedar_entity_uid uid)
{
	struct host_id h;

	if (span_eq(uid.type, TYPE_ACTION))
		return action_has_members(action_index(uid.id));
	if (span_eq(uid.type, TYPE_HOST))
		return host_id_parse(uid.id, &h) && (h.is_wildcard || h.port == 0);
	return span_eq(uid.type, TYPE_DIR) || span_eq(uid.type, TYPE_DNS_ZONE) ||
	       span_eq(uid.type, TYPE_IP_RANGE) || span_eq(uid.type, TYPE_MCP_SERVER);
}
