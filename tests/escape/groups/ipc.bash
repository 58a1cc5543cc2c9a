# shellcheck shell=bash disable=SC2034
# IPC-01 to IPC-12: other processes, the kernel's surface, the container.

ipc_world() {
	rm -rf -- "${WORK:?}"
	mkdir -p "$WORK/open" "$WORK/vault"
	printf public >"$WORK/open/file.txt"
	printf '%s' "$SECRET" >"$WORK/secret.txt"
	chown -R "$T_UID:$T_GID" "$WORK"
	policy <<-END
		@id("file") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/secret.txt");
		@id("vault") forbid (principal, action in Action::"FileOpen", resource in Dir::"$WORK/vault/");
		@id("sockets") forbid (principal, action in Action::"FileOpen", resource in Dir::"$WORK/s/shut/");
	END
}

group_ipc() {
	ipc_world
	ALLOWED=$WORK/open/file.txt DENIED=$WORK/secret.txt
	ipc_sockets
	ALLOWED=$WORK/open/file.txt DENIED=$WORK/secret.txt
	escape "IPC-03 the terminal's input" ipc-03-terminal
	ipc_processes
	ipc_shared_objects
	escape "IPC-06 the kernel's surface" ipc-06-kernel-surface
	escape "IPC-08 disturbing the supervisor" ipc-08-notifications
	denial "... is in the log" file.open "$DENIED"
	escape "IPC-09 namespaces, settings, devices" ipc-09-namespaces
	escape "IPC-10 what the container leaves open" ipc-10-container
	escape "IPC-12 exhaustion" ipc-12-exhaust "MAX_PROCESSES=$([ "$OUTSIDE" ] && echo 500 || echo 20000)" \
		"EVENTS=$([ "$OUTSIDE" ] && echo 1000 || echo 100000)"
	inside is "... every event is there or counted as lost" \
		"$(jq -s '[.[] | select(.decision == "deny" and .kind == "file.open") | .count // 1] + [.[] | select(.kind == "lost") | .count] |
			add >= 50000' "$(events_file)")" true
	inside is "... without a gap" "$(jq -s 'map(.seq) == [range(1; length + 1)]' "$(events_file)")" true
	[ "$(id -u)" = 0 ] && inside check "... nothing is left" wait_for 5 no_user_processes
}

ipc_sockets() {
	local s=$WORK/s
	mkdir -p "$s/open" "$s/shut"
	chown -R "$T_UID:$T_GID" "$s"
	start_user_service "$PROGRAMS/unix-server" "$SECRET" "$s/shut/a" "$s/shut/a.dgram" "@leash-escape-$$"
	start_user_service "$PROGRAMS/unix-server" public "$s/open/b" "$s/open/b.dgram"
	ALLOWED=$s/open/b DENIED=$s/shut/a
	escape "IPC-01 sockets of the host" ipc-01-unix-sockets "DENIED_DGRAM=$s/shut/a.dgram" "ALLOWED_DGRAM=$s/open/b.dgram" \
		"ABSTRACT=@leash-escape-$$"
	denial "... is in the log" net.connect "$DENIED"
	kill "${SERVICE_PIDS[@]: -2}"
	wait "${SERVICE_PIDS[@]: -2}" 2>/dev/null
	rm -rf "$s"
}

ipc_processes() {
	local pid address
	as_user env VICTIM_MARK=yes "$PROGRAMS/victim" "$SECRET" >"$T/victim" &
	SERVICE_PIDS+=($!)
	wait_for 10 test -s "$T/victim"
	read -r pid address <"$T/victim"
	escape "IPC-04 processes outside" ipc-04-processes "VICTIM_PID=$pid" "VICTIM_ADDRESS=$address"
	inside check "... it lives" kill -0 "$pid"
	kill "$pid"
	wait "${SERVICE_PIDS[@]: -1}" 2>/dev/null
}

ipc_shared_objects() {
	local key=$((0x1ea50000 + $$ % 60000)) queue=/leash-escape-$$
	as_user "$PROGRAMS/shared-objects" make "$key" "$queue" "$SECRET" || { not_ok "IPC-05 the host's objects"; return; }
	escape "IPC-05 shared objects of the host" ipc-05-shared-objects "KEY=$key" "QUEUE=$queue"
	as_user "$PROGRAMS/shared-objects" remove "$key" "$queue" "$SECRET"
}
