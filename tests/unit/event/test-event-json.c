#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"

#define TIME UINT64_C(1767323045123456789) /* 2026-01-02T03:04:05.123456789Z */
#define HEAD "{\"seq\":7,\"time\":\"2026-01-02T03:04:05.123456789Z\",\"session\":\"s\","

static void assert_json(struct event e, const char *expected)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	e.time_ns = TIME;
	assert_int_equal(event_to_json(&e, 7, "s", NULL, &out), 0);
	assert_string_equal(out.data, expected);
}

static struct event from_process(enum event_kind kind, enum event_decision decision)
{
	return (struct event){ .kind = kind,
			       .decision = decision,
			       .backend = EVENT_BACKEND_SUPERVISOR,
			       .mode = SPAN("enforce"),
			       .generation = 3,
			       .pid = 20,
			       .ppid = 10,
			       .has_uid = true,
			       .exe = SPAN("/bin/cat"),
			       .comm = SPAN("cat") };
}

#define PROCESS "\"pid\":20,\"ppid\":10,\"uid\":0,\"exe\":\"/bin/cat\",\"comm\":\"cat\""
#define SUPERVISED "\"mode\":\"enforce\",\"backend\":\"supervisor\",\"generation\":3," PROCESS

static void files(void **state)
{
	struct event e = from_process(EVENT_FILE_OPEN, EVENT_DENY);

	(void)state;
	e.path = SPAN("/etc/shadow");
	e.access = SPAN("read");
	e.has_flags = true;
	e.flags = O_RDONLY | O_CLOEXEC;
	e.error = EACCES;
	e.latency_us = 17;
	assert_json(e, HEAD
		    "\"kind\":\"file.open\",\"decision\":\"deny\",\"policies\":[\"default\"]"
		    "," SUPERVISED ",\"path\":\"/etc/shadow\",\"access\":\"read\","
		    "\"flags\":\"O_RDONLY|O_CLOEXEC\",\"error\":\"EACCES\",\"latency_us\":17}");

	e = from_process(EVENT_FILE_CREATE, EVENT_ALLOW);
	e.policies = SPAN("a/1\0b");
	e.path = SPAN("/w/x");
	e.has_flags = e.has_mode_bits = true;
	e.flags = O_WRONLY | O_CREAT | O_TRUNC | 0x80000000u;
	e.mode_bits = 0644;
	assert_json(e, HEAD
		    "\"kind\":\"file.create\",\"decision\":\"allow\",\"policies\":[\"a/"
		    "1\",\"b\"]," SUPERVISED ",\"path\":\"/w/x\","
		    "\"flags\":\"O_WRONLY|O_CREAT|O_TRUNC|0x80000000\",\"mode_bits\":\"0644\"}");

	e = from_process(EVENT_FILE_RENAME, EVENT_WOULD_DENY);
	e.path = SPAN("/w/x");
	e.target = SPAN("/w/y");
	assert_json(e, HEAD "\"kind\":\"file.rename\",\"decision\":\"would-deny\",\"policies\":["
			    "\"default\"]," SUPERVISED ",\"path\":\"/w/x\",\"target\":\"/w/y\"}");
}

static void open_flags_have_one_name_each(void **state)
{
	struct event e = { .kind = EVENT_FILE_OPEN, .has_flags = true };
	_cleanup_buf_ struct buf out = BUF_INIT(2000);

	(void)state;
	e.flags = O_RDWR | O_TMPFILE;
	assert_json(e, HEAD "\"kind\":\"file.open\",\"flags\":\"O_RDWR|O_TMPFILE\"}");
	e.flags = O_DIRECTORY;
	assert_json(e, HEAD "\"kind\":\"file.open\",\"flags\":\"O_RDONLY|O_DIRECTORY\"}");
	e.flags = O_PATH | O_NOFOLLOW;
	assert_json(e, HEAD "\"kind\":\"file.open\",\"flags\":\"O_PATH|O_NOFOLLOW\"}");
	e.flags = O_WRONLY | O_SYNC;
	assert_json(e, HEAD "\"kind\":\"file.open\",\"flags\":\"O_WRONLY|O_SYNC\"}");
	e.flags = O_WRONLY | O_DSYNC;
	assert_json(e, HEAD "\"kind\":\"file.open\",\"flags\":\"O_WRONLY|O_DSYNC\"}");
	e.flags = UINT32_MAX; /* whatever a process passes, all of it fits and is named */
	assert_int_equal(event_to_json(&e, 0, NULL, NULL, &out), 0);
	assert_non_null(strstr(out.data, "|O_CLOEXEC|0x"));
}

static void processes(void **state)
{
	struct event e = from_process(EVENT_PROC_EXEC, EVENT_ALLOW);

	(void)state;
	e.policies = SPAN("p");
	e.cwd = SPAN("/w");
	e.argv = SPAN("cat\0\0-n\0");
	e.argv_cut = true;
	e.path = SPAN("/bin/cat");
	assert_json(e, HEAD
		    "\"kind\":\"proc.exec\",\"decision\":\"allow\",\"policies\":[\"p\"]," SUPERVISED
		    ",\"cwd\":\"/w\",\"argv\":[\"cat\",\"\",\"-n\"],"
		    "\"argv_cut\":true,\"path\":\"/bin/cat\"}");

	e = (struct event){ .kind = EVENT_PROC_EXIT, .pid = 20, .has_status = true };
	assert_json(e, HEAD "\"kind\":\"proc.exit\",\"pid\":20,\"status\":0}");
}

static void network(void **state)
{
	struct event e = { .kind = EVENT_NET_CONNECT,
			   .decision = EVENT_ALLOW,
			   .backend = EVENT_BACKEND_PROXY,
			   .policies = SPAN("p"),
			   .host = SPAN("example.com"),
			   .ip = SPAN("2001:db8::1"),
			   .has_port = true,
			   .port = 443,
			   .protocol = SPAN("tcp"),
			   .family = SPAN("ipv6") };

	(void)state;
	assert_json(e, HEAD "\"kind\":\"net.connect\",\"decision\":\"allow\",\"policies\":[\"p\"],"
			    "\"backend\":\"proxy\",\"host\":\"example.com\",\"ip\":\"2001:db8::1\","
			    "\"port\":443,\"protocol\":\"tcp\",\"family\":\"ipv6\"}");
	e = (struct event){ .kind = EVENT_NET_CLOSE, .bytes_in = UINT64_MAX, .bytes_out = 1 };
	assert_json(e, HEAD
		    "\"kind\":\"net.close\",\"bytes_in\":18446744073709551615,\"bytes_out\":1}");
	e = (struct event){ .kind = EVENT_HTTP_REQUEST,
			    .method = SPAN("GET"),
			    .url = SPAN("https://example.com/"),
			    .has_status = true,
			    .status = 200 };
	assert_json(e, HEAD "\"kind\":\"http.request\",\"method\":\"GET\","
			    "\"url\":\"https://example.com/\",\"status\":200}");
	e = (struct event){ .kind = EVENT_HTTP_REWRITE,
			    .host = SPAN("example.com"),
			    .header = SPAN("authorization"),
			    .secret = SPAN("TOKEN") };
	assert_json(e, HEAD "\"kind\":\"http.rewrite\",\"host\":\"example.com\","
			    "\"header\":\"authorization\",\"secret\":\"TOKEN\"}");
}

/* The kinds that carry little: each under its own name, which leads back to it. */
static void every_kind_has_its_name(void **state)
{
	static const char *const names[] = {
		"file.open",	"file.create",	  "file.delete",   "file.rename",   "file.link",
		"file.attr",	"proc.exec",	  "proc.exit",	   "net.connect",   "net.listen",
		"net.datagram", "net.close",	  "dns.query",	   "http.request",  "ws.open",
		"http.rewrite", "policy.applied", "session.start", "session.ready", "session.stop",
		"tamper",	"mismatch",	  "refused",	   "lost",
	};
	char expected[200];

	(void)state;
	assert_int_equal(ARRAY_SIZE(names), EVENT_KIND_MAX - 1);
	for (int k = 1; k < EVENT_KIND_MAX; k++) {
		(void)snprintf(expected, sizeof(expected), HEAD "\"kind\":\"%s\",\"count\":5}",
			       names[k - 1]);
		assert_json((struct event){ .kind = (enum event_kind)k, .count = 5 }, expected);
		assert_int_equal(event_kind_from_name(span_of(names[k - 1])), k);
	}
	assert_int_equal(event_kind_from_name(SPAN("none")), EVENT_NONE);
	assert_int_equal(event_kind_from_name(SPAN("file")), EVENT_NONE);
	assert_string_equal(event_kind_name(EVENT_KIND_MAX), "none");
	assert_int_equal(event_decision_from_name(SPAN("would-deny")), EVENT_WOULD_DENY);
	assert_int_equal(event_decision_from_name(SPAN("none")), EVENT_DECISION_NONE);
}

static void errors_go_by_name_and_unknown_ones_by_number(void **state)
{
	(void)state;
	assert_json((struct event){ .kind = EVENT_REFUSED, .error = EPERM },
		    HEAD "\"kind\":\"refused\",\"error\":\"EPERM\"}");
	assert_json((struct event){ .kind = EVENT_REFUSED, .error = 4000 },
		    HEAD "\"kind\":\"refused\",\"error\":4000}");
}

static void assert_path(struct span path, const char *json)
{
	char expected[300];

	(void)snprintf(expected, sizeof(expected), HEAD "\"kind\":\"file.open\",\"path\":\"%s\"}",
		       json);
	assert_json((struct event){ .kind = EVENT_FILE_OPEN, .path = path }, expected);
}

/* A name can neither end a record, nor act on a terminal, nor pass for another name. */
static void names_are_escaped_so_that_none_looks_like_another(void **state)
{
	(void)state;
	assert_path(SPAN("/a\nb"), "/a\\nb");
	assert_path(SPAN("/a\\nb"), "/a\\\\nb");
	assert_path(SPAN("/a\"},{\"x"), "/a\\\"},{\\\"x");
	assert_path(SPAN("/\x1b[31m\x7f"), "/\\u001b[31m\\u007f");
	assert_path(SPAN("/\xc2\x9b"
			 "31m"),
		    "/\\u009b31m"); /* C1 CSI */
	assert_path(SPAN("/\xe2\x80\xae"
			 "txt.exe"),
		    "/\\u202etxt.exe"); /* right-to-left override */
	assert_path(SPAN("/\xe2\x81\xa6"), "/\\u2066");
	assert_path(SPAN("/\xe2\x80\x8b"), "/\\u200b");		   /* zero width space */
	assert_path(SPAN("/\xf3\xa0\x81\x81"), "/\\udb40\\udc41"); /* tag letter */
	assert_path(SPAN("/\xc3\xa4\xf0\x9f\x98\x80"), "/\xc3\xa4\xf0\x9f\x98\x80");
	assert_path(SPAN("/\xff"), "/\\udcff");
	assert_path(SPAN("/\\udcff"), "/\\\\udcff");
	assert_path(SPAN("/\xed\xb3\xbf"),
		    "/\\udced\\udcb3\\udcbf");		   /* U+DCFF as bytes is no UTF-8 */
	assert_path(SPAN("/\xc0\xaf"), "/\\udcc0\\udcaf"); /* overlong slash */
}

static void prev_comes_last(void **state)
{
	struct event e = { .kind = EVENT_LOST,
			   .message = SPAN("m"),
			   .is_cut = true,
			   .is_redacted = true,
			   .cause = 7 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(event_to_json(&e, 0, NULL, "00ff", &out), 0);
	assert_string_equal(out.data,
			    "{\"kind\":\"lost\",\"message\":\"m\",\"cut\":true,\"redacted\":true,"
			    "\"cause\":7,\"prev\":\"00ff\"}");
}

static void a_full_buffer_is_an_error(void **state)
{
	struct event e = { .kind = EVENT_LOST, .message = SPAN("a long message") };
	struct buf out = BUF_INIT(20);

	(void)state;
	assert_int_equal(event_to_json(&e, 0, NULL, NULL, &out), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(open_flags_have_one_name_each),
		cmocka_unit_test(processes),
		cmocka_unit_test(network),
		cmocka_unit_test(every_kind_has_its_name),
		cmocka_unit_test(errors_go_by_name_and_unknown_ones_by_number),
		cmocka_unit_test(names_are_escaped_so_that_none_looks_like_another),
		cmocka_unit_test(prev_comes_last),
		cmocka_unit_test(a_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
