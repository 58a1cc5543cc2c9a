#!/usr/bin/env bash
# The escape suite: each technique of tests/escape/ under leash, as an unprivileged user, with an object
# that the policy denies and one that it permits. Afterwards it is checked from outside that the denied
# object is as it was, and that the log has the denial.
#
# run.sh [--outside] [GROUP…]; the groups are the files of groups/.
#   --outside  runs the programs without leash: each must then reach the denied object, or its test
#              could not fail. What a technique can't do here is listed.
# ROUNDS is the number of rounds of the races (100000), EXEC_ROUNDS of those that execute programs (10000).

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
OUTSIDE=${ESCAPE_OUTSIDE:-}
if [ "${1:-}" = --outside ]; then
	OUTSIDE=yes
	shift
fi
export ESCAPE_OUTSIDE=$OUTSIDE
[ -z "$OUTSIDE" ] || LEASH=$HERE/without-leash

. "$HERE/../lib.sh"
. "$HERE/../e2e/support/world.sh"

TIME_LIMIT=${LEASH_TEST_TIME_LIMIT:-180}
groups=("$@")
[ ${#groups[@]} -gt 0 ] || groups=(files exec ipc network proxy secrets control races)

# The groups of the network need the small internet, which needs root; the rest does not care.
if [ "$(id -u)" = 0 ] && [[ " ${groups[*]} " =~ \ (network|proxy|secrets)\  ]]; then
	enter_world "${groups[@]}"
	world_serve
	HAVE_WORLD=yes
else
	make_user
	HAVE_WORLD=
fi

PROGRAMS=$T_HOME/escape
built=${LEASH_BUILD:-$ROOT/build}/escape
"$HERE/build.sh" "$built" || { not_ok "the programs compile"; done_testing; }
mkdir "$PROGRAMS"
install -m 755 "$built"/* "$PROGRAMS"
[ -z "$OUTSIDE" ] || install -m 755 "$HERE/without-leash" "$T/leash"
[ -z "$OUTSIDE" ] || LEASH=$T/leash

POLICY=$T_HOME/policy.cedar
# What every session of the suite may do: read and execute everything, write in the workspace.
base_policy() {
	cat <<-END
		permit (principal, action == Action::"FileOpenReadOnly", resource);
		permit (principal, action == Action::"ProcessExec", resource);
		permit (principal, action in Action::"FileOpenReadWrite", resource in Dir::"$WORK/");
		permit (principal, action in Action::"FileOpenReadWrite", resource in Dir::"/tmp/");
		permit (principal, action in Action::"FileOpenReadWrite", resource in Dir::"/dev/");
		permit (principal, action in Action::"FileOpenReadWrite", resource in Dir::"/proc/");
	END
}

# policy: standard input, after base_policy, becomes the policy of the next runs.
policy() {
	{ base_policy; cat; } | user_file "$POLICY"
	LEASH_FLAGS=(-I --policy "$POLICY")
}

# verdicts WORD: the program's lines that begin so.
verdicts() {
	grep -a "^$1 " "$OUT" | head -n "${2:-40}"
}

# escape NAME PROGRAM [VARIABLE=VALUE…]: one technique. ALLOWED, DENIED, SECRET, WORK have defaults.
escape() {
	local name=$1 program=$2 flags=() variable
	shift 2
	for variable in "ALLOWED=$ALLOWED" "DENIED=$DENIED" "SECRET=$SECRET" "WORK=$WORK" "ROUNDS=${ROUNDS:-100000}" "$@"; do
		flags+=(-e "$variable")
	done
	leash_run "${flags[@]}" -- "$PROGRAMS/$program"
	if [ "$OUTSIDE" ]; then
		escape_outside "$name"
		return
	fi
	case $RC in
	0) ok "$name ($(verdicts denied 9999 | wc -l) ways)" ;;
	1) not_ok "$name: reached what is denied" "$(verdicts ESCAPED)" "$(verdicts BROKEN)" ;;
	2) not_ok "$name: what is permitted does not work" "$(verdicts BROKEN)" ;;
	*) not_ok "$name: exit $RC" "$(tail -n 5 "$OUT")" ;;
	esac
	verdicts note >>"$T/notes"
}

escape_outside() {
	case $RC in
	1) ok "$1: works without leash ($(verdicts ESCAPED 9999 | wc -l) ways)" ;;
	*) not_ok "$1: does not work without leash, exit $RC" "$(tail -n 5 "$OUT")" ;;
	esac
	[ -z "$(verdicts BROKEN)" ] || not_ok "$1: what is permitted does not work without leash" "$(verdicts BROKEN)"
	diag "$(verdicts denied | sed 's/^denied /no effect:/')"
	diag "$(verdicts UNFIT)" "$(verdicts note)"
}

# Checks that make sense under leash only.
inside() {
	[ "$OUTSIDE" ] || "$@"
}

# denial NAME KIND PATH: the log of the last session has it.
denial() {
	[ "$OUTSIDE" ] || check_event "$1" '.decision == "deny" and .kind == $k and .path == $p' --arg k "$2" --arg p "$3"
}

# content NAME FILE WANT: seen from outside.
content() {
	[ "$OUTSIDE" ] || is "$1" "$(cat "$2")" "$3"
}

for group in "${groups[@]}"; do
	# shellcheck source=/dev/null
	. "$HERE/groups/$group.bash"
	"group_$group"
done
[ ! -s "$T/notes" ] || diag "notes:" "$(sort -u "$T/notes")"
done_testing
