#!/usr/bin/env bash
# leash's processes are killed at random moments while a program inside tries what is allowed and what
# is forbidden: nothing forbidden ever works, the session always ends and says why, nothing survives.
# LEASH_ROUNDS says how often (default 20).

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
enter_world "$@"
world_serve

rounds=${LEASH_ROUNDS:-20}
as_user gcc -O1 -pthread -o "$WORK/hammer" -x c - <"$WORLD_LIB/hammer.c"
echo permitted | user_file "$WORK/file"
user_file "$T_HOME/policy.cedar" <<'EOF'
permit (principal, action in [Action::"FileOpen", Action::"ProcessExec"], resource);
forbid (principal, action == Action::"FileOpen", resource in Dir::"~/.ssh/");
forbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/echo");
permit (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test");
EOF
LEASH_FLAGS=(-I --policy "$T_HOME/policy.cedar")

# victim NAME: the pid of that part of the session.
victim() {
	case $1 in
	daemon) echo "$LEASH_PID" ;;
	init) pgrep -x leash-init -U "$T_UID" | head -n 1 ;;
	*) pgrep -U "$T_UID" -f "^leash: $1" | head -n 1 ;;
	esac
}

start_hammer() {
	: >"$REQUESTS"
	leash_start -- ./hammer "$WORK/file" "$T_HOME/.ssh/id_ed25519" /usr/bin/echo 2222
	wait_for 20 grep -q hammering "$OUT"
}

# Checks one round without a line of TAP for each; what was wrong goes into WRONG.
round() {
	local name=$1 signal=$2 pid
	WRONG=
	if ! start_hammer; then
		WRONG="did not start: $(head -c 300 "$ERR")"
		kill -KILL "$LEASH_PID" 2>/dev/null
		leash_wait 5
		return
	fi
	# The command need not wait for the proxy, so it may be there first.
	wait_for 10 eval 'pid=$(victim "$name"); [ "$pid" ]'
	# A random moment is the point of the test.
	sleep "0.$(printf %03d $((RANDOM % 300)))"
	kill "-$signal" "$pid" || WRONG+="there is no $name; "
	leash_wait 15
	[ "$RC" != 124 ] || WRONG+="the session did not end; "
	[ "$RC" != 0 ] || WRONG+="exit code 0; "
	[ "$name" = daemon ] || [ -s "$ERR" ] || WRONG+="no message; "
	! grep -q BREACH "$OUT" || WRONG+="$(grep BREACH "$OUT" | sort | uniq -c | head -n 3); "
	[ ! -s "$REQUESTS" ] || WRONG+="something left: $(head -n 1 "$REQUESTS"); "
	wait_for 5 no_user_processes || WRONG+="left over: $(pgrep -a -U "$T_UID" | head -n 3); "
	[ -z "$WRONG" ] || WRONG="round $n, $name: $WRONG"
}

leash_run -- ./hammer "$WORK/file" "$T_HOME/.ssh/id_ed25519" /usr/bin/echo 2222 &
runner=$!
check "all parts of a session can be told" wait_for 20 eval '[ "$(victim supervisor)" ] && [ "$(victim proxy)" ] && [ "$(victim keys)" ]'
kill_user_processes
wait "$runner" 2>/dev/null
RC=

for name in supervisor proxy keys daemon; do
	bad=()
	for ((n = 1; n <= rounds; n++)); do
		round "$name" KILL
		[ -z "$WRONG" ] || bad+=("$WRONG")
	done
	if [ ${#bad[@]} -eq 0 ]; then
		ok "killing the $name, $rounds times"
	else
		not_ok "killing the $name, $rounds times: ${#bad[@]} wrong" "${bad[@]:0:5}"
	fi
done
round supervisor KILL
like "the message says what died" "$(err)" 'supervisor'
round proxy KILL
like "... and which" "$(err)" 'proxy'
for name in supervisor proxy keys; do
	round "$name" TERM
	is "terminating the $name ends the session, closed" "$WRONG" ""
done
check "the forbidden file is there still" test -e "$T_HOME/.ssh/id_ed25519"

# An init that dies takes the container along.
start_hammer
init=$(pgrep -U "$T_UID" -f "$WORK/hammer|^./hammer" | head -n 1)
kill -KILL "$(ps -o ppid= -p "$init" | tr -d ' ')" 2>/dev/null
leash_wait 15
is "killing the container's init ends the session" "$([ "$RC" != 124 ] && [ "$RC" != 0 ] && echo ended)" ended
check "... with all in it" wait_for 5 no_user_processes

# A machine that is suspended stops everything, and what waits in the kernel goes on in another system call.
leash_start -- sh -c 'echo ready; sleep 2; read -r line <file; echo "went on: $line"; read -r line <'"$T_HOME/.ssh/id_ed25519"
wait_for 20 grep -q ready "$OUT"
for name in init supervisor proxy keys daemon; do
	pid=$(victim "$name")
	check "the $name is there to be stopped" test -n "$pid"
	kill -STOP "$pid"
	sleep 0.1
	kill -CONT "$pid"
done
leash_wait 15
like "a session that was stopped goes on" "$(out)" 'went on: permitted'
like "... and what is forbidden stays so" "$(err)" 'Permission denied'

done_testing
