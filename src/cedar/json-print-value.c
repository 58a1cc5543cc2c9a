/* Values and entities as JSON. */
#include <errno.h>
#include <stdlib.h>

#include "cedar/entities.h"
#include "cedar/json-print.h"
#include "cedar/print-private.h"
#include "cedar/value-private.h"

static int print_value(struct json_printer *p, const struct cedar_value *v);

/* {"__extn": {"fn": ..., "arg": "..."}} */
static void print_call(struct json_printer *p, const char *fn, struct span arg)
{
	json_begin_object(&p->w);
	json_key(&p->w, "__extn");
	json_begin_object(&p->w);
	json_key_string(&p->w, "fn", span_of(fn));
	json_key_string(&p->w, "arg", arg);
	json_end_object(&p->w);
	json_end_object(&p->w);
}

/* decimal("1.0"), ip("::1") and duration("1ms") as the text printer has them: a call with one
 * string. */
static int print_extension(struct json_printer *p, const struct cedar_value *v)
{
	static const char *const functions[] = {
		[CEDAR_DECIMAL] = "decimal",
		[CEDAR_IPADDR] = "ip",
		[CEDAR_DURATION] = "duration",
	};
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	size_t n = strlen(functions[v->kind]) + 2; /* with ( and " */
	int r = cedar_value_print(v, &text);

	if (r < 0 || text.len < n + 2)
		return -EINVAL;
	print_call(p, functions[v->kind], span_make(text.data + n, text.len - n - 2));
	return 0;
}

/* A time past the years that can be written is so many milliseconds from 1970. */
static void print_datetime(struct json_printer *p, int64_t ms)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	if (print_iso_datetime(ms, &text) == 0) {
		print_call(p, "datetime", buf_span(&text));
		return;
	}
	buf_reset(&text);
	(void)buf_printf(&text, "%lldms", (long long)ms);
	json_begin_object(&p->w);
	json_key(&p->w, "__extn");
	json_begin_object(&p->w);
	json_key_string(&p->w, "fn", SPAN("offset"));
	json_key(&p->w, "args");
	json_begin_array(&p->w);
	print_call(p, "datetime", SPAN("1970-01-01"));
	print_call(p, "duration", buf_span(&text));
	json_end_array(&p->w);
	json_end_object(&p->w);
	json_end_object(&p->w);
}

static bool has_string(const struct cedar_value *record, const char *key)
{
	const struct cedar_value *v = value_find(record, span_of(key));

	return v && v->kind == CEDAR_STRING;
}

/* Would the record be read as something else than a record? */
static bool is_escape(const struct cedar_value *v)
{
	const struct cedar_record_entry *only = v->record.entries;

	if (v->record.len != 1)
		return false;
	if (span_eq(only->key, SPAN("__expr")))
		return only->value->kind == CEDAR_STRING;
	if (only->value->kind != CEDAR_RECORD)
		return false;
	if (span_eq(only->key, SPAN("__entity")))
		return has_string(only->value, "type") && has_string(only->value, "id");
	return span_eq(only->key, SPAN("__extn")) && has_string(only->value, "fn") &&
	       (value_find(only->value, SPAN("arg")) || value_find(only->value, SPAN("args")));
}

static int print_members(struct json_printer *p, const struct cedar_value *v)
{
	int r = 0;

	json_begin_object(&p->w);
	for (size_t i = 0; r == 0 && i < v->record.len; i++) {
		json_key_span(&p->w, v->record.entries[i].key);
		r = print_value(p, v->record.entries[i].value);
	}
	json_end_object(&p->w);
	return r;
}

static int print_set(struct json_printer *p, const struct cedar_value *v)
{
	int r = 0;

	json_begin_array(&p->w);
	for (size_t i = 0; r == 0 && i < v->set.len; i++)
		r = print_value(p, v->set.items[i]);
	json_end_array(&p->w);
	return r;
}

static int print_value(struct json_printer *p, const struct cedar_value *v)
{
	switch (v->kind) {
	case CEDAR_BOOL:
		json_bool(&p->w, v->boolean);
		return 0;
	case CEDAR_LONG:
		json_int(&p->w, v->integer);
		return 0;
	case CEDAR_STRING:
		json_string(&p->w, v->string);
		return 0;
	case CEDAR_ENTITY:
		json_print_entity(p, v->uid);
		return 0;
	case CEDAR_SET:
		return print_set(p, v);
	case CEDAR_RECORD:
		return is_escape(v) ? -EINVAL : print_members(p, v);
	case CEDAR_DECIMAL:
	case CEDAR_IPADDR:
	case CEDAR_DURATION:
		return print_extension(p, v);
	case CEDAR_DATETIME:
		print_datetime(p, v->integer);
		return 0;
	case CEDAR_UNKNOWN:
		print_call(p, "unknown", v->string);
		return 0;
	}
	return -EINVAL;
}

int cedar_value_print_json(const struct cedar_value *v, struct buf *out)
{
	struct json_printer p = JSON_PRINTER_INIT(out);
	int r = print_value(&p, v);
	int end = json_printer_end(&p);

	return r < 0 ? r : end;
}

/* ---- Entities ------------------------------------------------------------ */

static int compare_entities(const void *a, const void *b)
{
	const struct entity *const *x = a;
	const struct entity *const *y = b;
	int c = span_cmp((*x)->uid.type, (*y)->uid.type);

	return c ? c : span_cmp((*x)->uid.id, (*y)->uid.id);
}

static int print_entity(struct json_printer *p, const struct entity *e)
{
	int r;

	json_begin_object(&p->w);
	json_key(&p->w, "uid");
	json_print_uid(&p->w, e->uid);
	json_key(&p->w, "attrs");
	r = print_members(p, e->attributes);
	json_key(&p->w, "parents");
	json_begin_array(&p->w);
	for (size_t i = 0; i < e->n_parents; i++)
		json_print_uid(&p->w, e->parents[i]);
	json_end_array(&p->w);
	if (r == 0 && e->tags && e->tags->record.len) {
		json_key(&p->w, "tags");
		r = print_members(p, e->tags);
	}
	json_end_object(&p->w);
	return r;
}

static int print_entities(struct json_printer *p, const struct cedar_entities *e)
{
	const struct entity **list = arena_alloc_array(&p->scratch, e->len, sizeof(*list));
	size_t n = 0;
	int r = 0;

	if (!list)
		return -EMSGSIZE;
	for (const struct entity *it = e->newest; it; it = it->older)
		list[n++] = it;
	if (n > 1)
		qsort(list, n, sizeof(*list), compare_entities);
	json_begin_array(&p->w);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = print_entity(p, list[i]);
	json_end_array(&p->w);
	return r;
}

int cedar_entities_print_json(const struct cedar_entities *e, struct buf *out)
{
	struct json_printer p = JSON_PRINTER_INIT(out);
	int r = print_entities(&p, e);
	int end = json_printer_end(&p);

	return r < 0 ? r : end;
}
