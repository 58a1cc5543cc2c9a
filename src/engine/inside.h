/*
 * Process 1 of an engine's container: takes what to run from its standard
 * input, runs a session of it as a child, and stands between the two: frames
 * in, the child's terminal out. It ends with the child, and when leash outside
 * is gone; with it ends the container.
 */
#pragma once

/* The whole life of the process; returns the exit status. */
int engine_inside_main(void);
