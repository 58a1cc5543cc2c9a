#include "sandbox/messages.h"

const struct ipc_type sandbox_messages_to_caller[MESSAGE_MAX] = {
	[MESSAGE_BROKEN] = { "broken", sizeof(struct err), sizeof(struct err), 0 },
	[MESSAGE_TCP] = { "tcp", 0, 0, 2 },
	[MESSAGE_DNS] = { "dns", 0, 0, 4 },
	[MESSAGE_PTY] = { "pty", 0, 0, 1 },
	[MESSAGE_FILE] = { "file", 0, 0, 1 },
	[MESSAGE_COMMAND] = { "command", 0, 0, 1 },
	[MESSAGE_AT_GATE] = { "at-gate", 0, 0, 0 },
	[MESSAGE_FILTERED] = { "filtered", 0, 0, 1 },
	[MESSAGE_EVENT] = { "event", sizeof(struct sandbox_event), sizeof(struct sandbox_event),
			    0 },
};

const struct ipc_type sandbox_messages_to_init[MESSAGE_MAX] = {
	[MESSAGE_WRITABLE] = { "writable", 0, 0, 1 },
	[MESSAGE_SIGNAL] = { "signal", sizeof(int32_t), sizeof(int32_t), 0 },
	[MESSAGE_MAPPED] = { "mapped", 0, 0, 0 },
};
