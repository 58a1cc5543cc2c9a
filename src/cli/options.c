#include "cli/options.h"

#include <errno.h>
#include <string.h>

#include "base/nearest.h"

#define HELP_COLUMN 28
#define HELP_WIDTH 96

struct table {
	const struct option_spec *specs;
	size_t n;
};

/* A flag as written: the name's length without "=value", and the value or NULL. */
struct word {
	const char *text;
	struct span name; /* without dashes */
	const char *value;
	bool is_short; /* one letter after one dash */
};

static struct word split(const char *text)
{
	const char *name = text + (text[1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '=');
	struct word w = { .text = text, .name = span_of(name) };

	if (equals) {
		w.name.len = (size_t)(equals - name);
		w.value = equals + 1;
	}
	w.is_short = text[1] != '-' && w.name.len == 1;
	return w;
}

static const struct option_spec *find(const struct table *t, const struct word *w)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct option_spec *s = &t->specs[i];

		if (w->is_short ? s->short_name == w->name.p[0]
				: s->long_name && span_eq_str(w->name, s->long_name))
			return s;
	}
	return NULL;
}

static int unknown(const struct table *t, const struct word *w, struct err *err)
{
	struct nearest nearest = { .word = w->name };

	for (size_t i = 0; i < t->n && !w->is_short; i++)
		if (t->specs[i].long_name)
			nearest_offer(&nearest, t->specs[i].long_name);
	if (nearest.best)
		return err_say(err, -EINVAL, "unknown flag %s; did you mean --%s?", w->text,
			       nearest.best);
	return err_say(err, -EINVAL, "unknown flag %s; --help lists the flags", w->text);
}

/* May the next word be this flag's argument? */
static bool takes_next(const struct option_spec *s, const struct word *w, const char *next)
{
	if (s->alone_id && w->is_short)
		return next && next[0] != '-' && strchr(next, ':');
	return next != NULL;
}

/* Handles the flag at argv[i]. Returns how many words it took. */
static int parse_flag(const struct table *t, char **argv, option_fn fn, void *ctx, struct err *err)
{
	struct word w = split(argv[0]);
	const struct option_spec *s = find(t, &w);
	int r;

	if (!s)
		return unknown(t, &w, err);
	if (!s->argument && w.value)
		return err_say(err, -EINVAL, "%.*s takes no value", (int)(w.value - 1 - w.text),
			       w.text);
	if (!s->argument || w.value) {
		r = fn(s->id, w.value, ctx, err);
		return r < 0 ? r : 1;
	}
	if (takes_next(s, &w, argv[1])) {
		r = fn(s->id, argv[1], ctx, err);
		return r < 0 ? r : 2;
	}
	if (s->alone_id && w.is_short) {
		r = fn(s->alone_id, NULL, ctx, err);
		return r < 0 ? r : 1;
	}
	return err_say(err, -EINVAL, "%s needs a value: %s", w.text, s->argument);
}

int options_parse(const struct option_spec *specs, size_t n, int argc, char **argv, option_fn fn,
		  void *ctx, struct err *err)
{
	const struct table t = { specs, n };
	int i = 1;

	while (i < argc) {
		int taken;

		if (strcmp(argv[i], "--") == 0)
			return i + 1;
		if (argv[i][0] != '-' || argv[i][1] == 0)
			return i;
		taken = parse_flag(&t, argv + i, fn, ctx, err);
		if (taken < 0)
			return taken;
		i += taken;
	}
	return argc;
}

/* Appends text folded at HELP_WIDTH, each further line indented to HELP_COLUMN. */
static void append_folded(struct buf *out, const char *text)
{
	size_t column = HELP_COLUMN;

	for (const char *word = text; *word;) {
		size_t len = strcspn(word, " ");

		if (column + 1 + len > HELP_WIDTH) {
			(void)buf_printf(out, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		} else if (word != text) {
			(void)buf_append_char(out, ' ');
			column++;
		}
		(void)buf_append(out, word, len);
		column += len;
		word += len + strspn(word + len, " ");
	}
	(void)buf_append_char(out, '\n');
}

static void append_row(struct buf *out, const struct option_spec *s)
{
	size_t start = out->len;

	if (s->short_name)
		(void)buf_printf(out, "  -%c%s", s->short_name, s->long_name ? ", " : "");
	else
		(void)buf_append_str(out, "      ");
	if (s->long_name)
		(void)buf_printf(out, "--%s", s->long_name);
	if (s->argument)
		(void)buf_printf(out, " %s", s->argument);
	if (out->len - start + 2 > HELP_COLUMN)
		(void)buf_printf(out, "\n%*s", HELP_COLUMN, "");
	else
		(void)buf_printf(out, "%*s", (int)(HELP_COLUMN - (out->len - start)), "");
	append_folded(out, s->help);
}

int options_help(const struct option_spec *specs, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		if (specs[i].help)
			append_row(out, &specs[i]);
	return out->failed ? -EMSGSIZE : 0;
}
