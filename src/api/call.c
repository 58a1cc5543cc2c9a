#include "api/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "policy/json.h"

void api_call_init(struct api_call *c)
{
	c->arena.max = LIMIT_API_ARENA;
	c->out.max = LIMIT_API_REPLY;
	c->json.out = &c->out;
}

void api_call_reset(struct api_call *c)
{
	struct api_call fresh = { .api = c->api, .connection = c->connection };

	api_call_done(c);
	*c = fresh;
	api_call_init(c);
}

void api_call_done(struct api_call *c)
{
	arena_done(&c->arena);
	buf_done(&c->out);
}

bool api_keep(struct api_call *c, struct span s, struct span *ret)
{
	char *copy = arena_dup(&c->arena, s);

	if (!copy) {
		api_problem(c, 413, "the request is too large to be looked at");
		return false;
	}
	*ret = span_make(copy, s.len);
	return true;
}

/* ---- Answers ------------------------------------------------------------------ */

static void begin(struct api_call *c, int status, const char *type)
{
	buf_reset(&c->out);
	c->json = (struct json_writer){ .out = &c->out };
	c->file = (struct span){ 0 };
	c->status = status;
	c->type = type;
}

struct json_writer *api_answer_json(struct api_call *c, int status)
{
	begin(c, status, "application/json");
	return &c->json;
}

void api_answer_text(struct api_call *c, int status, const char *type, struct span text)
{
	begin(c, status, type);
	(void)buf_append_span(&c->out, text);
}

void api_answer_field(struct api_call *c, const char *name, struct span value)
{
	if (c->n_fields < API_MAX_FIELDS)
		c->fields[c->n_fields++] = (struct api_field_out){ name, value };
}

const char *api_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Internal Server Error";
}

/* RFC 9457. */
_printf_(3, 0) static void begin_problem(struct api_call *c, int status, const char *fmt,
					 va_list args)
{
	char detail[600];

	begin(c, status, "application/problem+json");
	(void)vsnprintf(detail, sizeof(detail), fmt, args);
	json_begin_object(&c->json);
	json_key_string(&c->json, "type", SPAN("about:blank"));
	json_key_string(&c->json, "title", span_of(api_reason(status)));
	json_key_int(&c->json, "status", status);
	json_key_string(&c->json, "detail", span_of(detail));
}

void api_problem(struct api_call *c, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin_problem(c, status, fmt, args);
	va_end(args);
	json_end_object(&c->json);
}

void api_problem_key(struct api_call *c, struct span key, const char *fmt, ...)
{
	char copy[100];
	size_t len = MIN(key.len, sizeof(copy));
	va_list args;

	/* It may lie in the answer that is being replaced. */
	if (len)
		memcpy(copy, key.p, len);
	va_start(args, fmt);
	begin_problem(c, 400, fmt, args);
	va_end(args);
	json_key_string(&c->json, "key", span_make(copy, len));
	json_end_object(&c->json);
}

void api_json_raw(struct json_writer *w, struct span json)
{
	(void)buf_append_span(w->out, json);
	w->after_key = false;
	w->has_items = true;
}

void api_json_ms(struct json_writer *w, double ms)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.3f", ms);
	json_key(w, "milliseconds");
	api_json_raw(w, span_of(text));
}

static void json_finding(struct json_writer *w, const struct policy_finding *f)
{
	json_begin_object(w);
	policy_json_finding(w, f);
	json_key_uint(w, "offset", f->begin);
	json_key_uint(w, "length", f->end - f->begin);
	json_end_object(w);
}

void api_json_findings(struct json_writer *w, const struct policy_findings *list)
{
	json_begin_array(w);
	for (size_t i = 0; i < list->len; i++)
		json_finding(w, &list->items[i]);
	json_end_array(w);
}

static void findings(struct api_call *c, const struct policy_findings *list, const char *fmt, ...)
	_printf_(3, 4);

static void findings(struct api_call *c, const struct policy_findings *list, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin_problem(c, 422, fmt, args);
	va_end(args);
	json_key(&c->json, "findings");
	api_json_findings(&c->json, list);
	json_end_object(&c->json);
}

void api_problem_findings(struct api_call *c, const struct policy_findings *list,
			  const char *detail)
{
	findings(c, list, "%s", detail);
}

/* ---- Bodies ------------------------------------------------------------------- */

static const char *type_name(enum json_type type)
{
	switch (type) {
	case JSON_BOOL:
		return "true or false";
	case JSON_NUMBER:
		return "a number";
	case JSON_STRING:
		return "a string";
	case JSON_ARRAY:
		return "an array";
	case JSON_OBJECT:
		return "an object";
	case JSON_NULL:
		break;
	}
	return "null";
}

static const struct api_key *find_key(const struct api_key *keys, size_t n, struct span name)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq_str(name, keys[i].name))
			return &keys[i];
	return NULL;
}

bool api_read_object(struct api_call *c, const struct json *object, const char *where,
		     const struct api_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*keys[i].value = NULL;
	if (object && object->type != JSON_OBJECT) {
		api_problem(c, 400, "%s must be an object", where);
		return false;
	}
	for (const struct json *m = object ? object->first : NULL; m; m = m->next) {
		const struct api_key *key = find_key(keys, n, m->key);

		if (!key) {
			api_problem_key(c, m->key, "%s has no key of that name", where);
			return false;
		}
		if (m->type != key->type) {
			api_problem_key(c, m->key, "%s must be %s", key->name,
					type_name(key->type));
			return false;
		}
		*key->value = m;
	}
	for (size_t i = 0; i < n; i++) {
		if (keys[i].is_needed && !*keys[i].value) {
			api_problem_key(c, span_of(keys[i].name), "%s is missing", keys[i].name);
			return false;
		}
	}
	return true;
}

bool api_read_body(struct api_call *c, const struct api_key *keys, size_t n)
{
	struct json *body = NULL;
	struct err err = { 0 };

	if (c->body.len && json_parse(&c->arena, c->body, &body, &err) < 0) {
		if (err.code == -ENOMEM)
			api_problem(c, 413, "the body is too large to be looked at");
		else
			api_problem(c, 400, "the body is no JSON: %s", err.text);
		return false;
	}
	return api_read_object(c, body, "the body", keys, n);
}

bool api_read_uint(struct api_call *c, const struct json *value, const char *key, uint64_t max,
		   uint64_t *ret)
{
	if (!value)
		return true;
	if (json_to_uint(value, ret) && *ret <= max)
		return true;
	api_problem_key(c, span_of(key), "%s must be a whole number from 0 to %llu", key,
			(unsigned long long)max);
	return false;
}

/* ---- The query ---------------------------------------------------------------- */

/* As URLSearchParams write it: %XX, and + for a blank. */
static bool decode(struct api_call *c, struct span text, struct span *ret)
{
	char *out = arena_dup(&c->arena, text);
	size_t n = 0;

	for (size_t i = 0; out && i < text.len; i++) {
		int high = -1, low = -1;

		if (text.p[i] != '%') {
			out[n++] = text.p[i] == '+' ? ' ' : text.p[i];
			continue;
		}
		if (i + 2 < text.len) {
			high = ascii_hex_value(text.p[i + 1]);
			low = ascii_hex_value(text.p[i + 2]);
		}
		/* A NUL would end the text early for whoever takes it for a C string. */
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			out = NULL;
		else
			out[n++] = (char)(high << 4 | low);
		i += 2;
	}
	if (!out) {
		api_problem(c, 400, "the query is malformed");
		return false;
	}
	out[n] = 0;
	*ret = span_make(out, n);
	return true;
}

int api_query_next(struct api_call *c, struct api_query *q)
{
	struct span part = { 0 };
	const char *equals;

	while (q->rest.len && part.len == 0) {
		const char *end = memchr(q->rest.p, '&', q->rest.len);

		part = span_make(q->rest.p, end ? (size_t)(end - q->rest.p) : q->rest.len);
		q->rest = span_from(q->rest, part.len + 1);
	}
	if (part.len == 0)
		return 0;
	equals = memchr(part.p, '=', part.len);
	if (!decode(c, span_make(part.p, equals ? (size_t)(equals - part.p) : part.len),
		    &q->name) ||
	    !decode(c, equals ? span_from(part, (size_t)(equals - part.p) + 1) : (struct span){ 0 },
		    &q->value))
		return -1;
	return 1;
}

bool api_query_is_empty(struct api_call *c)
{
	struct api_query q = { .rest = c->query };
	int r = api_query_next(c, &q);

	if (r > 0)
		api_problem_key(c, q.name, "there is no parameter of that name here");
	return r == 0;
}

bool api_query_uint(struct api_call *c, const struct api_query *q, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;
	bool is_good = q->value.len > 0 && q->value.len <= 19;

	for (size_t i = 0; is_good && i < q->value.len; i++) {
		is_good = q->value.p[i] >= '0' && q->value.p[i] <= '9';
		n = n * 10 + (uint64_t)(q->value.p[i] - '0');
	}
	if (is_good && n <= max) {
		*ret = n;
		return true;
	}
	api_problem_key(c, q->name, "%.*s must be a whole number from 0 to %llu",
			(int)MIN(q->name.len, 40), q->name.p, (unsigned long long)max);
	return false;
}
