/* Decisions about the network: names, wildcards, addresses, and look-ups. */
#include "fixture.h"

#define CONNECT POLICY_NETWORK_CONNECT

static void names_compare_without_case(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource == Host::\"API.Example.com.:443\");");
	assert_true(host_allowed(f, CONNECT, "api.example.COM.", "1.2.3.4", 443));
	assert_false(host_allowed(f, CONNECT, "api.example.com", "1.2.3.4", 80));
	assert_false(host_allowed(f, CONNECT, "example.com", "1.2.3.4", 443));
	assert_false(host_allowed(f, CONNECT, "xapi.example.com", "1.2.3.4", 443));
}

static void a_name_without_port_means_every_port(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource == Host::\"example.com\");");
	assert_true(host_allowed(f, CONNECT, "example.com", "1.2.3.4", 1));
	assert_true(host_allowed(f, CONNECT, "example.com", "1.2.3.4", 65535));
	assert_false(host_allowed(f, CONNECT, "www.example.com", "1.2.3.4", 443));
}

static void wildcards_and_zones(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource in Host::\"*.github.com\");");
	assert_true(host_allowed(f, CONNECT, "api.github.com", "1.2.3.4", 443));
	assert_true(host_allowed(f, CONNECT, "a.b.github.com", "1.2.3.4", 443));
	assert_false(host_allowed(f, CONNECT, "github.com", "1.2.3.4", 443));
	assert_false(host_allowed(f, CONNECT, "evilgithub.com", "1.2.3.4", 443));
	use_text(f, "permit (principal, action, resource in Net::DnsZone::\"github.com\");");
	assert_true(host_allowed(f, CONNECT, "github.com", "1.2.3.4", 443));
	assert_true(host_allowed(f, CONNECT, "api.github.com", "1.2.3.4", 443));
	assert_false(host_allowed(f, CONNECT, "notgithub.com", "1.2.3.4", 443));
	use_text(f, "permit (principal, action, resource in Host::\"*:443\");");
	assert_true(host_allowed(f, CONNECT, "a.de", "1.2.3.4", 443));
	assert_false(host_allowed(f, CONNECT, "a.de", "1.2.3.4", 22));
}

static void addresses_and_ranges(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource == Host::\"[2001:db8::1]:22\");"
		    "permit (principal, action, resource in IpRange::\"192.168.0.0/16\");"
		    "permit (principal, action, resource == Host::\"9.9.9.9\");");
	assert_true(host_allowed(f, CONNECT, "", "2001:db8::1", 22));
	assert_false(host_allowed(f, CONNECT, "", "2001:db8::1", 23));
	assert_true(host_allowed(f, CONNECT, "", "192.168.7.7", 1));
	assert_true(host_allowed(f, CONNECT, "", "::ffff:192.168.7.7", 1));
	assert_false(host_allowed(f, CONNECT, "", "192.169.0.0", 1));
	assert_true(host_allowed(f, CONNECT, "", "9.9.9.9", 53));
	assert_false(host_allowed(f, CONNECT, "", NULL, 53));
}

static void a_name_cannot_reach_around_an_address_rule(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource in Host::\"*\");"
		    "forbid (principal, action, resource in IpRange::\"169.254.0.0/16\");"
		    "forbid (principal, action, resource in Host::\"6.6.6.6\");");
	assert_true(host_allowed(f, CONNECT, "rebind.example", "1.2.3.4", 80));
	assert_false(host_allowed(f, CONNECT, "rebind.example", "169.254.169.254", 80));
	assert_false(host_allowed(f, CONNECT, "rebind.example", "::ffff:169.254.169.254", 80));
	assert_false(host_allowed(f, CONNECT, "rebind.example", "64:ff9b::169.254.169.254", 80));
	assert_false(host_allowed(f, CONNECT, "rebind.example", "6.6.6.6", 80));
}

static void context_of_connections(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action in Action::\"NetworkConnect\", resource) when { "
		    "context.port == 443 && "
		    "context.protocol == \"tcp\" && context.ip.isInRange(ip(\"10.0.0.0/8\")) && "
		    "context has hostname && context.hostname like \"*.INTERNAL\" };");
	assert_true(host_allowed(f, CONNECT, "db.internal", "10.1.1.1", 443));
	assert_false(host_allowed(f, CONNECT, "db.internal", "11.1.1.1", 443));
	assert_false(host_allowed(f, CONNECT, "db.internal", "10.1.1.1", 442));
	assert_false(host_allowed(f, CONNECT, "", "10.1.1.1", 443));
	use_text(f,
		 "permit (principal, action, resource is Host) when { resource.name == \"A.b\" && "
		 "resource has port && resource.port > 1000 };");
	assert_true(host_allowed(f, CONNECT, "a.b", "10.1.1.1", 1001));
	assert_false(host_allowed(f, CONNECT, "a.b", "10.1.1.1", 1000));
}

static void names_that_are_none_are_denied(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource);");
	assert_false(host_allowed(f, CONNECT, "a b", "1.2.3.4", 80));
	assert_false(host_allowed(f, CONNECT, "a\nb", "1.2.3.4", 80));
	assert_false(host_allowed(f, CONNECT, "127.1", "1.2.3.4", 80));
	assert_false(name_resolves(f, ""));
	assert_true(name_resolves(f, "a_b.c"));
}

static void a_permit_for_some_port_lets_a_name_be_resolved(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action == Action::\"NetworkConnect\", resource == "
		    "Host::\"db:5432\");");
	assert_true(name_resolves(f, "db"));
	assert_true(name_resolves(f, "DB."));
	assert_false(name_resolves(f, "dbx"));
	assert_true(host_allowed(f, CONNECT, "db", "10.0.0.1", 5432));
	assert_false(host_allowed(f, CONNECT, "db", "10.0.0.1", 5433));
	use_text(f, "permit (principal, action in Action::\"NetworkConnect\", resource) "
		    "when { resource in Host::\"*.ok\" && context.port == 443 };");
	assert_true(name_resolves(f, "a.ok"));
	assert_false(name_resolves(f, "a.bad"));
	use_odd_text(f, "permit (principal, action in Action::\"NetworkConnect\", resource) "
			"unless { resource.port == 22 || context.hostname == \"bad\" };");
	assert_true(name_resolves(f, "good"));
	assert_false(name_resolves(f, "bad"));
	use_text(f, "permit (principal, action in Action::\"NetworkConnect\", resource in "
		    "IpRange::\"10.0.0.0/8\");");
	assert_true(name_resolves(f, "anything"));
	use_text(f, "permit (principal, action in Action::\"NetworkConnect\", resource) "
		    "when { context.exe == \"/usr/bin/curl\" };");
	assert_true(name_resolves(f, "anything"));
	use_text(f, "permit (principal, action in Action::\"FileOpen\", resource);");
	assert_false(name_resolves(f, "anything"));
}

static void only_a_forbid_that_surely_applies_denies_a_name(void **state)
{
	struct fixture *f = *state;
	const char *permit = "permit (principal, action in Action::\"NetworkConnect\", resource);";
	static const struct {
		const char *forbid;
		bool resolves;
	} cases[] = {
		{ "resource in Host::\"evil.com\")", false },
		{ "resource == Host::\"evil.com:80\")", true },
		{ "resource in Host::\"*\")", false },
		{ "resource in IpRange::\"10.0.0.0/8\")", true },
		{ "resource) when { context.port == 80 }", true },
		{ "resource) when { context.port == 80 || context.hostname == \"evil.com\" }",
		  false },
		{ "resource) when { context.port == 80 && context.hostname == \"evil.com\" }",
		  true },
		{ "resource) unless { context.port == 443 }", true },
		{ "resource) unless { resource in DnsZone::\"good.com\" }", false },
		{ "resource) unless { resource in [DnsZone::\"good.com\", Host::\"evil.com:443\"] "
		  "}",
		  true },
		{ "resource) when { if context.port == 1 then true else resource.name == "
		  "\"evil.com\" }",
		  false },
		{ "resource) when { context.hostname.nonsense == 1 }", false },
		{ "resource is File)", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		(void)buf_printf(&text, "%s forbid (principal, action, %s;", permit,
				 cases[i].forbid);
		use_odd_text(f, text.data);
		if (name_resolves(f, "evil.com") != cases[i].resolves)
			fail_msg("%s", cases[i].forbid);
	}
}

static void look_ups_can_be_forbidden_alone(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action in Action::\"NetworkConnect\", resource);"
		    "forbid (principal, action == Action::\"DnsResolve\", resource in "
		    "DnsZone::\"leak\");");
	assert_false(name_resolves(f, "x.leak"));
	assert_true(host_allowed(f, CONNECT, "x.leak", "1.2.3.4", 443));
}

static void tools_of_servers(void **state)
{
	struct fixture *f = *state;
	struct policy_request r = { .action = POLICY_MCP_CALL,
				    .server = SPAN("s"),
				    .tool = SPAN("search"),
				    .host = SPAN("mcp.example.com"),
				    .port = 443 };

	use_text(f,
		 "permit (principal, action in Action::\"NetworkConnect\", resource in "
		 "Host::\"mcp.example.com\");"
		 "forbid (principal, action == Action::\"McpCall\", resource in MCP::Server::\"s\")"
		 "unless { resource == MCP::Tool::\"search\" };");
	assert_int_equal(decide(f, &r).verdict, DECISION_ALLOW);
	r.tool = SPAN("delete");
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	r.server = SPAN("t");
	assert_int_equal(decide(f, &r).verdict, DECISION_ALLOW);
	r.host = SPAN("other");
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(names_compare_without_case),
		TEST(a_name_without_port_means_every_port),
		TEST(wildcards_and_zones),
		TEST(addresses_and_ranges),
		TEST(a_name_cannot_reach_around_an_address_rule),
		TEST(context_of_connections),
		TEST(names_that_are_none_are_denied),
		TEST(a_permit_for_some_port_lets_a_name_be_resolved),
		TEST(only_a_forbid_that_surely_applies_denies_a_name),
		TEST(look_ups_can_be_forbidden_alone),
		TEST(tools_of_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
