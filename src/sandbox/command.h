/*
 * The command's first process, from its birth to execve.
 */
#pragma once

#include "sandbox/sandbox.h"
#include "sandbox/terminal.h"

struct command {
	const struct sandbox_options *options;
	int control_fd; /* to the caller of sandbox_start */
	int gate_fd;	/* a byte opens the gate, end of file ends the process */
	int slave_fd;	/* the terminal, or -1 */
};

/* The whole life of the process; does not return. */
_noreturn_ void command_main(const struct command *c);
