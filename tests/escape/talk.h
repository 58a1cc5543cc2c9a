/* Talking to a server over the network, for the network techniques. */
#pragma once

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

/*
 * Sends request (none if NULL) over a connected socket and closes it: 0 if the
 * answer holds want, else -EBADMSG, -ETIMEDOUT or what went wrong.
 */
int talk(int fd, const char *request, const char *want);
/* Connects first. fd may be -1, with errno: that is the result. */
int connect_and_talk(int fd, const struct sockaddr *address, socklen_t len, const char *request,
		     const char *want);
/* By name or number, as getaddrinfo and with it every program understands it. */
int dial_and_talk(const char *host, const char *port, const char *request, const char *want);
