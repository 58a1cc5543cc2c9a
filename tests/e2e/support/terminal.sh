# shellcheck shell=bash
# leash at a terminal, whose user is at-terminal.py. Source after lib.sh and make_user.

install -m 644 "$ROOT/tests/e2e/support/at-terminal.py" "$T"
# Flags of each leash there, before its own.
TERMINAL_FLAGS=()

# at_terminal DIRECTORY [WANT SEND]… -- ARGUMENT…: leash there; what it shows is in OUT.
at_terminal() {
	local directory=$1 script=()
	shift
	while [ "$1" != -- ]; do
		script+=("$1")
		shift
	done
	shift
	RUN_SHOWN=
	(cd "$directory" && exec_as_user timeout -k 10 "$TIME_LIMIT" python3 "$T/at-terminal.py" ${script[@]+"${script[@]}"} -- \
		"$LEASH" ${TERMINAL_FLAGS[@]+"${TERMINAL_FLAGS[@]}"} "$@") >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}
