#include "unit.h"

#include <stdlib.h>

#include <openssl/sha.h>

#include "base/sha256.h"

static void published_hashes_come_out(void **state)
{
	char hex[SHA256_HEX_LEN + 1];

	(void)state;
	sha256_hex(SPAN(""), hex);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_hex(SPAN("abc"), hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_hex(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), hex);
	assert_string_equal(hex,
			    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* Every length around the block's edges, in pieces of every small size, agrees with OpenSSL. */
static void agrees_with_openssl(bool use_extensions)
{
	unsigned char data[300], ours[SHA256_LEN], theirs[SHA256_LEN];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 131 + 7);
	for (size_t len = 0; len <= sizeof(data); len++) {
		for (size_t piece = 1; piece < 130; piece += 1 + piece / 4) {
			struct sha256 h;

			sha256_init(&h);
			h.use_extensions = h.use_extensions && use_extensions;
			for (size_t at = 0; at < len; at += piece)
				sha256_update(&h, data + at, MIN(piece, len - at));
			sha256_final(&h, ours);
			(void)SHA256(data, len, theirs);
			assert_memory_equal(ours, theirs, SHA256_LEN);
		}
	}
}

static void all_lengths_agree_with_openssl(void **state)
{
	(void)state;
	agrees_with_openssl(/* use_extensions = */ true);
}

static void all_lengths_agree_without_the_processors_help(void **state)
{
	(void)state;
	agrees_with_openssl(/* use_extensions = */ false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_hashes_come_out),
		cmocka_unit_test(all_lengths_agree_with_openssl),
		cmocka_unit_test(all_lengths_agree_without_the_processors_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
