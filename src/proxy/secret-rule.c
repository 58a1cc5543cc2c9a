#include "proxy/secret-rule.h"

#include <errno.h>

static void put_text(struct buf *out, struct span text)
{
	uint32_t len = (uint32_t)text.len;

	(void)buf_append(out, &len, sizeof(len));
	(void)buf_append_span(out, text);
}

static bool get_bytes(struct span *rest, void *to, size_t len)
{
	if (rest->len < len)
		return false;
	memcpy(to, rest->p, len);
	*rest = span_from(*rest, len);
	return true;
}

static bool get_text(struct span *rest, struct span *ret)
{
	uint32_t len;

	if (!get_bytes(rest, &len, sizeof(len)) || len > rest->len)
		return false;
	*ret = span_make(rest->p, len);
	*rest = span_from(*rest, len);
	return true;
}

/* The value first, so that nothing that is written makes the buffer grow behind it. */
int secret_rule_write(const struct secret_rule *rule, struct buf *out)
{
	uint32_t n = (uint32_t)rule->n_places;

	out->max = SECRET_RULE_MAX;
	if (rule->n_places > LIMIT_SECRET_PLACES || !buf_reserve(out, SECRET_RULE_MAX))
		return -EMSGSIZE;
	put_text(out, rule->value);
	put_text(out, rule->placeholder);
	put_text(out, rule->name);
	put_text(out, rule->path);
	put_text(out, rule->header);
	(void)buf_append(out, &n, sizeof(n));
	for (size_t i = 0; i < n; i++) {
		unsigned char is_clear = rule->places[i].is_clear;

		put_text(out, rule->places[i].host);
		(void)buf_append(out, &rule->places[i].port, sizeof(rule->places[i].port));
		(void)buf_append(out, &is_clear, 1);
	}
	return out->failed ? -EMSGSIZE : 0;
}

static bool get_place(struct span *rest, struct secret_place *ret)
{
	unsigned char is_clear;

	if (!get_text(rest, &ret->host) || !get_bytes(rest, &ret->port, sizeof(ret->port)) ||
	    !get_bytes(rest, &is_clear, 1) || is_clear > 1)
		return false;
	ret->is_clear = is_clear;
	return ret->host.len && ret->port;
}

int secret_rule_read(struct span message, struct secret_rule *ret)
{
	struct secret_rule rule = { 0 };
	struct span rest = message;
	uint32_t n;

	if (!get_text(&rest, &rule.value) || !get_text(&rest, &rule.placeholder) ||
	    !get_text(&rest, &rule.name) || !get_text(&rest, &rule.path) ||
	    !get_text(&rest, &rule.header) || !get_bytes(&rest, &n, sizeof(n)) ||
	    n > LIMIT_SECRET_PLACES || !rule.name.len)
		return -EBADMSG;
	for (; rule.n_places < n; rule.n_places++)
		if (!get_place(&rest, &rule.places[rule.n_places]))
			return -EBADMSG;
	if (rest.len)
		return -EBADMSG;
	*ret = rule;
	return 0;
}
