# shellcheck shell=bash
# What every shell suite shares: TAP output, a temporary unprivileged user with
# home and workspace, running leash as that user, looking into the session's
# event log, waiting for conditions, and cleaning up.
#
# A suite sources this file, calls make_user (or enter_world, see world.sh),
# makes its checks and ends with done_testing.

set -u -o pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LEASH=$(realpath -m -- "${LEASH:-$ROOT/build/leash}")
SUITE=$(basename "$0" .sh)

T=$(mktemp -d "${TMPDIR:-/tmp}/leash-$SUITE.XXXXXX")
chmod 755 "$T"
TAP_COUNT=0
TAP_FAILED=0
SERVICE_PIDS=()
CLEANUPS=()
T_USER=
OUT=$T/out ERR=$T/err RC=
RUN_SHOWN=
# Flags that every leash_run gets before its own.
LEASH_FLAGS=(-I)
# Variables of the caller's environment that leash itself sees, NAME=VALUE.
CALLER_ENV=()
TIME_LIMIT=${LEASH_TEST_TIME_LIMIT:-60}

# ---- TAP --------------------------------------------------------------------

diag() {
	printf '%s\n' "$@" | sed 's/^/# /'
}

ok() {
	TAP_COUNT=$((TAP_COUNT + 1))
	printf 'ok %d - %s\n' "$TAP_COUNT" "$1"
}

# not_ok NAME [DIAGNOSTIC…]; what the last leash_run said follows, once a run.
not_ok() {
	TAP_COUNT=$((TAP_COUNT + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	printf 'not ok %d - %s\n' "$TAP_COUNT" "$1"
	shift
	[ $# -eq 0 ] || diag "$@"
	[ -z "$RC" ] || [ "$RUN_SHOWN" ] || diag "last run: exit $RC" "$(head -c 1500 "$ERR" 2>/dev/null | sed 's/^/stderr: /')"
	RUN_SHOWN=yes
}

skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	printf 'ok %d - %s # SKIP %s\n' "$TAP_COUNT" "$1" "$2"
}

# Ends the suite: nothing in it can run here.
skip_all() {
	printf 'ok 1 - %s # SKIP %s\n1..1\n' "$SUITE" "$1"
	exit 77
}

done_testing() {
	printf '1..%d\n' "$TAP_COUNT"
	[ "$TAP_FAILED" -eq 0 ]
	exit
}

# check NAME COMMAND…: the command must succeed.
check() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "$* said:" "$(head -c 800 <<<"$said")"
	fi
}

# refute NAME COMMAND…: the command must fail.
refute() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		not_ok "$name" "$* succeeded:" "$(head -c 800 <<<"$said")"
	else
		ok "$name"
	fi
}

# is NAME GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" " got: $(printf %q "$2" | head -c 800)" "want: $(printf %q "$3" | head -c 800)"
	fi
}

# like NAME GOT REGEX (extended)
like() {
	if grep -Eq -- "$3" <<<"$2"; then
		ok "$1"
	else
		not_ok "$1" "got:" "$(head -c 1200 <<<"$2")" "want a match for: $3"
	fi
}

unlike() {
	if grep -Eq -- "$3" <<<"$2"; then
		not_ok "$1" "got:" "$(head -c 1200 <<<"$2")" "want no match for: $3"
	else
		ok "$1"
	fi
}

# ---- Cleaning up ------------------------------------------------------------

on_exit() {
	CLEANUPS+=("$1")
}

user_pids() {
	pgrep -U "$T_UID"
}

# Only for a user made by make_user: all of its processes belong to this test.
kill_user_processes() {
	local pids round
	for round in 1 2 3 4 5; do
		mapfile -t pids < <(user_pids)
		[ ${#pids[@]} -gt 0 ] || return 0
		kill -KILL "${pids[@]}" 2>/dev/null
		wait_for 2 no_user_processes && return 0
	done
	diag "processes of $T_USER are still there after $round rounds"
}

no_user_processes() {
	! user_pids >/dev/null
}

cleanup() {
	local status=$? i
	trap - EXIT INT TERM HUP
	for ((i = ${#CLEANUPS[@]} - 1; i >= 0; i--)); do
		eval "${CLEANUPS[i]}"
	done
	if [ ${#SERVICE_PIDS[@]} -gt 0 ]; then
		kill -KILL "${SERVICE_PIDS[@]}" 2>/dev/null
		wait "${SERVICE_PIDS[@]}" 2>/dev/null
	fi
	if [ "$T_USER" ] && [ "$(id -u)" = 0 ]; then
		kill_user_processes
		flock /run/lock/leash-test-users userdel "$T_USER" 2>/dev/null
	fi
	if [ "${LEASH_TEST_KEEP:-}" ]; then
		diag "kept: $T ${T_HOME:-}"
	else
		[ -z "${T_HOME:-}" ] || rm -rf -- "$T_HOME"
		rm -rf -- "$T"
	fi
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- The user ---------------------------------------------------------------

# A secret that no session may ever print.
# shellcheck disable=SC2034
SECRET="leash-test-private-key-$$-$RANDOM$RANDOM"

# Makes T_USER, T_UID, T_GID, T_HOME, WORK. As root: a user of its own; else the present user
# with a temporary home.
make_user() {
	umask 022
	if [ "$(id -u)" = 0 ]; then
		T_USER=leash-t$$
		T_HOME=/home/$T_USER
		flock /run/lock/leash-test-users \
			useradd --no-log-init -K MAIL_DIR=/nonexistent -m -d "$T_HOME" -s /bin/bash "$T_USER" ||
			{ not_ok "a user for the test"; done_testing; }
	else
		T_USER=$(id -un)
		T_HOME=$(mktemp -d "$HOME/.leash-test.XXXXXX")
	fi
	T_UID=$(id -u "$T_USER") T_GID=$(id -g "$T_USER")
	WORK=$T_HOME/work
	STATE=$T_HOME/.local/state/leash
	mkdir -p "$WORK" "$T_HOME/.ssh" "$T_HOME/.local/state" "$T_HOME/.config" "$T_HOME/.cache"
	chmod 700 "$T_HOME/.ssh"
	printf '%s\n' "$SECRET" >"$T_HOME/.ssh/id_ed25519"
	chmod 600 "$T_HOME/.ssh/id_ed25519"
	echo '# start-up' >"$T_HOME/.bashrc"
	printf '[user]\n\tname = Test\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n[safe]\n\tdirectory = *\n' \
		>"$T_HOME/.gitconfig"
	chown -R "$T_UID:$T_GID" "$T_HOME"
	reachable_leash
	natively || enter_image
}

# With LEASH_TEST_IMAGE a suite's sessions run in containers (tests/e2e/support/image.sh). What is of the machine's own files
# and programs is checked where they run natively.
natively() {
	[ -z "${LEASH_TEST_IMAGE:-}" ]
}
# shellcheck disable=SC1091
natively || . "$ROOT/tests/e2e/support/image.sh"

# What was put into the user's home since he was made is there in sessions.
take_home() {
	natively || furnish_image
}

# few WORD…: leaves them in FEW. In an image the first must do: what is said to the proxy is the same there.
few() {
	# shellcheck disable=SC2034
	natively && FEW=("$@") || FEW=("$1")
}

# can_run PROGRAM…: are they there, where the sessions run?
can_run() {
	local program
	for program; do
		if natively; then
			command -v "$program" >/dev/null || return 1
		else
			engine run --rm --entrypoint /usr/bin/test "$IMAGE" -x "/usr/bin/$program" || return 1
		fi
	done
}

# The user must be able to execute leash wherever the source tree lies.
reachable_leash() {
	if [ ! -x "$LEASH" ]; then
		not_ok "$LEASH is there (build it first, or set LEASH)"
		done_testing
	fi
	as_user test -x "$LEASH" && return
	install -m 755 "$LEASH" "$T/leash"
	[ ! -e "${LEASH%/*}/leash-proxy" ] || install -m 755 "${LEASH%/*}/leash-proxy" "$T"
	LEASH=$T/leash
}

# What the user's shell would have; leash decides what of it goes in.
user_environment() {
	printf '%s\n' "HOME=$T_HOME" "USER=$T_USER" "LOGNAME=$T_USER" SHELL=/bin/bash \
		PATH=/usr/local/bin:/usr/bin:/bin "TERM=${TERM:-xterm-256color}" LANG=C.UTF-8
	natively || printf '%s\n' "DOCKER_HOST=unix://$ENGINE_SOCKET" "LEASH_TARGET_IMAGE=$IMAGE"
}

# Replaces the calling (sub)shell by the command, as the user.
exec_as_user() {
	local env
	mapfile -t env < <(user_environment)
	env+=(${CALLER_ENV[@]+"${CALLER_ENV[@]}"})
	if [ "$(id -u)" = 0 ]; then
		exec setpriv --reuid="$T_UID" --regid="$T_GID" --init-groups -- env -i "${env[@]}" "$@"
	fi
	exec env -i "${env[@]}" "$@"
}

as_user() {
	(cd "$WORK" && exec_as_user "$@")
}

# file PATH [MODE]: standard input into a file that belongs to the user.
user_file() {
	mkdir -p "$(dirname "$1")"
	cat >"$1"
	chown "$T_UID:$T_GID" "$1" "$(dirname "$1")"
	chmod "${2:-644}" "$1"
}

# ---- Running leash ----------------------------------------------------------

# leash_run [FLAG…] [--] COMMAND…: as the user, in the workspace. Leaves OUT, ERR (files) and RC.
leash_run() {
	RUN_SHOWN=
	(cd "$WORK" && exec_as_user timeout -k 10 "$TIME_LIMIT" \
		"$LEASH" "${LEASH_FLAGS[@]}" "$@") >"$OUT" 2>"$ERR"
	RC=$?
}

# The same in the background, until its log is there; its pid in LEASH_PID, which is leash itself. Its input is STDIN, whose
# writing end a test holds as descriptor 7.
leash_start() {
	local before
	before=$(count_sessions)
	RUN_SHOWN=
	: >"$OUT"
	: >"$ERR"
	# Appending, so that a test may empty the files in between.
	(cd "$WORK" && exec_as_user "$LEASH" "${LEASH_FLAGS[@]}" "$@") >>"$OUT" 2>>"$ERR" <"${STDIN:-/dev/null}" 7>&- &
	LEASH_PID=$!
	RC=
	wait_for 15 eval 'gone "$LEASH_PID" || [ "$(count_sessions)" -gt "$before" ]'
}

count_sessions() {
	local logs=("$STATE"/sessions/*/events.db)
	[ -e "${logs[0]}" ] && echo "${#logs[@]}" || echo 0
}

# Waits for leash_start's leash; leaves RC (124 and a kill when it takes longer than SECONDS).
leash_wait() {
	local limit=${1:-$TIME_LIMIT}
	if wait_for "$limit" gone "$LEASH_PID"; then
		wait "$LEASH_PID"
		RC=$?
	else
		kill -KILL "$LEASH_PID" 2>/dev/null
		wait "$LEASH_PID" 2>/dev/null
		# shellcheck disable=SC2034
		RC=124
	fi
}

# True when the process is gone or only waits to be reaped.
gone() {
	local state
	state=$(ps -o state= -p "$1") || return 0
	[ "${state:0:1}" = Z ]
}

out() {
	cat "$OUT"
}

err() {
	cat "$ERR"
}

# ---- Waiting ----------------------------------------------------------------

# wait_for SECONDS COMMAND…: polls until the command succeeds.
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -le "$deadline" ] || return 1
		sleep 0.05
	done
}

port_is_open() {
	(exec 9<>"/dev/tcp/$1/$2") 2>/dev/null
}

# start_service COMMAND…: starts a server that prints a line when it is ready; its pid is in SERVICE_PID,
# the line in SERVICE_SAID.
start_service() {
	local fifo=$T/ready.$RANDOM line=
	mkfifo "$fifo"
	"$@" >"$fifo" 2>>"$T/service.log" &
	SERVICE_PID=$!
	SERVICE_PIDS+=("$SERVICE_PID")
	exec 8<>"$fifo"
	read -r -t 30 line <&8
	if [ -z "$line" ]; then
		not_ok "service: $*" "$(tail -n 20 "$T/service.log")"
		done_testing
	fi
	# shellcheck disable=SC2034
	SERVICE_SAID=$line
	rm -f "$fifo"
}

# start_user_service COMMAND…: the same, as the user and with the environment as it is.
start_user_service() {
	if [ "$(id -u)" = 0 ]; then
		start_service setpriv --reuid="$T_UID" --regid="$T_GID" --clear-groups "$@"
	else
		start_service "$@"
	fi
}

# ---- Events -----------------------------------------------------------------

# The directory of the newest session.
session_directory() {
	local newest='' f
	# Ids sort as the sessions began.
	for f in "$STATE"/sessions/*/events.db; do
		[ ! -e "$f" ] || newest=${f%/*}
	done
	[ "$newest" ] && printf '%s\n' "$newest"
}

# A file with the newest session's records as they are now, one JSON object a line.
events_file() {
	local directory
	directory=$(session_directory) || return 1
	as_user "$LEASH" export --jsonl "${directory##*/}" >"$T/exported.jsonl" || return 1
	printf '%s\n' "$T/exported.jsonl"
}

# events FILTER [JQ-ARGUMENT…]: the newest session's events that the jq filter selects. In the filter
# by("x") says that the policy with the id x, of whatever layer, was among those that decided.
events() {
	local filter=$1 directory
	shift
	directory=$(session_directory) || return 1
	as_user "$LEASH" export --jsonl "${directory##*/}" | jq -c "$@" 'def by($id): any(.policies[]?; . == $id or endswith(":" + $id)); '"select($filter)"
}

has_event() {
	[ "$(events "$@" | head -n 1)" ]
}

# check_event NAME FILTER [JQ-ARGUMENT…]; a failure shows the denials and the last events.
check_event() {
	local name=$1
	shift
	if has_event "$@"; then
		ok "$name"
	else
		not_ok "$name" "no event matches: $*" "denials of $(session_directory):" \
			"$(events '.decision == "deny"' 2>&1 | tail -n 3 | cut -c 1-300)" \
			"last events:" "$(events true 2>&1 | tail -n 2 | cut -c 1-300)"
	fi
}

# check_request NAME FILTER [JQ-ARGUMENT…]: an http.request event; skipped where this leash records none.
check_request() {
	local name=$1 filter=$2
	shift 2
	if has_event '.kind == "http.request"'; then
		check_event "$name" '.kind == "http.request" and '"$filter" "$@"
	else
		skip "$name" "this leash does not look into HTTP"
	fi
}

refute_event() {
	local name=$1 found
	shift
	found=$(events "$@" | head -n 3)
	if [ "$found" ]; then
		not_ok "$name" "found: $found"
	else
		ok "$name"
	fi
}
