/*
 * The link to the proxy: which process a connection belongs to, and dialling
 * into the container on the proxy's behalf.
 */
#pragma once

#include "base/attributes.h"

struct supervisor;
struct worker;
struct supervise_connection;

/* Tells the proxy about a connection before it can see it. 0 or negative errno. */
int link_announce(struct worker *w, struct supervise_connection *c) _must_check_;
/* Handles one message from the proxy. False when the link is broken. */
bool link_handle(struct supervisor *s);
