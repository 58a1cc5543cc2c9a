#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proxy/dns-budget.h"
#include "proxy/hosts-file.h"
#include "proxy/names.h"
#include "proxy/processes.h"
#include "supervise/supervise.h"

static struct policy_address address(const char *text)
{
	struct policy_address a;

	assert_int_equal(address_parse(span_of(text), &a), 0);
	return a;
}

static struct name name(const char *text)
{
	struct name n;

	assert_int_equal(name_parse(span_of(text), &n), 0);
	return n;
}

static void test_name(void **state)
{
	static const char *const pairs[][2] = {
		{ "Example.COM", "example.com" },
		{ "example.com.", "example.com" },
		{ "_dmarc.example.com", "_dmarc.example.com" },
		{ "a--b.c", "a--b.c" },
		{ "B\xc3\x9c"
		  "CHER.example",
		  "xn--bcher-kva.example" },
		{ "host", "host" },
		{ "4.3.2.1.in-addr.arpa", "4.3.2.1.in-addr.arpa" },
	};
	static const char *const bad[] = { "",	   ".",	    "a..b",   ".a",	 "a..",
					   "a b",  "a/b",   "a@b",    "a:1",	 "a\tb",
					   "a%2e", "127.1", "0x7f.1", "1.2.3.4", "a.0x1",
					   "1",	   "a,b",   "\xff.b", "*.a" };
	struct name n;
	char longest[260];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_int_equal(name_parse(span_of(pairs[i][0]), &n), 0);
		assert_string_equal(n.text, pairs[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(name_parse(span_of(bad[i]), &n), -EINVAL);
	assert_int_equal(name_parse(span_make("a\0b", 3), &n), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 50; i < sizeof(longest); i += 51)
		longest[i] = '.';
	assert_int_equal(name_parse(span_make(longest, 253), &n), 0);
	assert_int_equal(name_parse(span_make(longest, 254), &n), -EINVAL);
	assert_int_equal(
		name_parse(
			span_make(
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
				64),
			&n),
		-EINVAL);
}

static void test_embedded(void **state)
{
	static const struct {
		const char *v6, *v4;
	} cases[] = { { "64:ff9b::a9fe:a9fe", "169.254.169.254" },
		      { "64:ff9b:1::7f00:1", "127.0.0.1" },
		      { "2002:a00:1::5", "10.0.0.1" },
		      { "::10.0.0.1", "10.0.0.1" },
		      { "::ffff:0:10.0.0.1", "10.0.0.1" },
		      { "2001:db8::1", NULL },
		      { "::1", NULL },
		      { "::", NULL } };
	struct policy_address a, got, mapped = address("::ffff:1.2.3.4"),
				      plain = address("1.2.3.4");

	(void)state;
	assert_true(address_eq(&mapped, &plain));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		a = address(cases[i].v6);
		assert_int_equal(address_embedded_v4(&a, &got), cases[i].v4 != NULL);
		if (cases[i].v4) {
			a = address(cases[i].v4);
			assert_true(address_eq(&a, &got));
		}
	}
	a = address("0.0.0.0");
	assert_true(address_is_undiallable(&a));
	a = address("255.255.255.255");
	assert_true(address_is_undiallable(&a));
	a = address("ff02::1");
	assert_true(address_is_undiallable(&a));
	assert_int_equal(address_parse(SPAN("fe80::1%eth0"), &a), -EINVAL);
}

static void test_hosts(void **state)
{
	const struct span text =
		SPAN("# comment\n127.0.0.1 localhost\n\t10.0.0.1\tDB.internal db # name\r\n"
		     "::1 localhost\nnonsense here\n10.0.0.2 db.internal b@d\n10.0.0.3");
	const struct hosts_entry *e;
	struct hosts_file h;
	struct policy_address one = address("10.0.0.1"), two = address("10.0.0.2");
	size_t n;

	(void)state;
	assert_int_equal(hosts_file_parse(text, &h), 0);
	e = hosts_file_find(&h, SPAN("db.internal"), &n);
	assert_int_equal(n, 2);
	assert_true(address_eq(&e[0].address, &one) && address_eq(&e[1].address, &two));
	(void)hosts_file_find(&h, SPAN("db"), &n);
	assert_int_equal(n, 1);
	(void)hosts_file_find(&h, SPAN("localhost"), &n);
	assert_int_equal(n, 2);
	assert_null(hosts_file_find(&h, SPAN("here"), &n));
	assert_int_equal(n, 0);
	hosts_file_done(&h);
	assert_int_equal(hosts_file_parse(SPAN(""), &h), 0);
	assert_null(hosts_file_find(&h, SPAN("a"), &n));
	hosts_file_done(&h);
}

static void test_records(void **state)
{
	struct names *n = names_new();
	struct name got[LIMIT_PROXY_NAMES_PER_ADDRESS], a = name("a.test"), b = name("b.test");
	struct policy_address x = address("203.0.113.1"), y = address("2001:db8::1");

	(void)state;
	names_record(n, &x, &a, 30, 1000);
	names_record(n, &x, &b, 3600, 2000);
	names_record(n, &x, &a, 30, 3000);
	assert_int_equal(names_of(n, &x, 3000, got), 2);
	assert_string_equal(got[0].text, "a.test");
	assert_string_equal(got[1].text, "b.test");
	/* At least ten minutes, and as long as the TTL says. */
	assert_int_equal(names_of(n, &x, 3000 + 599 * 1000, got), 2);
	assert_int_equal(names_of(n, &x, 3000 + 601 * 1000, got), 1);
	assert_string_equal(got[0].text, "b.test");
	assert_int_equal(names_of(n, &y, 0, got), 0);
	/* Bounded: names of an address, and addresses. */
	for (int i = 0; i < 20; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "n%d.test", i);
		b = name(text);
		names_record(n, &y, &b, 1, 0);
	}
	assert_int_equal(names_of(n, &y, 0, got), LIMIT_PROXY_NAMES_PER_ADDRESS);
	assert_string_equal(got[0].text, "n19.test");
	for (uint32_t i = 0; i < LIMIT_PROXY_NAMES; i++) {
		uint32_t bytes = htonl(0x0a000000 + i);
		struct policy_address z = address_v4(&bytes);

		names_record(n, &z, &a, 1, 0);
	}
	assert_int_equal(names_of(n, &y, 0, got), 0);
	names_free(n);
}

static void test_synthetic(void **state)
{
	struct names *n = names_new();
	struct name got, a = name("a.test"), b = name("b.test");
	struct policy_address v4, v6, again, other, unknown = address("198.19.0.9"),
						    real = address("198.17.0.1");

	(void)state;
	assert_int_equal(names_synthesise(n, &a, false, &v4), 0);
	assert_int_equal(names_synthesise(n, &a, true, &v6), 0);
	assert_int_equal(names_synthesise(n, &b, false, &other), 0);
	assert_int_equal(names_synthesise(n, &a, false, &again), 0);
	assert_true(address_eq(&v4, &again) && !address_eq(&v4, &other));
	assert_true(names_is_synthetic(&v4) && names_is_synthetic(&v6) &&
		    !names_is_synthetic(&real));
	assert_int_equal(names_of_synthetic(n, &v4, &got), 0);
	assert_string_equal(got.text, "a.test");
	assert_int_equal(names_of_synthetic(n, &v6, &got), 0);
	assert_string_equal(got.text, "a.test");
	assert_int_equal(names_of_synthetic(n, &unknown, &got), -ENOENT);
	names_free(n);
}

static void test_budget(void **state)
{
	struct dns_budget *b = dns_budget_new();
	unsigned passed = 0;
	struct name n;
	char text[128];

	(void)state;
	/* Ordinary names, of many services of one zone, pass. */
	for (int i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof(text), "service-%d.eu.example.com", i);
		n = name(text);
		assert_true(dns_budget_spend(b, &n, 0));
	}
	/* Data does not, but for a little; asking again costs nothing. */
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof(text), "%08x%08x%08x%08x%08x.tunnel.example.net",
			       i * 2654435761u, i * 40503u, i * 2246822519u, i * 3266489917u, i);
		n = name(text);
		passed += dns_budget_spend(b, &n, 0);
		if (i == 0)
			for (int k = 0; k < 1000; k++)
				assert_true(dns_budget_spend(b, &n, 0));
	}
	assert_in_range(passed, 10, 60);
	/* The budget refills. */
	assert_true(!dns_budget_spend(b, &n, 0) && dns_budget_spend(b, &n, 60 * 1000));
	/* Many short names are a channel as well. */
	passed = 0;
	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(text, sizeof(text), "%u.example.co.uk", i);
		n = name(text);
		passed += dns_budget_spend(b, &n, 0);
	}
	assert_int_equal(passed, LIMIT_DNS_ZONE_NAMES);
	dns_budget_free(b);
}

static struct span announcement(unsigned char *out, size_t size, uint8_t family, uint16_t port,
				const char *texts, size_t texts_len)
{
	struct supervise_connection c = { family, IPPROTO_TCP, port, 7, 1, 1000 };

	assert_true(sizeof(c) + texts_len <= size);
	memcpy(out, &c, sizeof(c));
	memcpy(out + sizeof(c), texts, texts_len);
	return span_make(out, sizeof(c) + texts_len);
}

static void test_processes(void **state)
{
	struct processes *p = processes_new();
	struct process_key key, wanted = { AF_INET, IPPROTO_TCP, 40000 };
	struct process got = { 0 };
	unsigned char bytes[128];
	struct span fact;

	(void)state;
	assert_int_equal(processes_announce(
				 p,
				 announcement(bytes, sizeof(bytes), AF_INET, 40000, "/a\0b\0/c", 8),
				 0, &key),
			 0);
	assert_true(processes_take(p, &wanted, &got));
	assert_int_equal(got.pid, 7);
	assert_int_equal(process_fact(&got, POLICY_FACT_EXE, &fact), 0);
	assert_true(span_eq_str(fact, "/a"));
	assert_int_equal(process_fact(&got, POLICY_FACT_ANCESTORS, &fact), -ENOENT);
	process_done(&got);
	assert_false(processes_take(p, &wanted, &got));
	/* A mapped address: an IPv6 socket, an IPv4 connection. */
	assert_int_equal(processes_announce(p,
					    announcement(bytes, sizeof(bytes), AF_INET6, 40000,
							 "/a\0b\0/c", 8),
					    0, &key),
			 0);
	assert_true(processes_take(p, &wanted, &got));
	process_done(&got);
	/* Texts missing, or too many. */
	assert_int_equal(
		processes_announce(p, announcement(bytes, sizeof(bytes), AF_INET, 1, "/a\0b", 4), 0,
				   &key),
		-EBADMSG);
	assert_int_equal(
		processes_announce(p,
				   announcement(bytes, sizeof(bytes), AF_INET, 1, "/a\0b\0c\0d", 8),
				   0, &key),
		-EBADMSG);
	assert_int_equal(processes_announce(p, span_make(bytes, 4), 0, &key), -EBADMSG);
	processes_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),	  cmocka_unit_test(test_embedded),
		cmocka_unit_test(test_hosts),	  cmocka_unit_test(test_records),
		cmocka_unit_test(test_synthetic), cmocka_unit_test(test_budget),
		cmocka_unit_test(test_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
