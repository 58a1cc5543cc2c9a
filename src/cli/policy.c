/*
 * `leash policy`: what a policy says, without running anything.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/command.h"
#include "cli/directories.h"
#include "cli/option-tables.h"
#include "cli/state.h"
#include "daemon/policy-layers.h"

enum {
	OPTION_POLICY = 1,
	OPTION_PROFILE,
	OPTION_AGENT,
	OPTION_EXE,
	OPTION_HOST,
	OPTION_JSON,
	OPTION_HELP,
};

const struct option_spec policy_options[] = {
	{ "policy", 0, "FILE", "this policy instead of profile and user policy", OPTION_POLICY },
	{ "profile", 0, "NAME", "built-in profile: guarded (default), permissive, locked", OPTION_PROFILE },
	{ "agent", 0, "NAME", "the principal, Agent::\"NAME\" (default: agent)", OPTION_AGENT },
	{ "exe", 0, "PATH", "explain: the program that asks", OPTION_EXE },
	{ "host", 0, "NAME", "explain: the name by which an address was found", OPTION_HOST },
	{ "json", 0, NULL, "answer as JSON", OPTION_JSON },
	{ "help", 'h', NULL, "show this help", OPTION_HELP },
};
const size_t n_policy_options = ARRAY_SIZE(policy_options);

struct query {
	struct policy_layers layers;
	char *home, *cwd, *config;
	const char *exe, *host;
	bool want_json, want_help;
};

/* What people call the operations; Cedar's own names work too. */
static const struct {
	const char *verb;
	enum policy_action action;
} verbs[] = {
	{ "read", POLICY_FILE_OPEN_READ_ONLY },	  { "write", POLICY_FILE_OPEN_READ_WRITE },
	{ "create", POLICY_FILE_CREATE },	  { "delete", POLICY_FILE_DELETE },
	{ "link", POLICY_FILE_LINK },		  { "chmod", POLICY_FILE_SET_ATTRIBUTES },
	{ "exec", POLICY_PROCESS_EXEC },	  { "listen", POLICY_NETWORK_LISTEN },
	{ "connect", POLICY_NETWORK_CONNECT },	  { "resolve", POLICY_DNS_RESOLVE },
	{ "datagram", POLICY_NETWORK_DATAGRAM },
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct query *q = ctx;

	switch (id) {
	case OPTION_POLICY:
		xfree(q->layers.policy_file);
		q->layers.policy_file = realpath(value, NULL);
		return q->layers.policy_file ? 0 : err_set(err, -errno, "read the policy %s", value);
	case OPTION_PROFILE:
		q->layers.environment.profile = value;
		return 0;
	case OPTION_AGENT:
		q->layers.environment.agent = value;
		return 0;
	case OPTION_EXE:
		q->exe = value;
		return 0;
	case OPTION_HOST:
		q->host = value;
		return 0;
	case OPTION_JSON:
		q->want_json = true;
		return 0;
	case OPTION_HELP:
		q->want_help = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int prepare(struct query *q, struct err *err)
{
	q->home = home_directory(err);
	if (!q->home)
		return -ENOENT;
	q->cwd = getcwd(NULL, 0);
	if (!q->cwd)
		return err_set(err, -errno, "find the current directory");
	q->config = config_directory(q->home);
	q->layers.environment = (struct policy_environment){ .agent = "agent",
							     .home = q->home,
							     .workspace = q->cwd,
							     .profile = "guarded" };
	q->layers.user_file = path_join(q->config, "policy.cedar");
	q->layers.project_file = path_join(q->cwd, ".leash/policy.cedar");
	return 0;
}

static void query_done(struct query *q)
{
	xfree(q->layers.policy_file);
	xfree(q->layers.user_file);
	xfree(q->layers.project_file);
	xfree(q->home);
	xfree(q->cwd);
	xfree(q->config);
}

static int load(struct query *q, struct buf *report, struct policy_source **ret, struct err *err)
{
	_cleanup_free_ char *state = state_directory(q->home);
	_cleanup_free_ char *runtime = runtime_directory(q->home);
	const char *const own_paths[] = { q->config, state, runtime, NULL };
	int r;

	q->layers.environment.own_paths = own_paths;
	r = policy_layers_load(&q->layers, log_want_color(STDERR_FILENO), report, ret, err);
	q->layers.environment.own_paths = NULL;
	return r;
}

/* How the policies are carried out, as far as there is something to say. */
struct handling {
	struct policy_report *reports;
	size_t n, n_of[POLICY_NEVER_APPLIES + 1];
};

static void handling_done(struct handling *h)
{
	policy_reports_free(h->reports, h->n);
}

static int handling_find(struct policy_source *source, struct handling *ret, struct err *err)
{
	int r = policy_source_report(source, &ret->reports, &ret->n, err);

	for (size_t i = 0; r >= 0 && i < ret->n; i++)
		ret->n_of[ret->reports[i].handling]++;
	return r;
}

static const char *handling_name(enum policy_handling handling)
{
	switch (handling) {
	case POLICY_EXACT:
		return "exact";
	case POLICY_PARTLY_ASKS:
		return "partly evaluated";
	case POLICY_NEVER_APPLIES:
		return "never applies";
	}
	return "?";
}

/* Built-in rules are leash's business. */
static bool is_worth_saying(const struct policy_report *r)
{
	return r->handling != POLICY_EXACT && r->layer != POLICY_LAYER_OWN && r->layer != POLICY_LAYER_PROFILE;
}

/* Ids come from the policies' own text, and control characters would write on the terminal. */
static void append_visible(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			(void)buf_printf(out, "\\x%02x", (unsigned int)*text);
		else
			(void)buf_append_char(out, *text);
	}
}

static void print_handling(const struct handling *h)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_printf(&out, "ok: %zu policies", h->n);
	if (h->n_of[POLICY_PARTLY_ASKS])
		(void)buf_printf(&out, ", %zu partly evaluated", h->n_of[POLICY_PARTLY_ASKS]);
	if (h->n_of[POLICY_NEVER_APPLIES])
		(void)buf_printf(&out, ", %zu that never apply", h->n_of[POLICY_NEVER_APPLIES]);
	(void)buf_append_char(&out, '\n');
	for (size_t i = 0; i < h->n; i++) {
		const struct policy_report *r = &h->reports[i];

		if (!is_worth_saying(r))
			continue;
		(void)buf_printf(&out, "  %s:%zu: ", r->file, r->line);
		append_visible(&out, r->id);
		(void)buf_printf(&out, " %s: ", handling_name(r->handling));
		append_visible(&out, r->blame ? r->blame : "");
		(void)buf_append_char(&out, '\n');
	}
	(void)fwrite(out.data, 1, out.len, stdout);
}

static void json_handling(struct json_writer *w, const struct handling *h)
{
	json_key(w, "handling");
	json_begin_array(w);
	for (size_t i = 0; i < h->n; i++) {
		const struct policy_report *r = &h->reports[i];

		if (!is_worth_saying(r))
			continue;
		json_begin_object(w);
		json_key_string(w, "policy", span_of(r->id));
		json_key_string(w, "file", span_of(r->file));
		json_key_uint(w, "line", r->line);
		json_key_string(w, "handling", span_of(handling_name(r->handling)));
		json_key_string_opt(w, "because", span_of(r->blame));
		json_end_object(w);
	}
	json_end_array(w);
}

static void print_check_json(const struct query *q, const struct handling *handling, const struct buf *report,
			     const struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct json_writer w = { .out = &out };

	json_begin_object(&w);
	json_key_bool(&w, "valid", err->code == 0);
	json_key_string_opt(&w, "policy", span_of(q->layers.policy_file));
	json_key_uint(&w, "policies", handling->n);
	json_handling(&w, handling);
	json_key_string_opt(&w, "error", span_of(err->text));
	json_key_string_opt(&w, "report", buf_span(report));
	json_end_object(&w);
	(void)printf("%s\n", out.data);
}

static void print_check(const struct query *q, const struct handling *handling, const struct buf *report,
			const struct err *err)
{
	if (q->want_json) {
		print_check_json(q, handling, report, err);
		return;
	}
	if (report->len)
		log_text(report->data, report->len);
	if (err->code)
		log_error("%s", err->text);
	else
		print_handling(handling);
}

static int check(struct query *q, char **operands)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	_cleanup_(handling_done) struct handling handling = { 0 };
	struct policy_source *source = NULL;
	struct err err = { 0 };
	int r = 0;

	if (operands[0])
		r = on_option(OPTION_POLICY, operands[0], q, &err);
	if (r >= 0)
		r = load(q, &report, &source, &err);
	if (r >= 0)
		r = handling_find(source, &handling, &err);
	print_check(q, &handling, &report, &err);
	policy_source_free(source);
	return r < 0;
}

static int find_action(const char *name, enum policy_action *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].verb, name) == 0) {
			*ret = verbs[i].action;
			return 0;
		}
	}
	return policy_action_from_name(span_of(name), ret);
}

static int parse_address(const char *text, struct policy_address *ret)
{
	if (inet_pton(AF_INET, text, ret->bytes) == 1)
		return 0;
	ret->is_v6 = true;
	return inet_pton(AF_INET6, text, ret->bytes) == 1 ? 0 : -EINVAL;
}

/* "name:port", "1.2.3.4:port", "[v6]:port"; the port may be missing. */
static int parse_host(char *text, struct policy_request *request, struct err *err)
{
	char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	char *colon = strrchr(end ? end : text, ':');
	char *host = text;

	if (!end && colon && strchr(text, ':') != colon)
		colon = NULL; /* an IPv6 address without brackets */
	if (colon) {
		unsigned long port = strtoul(colon + 1, &end, 10);

		if (*end || port == 0 || port > UINT16_MAX)
			return err_say(err, -EINVAL, "%s: the port must be a number from 1 to 65535", text);
		request->port = (uint16_t)port;
		*colon = 0;
	}
	if (host[0] == '[') {
		host++;
		host[strcspn(host, "]")] = 0;
	}
	request->protocol = SPAN("tcp");
	if (parse_address(host, &request->address) >= 0)
		request->has_address = true;
	else
		request->host = span_of(host);
	return 0;
}

static int exe_fact(void *ctx, enum policy_fact fact, struct span *ret)
{
	const struct query *q = ctx;

	*ret = fact == POLICY_FACT_EXE && q->exe ? span_of(q->exe) : (struct span){ "", 0 };
	return 0;
}

static bool is_network(enum policy_action action)
{
	return action >= POLICY_NETWORK_LISTEN && action <= POLICY_HTTP_REQUEST;
}

static int explain_request(struct query *q, const struct policy_request *request)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	_cleanup_close_ int bundle_fd = -1;
	struct policy_source *source = NULL;
	struct policy_decider *decider;
	struct policy_decision decision;
	struct policy *policy = NULL;
	struct err err = { 0 };
	int r = load(q, &report, &source, &err);

	if (r >= 0) {
		bundle_fd = policy_source_bundle(source, 1, &err);
		policy_source_free(source);
		r = bundle_fd < 0 ? bundle_fd : policy_open(bundle_fd, &policy, &err);
	}
	if (r < 0) {
		if (report.len)
			log_text(report.data, report.len);
		log_error("%s", err.text);
		return EXIT_USAGE;
	}
	decider = policy_decider_new(16);
	policy_decide(decider, policy, request, &decision);
	if (q->want_json) {
		struct json_writer w = { .out = &out };

		json_begin_object(&w);
		json_key_string(&w, "action", span_of(policy_action_name(request->action)));
		json_key_string(&w, "decision", decision.verdict == DECISION_ALLOW ? SPAN("allow") : SPAN("deny"));
		json_key(&w, "policies");
		json_begin_array(&w);
		for (size_t i = 0; i < decision.n_reasons; i++)
			json_string(&w, span_of(decision.reasons[i]));
		json_end_array(&w);
		json_end_object(&w);
		(void)buf_append_char(&out, '\n');
	} else {
		(void)policy_explain(policy, request, &decision, log_want_color(STDOUT_FILENO), &out);
	}
	(void)fwrite(out.data, 1, out.len, stdout);
	policy_decider_free(decider);
	policy_unref(policy);
	return decision.verdict == DECISION_ALLOW ? 0 : 1;
}

static int explain(struct query *q, char **operands)
{
	struct policy_request request = { .fact = exe_fact, .fact_ctx = q };
	_cleanup_buf_ struct buf absolute = BUF_INIT(0);
	_cleanup_free_ char *expanded = NULL;
	_cleanup_free_ char *path = NULL;
	struct err err = { 0 };
	struct stat st;

	if (!operands[0] || !operands[1] || find_action(operands[0], &request.action) < 0) {
		log_error("expected: leash policy explain OPERATION OBJECT, such as `read ~/.ssh/id_ed25519` or "
			  "`connect example.com:443`; operations: read write create delete link chmod exec listen "
			  "connect resolve datagram");
		return EXIT_USAGE;
	}
	if (is_network(request.action)) {
		if (parse_host(operands[1], &request, &err) < 0) {
			log_error("%s", err.text);
			return EXIT_USAGE;
		}
		if (q->host)
			request.host = span_of(q->host);
		return explain_request(q, &request);
	}
	expanded = operands[1][0] == '~' && (operands[1][1] == '/' || !operands[1][1]) ?
			   xasprintf("%s%s", q->home, operands[1] + 1) :
			   xstrdup(operands[1]);
	(void)path_normalise(span_of(q->cwd), span_of(expanded), &absolute);
	path = path_resolve(absolute.data);
	if (!path) {
		log_error("%s: %s", operands[1], strerror(errno));
		return EXIT_USAGE;
	}
	request.path = span_of(path);
	request.is_directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	return explain_request(q, &request);
}

static int show(struct query *q, char **operands)
{
	const char *name = operands[0] ? operands[0] : q->layers.environment.profile;
	struct span text = policy_profile_text(name);

	if (!text.len) {
		log_error("no profile `%s`; the built-in ones are guarded, permissive and locked", name);
		return EXIT_USAGE;
	}
	return fd_write_all(STDOUT_FILENO, text.p, text.len) < 0;
}

static void print_help(void)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_append_str(&out, "Usage: leash policy check [FLAGS] [FILE]\n"
				   "       leash policy explain [FLAGS] OPERATION OBJECT\n"
				   "       leash policy show [PROFILE]\n\n"
				   "check    reads the policies a session would use here and reports every mistake\n"
				   "explain  says what they answer for one operation, and why; ends with 0 if it is\n"
				   "         allowed and 1 if it is denied\n"
				   "show     prints a built-in profile\n\nFlags:\n");
	(void)options_help(policy_options, n_policy_options, &out);
	(void)fwrite(out.data, 1, out.len, stdout);
}

int command_policy(int argc, char **argv)
{
	_cleanup_(query_done) struct query q = { 0 };
	const char *verb = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
	struct err err = { 0 };
	int skip = verb ? 1 : 0;
	int first;

	if (prepare(&q, &err) < 0) {
		log_error("%s", err.text);
		return EXIT_USAGE;
	}
	first = options_parse(policy_options, n_policy_options, argc - skip, argv + skip, on_option, &q, &err);
	if (first < 0) {
		log_error("%s", err.text);
		return EXIT_USAGE;
	}
	argv += skip + first;
	if (q.want_help || !verb) {
		print_help();
		return q.want_help ? 0 : EXIT_USAGE;
	}
	if (strcmp(verb, "check") == 0)
		return check(&q, argv);
	if (strcmp(verb, "explain") == 0)
		return explain(&q, argv);
	if (strcmp(verb, "show") == 0)
		return show(&q, argv);
	log_error("unknown: leash policy %s; there are check, explain and show", verb);
	return EXIT_USAGE;
}
