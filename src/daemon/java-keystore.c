#include "daemon/java-keystore.h"

#include <errno.h>

#include "base/base64.h"
#include "base/limits.h"

#define MAGIC UINT32_C(0xfeedfeed)
#define VERSION 2
#define TRUSTED_CERTIFICATE 2
#define COUNT_OFFSET 8

/* "changeit", each character as two bytes, and what JKS puts behind a password. */
static const char salt[] = "\0c\0h\0a\0n\0g\0e\0i\0t"
			   "Mighty Aphrodite";

static int append_be(struct buf *b, uint64_t v, size_t n_bytes)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < n_bytes; i++)
		bytes[i] = (unsigned char)(v >> 8 * (n_bytes - 1 - i));
	return buf_append(b, bytes, n_bytes);
}

static int append_text(struct buf *b, struct span text)
{
	int r = append_be(b, text.len, 2);

	return r < 0 ? r : buf_append_span(b, text);
}

/* Aliases must differ, and be in lower case. */
static int append_entry(struct buf *b, uint32_t number, struct span der)
{
	_cleanup_buf_ struct buf alias = BUF_INIT(0);
	int r = append_be(b, TRUSTED_CERTIFICATE, 4);

	(void)buf_printf(&alias, "leash-%u", number);
	if (r >= 0)
		r = append_text(b, buf_span(&alias));
	if (r >= 0)
		r = append_be(b, 0, 8); /* when it was added: who cares */
	if (r >= 0)
		r = append_text(b, SPAN("X.509"));
	if (r >= 0)
		r = append_be(b, der.len, 4);
	return r < 0 ? r : buf_append_span(b, der);
}

/* Cuts off what comes before the mark, and the mark. False: there is none. */
static bool cut(struct span *text, struct span mark, struct span *ret_before)
{
	const char *at = text->len ? memmem(text->p, text->len, mark.p, mark.len) : NULL;

	if (!at)
		return false;
	*ret_before = span_make(text->p, (size_t)(at - text->p));
	*text = span_from(*text, (size_t)(at - text->p) + mark.len);
	return true;
}

static int append_all(struct buf *b, struct span pem, uint32_t *n)
{
	_cleanup_buf_ struct buf der = BUF_INIT(LIMIT_TRUSTED_ROOTS);
	struct span body;
	int r = 0;

	while (r >= 0 && cut(&pem, SPAN("-----BEGIN CERTIFICATE-----"), &body) &&
	       cut(&pem, SPAN("-----END CERTIFICATE-----"), &body)) {
		buf_reset(&der);
		if (base64_decode_lines(body, &der) == 0 && der.len)
			r = append_entry(b, (*n)++, buf_span(&der));
	}
	return r;
}

static void hash_new(struct java_keystore *k)
{
	sha1_update(&k->hash, k->content.data + k->n_hashed, k->content.len - k->n_hashed);
	k->n_hashed = k->content.len;
}

int java_keystore_begin(struct java_keystore *k, struct span pem)
{
	uint32_t n = 0;
	int r;

	*k = (struct java_keystore){ .content = BUF_INIT(LIMIT_TRUSTED_ROOTS) };
	sha1_init(&k->hash);
	sha1_update(&k->hash, salt, sizeof(salt) - 1);
	r = append_be(&k->content, MAGIC, 4);
	if (r >= 0)
		r = append_be(&k->content, VERSION, 4);
	if (r >= 0)
		r = append_be(&k->content, 0, 4);
	if (r >= 0)
		r = append_all(&k->content, pem, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < 4; i++)
		k->content.data[COUNT_OFFSET + i] = (char)((n + 1) >> 8 * (3 - i));
	hash_new(k);
	return 0;
}

int java_keystore_finish(struct java_keystore *k, struct span der, struct span *ret)
{
	unsigned char digest[SHA1_LEN];
	int r = append_entry(&k->content, UINT32_MAX, der);

	if (r < 0)
		return r;
	hash_new(k);
	sha1_final(&k->hash, digest);
	r = buf_append(&k->content, digest, sizeof(digest));
	*ret = buf_span(&k->content);
	return r;
}

void java_keystore_done(struct java_keystore *k)
{
	buf_done(&k->content);
}
