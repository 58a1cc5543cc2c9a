#include "unit.h"

#include <openssl/sha.h>

#include "base/sha1.h"

static void a_published_hash_comes_out(void **state)
{
	static const unsigned char wanted[SHA1_LEN] = { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81,
							0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50,
							0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d };
	unsigned char out[SHA1_LEN];
	struct sha1 h;

	(void)state;
	sha1_init(&h);
	sha1_update(&h, "abc", 3);
	sha1_final(&h, out);
	assert_memory_equal(out, wanted, SHA1_LEN);
}

/* Every length around the block's edges, in pieces of every small size, agrees with OpenSSL. */
static void agree_with_openssl(bool may_use_extensions)
{
	unsigned char data[300], ours[SHA1_LEN], theirs[SHA1_LEN];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 131 + 7);
	for (size_t len = 0; len <= sizeof(data); len++) {
		(void)SHA1(data, len, theirs);
		for (size_t piece = 1; piece < 130; piece += 1 + piece / 4) {
			struct sha1 h;

			sha1_init(&h);
			h.use_extensions &= may_use_extensions;
			for (size_t at = 0; at < len; at += piece)
				sha1_update(&h, data + at, MIN(piece, len - at));
			sha1_final(&h, ours);
			assert_memory_equal(ours, theirs, SHA1_LEN);
		}
	}
}

static void all_lengths_agree_with_openssl(void **state)
{
	(void)state;
	agree_with_openssl(true);
	agree_with_openssl(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_published_hash_comes_out),
		cmocka_unit_test(all_lengths_agree_with_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
