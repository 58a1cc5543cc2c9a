#!/usr/bin/env bash
# Sessions that run: leash ps, --name, stop; those without a terminal: --detach, logs, attach.

. "$(dirname "$0")/../lib.sh"
make_user
LEASH_FLAGS=()
. "$(dirname "$0")/support/terminal.sh"

# detach FLAG… COMMAND: its id in ID.
detach() {
	leash_run --detach "$@"
	ID=$(out)
}
running() {
	leash_run ps --json
	jq -rs "$1" "$OUT"
}
logged() {
	leash_run logs "$1"
	grep -Eq -- "$2" "$OUT"
}
no_leash() {
	! pgrep -U "$T_UID" -f '^(leash|[^ ]*/leash)( |:|$)' >/dev/null
}
status_of() {
	leash_run sessions --json
	jq -r "select(.id == \"$1\") | \"\(.state) \(.status)\"" "$OUT"
}
ECHO='echo hello-$((40+2)); while read -r x; do echo "got $x"; case $x in quit) exit 7 ;; size) stty size ;; esac; done'

# ---- None
leash_run ps
is "ps: none" "$RC:$(out | wc -l)" 0:1
leash_run attach
like "attach: none" "$RC:$(err)" '^125:.*no session runs'
leash_run stop nothing
like "stop: none" "$RC:$(err)" '^1:.*no sessions yet'
leash_run logs
is "logs: none" "$RC" 1
leash_run stop
is "stop: which" "$RC" 2

# ---- ps and stop of one at a terminal or with pipes
LEASH_FLAGS=(-I)
leash_start --name front -- sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'
wait_for 15 grep -q ready "$OUT"
LEASH_FLAGS=()
front_pid=$LEASH_PID
is "ps: name, runtime, directory, command, process" \
	"$(running '.[] | [.name, .runtime, .directory, .command[0], .detached, .pid] | map(tostring) | join(" ")')" \
	"front native $WORK sh false $front_pid"
like "... since when, and where its page is" "$(running '.[] | .since + " " + .url')" '^20.*Z http://127.0.0.1:[0-9]+/$'
leash_run ps
like "ps: a line of it" "$(out)" "^[0-9]{8}-[0-9]{6}-[a-z0-9]{4}  front  +native .* http://127.0.0.1:[0-9]+/ +$WORK +sh -c"
leash_run ps -q
front=$(out)
leash_run --name front -I -- true
like "--name: one that runs has it" "$RC:$(err)" "^125:.*$front.*leash stop front"
for name in 9lives -x 'a b' 'ä' '' "$(printf 'n%.0s' {1..64})"; do
	leash_run "--name=$name" -I -- true
	is "--name=$name" "$RC" 2
done
leash_run events front --json
is "events finds it by its name" "$RC" 0
leash_run attach front
like "attach: it has a terminal already" "$RC:$(err)" '^125:.*--detach'
leash_run logs front
like "logs: it keeps none" "$RC:$(err)" '^1:.*--detach'
leash_run stop front
is "stop" "$RC" 0
check "... waits for its end" gone "$front_pid"
wait "$front_pid"
is "... and the command had its say" "$?" 5
leash_run stop front
like "stop: it is over" "$RC:$(err)" '^1:.*is over'

# ---- Detached
detach --name box -- sh -c "$ECHO"
is "--detach returns at once" "$RC:$(err)" 0:
is "... with the id" "$ID" "$(running '.[].id')"
check "logs: what it has shown" wait_for 10 logged box hello-42
is "ps: it is detached" "$(running '.[] | "\(.name) \(.detached)"')" "box true"
at_terminal "$WORK" '' 'one\r' 'got one' '\x10x\r' 'got .?x' '\x10\x11' -- attach box
like "attach: typed, shown, ctrl-p ctrl-q leaves" "$RC:$(out)" '^0:.*one'
like "... ctrl-p alone is the command's" "$(out)" 'got .x'
like "... and says how to come back" "$(out)" "left $ID running"
is "... it runs on" "$(running '.[].id')" "$ID"
at_terminal "$WORK" '' 'size\r' '24 80|[0-9]+ [0-9]+' '\x10\x11' -- attach
like "attach: the newest; it has a size" "$RC:$(out)" '^0:'
# Two at a time see the same.
as_user python3 "$T/at-terminal.py" 'got both' '\x10\x11' -- "$LEASH" attach box >"$T/other" 2>&1 </dev/null &
other=$!
sleep 0.5
at_terminal "$WORK" '' 'both\r' 'got both' '\x10\x11' -- attach "${ID: -4}"
is "attach: two at a time" "$RC" 0
wait $other
is "... see the same" "$?" 0
leash_run logs -f box &
follower=$!
sleep 0.5
RC=
(cd "$WORK" && exec_as_user "$LEASH" attach box <<<quit) >"$T/piped" 2>&1
is "attach: by a pipe; the exit code is the session's" "$?" 7
like "... and the last words are there" "$(cat "$T/piped")" 'got quit'
check "logs -f ends with the session" wait_for 10 gone $follower
is "sessions has the exit code" "$(status_of "$ID")" "ended 7"
leash_run sessions
like "... also in its table" "$(out)" "$ID .* ended +7 "
leash_run logs box
like "logs: of one that is over, by its name" "$RC:$(tr -d '\n' <"$OUT")" '^0:hello-42.*got both.*got quit'
leash_run attach box
like "attach: it is over" "$RC:$(err)" '^125:.*over'
check "nothing of it runs" wait_for 10 no_leash
is "... and leash had nothing to say" "$(cat "$STATE/sessions/$ID/leash.log")" ""
refute "... and its socket is gone" test -e "$STATE/run/$ID.sock"
is "its files are the user's alone" "$(stat -c %a "$STATE/sessions/$ID"/* | sort -u)" 600

# ---- The end
detach -- sh -c 'trap "" TERM HUP; echo ready; while :; do sleep 0.1; done'
wait_for 10 logged "$ID" ready
leash_run stop -t 1 "$ID"
is "stop -t: kills what does not end" "$RC:$(err)" 0:
check "... all of it" wait_for 5 no_leash
like "... which its exit code says" "$(status_of "$ID")" '^ended 143'
detach -- sh -c 'echo ready; exec sleep 1000'
wait_for 10 logged "$ID" ready
(as_user python3 "$T/at-terminal.py" 'ready' '' -- "$LEASH" attach "$ID" >"$T/other" 2>&1 </dev/null) &
other=$!
sleep 0.5
kill -KILL "$(running '.[].pid')"
check "killed: the command is gone" wait_for 2 eval '! pgrep -U "$T_UID" -x sleep'
check "... and who is attached is told" wait_for 5 gone $other
like "... so" "$(cat "$T/other")" 'let go of this terminal'
leash_run ps
is "... and ps has it no more" "$(out | wc -l)" 1
is "sessions: it died" "$(status_of "$ID")" "died null"
check "... what it has left is there" test -e "$STATE/run/$ID.sock"
leash_run sessions prune
is "sessions prune removes that" "$RC:$(ls "$STATE/run")" 0:
detach -- sh -c 'exit 3'
check "one that ends at once" wait_for 10 eval '[ "$(status_of "$ID")" = "ended 3" ]'

# ---- Starting
leash_run --detach no-such-command-here
is "--detach of what is not there" "$RC:$(out)" 127:
user_file "$T_HOME/bad.cedar" <<<'permit (principal, action'
leash_run --detach --policy "$T_HOME/bad.cedar" -- true
is "--detach under a policy that is none" "$RC:$(out)" 125:
like "... says why" "$(err)" 'bad.cedar:'
detach --listen nowhere:at:all -- true
is "a mistake on the command line" "$RC:$(out)" 2:
# Whoever started it is not waited for, nor is anything of its kept open.
said=$(cd "$WORK" && exec_as_user timeout 20 bash -c 'exec 9>&1; "$1" --detach -- sleep 1000' _ "$LEASH")
is "what its caller has open is not kept open" "$?" 0
leash_run stop -t 0 "$said"
is "stop -t 0" "$RC" 0
at_terminal "$WORK" -- --detach --name survivor -- sleep 1000
is "its terminal may go" "$(running '.[].name')" survivor
leash_run stop -t 0 survivor
check "... and it is stopped" wait_for 5 no_leash

for i in 1 2 3 4 5 6; do
	(cd "$WORK" && exec_as_user "$LEASH" --detach --name same -- sleep 1000) >>"$T/same" 2>>"$T/same.err" &
	starters[i]=$!
done
wait "${starters[@]}"
is "of many that want a name at once one has it" "$(grep -c . "$T/same"):$(running '[.[].name] | join(" ")')" 1:same
is "... and the others are told" "$(grep -cE 'called same (runs already|is about to start)' "$T/same.err")" 5
kill -KILL "$(running '.[].pid')"
wait_for 5 no_leash
detach --name same -- sleep 1000
is "one that was killed does not keep it" "$RC" 0
leash_run stop -t 0 same

# ---- Bounds
detach -- sh -c 'head -c 11000000 /dev/zero | tr "\0" x; echo; echo the-end; sleep 1000'
check "much output" wait_for 60 logged "$ID" the-end
is "... is bounded" "$(($(stat -c %s "$STATE/sessions/$ID"/output* | paste -sd+) <= 8 * 1024 * 1024))" 1
is "... and the newer part is kept" "$(($(stat -c %s "$OUT") > 4 * 1024 * 1024))" 1
# One that does not read stops nobody.
as_user python3 - "$STATE/run/$ID.sock" <<'PY' &
import os, socket, sys, time
os.chdir(os.path.dirname(sys.argv[1]))
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(os.path.basename(sys.argv[1]))
open("deaf", "w").close()
time.sleep(20)
PY
deaf=$!
wait_for 10 test -e "$STATE/run/deaf"
rm -f "$STATE/run/deaf"
leash_run stop -t 0 "$ID"
is "who does not read does not hold up the end" "$RC" 0
kill $deaf 2>/dev/null

# ---- From inside
detach --profile permissive -- sh -c 'exec sleep 1000'
first=$ID
leash_run --profile permissive -I -- python3 -c "
import socket, os
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
try:
    s.connect('$STATE/run/$first.sock')
    print('connected')
except OSError as e:
    print('refused', e.errno)"
like "a session's command reaches no other session's terminal" "$(out)" '^refused'
leash_run --profile permissive -I -- sh -c "ls $STATE/run; cat $STATE/sessions/$first/output && echo read"
unlike "... nor its output" "$(out)" 'read|sock'
leash_run sessions prune
check "sessions prune removes nothing of one that runs" test -e "$STATE/run/$first.sock"
# A stranger's message: that connection ends, and no more.
as_user python3 - "$STATE/run/$first.sock" <<'PY' >"$T/stranger" 2>&1
import os, socket, sys
os.chdir(os.path.dirname(sys.argv[1]))
for message in (b"x", b"\0" * 64, os.urandom(4096)):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    s.connect(os.path.basename(sys.argv[1]))
    s.send(message)
    try:
        print(len(s.recv(100)))
    except ConnectionResetError:
        print(0)
PY
is "what is no message ends its connection" "$(sort -u "$T/stranger")" 0
is "... and not the session" "$(running '.[].id')" "$first"
leash_run stop -t 0 "$first"
check "all is over" wait_for 5 no_leash

done_testing
