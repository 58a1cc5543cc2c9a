# shellcheck shell=bash disable=SC2034
# Races: what is decided on is what is used, in 100,000 rounds each; those of exec in EXEC_ROUNDS (10,000).

races_world() {
	local s=$WORK/s
	rm -rf -- "${WORK:?}"
	mkdir -p "$WORK/race/a" "$WORK/race/b" "$WORK/tools" "$WORK/scratch" "$s"
	printf public | tee "$WORK/race/file-a" "$WORK/race/a/file" >/dev/null
	printf '%s' "$SECRET" | tee "$WORK/race/file-b" "$WORK/race/b/file" "$WORK/race/locked" >/dev/null
	install -m 755 "$PROGRAMS/tool-public" "$WORK/tools/tool-a"
	install -m 755 "$PROGRAMS/tool-denied-tool-ran" "$WORK/tools/tool-b"
	install -m 755 /bin/echo "$WORK/tools/echo"
	chown -R "$T_UID:$T_GID" "$WORK"
	policy <<-END
		@id("file") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/race/file-b");
		@id("in-b") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/race/b/file");
		@id("locked") forbid (principal, action in Action::"FileOpenReadWrite", resource == File::"$WORK/race/locked");
		@id("tool") forbid (principal, action == Action::"ProcessExec", resource == File::"$WORK/tools/tool-b");
		@id("settings") forbid (principal, action in Action::"FileOpenReadWrite", resource == File::"$WORK/scratch/.claude/settings.json");
		@id("word") forbid (principal, action == Action::"ProcessExec", resource == File::"$WORK/tools/echo")
			when { context.args like "*xforbidden*" };
		forbid (principal, action in Action::"FileOpen", resource == File::"$s/sock-b");
		forbid (principal, action in Action::"FileOpen", resource == File::"$s/sock-b.dgram");
	END
}

# swapped_outside NAME PROGRAM: the same with a swapper that no supervisor slows down.
swapped_outside() {
	local swapper
	start_user_service env -i SWAP_ONLY=1 "ALLOWED=$ALLOWED" \
		"DENIED=$DENIED" "SECRET=$SECRET" "WORK=$WORK/scratch" "$PROGRAMS/$2"
	swapper=$SERVICE_PID
	escape "$1" "$2" SWAPPED_OUTSIDE=1 "WORK=$WORK/scratch"
	kill "$swapper"
	wait "$swapper" 2>/dev/null
}

group_races() {
	local s=$WORK/s TIME_LIMIT=${LEASH_TEST_TIME_LIMIT:-3600}
	races_world
	ALLOWED=$WORK/race/file-a DENIED=$WORK/race/file-b
	escape "race: a path's string" race-path-string "LOCKED=$WORK/race/locked"
	denial "... refusals are in the log" file.open "$DENIED"
	ALLOWED=$WORK/race/a/file DENIED=$WORK/race/b/file
	escape "race: a symbolic link" race-symlink "WORK=$WORK/scratch"
	rm -rf "$WORK"/scratch/*
	swapped_outside "race: a symbolic link, exchanged outside" race-symlink
	escape "race: directories" race-directories "WORK=$WORK/scratch"
	swapped_outside "race: directories, moved outside" race-directories
	denial "... refusals are in the log" file.open "$DENIED"
	rm -rf "$WORK"/scratch/*
	DENIED=$WORK/scratch/.claude/settings.json
	escape "race: making a file while its directory moves" race-create-move "WORK=$WORK/scratch"
	inside refute "... the protected file is not there" test -e "$DENIED"
	ALLOWED=$WORK/tools/tool-a DENIED=$WORK/tools/tool-b
	# A program takes a millisecond or more: all 100,000 rounds of nine races are half an hour.
	SECRET=denied-tool-ran escape "race: exec" race-exec "ECHO=$WORK/tools/echo" FORBIDDEN_WORD=xforbidden SECRET=denied-tool-ran \
		"ROUNDS=${EXEC_ROUNDS:-10000}"
	denial "... refusals are in the log" proc.exec "$DENIED"
	start_user_service "$PROGRAMS/unix-server" "$SECRET" "$s/sock-b" "$s/sock-b.dgram"
	start_user_service "$PROGRAMS/unix-server" public "$s/sock-a" "$s/sock-a.dgram"
	ALLOWED=$s/sock-a DENIED=$s/sock-b
	escape "race: a socket's address" race-connect "ALLOWED_DGRAM=$s/sock-a.dgram" "DENIED_DGRAM=$s/sock-b.dgram"
	denial "... refusals are in the log" net.connect "$DENIED"
	kill "${SERVICE_PIDS[@]: -2}"
	wait "${SERVICE_PIDS[@]: -2}" 2>/dev/null
}
