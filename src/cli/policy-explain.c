/* `leash policy explain`: the answer for one operation, and why. */
#include <unistd.h>

#include "api/operation.h"
#include "base/alloc.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/policy-private.h"
#include "policy/json.h"

enum {
	OPTION_EXE = POLICY_OPTION_OWN,
	OPTION_COMM,
	OPTION_CWD,
	OPTION_ANCESTOR,
	OPTION_HOST,
	OPTION_HEADER,
};

static const struct option_spec options[] = {
	POLICY_ROWS_LAYERS,
	{ "exe", 0, "PATH", "the program that asks", OPTION_EXE, 0 },
	{ "comm", 0, "NAME", "its name", OPTION_COMM, 0 },
	{ "cwd", 0, "PATH", "its directory", OPTION_CWD, 0 },
	{ "ancestor", 0, "PATH", "a program above it; may be given several times", OPTION_ANCESTOR,
	  0 },
	{ "host", 0, "NAME", "the name by which an address was found, or an MCP server's host",
	  OPTION_HOST, 0 },
	{ "header", 0, "'NAME: VALUE'", "a header of the request; may be given several times",
	  OPTION_HEADER, 0 },
	POLICY_ROWS_COMMON,
};

const struct usage policy_explain_usage = {
	.name = "policy explain",
	.arguments = "[FLAGS] OPERATION OBJECT [ARG...]",
	.description = "Says what the policies of a session here decide about one operation: the "
		       "answer, the policies that gave\n"
		       "it with their conditions, and what would have to change. Operations: read, "
		       "write, create, delete, link,\n"
		       "chmod, exec, listen, connect, resolve, datagram, http (METHOD and URL), "
		       "call (of an MCP tool,\n"
		       "SERVER/TOOL), or an action's name. ARGs are those of a program, its own "
		       "name first. Ends with 0 for\n"
		       "allowed, 1 for denied, 2 when that cannot be told.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash policy explain read ~/.ssh/id_ed25519\n"
		    "  leash policy explain --exe /usr/bin/git write .git/config\n"
		    "  leash policy explain connect 140.82.112.5:443 --host github.com\n"
		    "  leash policy explain http GET 'https://api.example.com/v1/users?all' "
		    "--header 'accept: text/html'\n"
		    "  leash policy explain exec /usr/bin/rm -- rm -rf build\n",
};

struct explaining {
	struct policy_context context;
	struct operation operation;
	struct {
		enum policy_fact fact;
		const char *value;
	} facts[64];
	size_t n_facts;
	const char *headers[64];
	size_t n_headers;
	const char *host;
	char *object; /* of words put together, or NULL */
};

static void explaining_done(struct explaining *x)
{
	policy_context_done(&x->context);
	operation_done(&x->operation);
	xfree(x->object);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct explaining *x = ctx;
	enum policy_fact fact;

	switch (id) {
	case OPTION_EXE:
		fact = POLICY_FACT_EXE;
		break;
	case OPTION_COMM:
		fact = POLICY_FACT_COMM;
		break;
	case OPTION_CWD:
		fact = POLICY_FACT_CWD;
		break;
	case OPTION_ANCESTOR:
		fact = POLICY_FACT_ANCESTORS;
		break;
	case OPTION_HOST:
		x->host = value;
		return 0;
	case OPTION_HEADER:
		if (x->n_headers == ARRAY_SIZE(x->headers))
			return err_say(err, -1, "too many headers");
		x->headers[x->n_headers++] = value;
		return 0;
	default:
		return -1;
	}
	if (x->n_facts == ARRAY_SIZE(x->facts))
		return err_say(err, -1, "too many facts");
	x->facts[x->n_facts].fact = fact;
	x->facts[x->n_facts++].value = value;
	return 0;
}

static void print_json(const struct policy *p, const struct policy_request *r,
		       const struct policy_decision *d)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct json_writer w = { .out = &out };

	json_begin_object(&w);
	policy_json_explanation(&w, p, r, d);
	json_end_object(&w);
	(void)buf_append_char(&out, '\n');
	(void)print_out(&out);
}

static void print_text(const struct policy *p, const struct policy_request *r,
		       const struct policy_decision *d)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)policy_explain(p, r, d, log_want_color(STDOUT_FILENO), &out);
	(void)print_out(&out);
}

static int explain(struct explaining *x)
{
	struct policy *policy = policy_context_open(&x->context);
	struct policy_decider *decider;
	struct policy_decision decision;

	if (!policy)
		return EXIT_USAGE;
	decider = policy_decider_new(0);
	policy_decide(decider, policy, &x->operation.request, &decision);
	if (x->context.want_json)
		print_json(policy, &x->operation.request, &decision);
	else
		print_text(policy, &x->operation.request, &decision);
	policy_decider_free(decider);
	policy_unref(policy);
	return decision.verdict == DECISION_ALLOW ? 0 : 1;
}

/* Facts and arguments go with the operation. */
static int complete(struct explaining *x, char **args, struct err *err)
{
	struct operation *o = &x->operation;

	for (size_t i = 0; i < x->n_facts; i++)
		operation_add_fact(o, x->facts[i].fact, x->facts[i].value);
	for (; *args; args++) {
		if (o->request.action != POLICY_PROCESS_EXEC)
			return err_say(err, -1, "too many words: %s", *args);
		operation_add_fact(o, POLICY_FACT_ARGV, *args);
	}
	for (size_t i = 0; i < x->n_headers; i++)
		if (operation_add_header(o, x->headers[i], err) < 0)
			return -1;
	return x->host ? operation_set_host(o, x->host, err) : 0;
}

/* A request of HTTP is named by method and URL: two words. Returns how many the object takes. */
static int read_object(struct explaining *x, char **argv, int n_operands)
{
	bool is_http = strcmp(argv[0], "http") == 0 ||
		       strcmp(argv[0], policy_action_name(POLICY_HTTP_REQUEST)) == 0;

	if (!is_http || n_operands < 3) {
		x->object = xstrdup(argv[1]);
		return 1;
	}
	x->object = xasprintf("%s %s", argv[1], argv[2]);
	return 2;
}

int policy_explain_main(int argc, char **argv)
{
	_cleanup_(explaining_done) struct explaining x = { .context.on_option = on_option };
	struct err err = { 0 };
	int n_operands, n_words, code;

	x.context.ctx = &x;
	code = policy_context_parse(&x.context, &policy_explain_usage, argc, argv, SIZE_MAX,
				    &n_operands);
	if (code >= 0)
		return code;
	if (n_operands < 2) {
		log_error("policy explain: name an operation and its object, such as `read "
			  "~/.ssh/id_ed25519` or `connect example.com:443`; operations: %s",
			  OPERATION_VERBS);
		return EXIT_USAGE;
	}
	n_words = read_object(&x, argv, n_operands);
	if (operation_parse(&x.operation, argv[0], x.object, x.context.home, x.context.cwd, &err) <
		    0 ||
	    complete(&x, argv + 1 + n_words, &err) < 0) {
		log_error("policy explain: %s", err.text);
		return EXIT_USAGE;
	}
	return explain(&x);
}
