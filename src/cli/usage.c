#include "cli/usage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/command.h"

struct state {
	option_fn fn;
	void *ctx;
	bool want_help;
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct state *s = ctx;

	if (id != OPTION_HELP_ID)
		return s->fn(id, value, s->ctx, err);
	s->want_help = true;
	return 0;
}

int usage_help(const struct usage *u, struct buf *out)
{
	(void)buf_printf(out, "Usage: leash %s%s%s\n\n%s", u->name, *u->arguments ? " " : "",
			 u->arguments, u->description);
	(void)buf_append_str(out, "\nFlags:\n");
	if (u->examples)
		return options_help(u->options, u->n_options, out) < 0
			       ? -1
			       : buf_printf(out, "\nExamples:\n%s", u->examples);
	return options_help(u->options, u->n_options, out);
}

static int print_help(const struct usage *u)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	return usage_help(u, &out) < 0 || fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}

int usage_no_option(int id, const char *value, void *ctx, struct err *err)
{
	(void)value;
	(void)ctx;
	return err_say(err, -EINVAL, "flag %d has no meaning here", id);
}

int usage_parse(const struct usage *u, int argc, char **argv, option_fn fn, void *ctx,
		int *ret_n_operands)
{
	struct state s = { fn, ctx, false };
	struct err err = { 0 };
	int n_operands = 0;
	int at = 0;

	/* options_parse stops at each operand and begins after the word it is given first. */
	for (;;) {
		int n = options_parse(u->options, u->n_options, argc - at, argv + at, on_option, &s,
				      &err);
		bool is_end = n > 0 && strcmp(argv[at + n - 1], "--") == 0;

		if (n < 0) {
			log_error("%s: %s", u->name, err.text);
			return EXIT_USAGE;
		}
		at += n;
		if (at >= argc)
			break;
		argv[n_operands++] = argv[at];
		for (at++; is_end && at < argc; at++)
			argv[n_operands++] = argv[at];
		if (at >= argc)
			break;
		at--;
	}
	if (s.want_help)
		return print_help(u);
	*ret_n_operands = n_operands;
	return -1;
}
