/*
 * The file of the program that runs: own-program-linux.c and own-program-posix.c,
 * one of which is built.
 */
#pragma once

/* First in main(): what it was called by. */
void own_program_note(const char *name);
/* A path that leads to it, to be executed or resolved; not to be freed. */
const char *own_program(void);
