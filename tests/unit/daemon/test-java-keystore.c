/* The bytes of the store; whether Java reads it, tests/e2e/trust.sh asks Java. */
#include "unit.h"

#include <string.h>

#include "daemon/java-keystore.h"

#define PEM(body) "-----BEGIN CERTIFICATE-----\n" body "\n-----END CERTIFICATE-----\n"

static struct span cut(struct span *rest, size_t n)
{
	struct span part = span_make(rest->p, n);

	assert_true(rest->len >= n);
	*rest = span_from(*rest, n);
	return part;
}

static uint64_t number(struct span *rest, size_t n)
{
	struct span bytes = cut(rest, n);
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)bytes.p[i];
	return v;
}

static void check_entry(struct span *rest, struct span der, struct span *ret_alias)
{
	assert_int_equal(number(rest, 4), 2);
	*ret_alias = cut(rest, number(rest, 2));
	(void)number(rest, 8);
	assert_int_equal(number(rest, 2), 5);
	assert_true(span_eq(cut(rest, 5), SPAN("X.509")));
	assert_int_equal(number(rest, 4), der.len);
	assert_true(span_eq(cut(rest, der.len), der));
}

static void check_digest(struct span store)
{
	unsigned char digest[SHA1_LEN];
	struct sha1 h;

	sha1_init(&h);
	for (const char *c = "changeit"; *c; c++) {
		sha1_update(&h, "", 1);
		sha1_update(&h, c, 1);
	}
	sha1_update(&h, "Mighty Aphrodite", 16);
	sha1_update(&h, store.p, store.len - SHA1_LEN);
	sha1_final(&h, digest);
	assert_memory_equal(store.p + store.len - SHA1_LEN, digest, SHA1_LEN);
}

static void check(struct span pem, const struct span *ders, size_t n)
{
	struct java_keystore k;
	struct span store, rest, aliases[8] = { { 0 } };

	assert_int_equal(java_keystore_begin(&k, pem), 0);
	assert_int_equal(java_keystore_finish(&k, SPAN("the authority"), &store), 0);
	rest = store;
	assert_int_equal(number(&rest, 4), 0xfeedfeed);
	assert_int_equal(number(&rest, 4), 2);
	assert_int_equal(number(&rest, 4), n + 1);
	for (size_t i = 0; i < n; i++)
		check_entry(&rest, ders[i], &aliases[i]);
	check_entry(&rest, SPAN("the authority"), &aliases[n]);
	assert_int_equal(rest.len, SHA1_LEN);
	check_digest(store);
	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(span_eq(aliases[i], aliases[j]));
	java_keystore_done(&k);
}

static void test_store(void **state)
{
	const struct span ders[] = { SPAN("foobar"), SPAN("f") };

	(void)state;
	check(SPAN(PEM("Zm9vYmFy") "# a comment\n" PEM("Zg==")), ders, 2);
	check(SPAN(""), NULL, 0);
}

static void test_malformed(void **state)
{
	const struct span good = SPAN("foobar");

	(void)state;
	check(SPAN(PEM("Zm9vYmF") PEM("Zm9vYmFy") PEM("") PEM("****")), &good, 1);
	check(SPAN(PEM("Zm9vYmFy") "-----BEGIN CERTIFICATE-----\nZg=="), &good, 1);
	check(SPAN("-----END CERTIFICATE-----\n" PEM("Zm9vYmFy")), &good, 1);
	check(SPAN("-----BEGIN TRUSTED CERTIFICATE-----\nZg==\n-----END TRUSTED "
		   "CERTIFICATE-----\n" PEM("Zm9vYmFy")),
	      &good, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
