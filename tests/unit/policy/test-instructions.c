/* HttpRewrite: what the proxy is told to set. */
#include "fixture.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

#define HEAD                                                                                       \
	"permit (principal, action == Action::\"HttpRewrite\", resource == "                       \
	"Host::\"api.test:443\")\n"

static void open_text(struct fixture *f, const char *text, char **ret_report)
{
	struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct err err = { 0 };

	if (policy_source_add_text(s, POLICY_LAYER_USER, "u.cedar", span_of(text), false, &report,
				   &err) < 0)
		fail_msg("%s", report.data);
	use_source(f, s);
	*ret_report = buf_take(&report);
}

static void expect(struct fixture *f, const char *text, const char *host, uint16_t port,
		   const char *header, const char *value)
{
	_cleanup_free_ char *report = NULL;
	const struct policy_instruction *i;
	size_t n;

	open_text(f, text, &report);
	i = policy_instructions(f->policy, &n);
	if (n != 1 || (report && *report))
		fail_msg("%s: %zu instructions, %s", text, n, report ? report : "");
	assert_true(span_eq_str(i->policy, "user:policy0"));
	assert_true(span_eq_str(i->host, host));
	assert_int_equal(i->port, port);
	assert_true(span_eq_str(i->header, header));
	assert_true(span_eq_str(i->value, value));
}

static void instructions_are_read(void **state)
{
	expect(*state, HEAD "when { context.header == \"X-Api-Key\" && context.value == \"a b\" };",
	       "api.test", 443, "x-api-key", "a b");
	expect(*state, HEAD "when { context.value == \"v\" && context.header == \"h\" };",
	       "api.test", 443, "h", "v");
	expect(*state, HEAD "when { \"h\" == context.header } when { \"\" == context.value };",
	       "api.test", 443, "h", "");
	expect(*state,
	       "permit (principal, action in [Action::\"HttpRewrite\"], resource == "
	       "Host::\"API.test.\") "
	       "when { context.header == \"h\" && context.value == \"${secret:PROD}\" };",
	       "api.test", 0, "h", "${secret:PROD}");
	expect(*state,
	       "permit (principal, action == Action::\"HttpRewrite\", resource in "
	       "Host::\"*.api.test:8443\") "
	       "when { context.header == \"h\" && context.value == \"v\" };",
	       "*.api.test", 8443, "h", "v");
}

static void what_is_not_understood_is_said(void **state)
{
	static const char *const cases[] = {
		HEAD ";",
		HEAD "when { context.header == \"h\" };",
		HEAD "when { context.value == \"v\" };",
		HEAD "when { context.header == \"h\" || context.value == \"v\" };",
		HEAD "unless { context.header == \"h\" && context.value == \"v\" };",
		HEAD "when { context.header == \"h\" && context.header == \"i\" && context.value "
		     "== \"v\" };",
		HEAD "when { context.header == \"h\" && context.value == \"v\" && context.method "
		     "== \"GET\" };",
		HEAD "when { context.header == \"h h\" && context.value == \"v\" };",
		HEAD "when { context.header == \"Host\" && context.value == \"v\" };",
		HEAD
		"when { context.header == \"transfer-encoding\" && context.value == \"chunked\" };",
		HEAD "when { context.header == \"h\" && context.value == \"v\\r\\nx: y\" };",
		HEAD "when { context.header == \"h\" && context.value like \"v\" };",
		"permit (principal, action == Action::\"HttpRewrite\", resource in Host::\"*\") "
		"when { context.header == \"h\" && context.value == \"v\" };",
		"permit (principal, action == Action::\"HttpRewrite\", resource) "
		"when { context.header == \"h\" && context.value == \"v\" };",
		"forbid (principal, action == Action::\"HttpRewrite\", resource == "
		"Host::\"a.test:1\") "
		"when { context.header == \"h\" && context.value == \"v\" };",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *report = NULL;
		size_t n;

		open_text(f, cases[i], &report);
		(void)policy_instructions(f->policy, &n);
		if (n || !report || !strstr(report, "[not_carried_out"))
			fail_msg("%s: %zu instructions, %s", cases[i], n, report ? report : "");
	}
}

static void instructions_are_for_their_agent(void **state)
{
	static const char text[] =
		"permit (principal == Agent::\"other\", action == Action::\"HttpRewrite\", "
		"resource == Host::\"a.test:443\") when { context.header == \"h\" && context.value "
		"== \"v\" };";
	struct fixture *f = *state;
	_cleanup_free_ char *report = NULL;
	size_t n;

	open_text(f, text, &report);
	(void)policy_instructions(f->policy, &n);
	assert_int_equal(n, 0);
	f->env.agent = "other";
	xfree(report);
	open_text(f, text, &report);
	(void)policy_instructions(f->policy, &n);
	assert_int_equal(n, 1);
}

/* An instruction permits nothing. */
static void instructions_decide_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *report = NULL;

	open_text(f, HEAD "when { context.header == \"h\" && context.value == \"v\" };", &report);
	assert_false(host_allowed(f, POLICY_NETWORK_CONNECT, "api.test", "1.2.3.4", 443));
	assert_false(host_allowed(f, POLICY_HTTP_REQUEST, "api.test", "1.2.3.4", 443));
}

static void literal_values_are_not_shown(void **state)
{
	static const char text[] = HEAD
		"when { context.header == \"h\" && context.value == \"literal-0123456\" };\n" HEAD
		"when { context.header == \"h\" && context.value == \"Bearer ${secret:A}\" };\n";
	struct fixture *f = *state;
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct policy_item item;

	assert_int_equal(policy_source_add_text(s, POLICY_LAYER_USER, "u.cedar", span_of(text),
						false, &report, NULL),
			 0);
	item = policy_source_at(s, 0);
	assert_null(memmem(item.text.p, item.text.len, "literal", 7));
	assert_null(memmem(item.expanded.p, item.expanded.len, "literal", 7));
	assert_non_null(
		memmem(item.text.p, item.text.len, "context.value == \"\xe2\x80\xa6\" };", 25));
	item = policy_source_at(s, 1);
	assert_non_null(memmem(item.text.p, item.text.len, "Bearer ${secret:A}", 18));
	policy_source_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(instructions_are_read, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_understood_is_said, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(instructions_are_for_their_agent, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(instructions_decide_nothing, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(literal_values_are_not_shown, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
