#include "cli/otlp.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "event/linux-numbers.h"

/* Records of one line: what a collector takes in one request. */
#define RECORDS_MAX 500

/* OpenTelemetry's numbers (Logs Data Model, "Field: SeverityNumber"). */
enum severity {
	SEVERITY_INFO = 9,
	SEVERITY_WARN = 13,
	SEVERITY_ERROR = 17,
};

/* ---- Values ---------------------------------------------------------------- */

/* Protobuf's strings are UTF-8: what is not becomes U+FFFD, byte by byte. */
static void string_value(struct json_writer *w, struct span s)
{
	_cleanup_buf_ struct buf clean = BUF_INIT(0);
	uint32_t scalar;

	json_begin_object(w);
	json_key(w, "stringValue");
	if (utf8_is_valid(s)) {
		json_string(w, s);
	} else {
		while (s.len) {
			size_t n = utf8_decode(s, &scalar);

			(void)buf_append(&clean, n ? s.p : "\xef\xbf\xbd", n ? n : 3);
			s = span_from(s, n ? n : 1);
		}
		json_string(w, buf_span(&clean));
	}
	json_end_object(w);
}

/* Protobuf's JSON form has 64-bit numbers as strings. */
static void json_key_fixed64(struct json_writer *w, const char *key, uint64_t n)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	json_key_string(w, key, span_of(digits));
}

static void begin_attribute(struct json_writer *w, const char *key)
{
	json_begin_object(w);
	json_key_string(w, "key", span_of(key));
	json_key(w, "value");
}

static void attribute_text(struct json_writer *w, const char *key, struct span s)
{
	if (s.len == 0)
		return;
	begin_attribute(w, key);
	string_value(w, s);
	json_end_object(w);
}

static void attribute_name(struct json_writer *w, const char *key, const char *name)
{
	attribute_text(w, key, span_of(name));
}

static void attribute_number(struct json_writer *w, const char *key, bool is_there, int64_t n)
{
	char digits[24];

	if (!is_there)
		return;
	(void)snprintf(digits, sizeof(digits), "%lld", (long long)n);
	begin_attribute(w, key);
	json_begin_object(w);
	json_key_string(w, "intValue", span_of(digits));
	json_end_object(w);
	json_end_object(w);
}

/* Texts separated by NUL. */
static void attribute_list(struct json_writer *w, const char *key, struct span list)
{
	if (list.len == 0)
		return;
	begin_attribute(w, key);
	json_begin_object(w);
	json_key(w, "arrayValue");
	json_begin_object(w);
	json_key(w, "values");
	json_begin_array(w);
	while (list.len) {
		const char *end = memchr(list.p, 0, list.len);
		size_t n = end ? (size_t)(end - list.p) : list.len;

		string_value(w, span_make(list.p, n));
		list = span_from(list, n + 1);
	}
	json_end_array(w);
	json_end_object(w);
	json_end_object(w);
	json_end_object(w);
}

/* ---- A record -------------------------------------------------------------- */

static enum severity severity_of(const struct event *e)
{
	if (e->kind == EVENT_TAMPER || e->kind == EVENT_MISMATCH || e->kind == EVENT_LOST)
		return SEVERITY_ERROR;
	if (e->decision == EVENT_DENY || e->decision == EVENT_WOULD_DENY ||
	    e->kind == EVENT_REFUSED)
		return SEVERITY_WARN;
	return SEVERITY_INFO;
}

static const char *severity_name(enum severity s)
{
	return s == SEVERITY_ERROR ? "ERROR" : s == SEVERITY_WARN ? "WARN" : "INFO";
}

/* One line for people: "deny file.open /etc/shadow". */
static void write_body(struct json_writer *w, const struct event *e)
{
	const struct span objects[] = { e->path, e->url, e->host, e->ip, e->message };
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	if (e->decision != EVENT_DECISION_NONE)
		(void)buf_printf(&text, "%s ", event_decision_name(e->decision));
	(void)buf_append_str(&text, event_kind_name(e->kind));
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		if (objects[i].len == 0)
			continue;
		(void)buf_append_char(&text, ' ');
		(void)buf_append_span(&text, objects[i]);
		break;
	}
	json_key(w, "body");
	string_value(w, buf_span(&text));
}

static void attribute_true(struct json_writer *w, const char *key, bool is_so)
{
	if (!is_so)
		return;
	begin_attribute(w, key);
	json_begin_object(w);
	json_key_bool(w, "boolValue", true);
	json_end_object(w);
	json_end_object(w);
}

static void write_own_attributes(struct json_writer *w, const struct event_record *r)
{
	const struct event *e = &r->event;

	attribute_number(w, "leash.seq", true, (int64_t)r->seq);
	attribute_name(w, "leash.kind", event_kind_name(e->kind));
	if (e->decision != EVENT_DECISION_NONE) {
		attribute_name(w, "leash.decision", event_decision_name(e->decision));
		attribute_list(w, "leash.policies",
			       e->policies.len ? e->policies : SPAN("default"));
	}
	attribute_text(w, "leash.mode", e->mode);
	if (e->backend != EVENT_BACKEND_NONE)
		attribute_name(w, "leash.backend", event_backend_name(e->backend));
	attribute_number(w, "leash.generation", e->generation, (int64_t)e->generation);
	attribute_number(w, "leash.cause", e->cause, (int64_t)e->cause);
	attribute_number(w, "leash.latency_us", e->latency_us, e->latency_us);
	attribute_number(w, "leash.count", e->count, (int64_t)e->count);
	attribute_text(w, "leash.header", e->header);
	attribute_text(w, "leash.secret", e->secret);
	attribute_text(w, "leash.message", e->message);
	attribute_true(w, "leash.argv_cut", e->argv_cut);
	attribute_true(w, "leash.cut", e->is_cut);
	attribute_true(w, "leash.redacted", e->is_redacted);
}

/* Names that the semantic conventions have. */
static void write_process(struct json_writer *w, const struct event *e)
{
	attribute_number(w, "process.pid", e->pid, e->pid);
	attribute_number(w, "process.parent_pid", e->ppid, e->ppid);
	attribute_number(w, "process.user.id", e->has_uid, e->uid);
	attribute_text(w, "process.executable.path", e->exe);
	attribute_text(w, "process.executable.name", e->comm);
	attribute_text(w, "process.working_directory", e->cwd);
	attribute_list(w, "process.command_args", e->argv);
}

static void write_object(struct json_writer *w, const struct event *e)
{
	bool is_http = e->kind == EVENT_HTTP_REQUEST || e->kind == EVENT_WS_OPEN;
	const char *error = e->error ? linux_error_name(e->error) : NULL;

	attribute_text(w, "file.path", e->path);
	attribute_text(w, "leash.file.target", e->target);
	attribute_text(w, "leash.file.access", e->access);
	attribute_number(w, "leash.file.flags", e->has_flags, e->flags);
	attribute_number(w, "leash.file.mode", e->has_mode_bits, e->mode_bits);
	attribute_text(w, "server.address", e->host);
	attribute_number(w, "server.port", e->has_port, e->port);
	attribute_text(w, "network.peer.address", e->ip);
	attribute_text(w, "network.transport", e->protocol);
	attribute_text(w, "network.type", e->family);
	attribute_number(w, "leash.bytes_in", e->bytes_in, (int64_t)e->bytes_in);
	attribute_number(w, "leash.bytes_out", e->bytes_out, (int64_t)e->bytes_out);
	attribute_text(w, "http.request.method", e->method);
	attribute_text(w, "url.full", e->url);
	attribute_number(w, is_http ? "http.response.status_code" : "process.exit.code",
			 e->has_status, e->status);
	attribute_name(w, "error.type", error ? error : "");
	attribute_number(w, "leash.error", e->error && !error, e->error);
}

static void write_record(struct json_writer *w, const struct event_record *r)
{
	enum severity severity = severity_of(&r->event);

	json_begin_object(w);
	json_key_fixed64(w, "timeUnixNano", r->event.time_ns);
	json_key_fixed64(w, "observedTimeUnixNano", r->event.time_ns);
	json_key_int(w, "severityNumber", (int)severity);
	json_key_string(w, "severityText", span_of(severity_name(severity)));
	json_key_string(w, "eventName", span_of(event_kind_name(r->event.kind)));
	write_body(w, &r->event);
	json_key(w, "attributes");
	json_begin_array(w);
	write_own_attributes(w, r);
	write_process(w, &r->event);
	write_object(w, &r->event);
	json_end_array(w);
	json_end_object(w);
}

/* ---- A line ---------------------------------------------------------------- */

static void begin_line(struct otlp *o)
{
	struct json_writer *w = &o->w;

	json_begin_object(w);
	json_key(w, "resourceLogs");
	json_begin_array(w);
	json_begin_object(w);
	json_key(w, "resource");
	json_begin_object(w);
	json_key(w, "attributes");
	json_begin_array(w);
	attribute_name(w, "service.name", "leash");
	attribute_name(w, "service.version", LEASH_VERSION);
	attribute_name(w, "service.instance.id", o->session);
	json_end_array(w);
	json_end_object(w);
	json_key(w, "scopeLogs");
	json_begin_array(w);
	json_begin_object(w);
	json_key(w, "scope");
	json_begin_object(w);
	json_key_string(w, "name", SPAN("leash"));
	json_key_string(w, "version", span_of(LEASH_VERSION));
	json_end_object(w);
	json_key(w, "logRecords");
	json_begin_array(w);
}

void otlp_end(struct otlp *o)
{
	struct json_writer *w = &o->w;

	if (!o->n_records)
		return;
	json_end_array(w);
	json_end_object(w);
	json_end_array(w);
	json_end_object(w);
	json_end_array(w);
	json_end_object(w);
	(void)buf_append_char(w->out, '\n');
	w->has_items = false;
	o->n_records = 0;
}

void otlp_add(struct otlp *o, const struct event_record *r)
{
	if (!o->n_records)
		begin_line(o);
	write_record(&o->w, r);
	if (++o->n_records >= RECORDS_MAX)
		otlp_end(o);
}
