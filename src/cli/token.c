/*
 * `leash token` and `leash ui`: how a running session's API is reached.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "api/browser.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/directories.h"
#include "cli/option-tables.h"
#include "cli/state.h"
#include "cli/usage.h"

#define TOKEN_FILE_MAX ((size_t)4096)

enum { OPTION_URL = 1, OPTION_PRINT };

const struct option_spec token_options[] = {
	{ "url", 0, NULL, "print the page's URL with the token in it", OPTION_URL, 0 },
	OPTION_HELP_ROW,
};
const size_t n_token_options = ARRAY_SIZE(token_options);

const struct option_spec ui_options[] = {
	{ "print", 0, NULL, "print the URL and open nothing", OPTION_PRINT, 0 },
	OPTION_HELP_ROW,
};
const size_t n_ui_options = ARRAY_SIZE(ui_options);

static const struct usage token_usage = {
	.name = "token",
	.arguments = "[FLAGS] [SESSION]",
	.description = "Prints the token of a running session's API, of the newest session by default. Whoever\n"
		       "has it sees all that the session does and may change its policy.\n",
	.options = token_options,
	.n_options = ARRAY_SIZE(token_options),
	.examples = "  curl -H \"Authorization: Bearer $(leash token)\" http://127.0.0.1:18080/api/session\n",
};

static const struct usage ui_usage = {
	.name = "ui",
	.arguments = "[FLAGS] [SESSION]",
	.description = "Opens the control page of a running session, of the newest one by default; where there is\n"
		       "no display, prints its URL.\n",
	.options = ui_options,
	.n_options = ARRAY_SIZE(ui_options),
};

/* Where the session is, and its token; in the arena. */
struct reached {
	struct arena arena;
	struct span url, token;
	char *token_file;
};

static void reached_done(struct reached *r)
{
	arena_done(&r->arena);
	xfree(r->token_file);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	(void)id;
	(void)value;
	(void)err;
	*(bool *)ctx = true;
	return 0;
}

static int read_file(struct reached *r, const char *id, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TOKEN_FILE_MAX);
	struct json *file = NULL;
	int code = file_read_at(AT_FDCWD, r->token_file, &text);

	if (code == -ENOENT)
		return err_say(err, code, "the session %s does not run, or serves no API (--listen)", id);
	if (code < 0)
		return err_set(err, code, "read %s", r->token_file);
	if (json_parse(&r->arena, buf_span(&text), &file, err) < 0)
		return err_wrap(err, -EBADMSG, "read %s", r->token_file);
	r->url = json_get_string(file, "url");
	r->token = json_get_string(file, "token");
	return r->url.len && r->token.len ? 0 :
					    err_say(err, -EBADMSG, "%s holds no token", r->token_file);
}

static int reach(const char *name, struct reached *r, struct err *err)
{
	_cleanup_free_ char *home = home_directory(err);
	_cleanup_free_ char *state = NULL;
	_cleanup_free_ char *runtime = NULL;
	_cleanup_free_ char *id = NULL;
	_cleanup_free_ char *directory = NULL;
	int code;

	if (!home)
		return -ENOENT;
	state = state_directory(home);
	runtime = runtime_directory(home);
	code = state_session_find(state, name, &id, &directory, err);
	if (code < 0)
		return code;
	r->token_file = state_token_file(runtime, id);
	return read_file(r, id, err);
}

static void append_url(const struct reached *r, struct buf *out)
{
	(void)buf_append_span(out, r->url);
	(void)buf_append_str(out, "#token=");
	(void)buf_append_span(out, r->token);
}

static int print_line(const struct buf *line)
{
	if (fd_write_all(STDOUT_FILENO, line->data, line->len) < 0 ||
	    fd_write_all(STDOUT_FILENO, "\n", 1) < 0)
		return 1;
	return 0;
}

/* -1: go on with argv[0], or NULL. */
static int parse(const struct usage *u, int argc, char **argv, bool *flag)
{
	int n_operands;
	int code = usage_parse(u, argc, argv, on_option, flag, &n_operands);

	if (code >= 0)
		return code;
	argv[n_operands] = NULL;
	if (n_operands <= 1)
		return -1;
	log_error("%s: too many words: %s", u->name, argv[1]);
	return EXIT_USAGE;
}

int command_token(int argc, char **argv)
{
	_cleanup_(reached_done) struct reached r = { 0 };
	_cleanup_buf_ struct buf line = BUF_INIT(0);
	struct err err = { 0 };
	bool want_url = false;
	int code = parse(&token_usage, argc, argv, &want_url);

	if (code >= 0)
		return code;
	if (reach(argv[0], &r, &err) < 0) {
		log_error("%s", err.text);
		return 1;
	}
	if (want_url)
		append_url(&r, &line);
	else
		(void)buf_append_span(&line, r.token);
	return print_line(&line);
}

int command_ui(int argc, char **argv)
{
	_cleanup_(reached_done) struct reached r = { 0 };
	_cleanup_buf_ struct buf url = BUF_INIT(0);
	struct err err = { 0 };
	bool want_print = false;
	int code = parse(&ui_usage, argc, argv, &want_print);

	if (code >= 0)
		return code;
	if (reach(argv[0], &r, &err) < 0) {
		log_error("%s", err.text);
		return 1;
	}
	append_url(&r, &url);
	if (want_print || !browser_is_there())
		return print_line(&url);
	if (browser_open(url.data, r.token_file, &err) < 0) {
		log_warning("%s", err.text);
		return print_line(&url);
	}
	return 0;
}
