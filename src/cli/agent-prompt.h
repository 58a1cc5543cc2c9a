/*
 * The question whether an agent may use its own directories, in plain lines on
 * standard error, answered on standard input; both are a terminal.
 */
#pragma once

#include "base/attributes.h"

enum agent_answer {
	AGENT_ANSWER_NO = 0, /* this time */
	AGENT_ANSWER_ONCE,
	AGENT_ANSWER_PROJECT,
	AGENT_ANSWER_ALWAYS,
	AGENT_ANSWER_NEVER,
};

struct agent_question {
	const char *agent;
	const char *directory; /* of the agent, as a person writes it */
	const char *project;   /* likewise */
};

/* Ctrl-C ends leash as a signal does; the end of the input is a no. */
enum agent_answer agent_prompt(const struct agent_question *q);
/* The answer that a line stands for: 1, 0 for one that is none. Nothing but blanks is the default.
 */
int agent_prompt_parse(const char *line, enum agent_answer *ret);
