/* Decisions about requests of HTTP: what policies see of them, and what they cannot be asked about.
 */
#include "fixture.h"

#include "base/alloc.h"
#include "policy/http.h"

#define REQUEST POLICY_HTTP_REQUEST
#define TO "(principal, action in Action::\"HttpRequest\", resource == Host::\"api.example.com\")"

static const struct policy_http get = {
	.method = SPAN("GET"), .scheme = SPAN("https"), .path = SPAN("/v1/x"), .query = SPAN("a=b")
};

static struct policy_request to_host(const struct policy_http *http)
{
	return (struct policy_request){ .action = REQUEST,
					.host = SPAN("api.example.com"),
					.address = { { 192, 0, 2, 1 }, false },
					.has_address = true,
					.port = 443,
					.protocol = SPAN("tcp"),
					.http = http };
}

static struct policy_decision decide_http(struct fixture *f, const struct policy_http *http)
{
	struct policy_request r = to_host(http);

	return decide(f, &r);
}

static bool allowed(struct fixture *f, const struct policy_http *http)
{
	return decide_http(f, http).verdict == DECISION_ALLOW;
}

static bool holds(struct fixture *f, const char *condition, const struct policy_http *http)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	(void)buf_printf(&text, "permit %s when { %s };", TO, condition);
	use_text(f, text.data);
	return allowed(f, http);
}

static void policies_see_each_part(void **state)
{
	static const struct {
		const char *condition;
		bool holds;
	} cases[] = {
		{ "context.method == \"GET\"", true },
		{ "context.method == \"get\"", false },
		{ "[\"GET\", \"HEAD\"].contains(context.method)", true },
		{ "context.scheme == \"https\"", true },
		{ "context.scheme == \"http\"", false },
		{ "context.path == \"/v1/x\"", true },
		{ "context.path like \"/v1/*\"", true },
		{ "context.path like \"/v2/*\"", false },
		{ "context.query == \"a=b\"", true },
		{ "context.query == \"\"", false },
		{ "context has hostname && context.hostname like \"*.com\"", true },
		{ "!(context.headers has authorization)", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (holds(*state, cases[i].condition, &get) != cases[i].holds)
			fail_msg("%s", cases[i].condition);
}

static void headers_go_by_name(void **state)
{
	static const struct policy_header headers[] = {
		{ SPAN("x-requested-with"), SPAN("y") },
		{ SPAN("accept"), SPAN("text/html") },
		{ SPAN("cookie"), SPAN("a=1") },
		{ SPAN("authorization"), SPAN("") },
		{ SPAN("accept"), SPAN("") },
		{ SPAN("x-unknown"), SPAN("z") },
		{ SPAN("cookie"), SPAN("b=2") },
		{ SPAN("accept"), SPAN("*/*") },
	};
	struct policy_http http = get;

	http.headers = headers;
	http.n_headers = ARRAY_SIZE(headers);
	assert_true(holds(*state, "context.headers has authorization", &http));
	assert_true(holds(*state, "!(context.headers has \"user-agent\")", &http));
	assert_true(holds(*state,
			  "context.headers has accept && context.headers.accept == \"text/html, , "
			  "*/*\"",
			  &http));
	assert_true(holds(*state,
			  "context.headers has cookie && context.headers.cookie == \"a=1; b=2\"",
			  &http));
	assert_true(holds(*state, "context has headers.accept && !(context.headers has origin)",
			  &http));
}

/* A byte that is no UTF-8 hides nothing from a pattern, and is no other byte. */
static void any_byte_can_be_matched(void **state)
{
	static const struct policy_header agent[] = { { SPAN("user-agent"), SPAN("\xff"
										 "bad\x01") } };
	struct policy_http http = get;

	http.path = SPAN("/v1/\xff/secret");
	http.query = SPAN("\xc3(=drop");
	http.headers = agent;
	http.n_headers = 1;
	assert_true(holds(*state, "context.path like \"/v1/*/secret\"", &http));
	assert_true(holds(*state, "context.path == \"/v1/\\u{10ffff}/secret\"", &http));
	assert_true(holds(*state, "context.query like \"*drop\"", &http));
	assert_true(holds(*state,
			  "context.headers has \"user-agent\" && context.headers[\"user-agent\"] "
			  "like \"*bad*\"",
			  &http));
}

/* What no policy could be asked about is denied in every mode. */
static void what_can_be_read_otherwise_is_denied(void **state)
{
	static const struct policy_header upper[] = { { SPAN("Accept"), SPAN("") } };
	static const struct policy_header blank[] = { { SPAN("accept "), SPAN("") } };
	static const struct policy_header none[] = { { SPAN(""), SPAN("") } };
	const struct policy_http bad[] = {
		{ SPAN(""), SPAN("https"), SPAN("/"), SPAN(""), NULL, 0 },
		{ SPAN("GET x"), SPAN("https"), SPAN("/"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN(""), SPAN("/"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("HTTPS"), SPAN("/"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN(""), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("x"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/a?b"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/a#b"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/a b"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/a\0b"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/v1/.."), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/v1/./x"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/v1/%2e%2E/x"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/v1/.%2e%2fx"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/v1/..%5cx"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/v1\\..\\x"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/v1/..;a/x"), SPAN(""), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/"), SPAN("a#b"), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/"), SPAN("a\nb"), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("/"), SPAN(""), upper, 1 },
		{ SPAN("GET"), SPAN("https"), SPAN("/"), SPAN(""), blank, 1 },
		{ SPAN("GET"), SPAN("https"), SPAN("/"), SPAN(""), none, 1 },
	};
	const struct policy_http good[] = {
		{ SPAN("OPTIONS"), SPAN("https"), SPAN("*"), SPAN(""), NULL, 0 },
		{ SPAN("M-SEARCH"), SPAN("http"), SPAN("/"), SPAN("?a=/../"), NULL, 0 },
		{ SPAN("GET"), SPAN("https"), SPAN("//a/...//..b/.c/%2f%2ex/%"), SPAN(""), NULL,
		  0 },
	};
	struct fixture *f = *state;

	f->env.mode = POLICY_RECORD;
	use_text(f, "permit (principal, action, resource);");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct policy_decision d = decide_http(f, &bad[i]);

		if (d.verdict == DECISION_ALLOW || !d.is_own_rule || policy_permits(f->policy, &d))
			fail_msg("case %zu: %.*s", i, SPAN_ARG(bad[i].path));
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!allowed(f, &good[i]))
			fail_msg("%.*s", SPAN_ARG(good[i].path));
}

/* Without facts, what needs them denies, and what does not decides. */
static void facts_that_are_not_known_deny(void **state)
{
	static const struct {
		const char *text;
		bool allows;
	} cases[] = {
		{ "permit (principal, action, resource);", true },
		{ "permit " TO " when { context.method == \"GET\" };", false },
		{ "permit " TO " when { !(context has method) };", false },
		{ "permit (principal, action, resource);"
		  "forbid " TO " when { context.method == \"PUT\" };",
		  false },
		{ "permit (principal, action, resource);"
		  "forbid " TO " when { context has method && context.method == \"PUT\" };",
		  false },
		{ "permit (principal, action, resource);"
		  "forbid (principal, action in Action::\"HttpRequest\", resource == "
		  "Host::\"other\")"
		  "when { context.method == \"PUT\" };",
		  true },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		use_odd_text(f, cases[i].text);
		if (allowed(f, NULL) != cases[i].allows)
			fail_msg("%s", cases[i].text);
	}
}

static void a_permit_of_requests_opens_no_connection(void **state)
{
	struct fixture *f = *state;
	struct policy_request r = to_host(&get);

	use_text(f, "permit " TO " when { context.method == \"GET\" };");
	assert_true(allowed(f, &get));
	for (size_t i = 0; i < 3; i++) {
		r.action = ((const enum policy_action[]){
			POLICY_NETWORK_CONNECT, POLICY_DNS_RESOLVE, POLICY_NETWORK_DATAGRAM })[i];
		assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	}
}

/* The two ways that the documents show. */
static void only_some_requests_to_a_host(void **state)
{
	static const char *const texts[] = {
		"permit (principal, action in Action::\"NetworkConnect\", resource == "
		"Host::\"api.example.com\") when { context.protocol == \"tcp\" };"
		"forbid " TO
		"unless { context has path && context.method == \"GET\" && context.path "
		"like \"/v1/*\" };",
		"permit (principal, action in Action::\"NetworkConnect\", resource == "
		"Host::\"api.example.com\") when { context.protocol == \"tcp\" }"
		"unless { action in Action::\"HttpRequest\" };"
		"permit " TO "when { context.method == \"GET\" && context.path like \"/v1/*\" };",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct policy_http other = get;
		struct policy_request r = to_host(&get);

		use_text(f, texts[i]);
		assert_true(name_resolves(f, "api.example.com"));
		assert_true(host_allowed(f, POLICY_NETWORK_CONNECT, "api.example.com", "192.0.2.1",
					 443));
		assert_true(allowed(f, &get));
		other.method = SPAN("POST");
		assert_false(allowed(f, &other));
		other = get;
		other.path = SPAN("/v2/x");
		assert_false(allowed(f, &other));
		assert_false(allowed(f, NULL));
		r.action = POLICY_NETWORK_DATAGRAM;
		r.protocol = SPAN("udp");
		assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
		r = to_host(NULL);
		r.action = POLICY_MCP_CALL;
		r.server = r.tool = SPAN("s");
		assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	}
}

/* Neither a decision made before nor a long-lived decider's memory stands in for the facts. */
static void each_request_is_decided_anew(void **state)
{
	struct fixture *f = *state;
	struct policy_http put = get;

	put.method = SPAN("PUT");
	use_text(f, "permit " TO " when { context.method == \"GET\" };");
	for (int i = 0; i < 3; i++) {
		assert_true(allowed(f, &get));
		assert_false(allowed(f, &put));
		assert_false(allowed(f, NULL));
	}
}

/* The text of an explanation holds no header and no query: secrets travel there. */
static void an_explanation_tells_no_secret(void **state)
{
	static const struct policy_header headers[] = { { SPAN("authorization"),
							  SPAN("Bearer hunter2") } };
	struct policy_http http = get;
	struct policy_request r = to_host(&http);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct policy_decision d;
	struct fixture *f = *state;

	http.query = SPAN("token=hunter2");
	http.headers = headers;
	http.n_headers = 1;
	use_text(f, "permit " TO " when { context.headers has origin && "
		    "context.query == \"x\" };");
	d = decide(f, &r);
	assert_int_equal(policy_explain(f->policy, &r, &d, false, &out), 0);
	assert_non_null(strstr(out.data, "GET https://api.example.com:443/v1/x"));
	assert_non_null(strstr(out.data, "does not hold: context.headers has origin"));
	assert_null(strstr(out.data, "hunter2"));
}

static bool passes_tls(struct fixture *f, const char *text)
{
	struct policy_request r = to_host(NULL);
	struct policy_decision d;

	use_text(f, text);
	r.action = POLICY_NETWORK_CONNECT;
	d = decide(f, &r);
	return policy_passes_tls(f->policy, &d);
}

static void tls_is_left_alone_where_a_permit_says_so(void **state)
{
	struct fixture *f = *state;
	char *report;
	int code = 0;

#define ALL "permit (principal, action in Action::\"NetworkConnect\", resource);\n"
#define PASS                                                                                       \
	"@tls(\"passthrough\") permit (principal, action in Action::\"NetworkConnect\", resource " \
	"in "
	assert_false(passes_tls(f, ALL));
	assert_true(passes_tls(f, PASS "Host::\"api.example.com\");"));
	assert_true(passes_tls(f, ALL PASS "Host::\"api.example.com:443\");"));
	assert_false(passes_tls(f, ALL PASS "Host::\"other.example.com\");"));
	assert_false(passes_tls(f, ALL PASS "Host::\"api.example.com:444\");"));
	assert_false(passes_tls(f, PASS "Host::\"api.example.com\");\nforbid (principal, action in "
					"Action::\"NetworkConnect\", resource);"));
	/* It says more than the wider permit: nothing to warn about. */
	report = report_of(f, POLICY_LAYER_FILE, ALL PASS "Host::\"api.example.com\");", &code);
	assert_string_equal(report, "");
	xfree(report);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(policies_see_each_part),
		TEST(headers_go_by_name),
		TEST(any_byte_can_be_matched),
		TEST(what_can_be_read_otherwise_is_denied),
		TEST(facts_that_are_not_known_deny),
		TEST(a_permit_of_requests_opens_no_connection),
		TEST(only_some_requests_to_a_host),
		TEST(each_request_is_decided_anew),
		TEST(an_explanation_tells_no_secret),
		TEST(tls_is_left_alone_where_a_permit_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
