# shellcheck shell=bash disable=SC2034
# CTL-02, CTL-04, CTL-05, AUD-01: what governs a session is out of its reach.

control_world() {
	rm -rf -- "${WORK:?}"
	mkdir -p "$WORK/open" "$T_HOME/.config/leash" "$STATE"
	printf public >"$WORK/open/file.txt"
	printf '%s' "$SECRET" | tee "$WORK/secret.txt" >"$T_HOME/.config/leash/secret"
	chown -R "$T_UID:$T_GID" "$WORK" "$T_HOME/.config" "$STATE"
	policy <<-END
		permit (principal, action in Action::"FileOpenReadWrite", resource in Dir::"$T_HOME/");
		@id("file") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/secret.txt");
	END
}

group_control() {
	control_world
	control_files
	[ "$OUTSIDE" ] && return
	ALLOWED=$WORK/open/file.txt DENIED=$WORK/secret.txt
	control_world
	control_stopped
	control_reloads
	control_policies
	control_log
}

# CTL-02, although the policy permits writing in the whole home.
control_files() {
	ALLOWED=$WORK/open/file.txt DENIED=$T_HOME/.config/leash/secret
	escape "CTL-02 leash's own files" ctl-02-config "PROTECTED=$T_HOME/.config/leash:$STATE:$POLICY:$WORK/.leash"
	inside check_event "... is in the log" '.decision == "deny" and .path == $p' --arg p "$POLICY"
	inside refute "... nothing was left" test -e "$WORK/.leash"
	[ "$OUTSIDE" ] && return
	leash_run -- sh -c 'cat ~/.local/state/leash/sessions/*/*; ls ~/.local/state/leash ~/.config/leash; ls -R "$XDG_RUNTIME_DIR"/leash /run/user 2>/dev/null'
	is "CTL-02 the log can't be read" "$(out)" ""
	# The container's own /run/leash is another than the host's: certificates that may be trusted, and nothing else.
	leash_run -- sh -c 'ls -RA /run/leash; grep -ral "PRIVATE KEY" /run/leash; for f in /run/leash/*; do echo >>"$f"; done 2>/dev/null'
	is "CTL-02 of leash there are certificates to be seen" "$(out | grep -vx cacerts)" $'/run/leash:\nca-bundle.crt\nca.crt'
}

supervisor_pid() {
	pgrep -U "$T_UID" -f '^leash: supervisor' | head -n 1
}

# CTL-04: a supervisor that does not answer opens nothing.
control_stopped() {
	local pid
	leash_start -- sh -c 'echo up; while :; do cat "$1" 2>/dev/null && echo; done' sh "$DENIED"
	wait_for 20 grep -q up "$OUT"
	pid=$(supervisor_pid)
	if [ -z "$pid" ]; then
		not_ok "CTL-04 there is a supervisor" "$(err)"
		return
	fi
	kill -STOP "$pid"
	wait_for 1 false
	kill -CONT "$pid"
	wait_for 1 false
	check "CTL-04 a session survives a stopped supervisor" kill -0 "$LEASH_PID"
	kill -STOP "$pid"
	wait_for 1 false
	kill -KILL "$pid"
	leash_wait 20
	is "CTL-04 a killed supervisor ends the session" "$([ "$RC" != 0 ] && [ "$RC" != 124 ] && echo ended)" ended
	unlike "CTL-04 nothing was read in between" "$(out)" "$SECRET"
	[ "$(id -u)" = 0 ] && check "... and nothing is left" wait_for 5 no_user_processes
}

# CTL-04: reloads while the denied file is asked for without pause.
control_reloads() {
	local i n=${LEASH_RELOADS:-300}
	leash_start -e "ALLOWED=$ALLOWED" -e "DENIED=$DENIED" -e "SECRET=$SECRET" -e "WORK=$WORK" -e ROUNDS_OF_NOISE=4000 \
		-- "$PROGRAMS/ipc-08-notifications"
	wait_for 20 test -s "$OUT"
	for ((i = 1; i <= n; i++)); do
		# What forbids comes first: the beginning of a policy file can be a policy too.
		{ cat <<-END
			@id("file") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/secret.txt");
			@id("round-$i") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/never/$i");
			permit (principal, action in Action::"FileOpenReadWrite", resource in Dir::"$T_HOME/");
		END
		base_policy
		} >"$T_HOME/policy.next"
		[ $((i % 2)) = 0 ] || head -c $((RANDOM % 900)) "$T_HOME/policy.next" >"$POLICY"
		chown "$T_UID:$T_GID" "$T_HOME/policy.next"
		mv "$T_HOME/policy.next" "$POLICY"
		sleep 0.015
	done
	leash_wait 120
	is "CTL-04 $n reloads, half of them through a partial file" "$RC:$(verdicts ESCAPED)" "0:"
	check_event "... some were taken up" '.kind == "policy.applied" and .generation > 5'
}

# CTL-05: no session on a policy that is not whole. See also tests/e2e/policy-reload.sh.
control_policies() {
	local name
	control_world
	for name in empty comment partial nul huge action forever not-utf8; do
		case $name in
		empty) : ;;
		comment) echo '// nothing' ;;
		partial) head -c $(($(stat -c %s "$POLICY") - 40)) "$POLICY" ;;
		nul) printf 'permit (principal, action, resource);\0forbid (principal, action, resource);' ;;
		huge) cat "$POLICY" && yes 'forbid (principal, action, resource == File::"/x");' | head -c 30000000 ;;
		action) echo 'permit (principal, action == Action::"Everything", resource);' ;;
		forever) printf 'permit (principal, action, resource) when { %s true %s };' "$(printf '(%.0s' {1..20000})" "$(printf ')%.0s' {1..20000})" ;;
		not-utf8) printf 'permit (principal, action, resource == File::"\xff");' ;;
		esac >"$T_HOME/bad.cedar"
		LEASH_FLAGS=(-I --policy "$T_HOME/bad.cedar")
		leash_run -- cat "$WORK/secret.txt"
		is "CTL-05 a policy that is $name: no session" "$RC:$(out)" "125:"
	done
	LEASH_FLAGS=(-I --policy "$POLICY")
}

# AUD-01: each change to a session's records is found.
control_log() {
	local db session change
	leash_run -- sh -c 'for i in 1 2 3 4 5; do cat open/file.txt secret.txt; done' 2>/dev/null
	db=$(session_directory)/events.db
	session=$(basename "$(session_directory)")
	verify() {
		as_user "$LEASH" verify "$session"
	}
	check "AUD-01 untouched records are good" verify
	cp -a "$db" "$T/events.db"
	for change in \
		"UPDATE action SET decision = 1 WHERE decision = 2" \
		"DELETE FROM event WHERE seq = 5" \
		"UPDATE event SET seq = 999 WHERE seq = 5; UPDATE event SET seq = 5 WHERE seq = 6; UPDATE event SET seq = 6 WHERE seq = 999" \
		"DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)" \
		"INSERT INTO event SELECT max(seq) + 1, time, action, process, directory, name, latency_us, cause, mark, hash FROM event" \
		"DELETE FROM event WHERE seq = 1" \
		"UPDATE directory SET path = replace(path, 'open', 'opne')" \
		"UPDATE event SET hash = randomblob(32) WHERE seq = 7" \
		"DELETE FROM event WHERE mark IS NOT NULL" \
		"DROP TABLE event"; do
		sqlite3 "$db" "$change" || not_ok "AUD-01 the change works: $change"
		refute "AUD-01 is found: $change" verify
		cp "$T/events.db" "$db"
	done
	head -c -4096 "$T/events.db" >"$db"
	refute "AUD-01 is found: the end is cut off" verify
	cp "$T/events.db" "$db"
	check "AUD-01 put back, it is good again" verify
}
