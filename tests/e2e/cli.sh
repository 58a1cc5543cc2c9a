#!/usr/bin/env bash
# The command line: help, mistakes, and the commands around a session.

. "$(dirname "$0")/../lib.sh"
make_user
LEASH_FLAGS=()

# ---- Help
leash_run
is "no arguments: help, exit 2" "$RC" 2
like "... that shows usage" "$(out; err)" '[Uu]sage'
leash_run --help
is "--help: exit 0" "$RC:$(err)" "0:"
help=$(out)
for word in --policy --profile --mode --no-interactive --volume --env --publish policy events doctor; do
	like "... names $word" "$help" "(^|[ ,])$word"
done
for command in run ps attach logs stop events sessions verify export policy cedar doctor completion version help; do
	leash_run "$command" --help
	is "$command --help: exit 0, on stdout" "$RC:$([ -s "$OUT" ] && echo said):$(err)" "0:said:"
	like "... with its usage" "$(out)" "leash.*$command"
done
leash_run --version
like "--version" "$RC $(out)" '^0 leash [0-9]+\.[0-9]+\.[0-9]+'
for shell in bash zsh fish; do
	leash_run completion "$shell"
	is "completion $shell" "$RC:$([ -s "$OUT" ] && echo said)" "0:said"
done
leash_run completion bash
check "... that bash can read" bash -n "$OUT"

# ---- Mistakes
leash_run --polciy x -- true
is "an unknown flag: exit 2" "$RC" 2
like "... suggests the nearest" "$(err)" '--policy'
is "... in a few lines without a stack of usage" "$(($(wc -l <"$ERR") <= 4))" 1
unlike "... and no colours outside a terminal" "$(err)" $'\033'
leash_run --policy
is "a flag without its value: exit 2" "$RC" 2
like "... says which" "$(err)" 'policy'
for mistake in '-e =x' '-v nowhere:relative' '-p 99999' '-p a:b' '--mode lax' '--profile guardde' '--memory lots'; do
	# shellcheck disable=SC2086
	leash_run $mistake -- true
	is "leash $mistake: exit 2" "$RC" 2
	like "... says what" "$(err)" "$(printf %s "${mistake#* }" | sed 's/[^a-z0-9]/./g')"
done
leash_run -v "$WORK/nowhere:/tmp/x" -- true
like "-v of what is not there: exit 125, and what to do" "$RC:$(err)" '^125:.*there is no .*/nowhere here; make it'
leash_run no-such-command-here
is "an unknown command: 127, one line" "$RC:$(wc -l <"$ERR")" 127:1
leash_run evnets
is "a misspelt sub-command is a command that is not found" "$RC" 127

# ---- policy
user_file "$T_HOME/good.cedar" <<'EOF'
permit (principal, action == Action::"FileOpen", resource in Dir::"${WORKSPACE}/");
@id("keys") forbid (principal, action == Action::"FileOpen", resource in Dir::"~/.ssh/");
permit (principal, action == Action::"NetworkConnect", resource == Host::"*.example.com");
permit (principal, action == Action::"ProcessExec", resource);
EOF
user_file "$T_HOME/bad.cedar" <<'EOF'
permit (principal, action == Action::"FileOpen", resource);
permit (principal, action == Action::"FileOpne", resource);
EOF
leash_run policy check "$T_HOME/good.cedar"
is "policy check: a good one" "$RC" 0
leash_run policy check "$T_HOME/bad.cedar"
is "policy check: a bad one" "$RC" 1
like "... with file, line and column" "$(out; err)" 'bad\.cedar:2:[0-9]+'
like "... the source line and a caret" "$(out; err)" '\^'
like "... a suggestion" "$(out; err)" 'FileOpen'
# explains WANTED-STATUS NAME ARGUMENT…
explains() {
	local want=$1 name=$2
	shift 2
	leash_run policy explain --policy "$T_HOME/good.cedar" "$@"
	is "policy explain: $name" "$RC" "$want"
}
explains 0 "a permitted read" read "$WORK/file"
explains 1 "a forbidden read" read "$T_HOME/.ssh/id_ed25519"
like "... names the policy" "$(out)" keys
explains 1 "... with ~" read '~/.ssh/id_ed25519'
explains 0 "a permitted host" connect api.example.com:443
explains 1 "another host" connect example.org:443
explains 1 "an address" connect 203.0.113.1:443
explains 0 "a permitted program" exec /bin/sh
explains 0 "... by Cedar's name" ProcessExec /bin/sh
leash_run policy explain --policy "$T_HOME/good.cedar" --json read "$T_HOME/.ssh/id_ed25519"
is "... as JSON" "$(jq -r '.decision + " " + .policies[0]' "$OUT" 2>&1)" "deny file:keys"
leash_run policy explain frobnicate x
is "... an unknown operation: exit 2" "$RC" 2
for profile in guarded permissive locked; do
	leash_run policy show "$profile"
	like "policy show $profile" "$RC $(out)" '^0 '
	user_file "$T_HOME/shown.cedar" <"$OUT"
	leash_run policy check "$T_HOME/shown.cedar"
	is "... is a policy that checks" "$RC" 0
done

# ---- doctor
leash_run doctor
is "doctor: this machine can run leash" "$RC" 0
for word in 'user namespace' seccomp Landlock; do
	like "... looked at $word" "$(out)" "$word"
done

# ---- events, sessions, verify
echo data | user_file "$WORK/file"
leash_run -I -- sh -c 'cat file ~/.ssh/id_ed25519; exit 3'
session=$(basename "$(session_directory)")
leash_run sessions
like "sessions lists the session" "$(out)" "$session"
leash_run events
is "events: exit 0" "$RC" 0
like "... shows the denial" "$(out)" 'den.*\.ssh/id_ed25519|\.ssh/id_ed25519.*den'
leash_run events --json "$session"
check "events --json is the log" cmp "$OUT" "$(events_file)"
leash_run verify "$session"
is "verify: an untouched log" "$RC" 0
db=$(session_directory)/events.db
cp "$db" "$T/log"
line=$(grep -n '"decision":"deny"' "$(events_file)" | head -n 1 | cut -d : -f 1)
sqlite3 "$db" "UPDATE action SET decision = 1 WHERE decision = 2"
leash_run verify "$session"
is "verify: a changed log" "$([ "$RC" != 0 ] && echo found)" found
like "... names the record" "$(out; err)" "record $line:"
cp "$T/log" "$db"
sqlite3 "$db" "DELETE FROM event WHERE seq = $line"
leash_run verify "$session"
is "verify: a dropped record" "$([ "$RC" != 0 ] && echo found)" found
leash_run events no-such-session
is "events of no session: fails" "$([ "$RC" != 0 ] && echo fails)" fails

# ---- events --follow
mkfifo "$T/stdin"
exec 7<>"$T/stdin"
STDIN=$T/stdin leash_start -I -- sh
wait_for 10 has_event '.kind == "session.ready"'
(cd "$WORK" && exec_as_user "$LEASH" events --follow --json) >"$T/followed" 2>&1 &
follower=$!
SERVICE_PIDS+=("$follower")
wait_for 10 grep -q session.ready "$T/followed"
echo 'cat file; exit 0' >&7
check "events --follow shows what happens as it happens" wait_for 10 grep -q "\"path\":\"$WORK/file\"" "$T/followed"
leash_wait 20
check "... and ends with the session" wait_for 10 gone "$follower"
check "... complete" cmp "$T/followed" "$(events_file)"

# ---- a log that a terminal can show
leash_run -I -- sh -c 'touch "$(printf "evil\033[31m\nname")"'
leash_run events
unlike "events: what a name holds does not reach the terminal" "$(out)" $'\033'

done_testing
