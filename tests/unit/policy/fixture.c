#include "fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "policy/host.h"

int fixture_setup(void **state)
{
	struct fixture *f = xnew(struct fixture);
	char root[] = "/var/tmp/leash-policy-XXXXXX";

	assert_non_null(mkdtemp(root));
	f->root = path_resolve(root);
	f->home = path_join(f->root, "home");
	f->workspace = path_join(f->root, "home/work");
	assert_int_equal(mkdir_all(f->workspace, 0755), 0);
	f->env = (struct policy_environment){
		.agent = "claude",
		.home = f->home,
		.workspace = f->workspace,
		.profile = "guarded",
	};
	f->decider = policy_decider_new(64);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	char *const argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, f->root, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		(void)execvp("rm", argv);
		_exit(127);
	}
	policy_decider_free(f->decider);
	policy_unref(f->policy);
	xfree(f->home);
	xfree(f->workspace);
	xfree(f->root);
	xfree(f);
	return 0;
}

char *fill_in(const struct fixture *f, const char *text)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	for (; *text; text++) {
		if (text[0] == '$' && (text[1] == 'W' || text[1] == 'H')) {
			(void)buf_append_str(&out, text[1] == 'W' ? f->workspace : f->home);
			text++;
		} else {
			(void)buf_append_char(&out, *text);
		}
	}
	(void)buf_append_str(&out, "");
	return buf_take(&out);
}

void make_dir(const struct fixture *f, const char *path)
{
	_cleanup_free_ char *full = fill_in(f, path);

	assert_int_equal(mkdir_all(full, 0755), 0);
}

void make_file(const struct fixture *f, const char *path, const char *content)
{
	_cleanup_free_ char *full = fill_in(f, path);
	_cleanup_free_ char *parent = xmemdup0(full, (size_t)(strrchr(full, '/') - full));
	_cleanup_free_ char *text = fill_in(f, content);

	assert_int_equal(mkdir_all(parent, 0755), 0);
	assert_int_equal(file_replace(full, span_of(text), 0644, false, NULL), 0);
}

void use_source(struct fixture *f, struct policy_source *s)
{
	struct err err = { 0 };
	_cleanup_close_ int fd = policy_source_bundle(s, 7, &err);

	if (fd < 0)
		fail_msg("%s", err.text);
	policy_unref(f->policy);
	f->policy = NULL;
	if (policy_open(fd, &f->policy, &err) < 0)
		fail_msg("%s", err.text);
	policy_source_free(s);
}

void use_profile(struct fixture *f, const char *profile)
{
	struct policy_source *s;
	struct err err = { 0 };

	f->env.profile = profile;
	s = policy_source_new(&f->env);
	if (policy_source_add_builtin(s, /* with_profile = */ true, &err) < 0)
		fail_msg("%s", err.text);
	use_source(f, s);
}

static void use_file_text(struct fixture *f, const char *text, bool is_odd)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	_cleanup_free_ char *filled = fill_in(f, text);
	struct policy_source *s = policy_source_new(&f->env);
	struct err err = { 0 };

	if (is_odd)
		policy_source_skip_validation(s);
	if (policy_source_add_builtin(s, /* with_profile = */ false, &err) < 0)
		fail_msg("%s", err.text);
	if (policy_source_add_text(s, POLICY_LAYER_FILE, "test.cedar", span_of(filled), false,
				   &report, &err) < 0)
		fail_msg("%s\n%s", err.text, report.data);
	use_source(f, s);
}

void use_text(struct fixture *f, const char *text)
{
	use_file_text(f, text, /* is_odd = */ false);
}

void use_odd_text(struct fixture *f, const char *text)
{
	use_file_text(f, text, /* is_odd = */ true);
}

char *report_of(struct fixture *f, enum policy_layer layer, const char *text, int *ret_code)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct err err = { 0 };

	*ret_code =
		policy_source_add_text(s, layer, "test.cedar", span_of(text), false, &report, &err);
	policy_source_free(s);
	(void)buf_append_str(&report, "");
	return buf_take(&report);
}

struct policy_decision decide(struct fixture *f, const struct policy_request *r)
{
	struct policy_decision d;

	policy_decide(f->decider, f->policy, r, &d);
	return d;
}

struct policy_decision decide_file(struct fixture *f, enum policy_action action, const char *path)
{
	_cleanup_free_ char *full = fill_in(f, path);
	struct policy_request r = { .action = action, .path = span_of(full) };
	struct stat st;

	r.is_directory = lstat(full, &st) == 0 && S_ISDIR(st.st_mode);
	return decide(f, &r);
}

bool file_allowed(struct fixture *f, enum policy_action action, const char *path)
{
	return decide_file(f, action, path).verdict == DECISION_ALLOW;
}

bool host_allowed(struct fixture *f, enum policy_action action, const char *host, const char *ip,
		  uint16_t port)
{
	struct policy_request r = {
		.action = action,
		.host = span_of(host),
		.port = port,
		.protocol = SPAN("tcp"),
		.has_address = ip,
	};

	if (ip)
		assert_true(policy_address_parse(span_of(ip), &r.address));
	return decide(f, &r).verdict == DECISION_ALLOW;
}

bool name_resolves(struct fixture *f, const char *host)
{
	struct policy_request r = { .action = POLICY_DNS_RESOLVE, .host = span_of(host) };

	return decide(f, &r).verdict == DECISION_ALLOW;
}
