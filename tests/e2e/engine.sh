#!/usr/bin/env bash
# Sessions in a container engine: the same policy, events and end as natively, in the image's own
# files and as its users; and nothing of the agent gets out, sees leash or outlives the session.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/engine.sh"
make_user
enter_engine
policy=$T_HOME/.config/leash/policy.cedar

# ---- A session ---------------------------------------------------------------

leash_run -- sh -c 'id -u; pwd; cat; echo new >file; exit 7' <<<"from outside"
is "the command's exit code" "$RC" 7
is "its input and output" "$(out)" "0
$WORK
from outside"
is "the workspace is the user's own" "$(cat "$WORK/file")" new
check_event "its events are outside" '.kind == "proc.exec" and .path == "/bin/busybox"'
check "... and nobody changed them" as_user "$LEASH" verify
like "... and the session has ended" "$(as_user "$LEASH" sessions)" 'ended'
is "its files are the user's" "$(stat -c %U "$(session_directory)"/* | sort -u)" "$T_USER"
check "no container is left" no_containers
head -c 3000000 /dev/urandom >"$T/big"
(cd "$WORK" && exec_as_user "$LEASH" "${LEASH_FLAGS[@]}" -- cat) <"$T/big" >"$T/big.out" 2>"$ERR"
check "three megabytes go through" cmp "$T/big" "$T/big.out"
leash_run -- sh -c 'kill -TERM $$'
is "a command that a signal ends" "$RC" 143
leash_run -- not-there
is "a command that is not in the image" "$RC" 127
leash_run -- /etc/passwd
is "a file that is no program" "$RC" 126
leash_run --image bare:test -- /app/echo an image of one program
is "an image without a shell" "$(out)" "an image of one program"

# ---- Users --------------------------------------------------------------------

leash_run --image dev:test -- sh -c 'id; echo $HOME $GREETING; touch ~/mine; touch /etc/theirs; su root -c id'
like "the image's user" "$(out)" 'uid=1000\(dev\) gid=1000\(dev\) groups=(1000\(dev\),)?10\(wheel\)'
like "... with its home and the image's variables" "$(out)" '/home/dev hello'
like "... has his files and no others" "$(err)" '/etc/theirs: Permission denied'
unlike "... and does not become root" "$(out)" 'uid=0'
leash_run -- sh -c 'mkdir /srv && chown dev /srv && su dev -c "id -u; touch /srv/his; touch /root/no"; ls -ln /srv/his; ls /root/no; grep CapEff /proc/self/status'
like "the image's root gives files away" "$(out)" '1000 +1000 .*/srv/his'
like "... and becomes another" "$(out)" '^1000$'
like "... who is not root any more" "$(err)" '/root/no: Permission denied'
like "... and has six capabilities" "$(out)" 'CapEff:.00000000000000eb'
leash_run -- sh -c 'echo "dev::1:0:99999:7:::" >/etc/shadow && cat /etc/shadow'
like "what the image keeps secret is its own" "$(out)" '^dev::'
leash_run -v "$T_HOME/.cache:/etc/mounted" -- sh -c 'echo "dev::1:0:99999:7:::" >/etc/shadow'
refute "... but not where something of the machine is mounted" test "$RC" = 0
cp "$T/small/bin/busybox" "$WORK/tool"
leash_run -- sh -c 'chmod 4755 tool; chmod 4755 /bin/busybox; mknod node c 1 3; chown 0:0 tool; ls -l /bin/busybox'
is "no program in the workspace runs as its owner" "$(stat -c %a "$WORK/tool")" 755
like "... though one in the image may" "$(out)" '^-rws'
refute "no device is made" test -e "$WORK/node"
leash_run -- sh -c 'chmod 6755 /bin/busybox; cp -p /bin/busybox copy; tar -cf - -C / bin/busybox | tar -xpf -; ls -l copy bin'
is "... by no other way" "$(find "$WORK" -perm /6000)" ""

# ---- Agents' directories, and ports ------------------------------------------------

image agent 'FROM small:test' 'RUN printf "#!/bin/sh\nexec sh -c \"\$1\"\n" >/bin/claude; chmod 755 /bin/claude' 'EXPOSE 3000/tcp 53/udp'
echo '{ "theme": "dark" }' | user_file "$T_HOME/.claude/settings.json"
echo '{}' | user_file "$T_HOME/.claude.json"
leash_run --image agent:test -- claude 'ls -a ~'
unlike "an agent's directories are not there without a word" "$(out)" claude
user_file "$T_HOME/.config/leash/config.toml" <<<$'[volumes]\nclaude = true'
leash_run --image agent:test -- claude 'cat ~/.claude/settings.json; echo note >~/.claude/note; echo $HOME; ls ~/.claude.json; echo x >~/.claude/settings.json'
like "... and are with it, in the image's home" "$(out)" 'dark.*'
like "... whose user has it" "$(out)" '^/root/.claude.json'
is "... and it writes there" "$(cat "$T_HOME/.claude/note")" note
is "... but not what runs later, outside" "$(cat "$T_HOME/.claude/settings.json")" '{ "theme": "dark" }'
leash_run --image agent:test -- sh -c 'ls -a ~'
unlike "... another program has none of it" "$(out)" '\.claude'
leash_run --image agent:test -e HOME=/srv/agent -- claude 'cat /srv/agent/.claude/settings.json'
like "... and they are in the home that -e names" "$(out)" dark
mkdir -p "$T_HOME/data"
leash_run -v "$T_HOME/data:/data:ro" -- sh -c 'echo x >/data/x'
check_event "a volume to be read is no file of the image: writing is denied" '.decision == "deny" and .path == "/data/x"'
rm "$T_HOME/.config/leash/config.toml"
leash_start --image agent:test -P -p 0.0.0.0::8080 -- sh -c 'while :; do echo "HTTP/1.0 200 OK

exposed" | nc -l -p 3000; done'
published=
for ((port = 3000; port < 3010; port++)); do
	wait_for 2 eval 'published=$(curl -s -m 3 "http://127.0.0.1:$port/"); [ "$published" = exposed ]' && break
done
is "-P publishes what the image exposes" "$published" exposed
kill -TERM "$LEASH_PID"
leash_wait 15

# ---- Listed and stopped ---------------------------------------------------------------

leash_start --name in-an-engine -- sh -c 'echo ready; sleep 60'
wait_for 15 grep -q ready "$OUT"
like "ps lists it with its engine" "$(as_user "$LEASH" ps)" 'in-an-engine +docker'
is "... and leash outside as its process" "$(as_user "$LEASH" ps --json | jq .pid)" "$LEASH_PID"
check "stop ends it" as_user "$LEASH" stop in-an-engine
leash_wait 5
is "... as a signal does" "$RC" 143
check "... and its container" no_containers

# ---- Policy --------------------------------------------------------------------

as_user git init -q "$WORK"
leash_run -- sh -c 'echo x >/etc/changed && cat /etc/changed; echo x >.git/hooks/pre-commit; echo x >/dev/null && echo null'
is "the image's files may be changed, what runs outside not" "$(out)" "x
null"
check_event "... and that is recorded" '.decision == "deny" and (.path // "" | endswith("/.git/hooks/pre-commit")) and by("later-git")'
leash_run -- cat /etc/changed
refute "... and each session begins anew" test "$RC" = 0
leash_run --profile locked -- sh -c 'echo x >/etc/changed'
refute "the strictest profile stands" test "$RC" = 0
leash_run -- sh -c 'mkdir ~/.ssh; echo x >~/.ssh/id_rsa; cat ~/.ssh/id_rsa; echo x >/etc/changed; cat /etc/shadow'
like "a replay decides by the image's places" "$(as_user "$LEASH" replay)" '^0 of [1-9][0-9]* operations'
user_file "$T_HOME/other.cedar" <<-END
	permit (principal, action in [Action::"FileOpen", Action::"ProcessExec"], resource);
	@id("secret") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/secret");
	@id("root") forbid (principal, action in Action::"FileOpenReadWrite", resource in Dir::"/root/");
END
echo hidden | user_file "$WORK/secret"
leash_run --policy "$T_HOME/other.cedar" -- sh -c 'cat secret; ln secret copy; mv secret other; echo x >/root/x; su dev -c "cat secret"; echo ok >allowed'
unlike "a policy of the user's own" "$(out)" hidden
check_event "... denies reading" '.decision == "deny" and (.path // "" | endswith("/secret")) and by("secret")'
refute_event "... for root and others alike" '.decision == "allow" and (.path // "" | endswith("/secret")) and .kind == "file.open"'
check_event "... and writing" '.decision == "deny" and .path == "/root/x" and by("root")'
check "... and nothing else" test -e "$WORK/allowed"

mkfifo "$T/stdin"
exec 7<>"$T/stdin"
STDIN=$T/stdin leash_start -- sh
tell() {
	echo "$1; echo told-$2" >&7
	wait_for 15 grep -q "told-$2" "$OUT"
}
tell 'echo one >/root/one && echo written' 1
is "before the policy changes" "$(grep -c written "$OUT")" 1
user_file "$policy" <<<'@id("later") forbid (principal, action in Action::"FileOpenReadWrite", resource in Dir::"/root/");'
wait_for 10 has_event '.kind == "policy.applied" and .generation > 1'
tell 'echo two >/root/two || echo refused' 2
is "... and after" "$(grep -c refused "$OUT")" 1
rm -f "$policy"

# ---- The control page -----------------------------------------------------------

url=$(as_user "$LEASH" token --url)
port=$(sed -E 's|.*:([0-9]+)/.*|\1|' <<<"$url")
token=$(as_user "$LEASH" token)
like "the API answers outside" "$(curl -s -m 5 -H "Authorization: Bearer $token" "http://127.0.0.1:$port/api/session")" '"uptime_ms"'
address=$(engine inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(engine ps -q)")
refute "... not at the container's address" curl -s -m 3 "http://$address:$port/"
for host in 127.0.0.1 "$address" "$ENGINE_ADDRESS"; do
	tell "printf 'GET /api/session HTTP/1.0\r\nHost: 127.0.0.1:$port\r\nAuthorization: Bearer $token\r\n\r\n' | nc -w 3 $host $port" "api-$host"
done
unlike "... and not to the agent" "$(out)" '"(id|uptime_ms)"'
inspected=$(engine inspect "$(engine ps -q)")
unlike "the command is not in the container's description" "$inspected" '"sh"'
exec 7>&-
leash_wait 15
rm "$T/stdin"

# ---- What is secret ---------------------------------------------------------------

echo sk-Zq81kd02mfPw73hsYt5RbXc94u | user_file "$T_HOME/token" 600
leash_start --secret "TOKEN=file:$T_HOME/token,host=api.test" -e PLAIN=a-plain-value -- sh -c 'env; echo ready; sleep 20'
wait_for 15 grep -q ready "$OUT"
unlike "the agent has a placeholder" "$(out)" sk-Zq81kd02mfPw73hsYt5RbXc94u
like "... and what was given openly" "$(out)" a-plain-value
unlike "the engine knows neither" "$(engine inspect "$(engine ps -q)"; engine top "$(engine ps -q)")" 'sk-Zq81kd02mfPw73hsYt5RbXc94u|a-plain-value'
check "... and the session goes on" test -n "$(engine ps -q)"
kill -TERM "$LEASH_PID"
leash_wait 15

# ---- Network -----------------------------------------------------------------------

: >"$T/keys"
start_service python3 -u -c "
import http.server
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'from the service')
        print(self.headers.get('X-Key'), file=open('$T/keys', 'a'))
    def log_message(self, *a): pass
s = http.server.HTTPServer(('$ENGINE_ADDRESS', 0), H)
open('$T/port', 'w').write(str(s.server_port))
print('ready'); s.serve_forever()"
service=$ENGINE_ADDRESS:$(cat "$T/port")
get="printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${service/:/ }"
leash_run -- sh -c "$get | tail -n 1"
is "what is permitted is reached" "$(out)" "from the service"
check_event "... and recorded" '.kind == "net.connect" and .decision == "allow"'
leash_run --secret "TOKEN=file:$T_HOME/token,host=http://$service" -- \
	sh -c "printf \"GET / HTTP/1.0\\r\\nHost: $service\\r\\nX-Key: \$TOKEN\\r\\n\\r\\n\" | nc -w 5 ${service/:/ } | tail -n 1"
is "a secret goes to its host" "$(out) $(tail -n 1 "$T/keys")" "from the service $(cat "$T_HOME/token")"
user_file "$policy" <<<'@id("no-service") forbid (principal, action in Action::"NetworkConnect", resource in IpRange::"'"$ENGINE_ADDRESS/32"'");'
leash_run -- sh -c "$get"
unlike "what is denied is not" "$(out)" "from the service"
check_event "... and that too" '.decision == "deny" and by("no-service")'
rm -f "$policy"
leash_start -p 0.0.0.0::8080 -- sh -c 'while :; do echo "HTTP/1.0 200 OK

published" | nc -l -p 8080; done'
published=
for ((port = 8080; port < 8090; port++)); do
	wait_for 2 eval 'published=$(curl -s -m 3 "http://127.0.0.1:$port/"); [ "$published" = published ]' && break
done
is "a published port is reached from outside" "$published" published
kill -TERM "$LEASH_PID"
leash_wait 15

# ---- Ways out -----------------------------------------------------------------------

as_user gcc -O1 -static -o "$WORK/probe" -x c - <"$(dirname "$0")/support/engine-probe.c"
for user in root dev; do
	image=small
	[ "$user" = root ] || image=dev
	leash_run --image "$image:test" -- ./probe
	while read -r verdict name; do
		is "$user: $name" "$verdict" refused
	done < <(grep -E '^(refused|DONE) ' "$OUT")
	is "$user: all were tried" "$(tail -n 1 "$OUT")" "all"
done
leash_run -- sh -c 'ls -a /.leash; cat /.leash/session/events.db; ls /proc | grep -c "^[0-9]"; ls /run /var/run/docker.sock'
unlike "leash's own files are not there" "$(out)" 'session|events|bin'
leash_run -- sh -c 'for p in /proc/[0-9]*; do tr "\0" " " <$p/cmdline; echo; done'
unlike "... nor are its processes" "$(out)" 'internal|supervisor|leash: '
image health 'FROM small:test' 'HEALTHCHECK --interval=1s CMD touch /checked'
leash_run --image health:test -- sh -c 'sleep 3; ls /checked'
refute "the engine runs nothing of the image's beside the session" grep -q checked "$OUT"
leash_run -- sh -c 'setsid sh -c "sleep 3; echo late >late" >/dev/null 2>&1 & sleep 0.3'
sleep 4
refute "nothing outlives the session" test -e "$WORK/late"

# ---- Ends ------------------------------------------------------------------------------

check_ends_by_signals
check_ends_by_kill
start_loop
first=$(engine inspect -f '{{.State.Pid}}' "$(engine ps -q)")
pkill -KILL -f "containerd-shim.*-id $(engine ps -q --no-trunc)"
check "the engine's shim was killed: the container is down within 2 s" wait_for 2 gone "$first"
leash_wait 15
like "... and leash says so" "$RC:$(err)" '^125:.*the container ended before the session did'
check "... and nothing is left of it" wait_for 10 no_containers
# As after a crash of the engine and of leash.
engine run -d --label "leash.owner=$T_UID" --name leash-20200101-000000-aaaa-99999999-1 --entrypoint /bin/sleep small:test 1000 >/dev/null
engine run -d --label "leash.owner=4711" --name leash-20200101-000000-bbbb-99999999-1 --entrypoint /bin/sleep small:test 1000 >/dev/null
leash_run -- true
check "a leftover is removed by the next session" wait_for 15 eval '[ "$(containers)" = 1 ]'
like "... and another user's is not" "$(engine ps --format '{{.Names}}')" bbbb
engine rm -f leash-20200101-000000-bbbb-99999999-1 >/dev/null

# ---- A terminal -------------------------------------------------------------------------

check_window

# ---- Without a terminal --------------------------------------------------------------------

LEASH_FLAGS=()
install -m 644 "$(dirname "$0")/support/at-terminal.py" "$T"
# detach FLAG… COMMAND: its id in ID.
detach() {
	leash_run --image small:test --detach "$@"
	ID=$(out)
}
status_of() {
	as_user "$LEASH" sessions --json | jq -r "select(.id == \"$1\") | \"\(.state) \(.status)\""
}
detach --name box -- sh -c 'echo hello-$((40+2)); while read -r x; do echo "got $x"; [ "$x" != quit ] || exit 7; done'
is "--detach returns at once" "$RC:$(err)" 0:
is "... with the id" "$ID" "$(as_user "$LEASH" ps -q)"
is "ps says what it runs in" "$(as_user "$LEASH" ps --json | jq -r '"\(.name) \(.runtime) \(.detached)"')" "box docker true"
check "logs: what it has shown" wait_for 15 logged box hello-42
as_user python3 "$T/at-terminal.py" '' 'one\r' 'got one' '\x10\x11' -- "$LEASH" attach box >"$OUT" 2>&1 </dev/null
is "attach: typed, shown, and left" "$?" 0
is "... it runs on" "$(as_user "$LEASH" ps -q)" "$ID"
leash_run --image small:test -I -- sh -c "ls -A ~/.local /.leash; nc local:$STATE/run/$ID.sock </dev/null" # not another's terminal
unlike "... out of another session's reach" "$(out)" 'sock|hello'
(cd "$WORK" && exec_as_user "$LEASH" attach box <<<quit) >"$T/piped" 2>&1
is "attach: by a pipe; the exit code is the session's" "$?" 7
is "... which sessions has" "$(status_of "$ID")" "ended 7"
check "... and its container is gone" wait_for 5 no_containers
is "... leash had nothing to say" "$(cat "$STATE/sessions/$ID/leash.log")" ""
refute "... and its socket is gone" test -e "$STATE/run/$ID.sock"
leash_run logs box
like "logs: of one that is over" "$(tr -d '\n' <"$OUT")" '^hello-42.*got one.*got quit'
detach -- sh -c 'trap "" TERM HUP; echo ready; while :; do sleep 0.1; done'
wait_for 15 logged "$ID" ready
leash_run stop -t 1 "$ID"
is "stop -t: kills what does not end" "$RC:$(err)" 0:
check "... all of it" wait_for 5 no_containers
detach -- sh -c 'echo ready; exec sleep 1000'
wait_for 15 logged "$ID" ready
kill -KILL "$(as_user "$LEASH" ps --json | jq .pid)"
check "leash is killed: the container is gone" wait_for 4 no_containers
leash_run --image small:test --detach no-such-command-here
is "--detach of what is not there" "$RC:$(out)" 127:
like "... says so" "$(err)" 'not found in the image'
leash_run --image nowhere.invalid/nothing:1 --detach -- true
is "--detach in an image that is not there" "$RC:$(out)" 125:
said=$(cd "$WORK" && exec_as_user timeout 30 bash -c 'exec 9>&1; "$1" --image small:test --detach -- sleep 1000 2>&1' _ "$LEASH")
is "what its caller has open is not kept open" "$?" 0
leash_run stop -t 0 "$said"
is "stop -t 0" "$RC" 0
check "... and nothing is left" wait_for 5 no_containers

# ---- What can be wrong --------------------------------------------------------------------

LEASH_FLAGS=(-I)
wrong "an image that is not there" 'could not be pulled' --image nowhere.invalid/nothing:1
wrong "no image" 'Name one with --image' --runtime docker
wrong "an image and no engine" 'leave --runtime' --runtime native --image small:test
wrong "an engine that is not installed" 'install the engine' --runtime nerdctl --image small:test
image nobody 'FROM small:test' 'USER not-listed'
wrong "a user that the image lacks" 'not in its /etc/passwd' --image nobody:test
wrong "a mount over leash's own" 'nothing can be mounted' --image small:test -v "$WORK:/.leash/bin"
start_service python3 -u -c "
import socket
s = socket.create_server(('127.0.0.1', 0))
open('$T/busy', 'w').write(str(s.getsockname()[1]))
print('ready'); s.accept()"
wrong "a port that is taken" 'port [0-9]+ of 127.0.0.1 is taken.*name another.*-p 80' --image small:test -p "$(cat "$T/busy"):80"
wrong "a mount of what is not there" "there is no $WORK/nowhere here; make it first" --image small:test -v "$WORK/nowhere:/data"
leash_run --image bare:test -- sh -c true
is "an image without a shell" "$RC" 127
like "... says what to do" "$(err)" 'has no shell; name a program'
is "... once" "$(wc -l <"$ERR")" 1

# An engine that has no way to this leash: each is the real one with a change to its call.
mkdir -p "$T/elsewhere" "$T/other"
chown "$T_UID:$T_GID" "$T/elsewhere" "$T/other"
# change_engine SED-EXPRESSION
change_engine() {
	printf '#!/bin/bash\nfor a; do shift; set -- "$@" "$(sed "%s" <<<"$a")"; done\nexec docker "$@"\n' "$1" >"$T/elsewhere/docker"
	chmod 755 "$T/elsewhere/docker"
}
CALLER_ENV+=("LEASH_DOCKER=$T/elsewhere/docker")
change_engine "s|source=.*,target=/.leash/session|source=$T/other,target=/.leash/session|"
wrong "an engine that has other files" 'does not reach leash outside.*must run on this machine' --image small:test
is "... says so once" "$(wc -l <"$ERR")" 1
change_engine "s|source=.*,target=/.leash/session|source=/not/there,target=/.leash/session|"
wrong "an engine that lacks the files" 'did not start the container' --image small:test
change_engine "s|^--interactive$|--init=false|"
wrong "an engine that passes no input on" 'does the engine pass it on' --image small:test
is "... says so once" "$(wc -l <"$ERR")" 1
printf '#!/bin/bash\n[ "$1" != run ] || exec sleep 1000\nexec docker "$@"\n' >"$T/elsewhere/docker"
CALLER_ENV+=("LEASH_BOOTSTRAP_TIMEOUT=2")
wrong "an engine that starts nothing" 'not up within 2 seconds.*LEASH_BOOTSTRAP_TIMEOUT' --image small:test
unset "CALLER_ENV[-1]" "CALLER_ENV[-1]"
CALLER_ENV+=("LEASH_BOOTSTRAP_TIMEOUT=soon")
wrong "a limit of time that is none" 'LEASH_BOOTSTRAP_TIMEOUT' --image small:test
CALLER_ENV[-1]=LEASH_BOOTSTRAP_TIMEOUT=2m
chmod 600 "$ENGINE_SOCKET"
wrong "no right to use the engine" 'usermod -aG docker' --image small:test
chmod 660 "$ENGINE_SOCKET"
CALLER_ENV+=("DOCKER_HOST=unix://$T/nothing")
wrong "an engine that does not run" 'not running; start it' --image small:test
CALLER_ENV[-1]=DOCKER_HOST=unix://$ENGINE_SOCKET
check "nothing is left behind" no_containers
check "... no process either" wait_for 5 no_user_processes

done_testing
