#!/usr/bin/env bash
# A session's events: exported and checked by hand, by OpenTelemetry, followed, after a crash and on a full
# disk; and how long sessions are kept.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/node-packages.sh"
install_node_packages otlp "$(dirname "$0")/support/otlp" --ignore-scripts
make_user
LEASH_FLAGS=()

sessions() {
	leash_run sessions --json
	jq -rs "$1" "$OUT"
}

# ---- Export
echo data | user_file "$WORK/file"
leash_run -I -- sh -c 'cat file ~/.ssh/id_ed25519; touch "$(printf "evil\033[31m\xff\nname")"; mv file moved; exit 3' 2>/dev/null
session=$(basename "$(session_directory)")
lines=$(events_file)
leash_run export --jsonl "$session" --output "$WORK/exported"
is "export: into a file" "$RC:$(out)" 0:
check "... the same" cmp "$WORK/exported" "$lines"
is "... for its owner alone" "$(stat -c %a "$WORK/exported")" 600
leash_run export
check "... JSON Lines of the newest session are what it writes by itself" cmp "$OUT" "$lines"

chain_by_hand() {
	local line prev want
	prev=$(printf '0%.0s' {1..64})
	while IFS= read -r line; do
		want=$(jq -r .prev <<<"$line")
		[ "$want" = "$prev" ] || return 1
		prev=$(printf %s "$line" | sha256sum | cut -d ' ' -f 1)
	done <"$lines"
	[ "$(jq -r .head "$(session_directory)/session.json")" = "$prev" ]
}
check "the bytes that are exported are those that were hashed" chain_by_hand
leash_run events --json
check "events --json has the same bytes" cmp "$OUT" "$lines"

leash_run export --otlp "$session"
is "export --otlp: exit 0" "$RC:$(err)" 0:
is "... every record is there" "$(jq -s '[.[].resourceLogs[].scopeLogs[].logRecords[]] | length' "$OUT")" "$(wc -l <"$lines")"
is "... the denial is a warning" "$(jq -r '.resourceLogs[0].scopeLogs[0].logRecords[]
	| select(any(.attributes[]; .value.stringValue == $f) and .severityNumber == 13) | .eventName' --arg f "$T_HOME/.ssh/id_ed25519" "$OUT")" file.open
is "... times are nanoseconds, as text" "$(jq -r '.resourceLogs[0].scopeLogs[0].logRecords[0].timeUnixNano | length' "$OUT")" 19
check "... it is UTF-8 without control bytes" python3 -c 'import sys
text = open(sys.argv[1], encoding="utf-8").read()
sys.exit(any(c < " " and c != "\n" for c in text) or "\\ud" in text)' "$OUT"
if [ "$NODE_PACKAGES_WHY" ]; then
	skip "... OpenTelemetry reads it" "$NODE_PACKAGES_WHY"
else
	is "... OpenTelemetry reads it" \
		"$(NODE_PATH=$NODE_PACKAGES_CACHE/otlp/node_modules node "$(dirname "$0")/support/otlp/check.cjs" <"$OUT" 2>&1)" \
		"$(wc -l <"$OUT") lines, $(wc -l <"$lines") records"
fi

# ---- Filters
leash_run events --json --exe cat --text ID_ED25519
is "events: of a program, with a text" "$(jq -r .path "$OUT")" "$T_HOME/.ssh/id_ed25519"
leash_run events --json --since 1h --limit 2
is "... the first two of the last hour" "$(jq -s 'map(.seq)' -c "$OUT")" '[1,2]'
leash_run events --json --until 1h
is "... none is older" "$(out)" ""
leash_run events --json --path "$WORK/moved"
is "... a rename by its other name" "$(jq -r .kind "$OUT")" file.rename

# ---- Causes
exec_seq=$(events '.kind == "proc.exec" and (.path | endswith("/cat"))' | jq .seq)
is "what a program opens follows from its start" \
	"$(events '.comm == "cat" and .path == $p' --arg p "$T_HOME/.ssh/id_ed25519" | jq .cause)" "$exec_seq"
is "... which follows from the command's" "$(events ".seq == $exec_seq" | jq .cause)" \
	"$(events '.kind == "proc.exec"' | head -n 1 | jq .seq)"

# ---- Ends of programs
cat >"$WORK/ends.py" <<'PY'
import os, subprocess
subprocess.run(["true"])
subprocess.run(["sh", "-c", "exit 7"])
subprocess.run(["sh", "-c", "kill -TERM $$"])
subprocess.run(["sh", "-c", "exec false"])
left = subprocess.Popen(["date"], stdout=subprocess.DEVNULL)
os.waitid(os.P_PID, left.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody takes its status
subprocess.Popen(["sleep", "1000"])
PY
leash_run -I -- python3 ends.py
# ends NAME: how the programs of that name ended, in turn
ends() {
	events '.kind == "proc.exit" and (.path | endswith("/'"$1"'"))' | jq -s -c 'map(.status)'
}
is "ends: a program's status" "$(ends true)" '[0]'
is "... another's, and a signal as shells say it" "$(ends dash)" '[7,143]'
is "... a process that executes again ends once, as what it ran last" "$(ends false)" '[1]'
is "... one that nobody waits for" "$(ends date)" '[0]'
is "... one that the session's end kills" "$(ends sleep)" '[137]'
is "... each follows from the program's beginning" \
	"$(jq -s -c '[.[] | select(.kind == "proc.exec") | {seq, pid}] as $begun | [.[] | select(.kind == "proc.exit") | . as $it | any($begun[]; .seq == $it.cause and .pid == $it.pid)] | unique' "$(events_file)")" '[true]'

# ---- A session that runs
mkfifo "$T/stdin"
exec 7<>"$T/stdin"
STDIN=$T/stdin leash_start -I -- sh
wait_for 10 has_event '.kind == "session.ready"'
running=$(basename "$(session_directory)")
is "sessions: it runs" "$(sessions '.[] | select(.id == "'"$running"'").state')" running
leash_run verify
like "verify: as far as it is written" "$RC:$(out)" '^0:.*still being written'
leash_run sessions rm "$running"
is "sessions rm: not one that runs" "$RC" 1
like "... and says so" "$(err)" "still runs"

# How long after an event a follower has it: the best of many, for the machine may be busy.
cat >"$T/latency.py" <<'EOF'
import calendar, json, sys, time
best = 1e9
for line in sys.stdin:
    now = time.time()
    event = json.loads(line)
    name = event.get("path", "").rpartition("/")[2]
    if name.startswith("probe-"):
        seconds = calendar.timegm(time.strptime(event["time"][:19], "%Y-%m-%dT%H:%M:%S")) + float("0." + event["time"][20:-1])
        best = min(best, now - seconds)
        with open(sys.argv[1], "a") as seen:
            print(name, file=seen)
print(int(best * 1000))
EOF
(cd "$WORK" && exec_as_user "$LEASH" events --follow --json) 2>/dev/null | python3 "$T/latency.py" "$T/probes" >"$T/latency" &
SERVICE_PIDS+=("$!")
# Each when the one before has been shown: the first ones may wait until the follower has read what was there.
for n in $(seq 20); do
	echo "echo x >probe-$n" >&7
	wait_for 10 grep -qx "probe-$n" "$T/probes" || break
done
is "events --follow shows what is done, while it is done" "$n $(tail -n 1 "$T/probes")" "20 probe-20"
echo 'exit 0' >&7
leash_wait 20
check "events --follow ends with the session" wait_for 10 test -s "$T/latency"
check "... and shows an event within 50 ms ($(cat "$T/latency") ms at best)" test "$(cat "$T/latency")" -lt 50
is "sessions: it has ended" "$(sessions '.[] | select(.id == "'"$running"'").state')" ended

# The directory of a session is there before its records.
early=20200101-000000-0000
as_user mkdir "$STATE/sessions/$early"
(cd "$WORK" && exec_as_user "$LEASH" events "$early" --follow) >"$T/early" 2>&1 &
follower=$!
wait_for 10 eval 'grep -qs inotify /proc/$follower/fdinfo/* || gone $follower'
# Whole at once, as SQLite makes it.
as_user cp "$STATE/sessions/$running/events.db" "$STATE/early.db"
as_user ln "$STATE/early.db" "$STATE/sessions/$early/events.db"
check "events --follow waits for one that has not begun" wait_for 10 gone "$follower"
like "... and shows it" "$(cat "$T/early")" probe-20
as_user rm -r "$STATE/sessions/$early" "$STATE/early.db"

# ---- Killed
STDIN=$T/stdin leash_start -I -- sh
wait_for 10 has_event '.kind == "session.ready"'
echo 'echo x >before' >&7
wait_for 10 has_event '.path == $p' --arg p "$WORK/before"
kill -KILL "$LEASH_PID"
leash_wait 10
killed=$(basename "$(session_directory)")
leash_run verify "$killed"
is "a killed session's records are whole" "$RC" 0
like "... and have no end" "$(err)" 'no session.stop'
check_event "... and what was there is there" '.path == $p' --arg p "$WORK/before"
is "sessions: it died" "$(sessions '.[] | select(.id == "'"$killed"'").state')" died

# ---- A full disk
if [ "$(id -u)" = 0 ] && mkdir "$T/small" && mount -t tmpfs -o size=600k,mode=700,uid="$T_UID",gid="$T_GID" tmpfs "$T/small" 2>/dev/null; then
	on_exit 'umount "$T/small"'
	CALLER_ENV=("XDG_STATE_HOME=$T/small")
	leash_run -I -- sh -c 'while :; do for f in /usr/lib/*; do [ -d "$f" ] || cat "$f"; done; done >/dev/null 2>&1'
	is "when events cannot be written the session ends" "$RC" 125
	like "... and says why" "$(err)" 'events cannot be recorded: No space left'
	leash_run verify
	is "... and what was written is whole" "$RC" 0
	CALLER_ENV=()
else
	skip "when events cannot be written the session ends" "needs a small file system"
fi

# ---- How long sessions are kept
old() {
	touch -d "$2" "$STATE/sessions/$1"/*
}
nobody_prunes() {
	! pgrep -u "$T_UID" -f 'sessions prune'
}
old "$session" '40 days ago'
old "$killed" '3 days ago'
leash_run sessions prune --dry-run
like "sessions prune --dry-run: says what is too old" "$RC:$(out)" "^0:would remove $session, .*: ended more than 30 days ago\$"
check "... and removes nothing" test -e "$STATE/sessions/$session/events.db"
printf '[events]\nkeep_days = 0\n' | user_file "$T_HOME/.config/leash/config.toml"
leash_run sessions prune --dry-run
is "... as the configuration has it" "$RC:$(out)" 0:
leash_run sessions prune --dry-run --keep-days 2
is "... or the command line" "$(out | cut -d ' ' -f 3 | tr -d ,)" "$session
$killed"
printf '[events]\nkeep_dais = 0\n' | user_file "$T_HOME/.config/leash/config.toml"
leash_run sessions prune
like "a mistake in it is named" "$RC:$(err)" '^1:.*config.toml:2:1: unknown key keep_dais; did you mean keep_days\?'
leash_run -I -- true
like "... by a session too" "$RC:$(err)" '^125:.*config.toml:2:1: unknown key keep_dais'
printf '[events]\nkeep_days = 30\nkeep_mb = 1\n' | user_file "$T_HOME/.config/leash/config.toml"
STDIN=$T/stdin leash_start -I -- sh
check "a session removes those that are too old, while it runs" wait_for 20 test ! -e "$STATE/sessions/$session"
check "... and is done with it" wait_for 20 nobody_prunes
echo 'exit 0' >&7
leash_wait 20
check "... and no others" test -e "$STATE/sessions/$killed/events.db"
head -c 2000000 /dev/urandom | user_file "$STATE/sessions/$killed/filler"
old "$killed" '3 days ago'
leash_run sessions prune
like "sessions prune: the oldest beyond the size" "$RC:$(out)" "^0:removed $killed, .*: the sessions take more than 1 MiB\$"
check "... are gone" test ! -e "$STATE/sessions/$killed"
check "... and the others are not" test -e "$STATE/sessions/$running/events.db"
leash_run sessions rm "$running"
is "sessions rm: removes one" "$RC:$(ls "$STATE/sessions" | grep -c "$running")" 0:0
leash_run sessions rm nothing
is "... and fails where there is none" "$RC" 1

# ---- The last thing that happens, on a machine that has no time
rm -f "$T_HOME/.config/leash/config.toml"
echo data | user_file "$WORK/file"
busy=()
on_exit 'kill "${busy[@]}" 2>/dev/null'
cpu=$(($(nproc) - 1))
for _ in 1 2; do
	taskset -c "$cpu" sh -c 'while :; do :; done' &
	busy+=($!)
done
lost=0
for _ in $(seq 20); do
	(cd "$WORK" && exec_as_user taskset -c "$cpu" "$LEASH" -I -- cat file) >"$OUT" 2>"$ERR"
	has_event '.path == "'"$WORK/file"'"' || lost=$((lost + 1))
done
kill "${busy[@]}"
is "what a session does last is in its log" "$lost:$(out)" 0:data

# ---- Sessions from before there was a database
as_user mkdir "$STATE/sessions/20200101-000000-aaaa"
echo '{"seq":1}' | user_file "$STATE/sessions/20200101-000000-aaaa/events.jsonl" 600
leash_run sessions
like "sessions: one without a database is listed" "$RC:$(out | tail -n 1)" '^0:20200101-000000-aaaa .* died '

done_testing
