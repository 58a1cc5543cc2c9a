#include "cli/cedar-links.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/json-writer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

static const struct json_options json_options = { .max_depth = 8, .max_members = 8 };

static bool parse(struct arena *arena, const struct cedar_text *text, struct json **ret)
{
	struct err err = { 0 };

	if (json_parse_with(&json_options, arena, cedar_text_span(text), ret, NULL, &err) >= 0)
		return true;
	log_error("%s: %s", text->name, err.text);
	return false;
}

static bool read_uid(struct cedar_input *in, const struct cedar_text *text,
		     const struct json *value, const struct cedar_entity_uid **ret)
{
	struct cedar_entity_uid *uid = arena_new(&in->arena, struct cedar_entity_uid);
	const char *copy = arena_dup(&in->arena, value->text);

	if (!uid || !copy || !cedar_load_uid(in->options, copy, text->name, &in->arena, uid))
		return false;
	*ret = uid;
	return true;
}

static bool read_arguments(struct cedar_input *in, const struct cedar_text *text,
			   const struct json *object, struct cedar_link *link)
{
	if (!object || object->type != JSON_OBJECT) {
		log_error("%s: the slots' values must be an object", text->name);
		return false;
	}
	for (const struct json *m = object->first; m; m = m->next) {
		bool is_principal = span_eq_str(m->key, "?principal");

		if (!is_principal && !span_eq_str(m->key, "?resource")) {
			log_error("%s: `%.*s` is no slot; there are ?principal and ?resource",
				  text->name, SPAN_ARG(m->key));
			return false;
		}
		if (m->type != JSON_STRING) {
			log_error("%s: the value of %.*s must be a string such as "
				  "\"User::\\\"alice\\\"\"",
				  text->name, SPAN_ARG(m->key));
			return false;
		}
		if (!read_uid(in, text, m, is_principal ? &link->principal : &link->resource))
			return false;
	}
	return true;
}

bool cedar_links_parse_arguments(struct cedar_input *in, const struct cedar_text *text,
				 struct cedar_link *link)
{
	struct json *object = NULL;

	return parse(&in->arena, text, &object) && read_arguments(in, text, object, link);
}

/* False after an error, which it has shown. An empty file has no links. */
static bool read_file(const char *path, bool may_lack, struct cedar_text *ret)
{
	int r;

	ret->name = path;
	ret->content.max = LIMIT_CEDAR_JSON;
	r = file_read_at(AT_FDCWD, path, &ret->content);
	if (r >= 0 || (r == -ENOENT && may_lack))
		return true;
	log_error("read the links from %s: %s", path, strerror(-r));
	return false;
}

static bool add_link(struct cedar_input *in, const struct cedar_text *text, const struct json *item)
{
	struct cedar_link link = { json_get_string(item, "template_id"),
				   json_get_string(item, "link_id"), NULL, NULL };
	const struct json *args = json_get(item, "args");
	struct err err = { 0 };

	if (!json_get(item, "template_id") || !json_get(item, "link_id")) {
		log_error("%s: a link needs template_id, link_id and args", text->name);
		return false;
	}
	if (!read_arguments(in, text, args, &link))
		return false;
	if (cedar_policy_set_link(in->policies, &link, NULL, &err) >= 0)
		return true;
	log_error("%s: %s", text->name, err.text);
	return false;
}

bool cedar_load_links(struct cedar_input *in, bool may_lack)
{
	_cleanup_cedar_text_ struct cedar_text text = { 0 };
	struct json *list = NULL;
	bool is_good = true;

	if (!in->options->links)
		return true;
	if (!read_file(in->options->links, may_lack, &text))
		return false;
	if (text.content.len == 0)
		return true;
	if (!parse(&in->arena, &text, &list))
		return false;
	if (list->type != JSON_ARRAY) {
		log_error("%s: must be a list of links", text.name);
		return false;
	}
	for (const struct json *item = list->first; item; item = item->next)
		is_good = add_link(in, &text, item) && is_good;
	return is_good;
}

static void write_uid(struct json_writer *w, const char *slot, const struct cedar_entity_uid *uid)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct cedar_value value = { .kind = CEDAR_ENTITY };

	if (!uid)
		return;
	value.uid = *uid;
	(void)cedar_value_print(&value, &text);
	json_key_string(w, slot, buf_span(&text));
}

bool cedar_links_add(const char *path, const struct cedar_link *link)
{
	_cleanup_cedar_text_ struct cedar_text text = { 0 };
	_cleanup_buf_ struct buf item = BUF_INIT(0);
	struct json_writer w = { .out = &item };
	size_t end;

	if (!read_file(path, /* may_lack = */ true, &text))
		return false;
	json_begin_object(&w);
	json_key_string(&w, "template_id", link->template_id);
	json_key_string(&w, "link_id", link->new_id);
	json_key(&w, "args");
	json_begin_object(&w);
	write_uid(&w, "?principal", link->principal);
	write_uid(&w, "?resource", link->resource);
	json_end_object(&w);
	json_end_object(&w);

	/* The file was read as a list when the policies were linked: the new item goes before its
	 * end. */
	end = text.content.len;
	while (end && text.content.data[end - 1] != ']')
		end--;
	text.content.len = end ? end - 1 : 0;
	if (end && memchr(text.content.data, '{', end))
		(void)buf_append_char(&text.content, ',');
	else if (!end)
		(void)buf_append_char(&text.content, '[');
	(void)buf_append_span(&text.content, buf_span(&item));
	(void)buf_append_str(&text.content, "]");
	return cedar_text_write(path, cedar_text_span(&text));
}
