/*
 * A home and a workspace of the test's own, and a policy made for them.
 */
#pragma once

#include "unit.h"

#include "policy/policy.h"

struct fixture {
	char *root, *home, *workspace;
	struct policy_environment env;
	struct policy *policy;
	struct policy_decider *decider;
};

/* cmocka set-up and teardown: *state is a struct fixture without policy. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Uses what the source makes, and frees it. */
void use_source(struct fixture *f, struct policy_source *s);
/* Uses the profile and leash's own rules. */
void use_profile(struct fixture *f, const char *profile);
/* Uses just this text, as --policy would; $W and $H in it are workspace and home. */
void use_text(struct fixture *f, const char *text);
/* The same without validation, for policies that err on purpose. */
void use_odd_text(struct fixture *f, const char *text);
/* What loading the text reports; *ret_code as from policy_source_add_text. Free with xfree. */
char *report_of(struct fixture *f, enum policy_layer layer, const char *text, int *ret_code);

struct policy_decision decide(struct fixture *f, const struct policy_request *r);
/* path may begin with $W or $H. */
struct policy_decision decide_file(struct fixture *f, enum policy_action action, const char *path);
bool file_allowed(struct fixture *f, enum policy_action action, const char *path);
/* ip NULL: not known. */
bool host_allowed(struct fixture *f, enum policy_action action, const char *host, const char *ip,
		  uint16_t port);
bool name_resolves(struct fixture *f, const char *host);

char *fill_in(const struct fixture *f, const char *text);
void make_file(const struct fixture *f, const char *path, const char *content);
void make_dir(const struct fixture *f, const char *path);

#define assert_allowed(f, action, path) assert_true(file_allowed((f), (action), (path)))
#define assert_denied(f, action, path) assert_false(file_allowed((f), (action), (path)))

#define READ POLICY_FILE_OPEN_READ_ONLY
#define WRITE POLICY_FILE_OPEN_READ_WRITE
#define CREATE POLICY_FILE_CREATE
#define DELETE POLICY_FILE_DELETE
