#include "sandbox/sandbox-messages.h"

#define TEXT_MAX 1024

const struct ipc_type sandbox_messages[SANDBOX_MESSAGE_MAX] = {
	[SANDBOX_MESSAGE_SETUP_FAILED] = { "setup failed", 1, TEXT_MAX, 0 },
	[SANDBOX_MESSAGE_NETWORK] = { "network", 2 * sizeof(uint16_t), 2 * sizeof(uint16_t), 4 },
	[SANDBOX_MESSAGE_COMMAND] = { "command", 0, 0, 3 },
	[SANDBOX_MESSAGE_PTY] = { "pty", 0, 0, 1 },
	[SANDBOX_MESSAGE_EXITED] = { "exited", sizeof(int32_t), sizeof(int32_t), 0 },
	[SANDBOX_MESSAGE_STOPPED] = { "stopped", sizeof(int32_t), sizeof(int32_t), 0 },
	[SANDBOX_MESSAGE_SIGNAL] = { "signal", sizeof(int32_t), sizeof(int32_t), 0 },
	[SANDBOX_MESSAGE_SEAL] = { "seal", 0, 0, 0 },
	[SANDBOX_MESSAGE_SEALED] = { "sealed", 0, 0, 0 },
	[SANDBOX_MESSAGE_AT_GATE] = { "at gate", 0, 0, 1 },
	[SANDBOX_MESSAGE_AT_GATE_UNFILTERED] = { "at gate, unfiltered", 0, 0, 0 },
	[SANDBOX_MESSAGE_GO] = { "go", 0, 0, 0 },
	[SANDBOX_MESSAGE_EXEC_FAILED] = { "exec failed", sizeof(int32_t), sizeof(int32_t), 0 },
};
