#include "cli/secret-sources.h"

#include <errno.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "policy/text.h"

int secret_source_forbid(const struct secret_spec *s, struct buf *text, struct err *err)
{
	_cleanup_free_ char *path = NULL;

	if (s->source != SECRET_FROM_FILE)
		return 0;
	path = realpath(s->from, NULL);
	if (!path)
		return err_set(err, -errno, "the secret %s: %s", s->name, s->from);
	if (!utf8_is_valid(span_of(path)))
		return err_say(err, -EINVAL, "the secret %s: its file's name must be UTF-8",
			       s->name);
	(void)buf_printf(
		text, "@id(\"secret-%s\") forbid (principal, action, resource == File::", s->name);
	(void)text_append_literal(span_of(path), text);
	(void)buf_append_str(text, ");\n");
	return 0;
}
