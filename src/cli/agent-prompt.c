#include "cli/agent-prompt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/span.h"
#include "cli/show.h"

#define LINE_MAX_LEN 256
#define MAX_TRIES 5

#define DEFAULT_ANSWER AGENT_ANSWER_ONCE

/* Letter, number, word. */
static const struct choice {
	enum agent_answer answer;
	const char *letter, *number, *word, *meaning;
} choices[] = {
	{ AGENT_ANSWER_ALWAYS, "a", "1", "always", "yes, in every directory" },
	{ AGENT_ANSWER_PROJECT, "p", "2", "project", "yes, in " },
	{ AGENT_ANSWER_ONCE, "o", "3", "once", "yes, this time" },
	{ AGENT_ANSWER_NO, "n", "4", "no", "no, and ask the next time" },
	{ AGENT_ANSWER_NEVER, "never", "5", "never", "no, and do not ask again" },
};

static bool is_word(struct span line, const char *word)
{
	return line.len == strlen(word) && strncasecmp((const char *)line.p, word, line.len) == 0;
}

int agent_prompt_parse(const char *text, enum agent_answer *ret)
{
	struct span line = span_of(text);

	while (line.len && strchr(" \t\r\n", line.p[0]))
		line = span_from(line, 1);
	while (line.len && strchr(" \t\r\n", line.p[line.len - 1]))
		line.len--;
	if (!line.len || is_word(line, "y") || is_word(line, "yes")) {
		*ret = DEFAULT_ANSWER;
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		if (is_word(line, choices[i].letter) || is_word(line, choices[i].number) ||
		    is_word(line, choices[i].word)) {
			*ret = choices[i].answer;
			return 1;
		}
	return 0;
}

static bool say(struct span text)
{
	return fd_write_all(STDERR_FILENO, text.p, text.len) >= 0;
}

static bool ask(const struct agent_question *q)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_printf(&out, "leash: may %s use ", q->agent);
	show_text(span_of(q->directory), &out);
	(void)buf_append_str(&out, ", where it keeps its login, settings and history?\n");
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		(void)buf_printf(&out, "  %-7s%s", choices[i].letter, choices[i].meaning);
		if (choices[i].answer == AGENT_ANSWER_PROJECT)
			show_text(span_of(q->project), &out);
		(void)buf_append_str(&out,
				     choices[i].answer == DEFAULT_ANSWER ? " (Enter)\n" : "\n");
	}
	return say(buf_span(&out));
}

/* One line of the terminal; what is longer than anything that could be meant is read to its end. */
static bool read_line(char line[LINE_MAX_LEN])
{
	size_t len = 0;
	char c = 0;

	while (c != '\n') {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		if (len + 1 < LINE_MAX_LEN)
			line[len++] = c;
	}
	line[len] = 0;
	return true;
}

enum agent_answer agent_prompt(const struct agent_question *q)
{
	enum agent_answer answer = AGENT_ANSWER_NO;
	char line[LINE_MAX_LEN];
	bool is_heard;

	/* What was typed before the question was seen is no answer to it. */
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	is_heard = ask(q);
	for (int i = 0; i < MAX_TRIES && is_heard; i++) {
		is_heard = say(SPAN("a, p, o, n or never: ")) && read_line(line);
		if (is_heard && agent_prompt_parse(line, &answer))
			return answer;
	}
	/* Nobody is there, or nobody who reads. */
	(void)say(SPAN("no\n"));
	return AGENT_ANSWER_NO;
}
