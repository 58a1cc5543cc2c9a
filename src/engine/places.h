/*
 * Where leash's own files are in an engine's container, out of the agent's
 * sight: the whole directory is covered in the container that is nested.
 */
#pragma once

#include "event/store.h"

#define PLACES_ROOT "/.leash"
#define PLACES_PROGRAM PLACES_ROOT "/bin/leash"
#define PLACES_PROXY PLACES_ROOT "/bin/leash-proxy"
#define PLACES_SESSION PLACES_ROOT "/session" /* the session's directory */
#define PLACES_CONFIG PLACES_ROOT "/config"   /* the user's policy.cedar is there */
#define PLACES_POLICY PLACES_ROOT "/policy"   /* the directory of --policy's file */
#define PLACES_TRUST PLACES_ROOT "/trust"     /* which projects are trusted */
#define PLACES_ROOTS PLACES_ROOT "/roots.pem" /* certificate authorities, for images without */
#define PLACES_RUN PLACES_ROOT "/run"	      /* tokens */
#define PLACES_LOCAL PLACES_ROOT "/local"     /* of the container alone, where it is far */
#define PLACES_LOCAL_RUN PLACES_LOCAL "/run"  /* a detached session's terminal */

/* leash inside could not begin, and has said why: outside nothing is to be added. */
#define PLACES_EXIT_SAID 124

/* In the session's directory: a socket by which leash outside hands its listeners in. */
#define PLACES_SOCKET "engine.sock"
/* ... or a file into which leash inside writes its news (engine/hand.h). */
#define PLACES_NEWS EVENT_OUTSIDE_NAME
