/*
 * `leash completion bash|zsh|fish`: a script made from the tables of commands
 * and flags, so that it cannot differ from them.
 */
#include <string.h>
#include <unistd.h>

#include "api/operation.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "cli/cedar-private.h"
#include "cli/command.h"
#include "cli/config-private.h"
#include "cli/option-tables.h"
#include "cli/policy-private.h"
#include "cli/secret-private.h"
#include "cli/sessions-private.h"
#include "cli/usage.h"
#include "event/event.h"

const struct option_spec completion_options[] = {
	OPTION_HELP_ROW,
};
const size_t n_completion_options = ARRAY_SIZE(completion_options);

static const struct usage usage = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.description = "Prints a completion script for the shell.\n",
	.options = completion_options,
	.n_options = ARRAY_SIZE(completion_options),
	.examples = "  source <(leash completion bash)\n"
		    "  leash completion zsh > \"${fpath[1]}/_leash\"\n"
		    "  leash completion fish > ~/.config/fish/completions/leash.fish\n",
};

/* A sub-command's flags and what its operands are: words, or one of the marks below. */
struct row {
	const char *name;
	const struct option_spec *options;
	const size_t *n_options;
	const char *operands;
};

static const struct row plain_rows[] = {
	{ "run", run_options, &n_run_options, "COMMAND" },
	{ "ps", ps_options, &n_ps_options, "" },
	{ "attach", attach_options, &n_attach_options, "SESSION" },
	{ "logs", logs_options, &n_logs_options, "SESSION" },
	{ "stop", stop_options, &n_stop_options, "SESSION" },
	{ "events", events_options, &n_events_options, "SESSION" },
	{ "sessions", sessions_options, &n_sessions_options, "rm prune" },
	{ "verify", verify_options, &n_verify_options, "SESSION" },
	{ "token", token_options, &n_token_options, "SESSION" },
	{ "ui", ui_options, &n_ui_options, "SESSION" },
	{ "export", export_options, &n_export_options, "SESSION" },
	{ "replay", replay_options, &n_replay_options, "SESSION" },
	{ "policy", policy_options, &n_policy_options, "check explain show fmt test diff trust" },
	{ "secret", secret_options, &n_secret_options, "list test" },
	{ "config", config_options, &n_config_options, "show set unset path check" },
	{ "cedar", cedar_options, &n_cedar_options,
	  "authorize evaluate validate check-parse link format translate-policy translate-schema "
	  "partially-authorize "
	  "language-version help" },
	{ "doctor", doctor_options, &n_doctor_options, "" },
	{ "completion", completion_options, &n_completion_options, "bash zsh fish" },
	{ "version", version_options, &n_version_options, "" },
};

/* The rows above, then those of sub-commands that have some of their own: cedar-authorize and so on. */
static struct row rows[ARRAY_SIZE(plain_rows) + 32];
static size_t n_rows;

static void add_row(const char *group, const char *name, const struct usage *usage_of_it,
		    const char *operands)
{
	if (n_rows < ARRAY_SIZE(rows))
		rows[n_rows++] = (struct row){ xasprintf("%s-%s", group, name), usage_of_it->options,
					       &usage_of_it->n_options, operands };
}

static const char *operands_of(const struct subcommand_group *group, const char *name)
{
	if (group == &sessions_group)
		return strcmp(name, "rm") == 0 ? "SESSION" : "";
	if (group != &policy_group)
		return "";
	if (strcmp(name, "explain") == 0)
		return OPERATION_VERBS;
	return strcmp(name, "show") == 0 ? "guarded permissive locked" : "FILE";
}

static void fill_rows(void)
{
	static const struct subcommand_group *const groups[] = { &cedar_group, &config_group,
								 &secret_group, &policy_group,
								 &sessions_group };

	for (size_t i = 0; i < ARRAY_SIZE(plain_rows); i++)
		rows[n_rows++] = plain_rows[i];
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (size_t i = 0; i < groups[g]->n; i++)
			add_row(groups[g]->name, groups[g]->items[i].name,
				groups[g]->items[i].usage,
				operands_of(groups[g], groups[g]->items[i].name));
}

/* ---- What a flag's argument may be ------------------------------------------ */

static void append_kinds(struct buf *out)
{
	for (int k = EVENT_NONE + 1; k < EVENT_KIND_MAX; k++)
		(void)buf_printf(out, "%s%s", k > 1 ? " " : "",
				 event_kind_name((enum event_kind)k));
}

/* The words that may follow the flag, separated by spaces; nothing where they are not known. */
static void append_values(const struct option_spec *s, struct buf *out)
{
	static const char *const known[][2] = {
		{ "mode", "enforce shadow record" },
		{ "profile", "guarded permissive locked" },
	};

	if (strcmp(s->argument, "KIND") == 0) {
		append_kinds(out);
		return;
	}
	for (const char *c = s->argument; strchr(s->argument, '|') && *c; c++)
		(void)buf_append_char(out, *c == '|' ? ' ' : *c);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (s->long_name && strcmp(s->long_name, known[i][0]) == 0)
			(void)buf_append_str(out, known[i][1]);
}

static bool is_file(const struct option_spec *s)
{
	return strcmp(s->argument, "FILE") == 0 || strcmp(s->argument, "PREFIX") == 0 ||
	       strcmp(s->argument, "PATH") == 0 || strncmp(s->argument, "SRC:", 4) == 0;
}

/* ---- bash ------------------------------------------------------------------- */

static void append_flags(const struct row *row, struct buf *out)
{
	for (size_t i = 0; i < *row->n_options; i++) {
		const struct option_spec *s = &row->options[i];

		if (s->help && s->short_name)
			(void)buf_printf(out, "-%c ", s->short_name);
		if (s->help && s->long_name)
			(void)buf_printf(out, "--%s ", s->long_name);
	}
}

static void append_names(struct buf *out, const char *separator)
{
	for (size_t i = 0; i < n_commands; i++)
		(void)buf_printf(out, "%s%s", i ? separator : "", commands[i].name);
}

static void bash_values(const struct row *row, struct buf *out)
{
	for (size_t i = 0; i < *row->n_options; i++) {
		const struct option_spec *s = &row->options[i];
		_cleanup_buf_ struct buf values = BUF_INIT(0);

		if (!s->help || !s->argument)
			continue;
		append_values(s, &values);
		(void)buf_printf(out, "\t%s:--%s", row->name, s->long_name);
		if (s->short_name)
			(void)buf_printf(out, "|%s:-%c", row->name, s->short_name);
		if (values.len)
			(void)buf_printf(
				out, ") COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n",
				values.data);
		else
			(void)buf_printf(out, ") %sreturn ;;\n",
					 is_file(s) ? "COMPREPLY=($(compgen -f -- \"$cur\")); "
						    : "");
	}
}

static void bash_operands(const struct row *row, struct buf *out)
{
	(void)buf_printf(out, "\t%s)\n\t\tflags='", row->name);
	append_flags(row, out);
	(void)buf_append_str(out, "'\n");
	if (strcmp(row->operands, "SESSION") == 0)
		(void)buf_append_str(out, "\t\twords=$(leash sessions --quiet 2>/dev/null)\n");
	else if (strcmp(row->operands, "FILE") == 0)
		(void)buf_append_str(out, "\t\twords=$(compgen -f -- \"$cur\")\n");
	else if (strcmp(row->operands, "COMMAND") != 0)
		(void)buf_printf(out, "\t\twords='%s'\n", row->operands);
	else
		(void)buf_append_str(out, "\t\twords=$(compgen -c -- \"$cur\")\n");
	(void)buf_append_str(out, "\t\t;;\n");
}

static void print_bash(struct buf *out)
{
	(void)buf_append_str(
		out, "# bash completion for leash; made by `leash completion bash`\n"
		     "_leash() {\n"
		     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		     "\tlocal command=run flags words\n"
		     "\tCOMPREPLY=()\n"
		     "\t((COMP_CWORD > 1)) && case ${COMP_WORDS[1]} in\n\t");
	append_names(out, "|");
	(void)buf_append_str(
		out,
		") command=${COMP_WORDS[1]} ;;\n\tesac\n"
		"\t[[ $command == cedar || $command == config || $command == policy || $command == "
		"secret || $command == sessions ]] && ((COMP_CWORD > 2)) && "
		"[[ ${COMP_WORDS[2]} != -* ]] && "
		"command=$command-${COMP_WORDS[2]}\n"
		"\tcase $command:$prev in\n");
	for (size_t i = 0; i < n_rows; i++)
		bash_values(&rows[i], out);
	(void)buf_append_str(out, "\tesac\n\tcase $command in\n");
	for (size_t i = 0; i < n_rows; i++)
		bash_operands(&rows[i], out);
	(void)buf_append_str(out, "\thelp) words='");
	append_names(out, " ");
	(void)buf_append_str(out, "' ;;\n\tesac\n\t((COMP_CWORD == 1)) && words=\"$words ");
	append_names(out, " ");
	(void)buf_append_str(out, "\"\n"
				  "\tif [[ $cur == -* ]]; then\n"
				  "\t\tCOMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n"
				  "\telse\n"
				  "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
				  "\tfi\n"
				  "}\n"
				  "complete -o bashdefault -o default -F _leash leash\n");
}

/* ---- zsh -------------------------------------------------------------------- */

/* Text inside '...[text]...' of _arguments. */
static void append_zsh_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			(void)buf_append_str(out, "'\\'");
		else if (strchr("[]:\\", *text))
			(void)buf_append_char(out, '\\');
		(void)buf_append_char(out, *text);
	}
}

static void zsh_flag(const struct option_spec *s, struct buf *out)
{
	_cleanup_buf_ struct buf values = BUF_INIT(0);

	(void)buf_append_str(out, "\t\t'*'");
	if (s->short_name)
		(void)buf_printf(out, "{-%c,--%s}", s->short_name, s->long_name);
	else
		(void)buf_printf(out, "--%s", s->long_name);
	(void)buf_append_str(out, "'[");
	append_zsh_text(out, s->help);
	(void)buf_append_char(out, ']');
	if (s->argument) {
		append_values(s, &values);
		(void)buf_append_char(out, ':');
		append_zsh_text(out, s->argument);
		if (values.len)
			(void)buf_printf(out, ":(%s)", values.data);
		else
			(void)buf_append_str(out, is_file(s) ? ":_files" : ": ");
	}
	(void)buf_append_str(out, "' \\\n");
}

static void zsh_row(const struct row *row, struct buf *out)
{
	bool is_run = strcmp(row->operands, "COMMAND") == 0;

	(void)buf_printf(out, "\t%s)\n\t\t_arguments -S \\\n", row->name);
	for (size_t i = 0; i < *row->n_options; i++)
		if (row->options[i].help)
			zsh_flag(&row->options[i], out);
	if (is_run)
		(void)buf_append_str(
			out, "\t\t'(-):command:_command_names -e' '*::arguments:_normal'\n");
	else if (strcmp(row->operands, "SESSION") == 0)
		(void)buf_append_str(out,
				     "\t\t':session:($(leash sessions --quiet 2>/dev/null))'\n");
	else if (strcmp(row->operands, "FILE") == 0)
		(void)buf_append_str(out, "\t\t'*:file:_files'\n");
	else if (*row->operands)
		(void)buf_printf(out, "\t\t':word:(%s)' '*:file:_files'\n", row->operands);
	else
		(void)buf_append_str(out, "\t\t&& return 0\n");
	(void)buf_append_str(out, "\t\t;;\n");
}

static void print_zsh(struct buf *out)
{
	(void)buf_append_str(out, "#compdef leash\n"
				  "# zsh completion for leash; made by `leash completion zsh`\n"
				  "_leash() {\n"
				  "\tlocal command=run\n"
				  "\tif ((CURRENT == 2)) && [[ $words[2] != -* ]]; then\n"
				  "\t\tlocal -a subcommands=(\n");
	for (size_t i = 0; i < n_commands; i++) {
		(void)buf_printf(out, "\t\t\t'%s:", commands[i].name);
		append_zsh_text(out, commands[i].summary);
		(void)buf_append_str(out, "'\n");
	}
	(void)buf_append_str(out, "\t\t)\n"
				  "\t\t_describe -t commands sub-command subcommands\n"
				  "\t\t_command_names -e\n"
				  "\t\treturn\n"
				  "\tfi\n"
				  "\tcase $words[2] in\n\t");
	append_names(out, "|");
	(void)buf_append_str(out, ")\n"
				  "\t\tcommand=$words[2]\n"
				  "\t\tshift words\n"
				  "\t\t((CURRENT--))\n"
				  "\t\tif [[ $command == cedar || $command == config || $command "
				  "== policy || $command "
				  "== secret || $command == sessions ]] && ((CURRENT > 2)) && "
				  "[[ $words[2] != -* ]]; then\n"
				  "\t\t\tcommand=$command-$words[2]\n"
				  "\t\t\tshift words\n"
				  "\t\t\t((CURRENT--))\n"
				  "\t\tfi\n"
				  "\t\t;;\n"
				  "\tesac\n"
				  "\tcase $command in\n");
	for (size_t i = 0; i < n_rows; i++)
		zsh_row(&rows[i], out);
	(void)buf_append_str(out, "\thelp) _arguments ':sub-command:(");
	append_names(out, " ");
	(void)buf_append_str(out, ")' ;;\n\tesac\n}\n"
				  "if [[ $funcstack[1] == _leash ]]; then _leash \"$@\"; else "
				  "compdef _leash leash; fi\n");
}

/* ---- fish ------------------------------------------------------------------- */

static void append_fish_text(struct buf *out, const char *text)
{
	(void)buf_append_char(out, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			(void)buf_append_char(out, '\\');
		(void)buf_append_char(out, *text);
	}
	(void)buf_append_char(out, '\'');
}

static void fish_row(const struct row *row, struct buf *out)
{
	for (size_t i = 0; i < *row->n_options; i++) {
		const struct option_spec *s = &row->options[i];
		_cleanup_buf_ struct buf values = BUF_INIT(0);

		if (!s->help)
			continue;
		(void)buf_printf(out, "complete -c leash -n '__leash_is %s' -l %s", row->name,
				 s->long_name);
		if (s->short_name)
			(void)buf_printf(out, " -s %c", s->short_name);
		if (s->argument) {
			append_values(s, &values);
			(void)buf_append_str(out, is_file(s) ? " -r -F" : " -x");
			if (values.len)
				(void)buf_printf(out, " -a '%s'", values.data);
		}
		(void)buf_append_str(out, " -d ");
		append_fish_text(out, s->help);
		(void)buf_append_char(out, '\n');
	}
	if (strcmp(row->operands, "SESSION") == 0)
		(void)buf_printf(out,
				 "complete -c leash -n '__leash_is %s' -f -a '(leash sessions "
				 "--quiet 2>/dev/null)'\n",
				 row->name);
	else if (strcmp(row->operands, "COMMAND") != 0 && strcmp(row->operands, "FILE") != 0)
		(void)buf_printf(out, "complete -c leash -n '__leash_is %s' -f -a '%s'\n",
				 row->name, row->operands);
}

static void print_fish(struct buf *out)
{
	(void)buf_append_str(out, "# fish completion for leash; made by `leash completion fish`\n"
				  "function __leash_is\n"
				  "\tset -l words (commandline -opc)\n"
				  "\tset -l command run\n"
				  "\tif set -q words[2]; and contains -- $words[2] ");
	append_names(out, " ");
	(void)buf_append_str(
		out, "\n\t\tset command $words[2]\n"
		     "\tend\n"
		     "\tif contains -- $command cedar config policy secret sessions; and set "
		     "-q words[3]; and not string match -q -- '-*' $words[3]\n"
		     "\t\tset command $command-$words[3]\n"
		     "\tend\n"
		     "\ttest $command = $argv[1]\n"
		     "end\n");
	for (size_t i = 0; i < n_commands; i++) {
		(void)buf_printf(out, "complete -c leash -n '__fish_use_subcommand' -f -a %s -d ",
				 commands[i].name);
		append_fish_text(out, commands[i].summary);
		(void)buf_append_char(out, '\n');
	}
	(void)buf_append_str(
		out,
		"complete -c leash -n '__fish_use_subcommand' -f -a '(__fish_complete_command)'\n"
		"complete -c leash -n '__leash_is help' -f -a '");
	append_names(out, " ");
	(void)buf_append_str(out, "'\n");
	for (size_t i = 0; i < n_rows; i++)
		fish_row(&rows[i], out);
}

int command_completion(int argc, char **argv)
{
	static const struct {
		const char *shell;
		void (*print)(struct buf *out);
	} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	int n_operands;
	int code = usage_parse(&usage, argc, argv, usage_no_option, NULL, &n_operands);

	if (code >= 0)
		return code;
	fill_rows();
	for (size_t i = 0; i < ARRAY_SIZE(shells) && n_operands == 1; i++)
		if (strcmp(argv[0], shells[i].shell) == 0)
			shells[i].print(&out);
	if (out.len == 0) {
		log_error("completion: name one shell: bash, zsh or fish");
		return EXIT_USAGE;
	}
	return fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}
