/*
 * The first frame's items: a tag, a length, and what hello-write.c (outside) puts and
 * hello-read.c (inside) takes.
 */
#pragma once

#include "engine/hello.h"

enum hello_tag {
	TAG_NONE,
	TAG_VERSION,
	TAG_NUMBERS,
	TAG_ID,
	TAG_DIRECTORY,
	TAG_CWD,
	TAG_USER,
	TAG_NAME,
	TAG_RUNTIME,
	TAG_AGENT,
	TAG_PROFILE,
	TAG_POLICY_FILE,
	TAG_USER_FILE,
	TAG_PROJECT_FILE,
	TAG_TRUSTED,
	TAG_SESSION_TEXT,
	TAG_TOKEN_FILE,
	TAG_ATTACH_SOCKET,
	TAG_LISTEN,
	TAG_ARGUMENT,
	TAG_VARIABLE,
	TAG_MOUNT,
	TAG_MOUNT_READ_ONLY,
	TAG_PORT,
	TAG_SECRET,
};

struct hello_numbers {
	uint64_t memory_bytes;
	uint32_t mode, max_pids, cpu_percent;
	int32_t outer_pid;
	uint16_t rows, columns, listen_port;
	uint8_t is_port_given, want_pty, is_verbose, want_url, is_far;
};

struct hello_port {
	uint16_t container, host;
};
