#!/usr/bin/env bash
# Sessions in an engine in a virtual machine, from the leash for systems without a native runtime: neither descriptors nor
# locks get across, the engine sees the user's files alone, and news come by a file. What is the same as near is in engine.sh.

# In a network of its own: between leash's letting go of a port and the engine's taking it another suite's session may.
if [ "$(id -u)" = 0 ] && [ -z "${LEASH_TEST_NETWORK:-}" ]; then
	exec env LEASH_TEST_NETWORK=own unshare --net sh -c 'ip link set lo up && exec bash "$0"' "$0"
fi
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/engine.sh"
. "$(dirname "$0")/support/far.sh"
make_user
make_package
hide_from_engine
enter_engine

in_engine() {
	nsenter --target "$ENGINE_PID" --mount "$@"
}
check "the engine sees the user's files" in_engine test -d "$WORK"
refute "... and not leash's" in_engine test -e "$LEASH"

# ---- A session ---------------------------------------------------------------

leash_run -- sh -c 'id -u; pwd; cat; echo new >file; exit 7' <<<"from outside"
is "the command's exit code" "$RC" 7
is "its input and output" "$(out)" "0
$WORK
from outside"
is "the workspace is the user's own" "$(cat "$WORK/file")" new
check_event "its events are outside" '.kind == "proc.exec" and .path == "/bin/busybox"'
check_event "... with the names that Linux has" '.flags // "" | contains("O_CREAT")'
check "... and nobody changed them" as_user "$LEASH" verify
check "... by Linux's leash" as_user "$LINUX_PROGRAMS/leash" verify
is "... which finds the same" "$(as_user "$LEASH" export --jsonl | sha256sum)" "$(as_user "$LINUX_PROGRAMS/leash" export --jsonl | sha256sum)"
like "... and the session has ended" "$(as_user "$LEASH" sessions)" 'ended'
is "its files are the user's" "$(stat -c %U "$(session_directory)"/* | sort -u)" "$T_USER"
check "no container is left" no_containers
head -c 3000000 /dev/urandom >"$T/big"
(cd "$WORK" && exec_as_user "$LEASH" "${LEASH_FLAGS[@]}" -- cat) <"$T/big" >"$T/big.out" 2>"$ERR"
check "three megabytes go through" cmp "$T/big" "$T/big.out"
(cd "$WORK" && exec_as_user "$LEASH" "${LEASH_FLAGS[@]}" -- sh -c 'head -c 5 >/dev/null; exec <&-; sleep 1; echo done') <"$T/big" >"$OUT" 2>"$ERR"
is "... as far as they are wanted" "$(out)" done
leash_run -- sh -c 'kill -TERM $$'
is "a command that a signal ends" "$RC" 143
leash_run -- not-there
is "a command that is not in the image" "$RC" 127
like "... says so once" "$(err)" '^leash: .*not-there: command not found in the image$'
leash_run --image dev:test -- sh -c 'id -un; echo $GREETING'
is "the image's user" "$(out)" "dev
hello"
echo sk-Zq81kd02mfPw73hsYt5RbXc94u | user_file "$T_HOME/token" 600
leash_run --secret "TOKEN=file:$T_HOME/token,host=api.test" -- env
like "a secret has a placeholder" "$(out)" '^TOKEN=.'
unlike "... and stays outside" "$(out)" sk-Zq81kd02mfPw73hsYt5RbXc94u

# A virtual machine's file system may show what is the user's as root's.
mkdir -p "$T_HOME/of-root/work"
(cd "$T_HOME/of-root/work" && env -i PATH="$PATH" HOME="$T_HOME/of-root" "DOCKER_HOST=unix://$ENGINE_SOCKET" \
	"$LEASH" -I --image dev:test -- sh -c 'id -u; echo x >/home/dev/x; cat /home/dev/x; echo x >/etc/x; exit 3') >"$OUT" 2>"$ERR"
is "files that root owns" "$?:$(out)" "3:1000
x"
like "... and the image's user is none the more" "$(err)" '/etc/x: Permission denied'
is "... and its events are there" "$(HOME=$T_HOME/of-root "$LEASH" export --jsonl | jq -r 'select(.kind == "session.stop") | .status')" 3

# ---- While it runs -------------------------------------------------------------

mkfifo "$T/stdin"
exec 7<>"$T/stdin"
STDIN=$T/stdin leash_start --name in-a-machine -p 0.0.0.0::8080 -- sh
tell() {
	echo "$1; echo told-$2" >&7
	wait_for 15 grep -q "told-$2" "$OUT"
}
tell 'echo first >first' 1
like "ps lists it" "$(as_user "$LEASH" ps)" 'in-a-machine +docker'
is "... and leash outside as its process" "$(as_user "$LEASH" ps --json | jq .pid)" "$LEASH_PID"
leash_run --name in-a-machine -- true
like "its name is taken" "$RC:$(err)" '^125:.*in-a-machine runs already'
check "its events are there meanwhile" wait_for 5 has_event '.path == "'"$WORK"'/first"'
check "... and whole" as_user "$LEASH" verify
(cd "$WORK" && exec_as_user timeout 60 "$LEASH" events --follow in-a-machine) >"$T/followed" 2>&1 &
follower=$!
for n in 2 3 4 5 6; do
	tell "echo $n >file-$n" $n
	check "who follows it sees what comes: $n" wait_for 5 grep -q "file-$n" "$T/followed"
done
user_file "$T_HOME/.config/leash/policy.cedar" <<<'@id("later") forbid (principal, action in Action::"FileOpenReadWrite", resource in Dir::"/root/");'
check "a policy that changes is applied" wait_for 10 has_event '.kind == "policy.applied" and .generation > 1'
tell 'echo two >/root/two || echo refused' 7
like "... to what comes" "$(out)" refused
rm -f "$T_HOME/.config/leash/policy.cedar"

# ---- The control page, and ports --------------------------------------------------

url=$(as_user "$LEASH" token --url)
port=$(sed -E 's|.*:([0-9]+)/.*|\1|' <<<"$url")
token=$(as_user "$LEASH" token)
ask() {
	curl -s -m 5 "$@" "http://127.0.0.1:$port/api/session"
}
like "the API answers outside" "$(ask -H "Authorization: Bearer $token")" '"uptime_ms"'
unlike "... who has its token" "$(ask -H "Authorization: Bearer ${token}x")" '"uptime_ms"'
unlike "... and says where it is" "$(ask -H "Authorization: Bearer $token" -H "Host: evil.test")" '"uptime_ms"'
unlike "... not to pages of others" "$(ask -H "Authorization: Bearer $token" -H "Origin: http://evil.test")" '"uptime_ms"'
# As host.docker.internal: an address in the engine's network that leads to this machine's own ports.
start_service python3 -u -c "
import socket, threading
def copy(a, b):
    while data := a.recv(65536): b.sendall(data)
    b.shutdown(1)
server = socket.create_server(('$ENGINE_ADDRESS', $port))
print('ready')
while True:
    a, b = server.accept()[0], socket.create_connection(('127.0.0.1', $port))
    for pair in (a, b), (b, a): threading.Thread(target=copy, args=pair, daemon=True).start()"
like "a way from the engine's network to it" \
	"$(curl -s -m 5 -H "Host: 127.0.0.1:$port" -H "Authorization: Bearer $token" "http://$ENGINE_ADDRESS:$port/api/session")" '"uptime_ms"'
address=$(engine inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(engine ps -q)")
for host in 127.0.0.1 localhost "$address" "$ENGINE_ADDRESS"; do
	for name in 127.0.0.1 "$host"; do
		tell "printf 'GET /api/session HTTP/1.0\r\nHost: $name:$port\r\nAuthorization: Bearer $token\r\n\r\n' | nc -w 3 $host $port" "api-$host-$name"
	done
done
unlike "the agent does not reach it, even with the token" "$(out)" '"(id|uptime_ms)"'
check_event "... nor by the engine's network" '.decision == "deny" and .ip == "'"$ENGINE_ADDRESS"'" and by("own-port")'
tell 'ls -A /.leash; cat /.leash/run/*' token
unlike "... which it does not find" "$(out)" "$token|session"
tell '(while :; do echo "HTTP/1.0 200 OK

published" | nc -l -p 8080; done) & sleep 0.2' serve
published=
for ((number = 8080; number < 8090; number++)); do
	wait_for 2 eval 'published=$(curl -s -m 3 "http://127.0.0.1:$number/"); [ "$published" = published ]' && break
done
is "a published port is reached from outside" "$published" published
exec 7>&-
kill -TERM "$LEASH_PID"
leash_wait 15
rm "$T/stdin"
wait "$follower"
is "who follows it sees the end" "$?:$(tail -n 1 "$T/followed" | grep -o session.stop)" "0:session.stop"
check "... and its log is whole" as_user "$LINUX_PROGRAMS/leash" verify

# ---- Ends ------------------------------------------------------------------------------

check_ends_by_signals
start_loop --name looping
check "stop ends it" as_user "$LEASH" stop -t 1 looping
leash_wait 5
check_end "... all of it"
STDIN=$T/big start_loop
sleep 0.5
kill -KILL "$LEASH_PID"
check_end "leash was killed, with input that nobody takes"
leash_wait 5
check_ends_by_kill
like "its session has died" "$(as_user "$LEASH" sessions | sed -n 2p)" died
# As after a crash of the engine and of leash: of sessions here, elsewhere, and of one that lives.
leftover() {
	engine run -d --label "leash.sessions=$1" --name "leash-20200101-000000-$2-far" --entrypoint /bin/sleep small:test 1000 >/dev/null
}
leftover "$STATE/sessions" aaaa
leftover /home/another/sessions bbbb
mkdir -p "$STATE/sessions/20200101-000000-cccc"
: >"$STATE/sessions/20200101-000000-cccc/outside"
chown -R "$T_UID:$T_GID" "$STATE/sessions"
flock --no-fork "$STATE/sessions/20200101-000000-cccc/outside" sleep 1000 &
living=$!
leftover "$STATE/sessions" cccc
leash_run -- true
check "a leftover is removed by the next session" wait_for 15 eval '! engine ps -a --format "{{.Names}}" | grep -q aaaa'
sleep 1
like "... and no other" "$(engine ps --format '{{.Names}}' | sort | xargs)" 'bbbb-far .*cccc-far$'
kill "$living"
wait "$living" 2>/dev/null
engine rm -f leash-20200101-000000-bbbb-far leash-20200101-000000-cccc-far >/dev/null

# ---- A terminal -------------------------------------------------------------------------

check_window

# ---- Without a terminal --------------------------------------------------------------------

install -m 644 "$(dirname "$0")/support/at-terminal.py" "$T"

LEASH_FLAGS=()
leash_run --image small:test --detach --name box -- sh -c 'echo hello-$((40+2)); while read -r x; do echo "got $x"; [ "$x" != size ] || stty size; [ "$x" != quit ] || exit 7; done'
ID=$(out)
is "--detach returns at once" "$RC:$(err)" 0:
is "... with the id" "$ID" "$(as_user "$LEASH" ps -q)"
check "logs: what it has shown" wait_for 15 logged box hello-42
is "... and no socket is where a shared directory may not take it" "$(find "$STATE" -type s)" ""
as_user python3 "$T/at-terminal.py" '' 'one\r' 'got one' '\x10x\r' 'got .?x' '\x10\x11' -- "$LEASH" attach box >"$OUT" 2>&1 </dev/null
is "attach: typed, shown, and left" "$?" 0
as_user python3 "$T/at-terminal.py" '' 'size\r' '24 80|[0-9]+ [0-9]+' '\x10\x11' -- "$LEASH" attach box >"$OUT" 2>&1 </dev/null
is "attach: again; it has a size" "$?" 0
n=$(engine top "$(engine ps -q)" -eo pid,args)
like "... nothing of that stays in the container" "$(grep -c internal-engine <<<"$n") $(grep -c internal-attach <<<"$n")" "^[1-9] 0\$"
(cd "$WORK" && exec_as_user "$LEASH" attach box <<<quit) >"$T/piped" 2>&1
is "attach: by a pipe; the exit code is the session's" "$?" 7
check "... and its container is gone" wait_for 5 no_containers
leash_run attach box
like "attach: it is over" "$RC:$(err)" '^125:.*over'
leash_run --image small:test --detach --name box -- sh -c 'echo ready; exec sleep 1000'
leash_run stop -t 1 box
is "stop ends it" "$RC:$(err)" 0:
check "... all of it" wait_for 5 no_containers
leash_run --image small:test --detach -- sh -c 'echo ready; exec sleep 1000'
kill -KILL "$(as_user "$LEASH" ps --json | jq .pid)"
check "leash is killed: the container is gone" wait_for 4 no_containers
leash_run --image small:test --detach no-such-command-here
is "--detach of what is not there" "$RC:$(out)" 127:

# ---- What can be wrong --------------------------------------------------------------------

LEASH_FLAGS=(-I)
wrong "no image" 'of which image\? Name one with --image'
wrong "an image that is not there" 'could not be pulled' --image nowhere.invalid/nothing:1
CALLER_ENV+=(LEASH_LINUX_PROGRAMS=/nowhere)
wrong "no programs for the container" 'belong in.*install the whole package' --image small:test
CALLER_ENV[-1]=LEASH_LINUX_PROGRAMS=$T/other-programs
mkdir "$T/other-programs"
cp "$LINUX_PROGRAMS"/* "$T/other-programs"
printf '\267' | dd of="$T/other-programs/leash" bs=1 seek=18 conv=notrunc status=none
wrong "programs of another processor" 'is for another processor than this leash' --image small:test
cp /bin/sh "$T/other-programs/leash"
wrong "programs that need libraries" 'linked against this machine' --image small:test
like "doctor says that, too" "$(as_user "$LEASH" doctor)" '^MISSING .*linked against'
unset 'CALLER_ENV[-1]'
like "doctor: what there is" "$(as_user "$LEASH" doctor)" '^ok +engine docker'
mkdir -p "$T/elsewhere"
printf '#!/bin/bash\nfor a; do shift; set -- "$@" "$(sed "s|source=.*,target=/.leash/session|source=/home,target=/.leash/session|" <<<"$a")"; done\nexec docker "$@"\n' >"$T/elsewhere/docker"
chmod 755 "$T/elsewhere/docker"
CALLER_ENV+=("LEASH_DOCKER=$T/elsewhere/docker")
wrong "an engine that has other files" 'share your home directory' --image small:test
is "... says so once" "$(wc -l <"$ERR")" 1
unset 'CALLER_ENV[-1]'
start_service python3 -u -c "
import socket
s = socket.create_server(('127.0.0.1', 0))
open('$T/busy', 'w').write(str(s.getsockname()[1]))
print('ready'); s.accept()"
wrong "a port that is taken" 'port [0-9]+ of 127.0.0.1 is taken.*name another' --image small:test -p "$(cat "$T/busy"):80"

check "nothing is left in the state directory's own place but the programs" \
	test "$(find "$STATE/engine" -type f -printf '%f\n' | sort | xargs)" = "leash leash-proxy roots.pem"
done_testing
