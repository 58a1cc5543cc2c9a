#!/usr/bin/env bash
# The first things a user relies on: exit codes, arguments, standard streams, environment, identity,
# the workspace, what the default profile denies, and that each of it is in the log.

. "$(dirname "$0")/../lib.sh"
make_user

# ---- Exit codes
for code in 0 3 77 255; do
	leash_run -- sh -c "exit $code"
	is "exit code $code is the command's" "$RC" "$code"
done
for name in KILL:9 TERM:15 SEGV:11; do
	leash_run -- sh -c "kill -${name%:*} \$\$"
	is "a command killed by SIG${name%:*} gives 128+${name#*:}" "$RC" $((128 + ${name#*:}))
done
echo 'not a program' | user_file "$WORK/plain" 644
leash_run -- ./plain
is "a command that can't be executed gives 126" "$RC" 126
leash_run -- no-such-command-here
is "a command that is not found gives 127" "$RC" 127
like "... and says its name" "$(err)" 'no-such-command-here'
is "... in one line" "$(wc -l <"$ERR")" 1
leash_run -- "$WORK/no/such/file"
is "a path that is not there gives 127" "$RC" 127

# ---- Arguments
# shellcheck disable=SC2016
show='for a; do printf "<%s>" "$a"; done'
leash_run -- sh -c "$show" sh 'two words' '' $'new\nline' '*' '--policy' "it's" '"q"' '$HOME' 'ü'
is "arguments arrive byte by byte" "$(out)" $'<two words><><new\nline><*><--policy><it\'s><"q"><$HOME><ü>'
leash_run sh -c 'exit 4'
is "the first word that is no flag starts the command" "$RC" 4
leash_run printf '%s' --help -I
is "flags after the command are the command's" "$(out)" "--help-I"

# ---- Standard streams
head -c 3000000 /dev/urandom >"$T/binary"
leash_run -- cat <"$T/binary"
check "3 MB of bytes pass from stdin to stdout unharmed" cmp "$T/binary" "$OUT"
leash_run -- sh -c 'echo to-out; echo to-err >&2'
is "stdout has the command's stdout only" "$(out)" to-out
like "stderr has the command's stderr" "$(err)" '^to-err$'
leash_run -- sh -c 'read line; echo "rc=$?"' </dev/null
is "an empty stdin ends at once" "$(out)" "rc=1"
leash_run -- true <&-
is "a closed stdin does no harm" "$RC" 0
leash_run -- sh -c 'for n in 0 1; do readlink /proc/self/fd/$n >&2; done' <&- >&-
unlike "... and nothing of leash's takes its number" "$(cat "$ERR")" 'anon_inode|socket|memfd'
said=$(cd "$WORK" && exec_as_user timeout 60 "$LEASH" -I -- yes 2>/dev/null | head -n 2)
is "a reader that goes away ends the writer" "$said" $'y\ny'
leash_run -- sh -c 'ls /proc/self/fd | wc -l'
is "no descriptor of the caller leaks in (0, 1, 2 and the directory)" "$(out)" 4

# ---- Environment
CALLER_ENV=(AWS_SECRET_ACCESS_KEY=leak-1 SSH_AUTH_SOCK=/tmp/agent.sock MY_TOKEN=leak-2 LD_LIBRARY_PATH=/leak-3
	FORWARDED=by-name DBUS_SESSION_BUS_ADDRESS=unix:path=/run/bus)
leash_run -e GIVEN='a value with = and "quotes"' -e FORWARDED -- env -0
mapfile -d '' -t inside <"$OUT"
unlike "the caller's variables stay out" "$(printf '%s\n' "${inside[@]}")" 'leak-|SSH_AUTH_SOCK|MY_TOKEN|LD_LIBRARY|DBUS_'
documented='^(TERM|COLORTERM|NO_COLOR|LANG|LANGUAGE|LC_[A-Z]+|TZ|PATH|HOME|USER|LOGNAME|SHELL|PWD|TMPDIR|XDG_[A-Z_]+|LEASH[A-Z_]*'
documented+='|SSL_CERT_FILE|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO|AWS_CA_BUNDLE|PIP_CERT'
documented+='|CARGO_HTTP_CAINFO|DENO_CERT|NIX_SSL_CERT_FILE|BUNDLE_SSL_CA_CERT|CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE'
documented+='|GRPC_DEFAULT_SSL_ROOTS_FILE_PATH|HTTPLIB2_CA_CERTS|PERL_LWP_SSL_CA_FILE|HEX_CACERTS_PATH|GIVEN|FORWARDED)='
is "nothing but the documented variables is inside" \
	"$(printf '%s\n' "${inside[@]}" | grep -Ev "$documented")" ""
like "HOME is the user's" "$(printf '%s\n' "${inside[@]}")" "^HOME=$T_HOME$"
like "-e NAME=VALUE sets a variable" "$(printf '%s\n' "${inside[@]}")" '^GIVEN=a value with = and "quotes"$'
like "-e NAME forwards a variable" "$(printf '%s\n' "${inside[@]}")" '^FORWARDED=by-name$'
CALLER_ENV=()

# ---- Who and where
leash_run -- pwd
is "the working directory is the caller's" "$(out)" "$WORK"
as_user mkdir -p "$WORK/deep/er"
is "... below the workspace, too" \
	"$(cd "$WORK/deep/er" && exec_as_user timeout 60 "$LEASH" -I -- pwd 2>"$ERR")" "$WORK/deep/er"
leash_run -- id
is "uid and gid are as outside" "$(out | sed 's/ groups=.*//')" "$(as_user id | sed 's/ groups=.*//')"
leash_run -- hostname
is "there is a host name" "$RC:$(out | wc -l)" 0:1
leash_run -- sh -c 'for n in user mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done'
is "every namespace is the container's own" \
	"$(out | sort | comm -12 - <(for n in user mnt pid net ipc uts cgroup; do as_user readlink /proc/self/ns/$n; done | sort))" ""
leash_run -- ps -e -o pid=,args=
is "ps shows the container's processes and no other" \
	"$RC:$(out | grep -cEv '^ *[0-9]+ (ps -e -o pid=[ ,]args=|leash.*init.*)$')" 0:0
unlike "leash's own processes are out of sight" "$(out)" 'supervisor|proxy'
leash_run -- grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status
is "no capability is left" "$(out | grep '^Cap' | grep -cv '0000000000000000$')" 0
like "no new privileges" "$(out)" 'NoNewPrivs:[[:space:]]*1'
like "a seccomp filter is in force" "$(out)" 'Seccomp:[[:space:]]*2'

# ---- The workspace
# By their paths: a shell may have programs of these names in itself.
leash_run -- sh -c 'echo made >new && /usr/bin/mkdir dir && mv new dir/moved && cp dir/moved copy && ln -s copy link &&
	chmod 600 copy && truncate -s 3 copy && /usr/bin/rm plain'
is "the workspace can be worked in" "$RC" 0
is "... and what was made is there, the user's own" "$(stat -c '%U %a' "$WORK/copy") $(cat "$WORK/dir/moved")" "$T_USER 600 made"
check "... and what was deleted is gone" test ! -e "$WORK/plain"
check_event "an exec is recorded with its arguments" \
	'.kind == "proc.exec" and .decision == "allow" and (.path // "" | test("/mkdir$")) and .argv == ["/usr/bin/mkdir", "dir"]'
check_event "a created file is recorded" '.decision == "allow" and .kind == "file.create" and .path == $p' --arg p "$WORK/dir"
check_event "a rename is recorded with both names" \
	'.kind == "file.rename" and .path == $a and .target == $b' --arg a "$WORK/new" --arg b "$WORK/dir/moved"
check_event "a deletion is recorded" '.kind == "file.delete" and .path == $p' --arg p "$WORK/plain"
check_event "... by the program that did it" \
	'.kind == "file.delete" and (.exe | test("/rm$")) and .comm == "rm" and .pid > 0 and .cwd == $w' --arg w "$WORK"

# ---- What the default profile denies
leash_run -- cat "$T_HOME/.ssh/id_ed25519"
is "a private key can't be read" "$RC" 1
like "... EACCES" "$(err)" 'Permission denied'
unlike "... not a byte of it" "$(out; err)" "$SECRET"
check_event "... and the log has it" \
	'.kind == "file.open" and .decision == "deny" and .path == $p and (.policies | length) > 0' --arg p "$T_HOME/.ssh/id_ed25519"
as_user ln -s "$T_HOME/.ssh/id_ed25519" "$WORK/innocent"
leash_run -- cat innocent
is "... nor through a symbolic link" "$RC:$(out)" 1:
check_event "... which the log calls by its real name" \
	'.kind == "file.open" and .decision == "deny" and .path == $p' --arg p "$T_HOME/.ssh/id_ed25519"
leash_run -- sh -c 'echo evil >>~/.bashrc'
like "the start-up file ~/.bashrc can't be written (EACCES)" "$RC $(err)" '^[12] .*Permission denied'
is "... and is unharmed" "$(cat "$T_HOME/.bashrc")" '# start-up'
check_event "... and the log has it" '.decision == "deny" and .path == $p' --arg p "$T_HOME/.bashrc"
as_user git init -q "$WORK/repo"
# An image's files may be written, but for those that run later.
natively && elsewhere=("$T_HOME/elsewhere")
for file in "$T_HOME/.profile" "$T_HOME/.zshrc" "$T_HOME/.ssh/authorized_keys" "$WORK/.envrc" "$WORK/.mcp.json" \
	"$WORK/.vscode/tasks.json" "$WORK/.claude/settings.json" "$WORK/repo/.git/hooks/pre-commit" ${elsewhere[@]+"${elsewhere[@]}"}; do
	before=$(cat "$file" 2>&1)
	leash_run -- sh -c 'mkdir -p "$(dirname "$1")" 2>/dev/null; echo evil >"$1"' sh "$file"
	is "${file#"$T_HOME/"} can't be made or written" "$([ "$RC" = 0 ] && echo written):$(cat "$file" 2>&1)" ":$before"
	check_event "... and the log has it" '.decision == "deny" and (.path as $q | $p | startswith($q))' --arg p "$file"
done
leash_run -- cat "$T_HOME/.bashrc"
is "the start-up file ~/.bashrc can be read" "$(out)" '# start-up'

# ---- /tmp, /dev, /run, sockets
echo outside >"$T/seen"
chmod 644 "$T/seen"
leash_run -- sh -c "cat $T/seen; ls -A /tmp | wc -l; echo inside >/tmp/leash-inside-$$ && cat /tmp/leash-inside-$$"
like "/tmp is writable and private: inside" "$(out)" '^inside$'
unlike "... the host's files are not there" "$(out)" '^outside$'
check "... and nothing comes out" test ! -e "/tmp/leash-inside-$$"
on_exit "rm -f /tmp/leash-inside-$$"
leash_run -- sh -c 'find /dev -type b; find /dev -name mem -o -name kmsg -o -name kvm -o -name fuse -o -name "sd*" -o -name "vd*"'
is "/dev has no devices that matter" "$(out)" ""
leash_run -- sh -c 'echo x >/dev/null && head -c 4 /dev/urandom | wc -c && ls /dev/fd/ >/dev/null && echo fine'
is "... and those that everybody needs" "$(out)" $'4\nfine'
leash_run -- find /run /var/run/ -type s
is "no socket of the host in /run" "$(out)" ""

if natively; then
	socat "UNIX-LISTEN:$T_HOME/agent.sock,fork,mode=666" SYSTEM:'echo host-says-hello' 2>/dev/null &
	SERVICE_PIDS+=($!)
	wait_for 10 test -S "$T_HOME/agent.sock"
	leash_run -- socat -u "UNIX-CONNECT:$T_HOME/agent.sock" -
	unlike "a socket of the host's in the home can't be reached" "$(out)" hello
	check_event "... and the log has it" '.decision == "deny" and .path == $p' --arg p "$T_HOME/agent.sock"
fi
if can_run socat; then # and with it not busybox's nc
	leash_run -- sh -c '(echo inner | nc -lNU s) & n=0; while ! [ -S s ] && [ $((n += 1)) -lt 200 ]; do sleep 0.05; done
		nc -NU s </dev/null'
	is "sockets of the container's own work" "$(out)" inner
fi

# ---- Volumes
mkdir "$T_HOME/data" && echo one >"$T_HOME/data/file" && chown -R "$T_UID:$T_GID" "$T_HOME/data"
leash_run -v "$T_HOME/data:/tmp/data:ro" -- sh -c 'cat /tmp/data/file; echo two >/tmp/data/file'
is "-v SRC:DST:ro can be read" "$(out)" one
is "... and not written" "$(cat "$T_HOME/data/file")" one

# ---- Signals, ends, leftovers
leash_start -- sh -c 'trap "echo got-term; exit 9" TERM; echo ready; while :; do sleep 0.1; done'
wait_for 20 grep -q ready "$OUT"
kill -TERM "$LEASH_PID"
leash_wait 20
is "SIGTERM reaches the command, whose exit code counts" "$RC:$(tail -n 1 "$OUT")" 9:got-term
leash_start -- sh -c 'trap "echo not-me" TERM; echo ready; while :; do sleep 0.1; done'
wait_for 20 grep -q ready "$OUT"
kill -TERM "$LEASH_PID"
wait_for 20 grep -q not-me "$OUT"
kill -TERM "$LEASH_PID"
leash_wait 20
is "a second SIGTERM ends what ignores the first" "$([ "$RC" -gt 127 ] && echo ended)" ended
leash_run -- sh -c 'setsid sleep 1000 </dev/null >/dev/null 2>&1 & setsid sleep 1001 & exit 5'
is "a session ends with its command" "$RC" 5
if [ "$(id -u)" = 0 ]; then
	check "... and nothing of it is left" wait_for 5 no_user_processes
else
	skip "... and nothing of it is left" "needs a user of the test's own"
fi

# ---- The log itself
log=$(events_file)
is "the log is private" "$(stat -c %a "$(session_directory)"/* "$(session_directory)" | paste -sd ' ')" "600 600 600 700"
is "... and one file once the session has ended" "$(cd "$(session_directory)" && echo *)" "events.db lock session.json"
is "the session starts, is ready and stops" \
	"$(events '.kind | startswith("session.")' | jq -r .kind | paste -sd ' ')" "session.start session.ready session.stop"
is "the last event has the exit status" "$(events '.kind == "session.stop"' | jq .status)" 5
is "sequence numbers have no gap" "$(jq -s 'map(.seq) == [range(1; length + 1)]' "$log")" true
is "every event has time, session and chain" \
	"$(jq -s 'all(.[]; has("time") and has("session") and has("prev"))' "$log")" true
is "every decision names its policies" \
	"$(jq -s 'all(.[] | select(.decision != null); (.policies | length) > 0)' "$log")" true
refute "the secret is in no log" grep -rq "$SECRET" "$STATE"

# ---- Published ports ----------------------------------------------------------

can_run python3 || done_testing
# Twice, since the first answer must not be the session's end.
leash_start -p 127.0.0.1:18765:8080 -- python3 -c "
import http.server
print('ready', flush=True)
class H(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'published')
http.server.HTTPServer(('127.0.0.1', 8080), H).serve_forever()"
wait_for 15 grep -q ready "$OUT"
for time in first second; do
	is "a published port answers the $time time" "$(curl -s -m 5 --retry 3 http://127.0.0.1:18765/)" published
done
kill -TERM "$LEASH_PID"
leash_wait 15

done_testing
