#include "policy/source.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/limits.h"
#include "policy/image-build.h"
#include "policy/instruction.h"
#include "policy/lint.h"
#include "policy/own.h"
#include "policy/profile.h"
#include "policy/rewrite.h"
#include "policy/text.h"

static const char *const layer_names[LAYER_MAX] = {
	[POLICY_LAYER_OWN] = "leash", [POLICY_LAYER_PROFILE] = "profile",
	[POLICY_LAYER_USER] = "user", [POLICY_LAYER_PROJECT] = "project",
	[POLICY_LAYER_FILE] = "file", [POLICY_LAYER_SESSION] = "session",
};

const char *layer_name(enum policy_layer layer)
{
	return (size_t)layer < LAYER_MAX ? layer_names[layer] : "?";
}

const char *policy_layer_name(enum policy_layer layer)
{
	return layer_name(layer);
}

struct span policy_schema(void)
{
	return policy_schema_text;
}

static char *copy_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static char **copy_list(const char *const *list)
{
	size_t n = 0;
	char **copy;

	while (list && list[n])
		n++;
	copy = xnew_array(char *, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(list[i]);
	return copy;
}

struct policy_source *policy_source_new(const struct policy_environment *env)
{
	struct policy_source *s = xnew(struct policy_source);

	s->own_paths = copy_list(env->own_paths);
	s->env = (struct policy_environment){
		.agent = copy_or_null(env->agent),
		.home = copy_or_null(env->home),
		.workspace = copy_or_null(env->workspace),
		.profile = copy_or_null(env->profile),
		.policy_file = copy_or_null(env->policy_file),
		.own_paths = (const char *const *)s->own_paths,
		.mode = env->mode,
		.is_image = env->is_image,
	};
	return s;
}

static void free_string(const char *s)
{
	xfree((char *)(uintptr_t)s);
}

static void source_policy_done(struct source_policy *p)
{
	xfree(p->id);
	xfree(p->file);
	xfree(p->text);
	xfree(p->normalised);
}

void policy_source_free(struct policy_source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->policies.len; i++)
		source_policy_done(&s->policies.items[i]);
	vec_done(&s->policies);
	map_done(&s->ids, NULL);
	for (size_t i = 0; i < s->texts.len; i++) {
		cedar_policy_set_free(s->texts.items[i].set);
		xfree(s->texts.items[i].file);
		xfree(s->texts.items[i].text);
	}
	vec_done(&s->texts);
	policy_validator_free(s->validator);
	for (size_t i = 0; s->own_paths[i]; i++)
		xfree(s->own_paths[i]);
	xfree(s->own_paths);
	free_string(s->env.agent);
	free_string(s->env.home);
	free_string(s->env.workspace);
	free_string(s->env.profile);
	free_string(s->env.policy_file);
	xfree(s);
}

void policy_source_collect(struct policy_source *s, struct policy_findings *list)
{
	s->findings = list;
}

void policy_source_skip_validation(struct policy_source *s)
{
	s->skip_validation = true;
}

void policy_source_trust_project(struct policy_source *s)
{
	s->is_project_trusted = true;
}

bool policy_source_is_trusted(const struct policy_source *s)
{
	return s->is_project_trusted;
}

size_t policy_source_ignored(const struct policy_source *s)
{
	return s->n_ignored;
}

size_t policy_source_len(const struct policy_source *s)
{
	return s->policies.len;
}

struct policy_item policy_source_at(const struct policy_source *s, size_t i)
{
	const struct source_policy *p = &s->policies.items[i];

	return (struct policy_item){ .id = p->id,
				     .file = p->file,
				     .line = p->line,
				     .layer = p->layer,
				     .is_forbid = p->cedar->is_forbid,
				     .text = span_of(p->text),
				     .expanded = span_of(p->normalised),
				     .text_index = p->text_index,
				     .begin = p->cedar->range.begin,
				     .end = p->cedar->range.end,
				     .action = &p->cedar->action,
				     .resource = &p->cedar->resource };
}

size_t policy_source_n_texts(const struct policy_source *s)
{
	return s->texts.len;
}

struct policy_text policy_source_text_at(const struct policy_source *s, size_t i)
{
	const struct source_text *t = &s->texts.items[i];

	return (struct policy_text){ .layer = t->layer,
				     .file = t->file,
				     .text = span_make(t->text, t->len) };
}

/* ---- Ids -------------------------------------------------------------------- */

static const struct cedar_annotation *find_annotation(const struct cedar_policy *p, struct span key)
{
	for (size_t i = 0; i < p->n_annotations; i++)
		if (span_eq(p->annotations[i].key, key))
			return &p->annotations[i];
	return NULL;
}

static bool passes_tls(const struct cedar_policy *p)
{
	const struct cedar_annotation *a = find_annotation(p, SPAN("tls"));

	return a && !p->is_forbid && span_eq_str(a->value, "passthrough");
}

static struct span annotated_id(const struct cedar_policy *p)
{
	const struct cedar_annotation *a = find_annotation(p, SPAN("id"));

	return a && a->value.len && !memchr(a->value.p, 0, a->value.len) ? a->value
									 : (struct span){ 0 };
}

/* How often the id was taken; policies that share one are told apart by a number. */
static uintptr_t count_id(struct policy_source *s, const char *id)
{
	uintptr_t n = (uintptr_t)map_get(&s->ids, span_of(id)) + 1;

	(void)map_put(&s->ids, span_of(id), (void *)n);
	return n;
}

/* "user:ssh-keys" for @id("ssh-keys"), "user:policy3" for a fourth policy without. */
static char *make_id(struct policy_source *s, enum policy_layer layer, const struct cedar_policy *p)
{
	size_t number = s->n_in_layer[layer]++;
	struct span name = annotated_id(p);
	char *id = name.len ? xasprintf("%s:%.*s", layer_name(layer), SPAN_ARG(name))
			    : xasprintf("%s:policy%zu", layer_name(layer), number);

	for (uintptr_t n = count_id(s, id); n > 1;) {
		char *numbered = xasprintf("%s#%ju", id, (uintmax_t)n);

		n = count_id(s, numbered) > 1 ? count_id(s, id) : 0;
		if (n > 1) {
			xfree(numbered);
			continue;
		}
		xfree(id);
		id = numbered;
	}
	return id;
}

/* ---- Adding a text ---------------------------------------------------------- */

struct addition {
	struct policy_source *source;
	enum policy_layer layer;
	struct span text;
	struct lint_sink sink;
};

static const struct span hidden = { "\xe2\x80\xa6", 3 };

/* What an instruction sets is a secret wherever it is shown. */
static char *visible_text(const struct addition *a, const struct cedar_policy *p,
			  const struct instruction *i)
{
	struct span text = span_make(a->text.p + p->range.begin, p->range.end - p->range.begin);
	struct buf out = BUF_INIT(0);
	size_t begin, end;

	if (!i)
		return xmemdup0(text.p, text.len);
	begin = i->value_expr->range.begin - p->range.begin;
	end = i->value_expr->range.end - p->range.begin;
	(void)buf_append(&out, text.p, begin);
	(void)buf_printf(&out, "\"%.*s\"", SPAN_ARG(hidden));
	(void)buf_append_span(&out, span_from(text, end));
	return buf_take(&out);
}

static void add_policy(const struct addition *a, const struct cedar_policy *p, size_t line)
{
	_cleanup_buf_ struct buf normalised = BUF_INIT(0);
	struct instruction i;
	bool hides = instruction_is(p) && !instruction_read(p, &i) && instruction_has_literal(&i);
	struct source_policy item = {
		.cedar = p,
		.text_index = a->source->texts.len - 1,
		.is_impossible = p->embedder,
		.passes_tls = passes_tls(p),
		.layer = a->layer,
		.line = line,
	};

	if (hides)
		i.value_expr->string = hidden;
	(void)cedar_policy_print(p, &normalised);
	if (hides)
		i.value_expr->string = i.value;
	item.id = xmemdup0(p->id.p, p->id.len);
	item.file = xstrdup(a->sink.file);
	item.text = visible_text(a, p, hides ? &i : NULL);
	item.normalised = buf_take(&normalised);
	vec_push(&a->source->policies, item);
}

static bool is_ignored(const struct addition *a, struct lint *l, const struct cedar_policy *p)
{
	if (a->layer != POLICY_LAYER_PROJECT || p->is_forbid || a->source->is_project_trusted)
		return false;
	if (l)
		lint_add(l, CEDAR_WARNING, "project_permit", p->range,
			 "if you know this policy and want it: leash policy trust",
			 "a project's policy may only forbid: this permit is ignored");
	return true;
}

/* The profile's rule for /etc/shadow and its like, where these are an image's. */
static bool is_of_machine(const struct addition *a, const struct cedar_policy *p)
{
	const struct cedar_annotation *id = find_annotation(p, SPAN("id"));

	return a->layer == POLICY_LAYER_PROFILE && a->source->env.is_image && id &&
	       span_eq_str(id->value, "credentials-system");
}

/* Whether TLS is looked into is no matter to guess about. */
static void check_tls(struct lint *l, const struct cedar_policy *p)
{
	const struct cedar_annotation *a = find_annotation(p, SPAN("tls"));

	if (a && !span_eq_str(a->value, "passthrough"))
		lint_add(l, CEDAR_ERROR, "bad_tls", p->range, "write @tls(\"passthrough\")",
			 "@tls says \"passthrough\" or nothing");
	else if (a && p->is_forbid)
		lint_add(l, CEDAR_WARNING, "bad_tls", p->range, "put it on a permit",
			 "@tls on a forbid changes nothing");
}

/* Texts of our own are validated by a test: sessions need not wait for that. */
static bool want_validation(const struct addition *a)
{
	return a->layer != POLICY_LAYER_OWN && a->layer != POLICY_LAYER_PROFILE &&
	       !a->source->skip_validation;
}

static void read_policy(const struct addition *a, struct lint *l, struct cedar_policy *p)
{
	size_t n_errors = l->n_errors;

	l->policy = p;
	if (is_ignored(a, l, p))
		return;
	check_tls(l, p);
	policy_rewrite(l, p);
	if (l->n_errors > n_errors || !want_validation(a))
		return;
	if (!a->source->validator)
		a->source->validator = policy_validator_new();
	policy_validate(a->source->validator, l, p);
	if (lint_has(l, "impossible_policy") || lint_has(l, "no_applicable_action"))
		p->embedder = p;
}

/* The ids that people see, also in what is found. False: no memory. */
static bool set_ids(const struct addition *a, struct cedar_policy_set *set)
{
	for (size_t i = 0; i < cedar_policy_set_len(set); i++) {
		struct cedar_policy *p = cedar_policy_set_at(set, i);
		_cleanup_free_ char *id = make_id(a->source, a->layer, p);
		size_t len = strlen(id);

		p->id = span_make(arena_dup(cedar_policy_set_arena(set), span_of(id)), len);
		if (!p->id.p)
			return false;
	}
	return true;
}

static int count_error(const struct addition *a, size_t n_errors, struct err *err)
{
	bool is_cut = n_errors > LIMIT_CEDAR_DIAGNOSTICS;

	return err_say(err, -EINVAL, "%s: %s%zu error%s", a->sink.file, is_cut ? "more than " : "",
		       is_cut ? LIMIT_CEDAR_DIAGNOSTICS : n_errors, n_errors == 1 ? "" : "s");
}

static int read_all(const struct addition *a, struct cedar_policy_set *set, struct err *err)
{
	struct lint l = {
		.env = &a->source->env,
		.layer = a->layer,
		.arena = cedar_policy_set_arena(set),
	};
	int r;

	if (!set_ids(a, set))
		return err_say(err, -ENOMEM, "%s: too large", a->sink.file);
	/* What reading adds, and what is said: with hardly anything left not even a mistake could
	 * be shown. */
	l.arena->max += LIMIT_POLICY_MEMORY / 2;
	for (size_t i = 0; i < cedar_policy_set_len(set) && !lint_is_full(&l); i++)
		read_policy(a, &l, cedar_policy_set_at(set, i));
	if (l.n_errors && !l.found.len)
		lint_add(&l, CEDAR_ERROR, "too_large", (struct cedar_range){ 0, 0 },
			 "split the policies", "the policies need more than %zu bytes of memory",
			 l.arena->max);
	r = lint_print(&l, &a->sink);
	if (l.n_errors)
		r = count_error(a, l.n_errors, err);
	lint_done(&l);
	return r;
}

static int parse(const struct addition *a, struct cedar_policy_set **ret, struct err *err)
{
	static const struct cedar_parse_limits limits = { .text = LIMIT_POLICY_FILE,
							  .memory = LIMIT_POLICY_MEMORY,
							  .policies = LIMIT_POLICIES };
	struct cedar_diagnostics diags = { 0 };
	int r = cedar_policy_set_parse_within(a->text, &limits, &diags, ret);

	for (size_t i = 0; i < diags.len; i++)
		(void)lint_print_one(&diags.items[i], &a->sink);
	if (r < 0)
		r = count_error(a, diags.n_errors, err);
	cedar_diagnostics_done(&diags);
	return r;
}

static size_t count_lines(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == '\n';
	return n;
}

static void add_policies(const struct addition *a, struct cedar_policy_set *set)
{
	size_t line = 1, at = 0;

	for (size_t i = 0; i < cedar_policy_set_len(set); i++) {
		const struct cedar_policy *p = cedar_policy_set_at(set, i);

		line += count_lines(span_make(a->text.p + at, p->range.begin - at));
		at = p->range.begin;
		if (is_ignored(a, NULL, p))
			a->source->n_ignored++;
		else if (!is_of_machine(a, p))
			add_policy(a, p, line);
	}
}

static int add_text(const struct addition *a, struct err *err)
{
	struct cedar_policy_set *set = NULL;
	int r = parse(a, &set, err);

	if (r < 0)
		return r;
	vec_push(&a->source->texts,
		 (struct source_text){ set, xstrdup(a->sink.file), xmemdup0(a->text.p, a->text.len),
				       a->text.len, a->layer });
	r = read_all(a, set, err);
	if (r < 0)
		return r;
	add_policies(a, set);
	return 0;
}

int policy_source_add_text(struct policy_source *s, enum policy_layer layer, const char *file_name,
			   struct span text, bool color, struct buf *report, struct err *err)
{
	struct cedar_positions positions = { .text = text };
	const struct addition a = {
		s, layer, text, { file_name, &positions, color, report, s->findings }
	};
	int r;

	if ((size_t)layer >= LAYER_MAX)
		return err_say(err, -EINVAL, "unknown policy layer");
	r = add_text(&a, err);
	cedar_positions_done(&positions);
	return r;
}

int policy_source_add_file_text(struct policy_source *s, enum policy_layer layer, const char *file,
				struct span text, bool color, struct buf *report, struct err *err)
{
	size_t before = s->policies.len, n_texts = s->texts.len;
	int r = policy_source_add_text(s, layer, file, text, color, report, err);

	if (r < 0)
		return r;
	if (s->policies.len > before || cedar_policy_set_len(s->texts.items[n_texts].set) > 0)
		return 0;
	(void)buf_printf(
		report,
		"%s: error: the file holds no policy\n    help: without a permit everything is "
		"denied; write that as forbid (principal, action, resource);\n",
		file);
	return err_say(err, -EINVAL, "%s holds no policy", file);
}

int policy_file_read(const char *file, struct buf *text, struct err *err)
{
	int r;

	text->max = LIMIT_POLICY_FILE;
	r = file_read_at(AT_FDCWD, file, text);
	if (r == -EMSGSIZE)
		return err_say(err, r, "the policy %s is larger than %zu bytes", file,
			       LIMIT_POLICY_FILE);
	return r < 0 ? err_set(err, r, "read the policy %s", file) : 0;
}

int policy_source_add_file(struct policy_source *s, enum policy_layer layer, const char *file,
			   bool color, struct buf *report, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	int r = policy_file_read(file, &text, err);

	if (r < 0)
		return r;
	return policy_source_add_file_text(s, layer, file, buf_span(&text), color, report, err);
}

/* ---- leash's own texts ------------------------------------------------------ */

/* A finding in a text of our own is our bug, or an environment that cannot be protected. */
static int add_own_text(struct policy_source *s, enum policy_layer layer, const char *name,
			struct span text, struct err *err)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	int r = policy_source_add_text(s, layer, name, text, /* color = */ false, &report, err);

	if (r >= 0 && report.len == 0)
		return 0;
	return err_say(err, -EINVAL, "%s: %s", name, report.len ? report.data : "unreadable");
}

static int add_generated(struct policy_source *s, enum policy_layer layer, const char *name,
			 int (*make)(const struct policy_environment *env, struct buf *out),
			 struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_POLICY_TEXT);
	int r = make(&s->env, &text);

	if (r < 0)
		return err_set(err, r, "write %s", name);
	return add_own_text(s, layer, name, buf_span(&text), err);
}

struct span policy_profile_text(const char *name)
{
	for (size_t i = 0; name && i < n_profiles; i++)
		if (strcmp(name, profiles[i].name) == 0)
			return profiles[i].text;
	return (struct span){ 0 };
}

static int add_profile(struct policy_source *s, struct err *err)
{
	struct span text = policy_profile_text(s->env.profile);
	_cleanup_free_ char *name = NULL;
	int r;

	if (!text.len)
		return err_say(err, -EINVAL,
			       "unknown profile \"%s\" (there are guarded, permissive and locked)",
			       s->env.profile ? s->env.profile : "");
	name = xasprintf("profile %s", s->env.profile);
	r = add_own_text(s, POLICY_LAYER_PROFILE, name, text, err);
	if (r < 0 || strcmp(s->env.profile, "permissive") == 0 || !s->env.workspace)
		return r;
	return add_generated(s, POLICY_LAYER_PROFILE, "rules for the workspace's repositories",
			     git_rules_text, err);
}

int policy_source_add_builtin(struct policy_source *s, bool with_profile, struct err *err)
{
	int r = add_generated(s, POLICY_LAYER_OWN, "leash's own rules", own_rules_text, err);

	return r < 0 || !with_profile ? r : add_profile(s, err);
}

/* ---- The bundle ------------------------------------------------------------- */

/* Those that are for the session's agent. */
static struct policy_instruction *find_instructions(const struct policy_source *s,
						    struct span agent, size_t *ret_n)
{
	struct policy_instruction *all = xnew_array(struct policy_instruction, s->policies.len + 1);
	size_t n = 0;

	for (size_t k = 0; k < s->policies.len; k++) {
		const struct source_policy *p = &s->policies.items[k];
		struct instruction i;

		if (instruction_is(p->cedar) && scope_matches_agent(&p->cedar->principal, agent) &&
		    !instruction_read(p->cedar, &i))
			all[n++] = (struct policy_instruction){ span_of(p->id), i.host, i.port,
								i.header, i.value };
	}
	*ret_n = n;
	return all;
}

/* policy: the same policies as they were read back, or NULL. */
static int write_bundle(const struct policy_source *s, uint64_t generation, struct span image,
			const struct policy *policy, struct buf *out)
{
	struct bundle_item *items = xnew_array(struct bundle_item, s->policies.len + 1);
	struct policy_instruction *instructions;
	_cleanup_buf_ struct buf agent = BUF_INIT(0);
	struct bundle_description d = {
		.generation = generation,
		.mode = s->env.mode,
		.profile = span_of(s->env.profile ? s->env.profile : ""),
		.items = items,
		.n_items = s->policies.len,
		.image = image,
		.actions = policy ? policy->actions : NULL,
	};
	int r;

	for (size_t i = 0; i < s->policies.len; i++) {
		const struct source_policy *p = &s->policies.items[i];

		items[i] = (struct bundle_item){ p->layer,	   p->line,
						 span_of(p->id),   span_of(p->file),
						 span_of(p->text), span_of(p->normalised),
						 p->passes_tls };
	}
	(void)text_from_bytes(span_of(s->env.agent ? s->env.agent : ""), &agent);
	d.agent = buf_span(&agent);
	instructions = find_instructions(s, d.agent, &d.n_instructions);
	d.instructions = instructions;
	r = bundle_write(&d, out);
	xfree(instructions);
	xfree(items);
	return r;
}

int source_read_back(const struct policy_source *s, uint64_t generation, struct policy **ret,
		     struct err *err)
{
	_cleanup_buf_ struct buf bundle = BUF_INIT(4 * LIMIT_POLICY_TEXT);
	int r = write_bundle(s, generation, (struct span){ 0 }, NULL, &bundle);

	if (r < 0)
		return err_set(err, r, "the policies are too large");
	/* What the others could not read must fail here, where a person is told. */
	return bundle_read(buf_span(&bundle), ret, err);
}

int policy_source_bundle(struct policy_source *s, uint64_t generation, struct err *err)
{
	_cleanup_buf_ struct buf image = BUF_INIT(4 * LIMIT_POLICY_TEXT);
	_cleanup_buf_ struct buf bundle = BUF_INIT(8 * LIMIT_POLICY_TEXT);
	struct policy *policy = NULL;
	int r = source_read_back(s, generation, &policy, err);

	if (r < 0)
		return r;
	/* Policies that no image can hold are decided all the same, only more slowly. */
	if (image_build(policy, NULL, &image) < 0)
		buf_reset(&image);
	r = write_bundle(s, generation, buf_span(&image), policy, &bundle);
	policy_unref(policy);
	if (r < 0)
		return err_set(err, r, "the policies are too large");
	r = memfd_sealed("leash-policy", buf_span(&bundle));
	return r < 0 ? err_set(err, r, "make the policy bundle") : r;
}
