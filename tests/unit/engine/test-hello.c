/* What to run, written outside and read inside; damage is refused. */
#include <errno.h>

#include "engine/hello.h"
#include "unit.h"

static void write_one(struct buf *out)
{
	char *argv[] = { (char[]){ "agent" }, (char[]){ "" }, (char[]){ "two\nlines\xff" }, NULL };
	char file[] = "/.leash/config/policy.cedar", project[] = "/w/.leash/policy.cedar";
	struct policy_layers layers = {
		.environment = { .agent = "agent", .profile = "guarded", .mode = POLICY_SHADOW },
		.user_file = file,
		.project_file = project,
		.session_text = SPAN("permit (principal, action, resource);")
	};
	struct environment environment = { 0 };
	secret_specs secrets = { 0 };
	struct secret_spec secret = { .name = xstrdup("TOKEN") };
	published_ports ports = { 0 };
	struct api_listen listen = { .address = "127.0.0.1", .port = 18080, .fd = -1 };
	const struct sandbox_mount mounts[] = { { "/data", "/data", true }, { "/x", "/y", false } };
	const struct session_options o = { .id = "20260131-142501-k3f9",
					   .directory = "/.leash/session",
					   .argv = argv,
					   .cwd = "/w",
					   .workspace = "/w",
					   .layers = &layers,
					   .environment = &environment,
					   .secrets = &secrets,
					   .ports = &ports,
					   .mounts = mounts,
					   .n_mounts = 2,
					   .limits = { .max_pids = 7 },
					   .listen = &listen,
					   .token_file = "/.leash/run/x.json",
					   .attach_socket = "/.leash/run/x.sock",
					   .want_pty = true };
	const struct hello_extra extra = { "dev", { .ws_row = 50, .ws_col = 132 } };
	struct err err = { 0 };

	environment_set(&environment, "KEY", "a=b");
	environment_set(&environment, "EMPTY", "");
	vec_push(&ports, (struct published_port){ xstrdup("127.0.0.1"), 8080, 80, -1 });
	vec_push(&secret.hosts, (struct secret_host){ xstrdup("api.test"), 443, false });
	assert_int_equal(secret_copy(SPAN("value-of-it"), &secret.value), 0);
	assert_int_equal(secret_copy(SPAN("placeholder"), &secret.placeholder), 0);
	vec_push(&secrets, secret);
	assert_int_equal(hello_write(&o, &extra, out, &err), 0);
	environment_done(&environment);
	secret_specs_done(&secrets);
	publish_done(&ports);
}

static void test_round_trip(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);
	struct err err = { 0 };
	struct hello h;

	(void)state;
	write_one(&b);
	assert_int_equal(hello_read(buf_span(&b), &h, &err), 0);
	assert_string_equal(h.options.id, "20260131-142501-k3f9");
	assert_string_equal(h.options.cwd, "/w");
	assert_string_equal(h.user, "dev");
	assert_string_equal(h.options.argv[0], "agent");
	assert_string_equal(h.options.argv[1], "");
	assert_string_equal(h.options.argv[2], "two\nlines\xff");
	assert_null(h.options.argv[3]);
	assert_string_equal(environment_get(&h.environment, "KEY"), "a=b");
	assert_string_equal(environment_get(&h.environment, "EMPTY"), "");
	assert_int_equal(h.layers.environment.mode, POLICY_SHADOW);
	assert_true(span_eq(h.layers.session_text, SPAN("permit (principal, action, resource);")));
	assert_null(h.layers.policy_file);
	assert_int_equal(h.options.n_mounts, 2);
	assert_true(h.options.mounts[0].is_read_only);
	assert_string_equal(h.options.mounts[1].source, "/y");
	assert_int_equal(h.options.limits.max_pids, 7);
	assert_int_equal(h.window.ws_col, 132);
	assert_true(h.options.want_pty);
	assert_string_equal(h.options.attach_socket, "/.leash/run/x.sock");
	assert_string_equal(h.listen.address, "127.0.0.1");
	assert_int_equal(h.ports.items[0].container, 80);
	assert_int_equal(h.ports.items[0].listen_fd, -1);
	assert_string_equal(h.secrets.items[0].hosts.items[0].host, "api.test");
	assert_true(span_eq(secret_span(&h.secrets.items[0].value), SPAN("value-of-it")));
	hello_done(&h);
}

/* Cut off anywhere it is no message, or one that lacks something; it is never read beyond. */
static void test_cut(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);

	(void)state;
	write_one(&b);
	for (size_t n = 0; n < b.len; n++) {
		_cleanup_free_ char *copy = xmemdup0(b.data, n);
		struct err err = { 0 };
		struct hello h;
		int r = hello_read(span_make(copy, n), &h, &err);

		assert_true(r == 0 || err.code < 0);
		hello_done(&h);
	}
}

static void test_damaged(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);

	(void)state;
	write_one(&b);
	for (size_t n = 0; n < b.len; n++) {
		_cleanup_free_ char *copy = xmemdup0(b.data, b.len);
		struct err err = { 0 };
		struct hello h;
		int r;

		copy[n] = (char)(copy[n] ^ 0x55);
		r = hello_read(span_make(copy, b.len), &h, &err);
		assert_true(r == 0 || err.code < 0);
		hello_done(&h);
	}
}

static void test_other_version(void **state)
{
	static const char version[] = { 1, 0, 0, 0, 5, 0, 0, 0, '0', '.', '0', '.', '0' };
	struct err err = { 0 };
	struct hello h;

	(void)state;
	assert_int_equal(hello_read(span_make(version, sizeof(version)), &h, &err), -EPROTO);
	hello_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_other_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
