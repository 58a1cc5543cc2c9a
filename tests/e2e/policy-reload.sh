#!/usr/bin/env bash
# Policies that change while a session runs, and policies with mistakes: what is valid is in force for
# the next operation, what is not changes nothing and is explained; a session never starts on it.

. "$(dirname "$0")/../lib.sh"
make_user
policy=$T_HOME/policy.cedar
LEASH_FLAGS=(-I --policy "$policy")
base='permit (principal, action in [Action::"FileOpen", Action::"ProcessExec"], resource)
	unless { resource == File::"~/never" };
@id("never") forbid (principal, action == Action::"FileOpen", resource == File::"~/never");'
echo never | user_file "$T_HOME/never"
echo one | user_file "$WORK/one"
take_home

# save TEXT: writes the policy in place; taken_up then waits until the session decides on it.
save() {
	GENERATION=$(generation)
	user_file "$T_HOME/policy.new" <<<"$1"
	as_user cp "$T_HOME/policy.new" "$policy"
}

# A shell inside that does as told: tell COMMAND leaves its exit status in TOLD and its output in SAID.
TELL=0
start_shell() {
	mkfifo "$T/stdin"
	exec 7<>"$T/stdin"
	STDIN=$T/stdin leash_start -- sh
}
tell() {
	local lines
	lines=$(wc -l <"$OUT")
	TELL=$((TELL + 1))
	printf '{ %s; } 2>&1; echo "told-%d:$?"\n' "$1" "$TELL" >&7
	TOLD=none
	wait_for 15 grep -q "^told-$TELL:" "$OUT" || return
	TOLD=$(sed -n "s/^told-$TELL://p" "$OUT")
	SAID=$(tail -n "+$((lines + 1))" "$OUT" | grep -v "^told-$TELL:")
}
# The generation that the session says it decides on; 0 before it does.
generation() {
	# The log of a busy session is long.
	as_user "$LEASH" events "$(basename "$(session_directory)")" --json --kind policy.applied 2>/dev/null |
		jq -s 'map(select(.error == null).generation) | max // 0'
}
# Waits until that is later than it was at the last save.
taken_up() {
	wait_for 10 eval '[ "$(generation)" -gt "$GENERATION" ]'
}
told() {
	is "$1" "$TOLD" "$2"
}

# ---- A valid change
save "$base"
start_shell
tell 'cat one'
told "before: a file can be read" 0
check "the first policy is generation 1" wait_for 10 eval '[ "$(generation)" = 1 ]'
save "$base
@id(\"added\") forbid (principal, action == Action::\"FileOpen\", resource == File::\"\${WORKSPACE}/one\");"
check "a forbid is added: the session takes it up" taken_up
tell 'cat one'
told "... the next operation follows" 1
like "... EACCES" "$SAID" 'Permission denied'
check_event "... by that policy and generation" \
	'.kind == "file.open" and .decision == "deny" and .path == $p and by("added") and .generation == $g' \
	--arg p "$WORK/one" --argjson g "$(generation)"
GENERATION=$(generation)
user_file "$T_HOME/policy.new" <<<"$base"
as_user mv "$T_HOME/policy.new" "$policy"
check "a new file is renamed over it, as editors do: taken up" taken_up
tell 'cat one'
told "... the next operation follows" 0
save "$base
forbid (principal, action == Action::\"ProcessExec\", resource == File::\"/usr/bin/id\");"
check "programs, too" taken_up
tell /usr/bin/id
told "... a forbidden one can't be executed" 126
as_user mkdir "$T_HOME/late"
tell 'touch ~/never'
told "what is forbidden all along is" 1

# ---- A change with mistakes
: >"$ERR"
save 'permit (principal, action, resource)
	when { context.exe == };'
check "a syntax error is reported" wait_for 10 grep -q 'policy.cedar:2:' "$ERR"
like "... with line and column" "$(err)" 'policy\.cedar:2:2[0-9]'
like "... and that the old policy stays" "$(err)" 'stays in force|old'
check_event "... and is in the log" '.kind == "policy.applied" and .error != null'
tell /usr/bin/id
told "... which it does: denied is denied" 126
tell 'cat one'
told "... allowed is allowed" 0
: >"$ERR"
: | user_file "$policy"
check "an emptied file is reported" wait_for 10 test -s "$ERR"
tell 'cat one && ! /usr/bin/id'
told "... and changes nothing" 0
: >"$ERR"
rm "$policy"
check "a deleted file is reported" wait_for 10 test -s "$ERR"
tell 'cat one && ! /usr/bin/id'
told "... and changes nothing" 0
save "$base"
check "a good one is taken up again" taken_up
tell /usr/bin/id
told "... and followed" 0

# ---- Many changes, under load
tell 'while ! [ -e stop ]; do cat ~/never 2>/dev/null && echo BREACH; cat one >/dev/null || echo LOST; done & echo started'
for ((i = 0; i < ${LEASH_RELOADS:-100}; i++)); do
	save "$base
// round $i
@id(\"r$i\") forbid (principal, action == Action::\"FileOpen\", resource == File::\"~/late/$i\");"
	taken_up || break
done
is "${LEASH_RELOADS:-100} reloads one after the other are taken up" "$i" "${LEASH_RELOADS:-100}"
tell 'echo >stop; wait'
is "... while what is forbidden stays so, and what is allowed works" "$(grep -cE 'BREACH|LOST' "$OUT")" 0
exec 7>&-
leash_wait 20
is "the session ends well with its input" "$RC" 0

# ---- A session never starts on a bad policy
# bad NAME TEXT PATTERN…: leash says 125, does not run the command, and its message matches.
bad() {
	local name=$1 text=$2 pattern
	shift 2
	user_file "$policy" <<<"$text"
	leash_run -- sh -c 'echo ran'
	is "at start, $name: exit 125, not run" "$RC:$(out)" "125:"
	for pattern; do
		like "... $pattern" "$(err)" "$pattern"
	done
}
echo one | user_file "$WORK/one"
bad "a syntax error" $'permit (principal, action, resource);\npermit (principal action, resource);' \
	'policy\.cedar:2:19' 'permit \(principal action, resource\)' '^[ |0-9]*\^'
bad "an unknown action" 'permit (principal, action == Action::"FileOpne", resource);' \
	'policy\.cedar:1:[0-9]+' 'FileOpne' '\^' '"?FileOpen'
bad "an unknown context key" $'permit (principal, action == Action::"ProcessExec", resource)\nwhen { context.exee == "/bin/sh" };' \
	'policy\.cedar:2:[0-9]+' 'exee' '\^' '\bexe\b'
bad "an empty file" '' 'policy\.cedar'
bad "two mistakes: both are told" \
	$'permit (principal, action == Action::"FileOpne", resource);\nforbid (principal, action == Action::"ProcesExec", resource);' \
	'policy\.cedar:1:' 'policy\.cedar:2:'
bad "bytes that are no text" "$(printf 'permit (\xff\xfe);')" 'policy\.cedar:1:'
save "$base"
chmod 000 "$policy"
leash_run -- sh -c 'echo ran'
is "at start, an unreadable file: exit 125, not run" "$RC:$(out)" "125:"
like "... and says why" "$(err)" 'policy\.cedar.*[Pp]ermission denied'
rm "$policy"
leash_run -- sh -c 'echo ran'
is "at start, a missing file: a mistake on the command line, not run" "$RC:$(out)" "2:"
like "... and says why" "$(err)" 'policy\.cedar.*No such file'
mkdir "$policy"
leash_run -- sh -c 'echo ran'
is "at start, a directory: exit 125, not run" "$RC:$(out)" "125:"
rmdir "$policy"

# ---- A repository's policy may only forbid
LEASH_FLAGS=(-I)
user_file "$WORK/.leash/policy.cedar" <<'EOF'
permit (principal, action, resource in Dir::"~/late/");
EOF
leash_run -- sh -c 'echo x >~/late/file; echo ran'
# The files of an image may be written without it.
natively && check "a project's permit permits nothing" test ! -e "$T_HOME/late/file"
user_file "$WORK/.leash/policy.cedar" <<'EOF'
@id("project") forbid (principal, action == Action::"FileOpen", resource == File::"${WORKSPACE}/one");
EOF
leash_run -- cat one
is "a project's forbid forbids" "$RC:$(out)" "1:"
check_event "... by its id" '.decision == "deny" and .path == $p and by("project")' --arg p "$WORK/one"
leash_run -- sh -c 'echo evil >.leash/policy.cedar; mv .leash gone; rm -r .leash'
is "... and can't be changed from inside" "$(grep -c project "$WORK/.leash/policy.cedar")" 1

done_testing
