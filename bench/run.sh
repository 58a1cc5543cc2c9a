#!/usr/bin/env bash
# What leash costs, as ratios against the bare command, the floor of the mechanism and bubblewrap, all
# measured in one run on one machine. The numbers are medians of commands run in turns. Prints what was
# asked for and what was measured; it never fails for a number, for machines differ.
#
# bench/run.sh [BUILD-DIRECTORY]; as root it measures as BENCH_USER (dev, or made for the run).
# BENCH_ROUNDS (60), BENCH_FILES (1000000; 0 leaves that row out), BENCH_CACHE (~/.cache/leash-bench),
# BENCH_EVENTS (200000 a second) for BENCH_SECONDS (30), BENCH_ONLY (rows: start exec open files memory events page).

set -eu -o pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(realpath "${1:-$ROOT/build}")
ROUNDS=${BENCH_ROUNDS:-60}
FILES=${BENCH_FILES:-1000000}
T=$(mktemp -d)
USER_MADE=
trap cleanup EXIT

cleanup() {
	[ -z "$USER_MADE" ] || userdel -r "$USER_MADE" 2>/dev/null || true
	rm -rf -- "$T"
}

# ---- Who measures -----------------------------------------------------------

AS=()
if [ "$(id -u)" = 0 ]; then
	BENCH_USER=${BENCH_USER:-dev}
	if ! id "$BENCH_USER" >/dev/null 2>&1; then
		useradd -m "$BENCH_USER"
		USER_MADE=$BENCH_USER
	fi
	home=$(getent passwd "$BENCH_USER" | cut -d : -f 6)
	AS=(runuser -u "$BENCH_USER" -- env -i "HOME=$home" "USER=$BENCH_USER" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8)
	CACHE=${BENCH_CACHE:-/var/cache/leash-bench}
	chmod 755 "$T"
else
	CACHE=${BENCH_CACHE:-$HOME/.cache/leash-bench}
fi
as_user() {
	${AS[@]+"${AS[@]}"} "$@"
}

install -m 755 "$BUILD/leash" "$BUILD/leash-proxy" "$T"
[ ! -x "$BUILD/bench/bench-open" ] || install -m 755 "$BUILD/bench/bench-open" "$T/bench-open"
cc -O2 -std=gnu17 -D_GNU_SOURCE -o "$T/spawn-timer" "$ROOT/bench/spawn-timer.c"
install -d -m 777 "$T/work" "$T/empty"
# Sessions are kept nowhere but here.
AS=(${AS[@]+"${AS[@]}"} env "XDG_STATE_HOME=$T/work/state")
leash=("$T/leash" -I)

# ---- The table --------------------------------------------------------------

heading() {
	printf '\n%-46s %14s %14s   %s\n' "$1" "measured" "beside" "required"
}
# row NAME MEASURED BESIDE REQUIREMENT [HOLDS]
row() {
	local verdict=
	[ -z "${5:-}" ] || verdict=$(awk "BEGIN { print ($5) ? \"  ok\" : \"  MISSED\" }")
	printf '%-46s %14s %14s   %s%s\n' "$1" "$2" "$3" "$4" "$verdict"
}
calc() {
	awk "BEGIN { printf \"%.$1f\", $2 }"
}
ms() {
	calc 2 "$1 / 1000"
}

# timed ROUNDS NAME COMMAND…: runs the commands in turns; the medians in us go into M[NAME].
declare -A M
timed() {
	local name median
	while read -r name median _; do
		M[$name]=$median
	done < <(cd "$T/work" && as_user "$T/spawn-timer" "$@")
}

# median_of FILE: of all numbers in it.
median_of() {
	tr ' ' '\n' <"$1" | grep . | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

facts() {
	printf 'leash %s on %s, %s CPUs (%s), %s GB, load %s, as %s\n' "$("$T/leash" --version | head -n 1 | awk '{ print $NF }')" \
		"$(uname -sr)" "$(nproc)" "$(awk -F ': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" \
		"$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" "$(cut -d ' ' -f 1-3 /proc/loadavg)" \
		"$(as_user id -un)"
	printf 'medians of %s runs in turns; bubblewrap %s\n' "$ROUNDS" "$(bwrap --version 2>/dev/null | awk '{ print $2 }' || echo none)"
}

# ---- Rows -------------------------------------------------------------------

bench_start() {
	local commands=(bare /bin/true --- leash "${leash[@]}" -- /bin/true)
	if command -v bwrap >/dev/null; then
		commands+=(--- bwrap bwrap --unshare-all --ro-bind / / /bin/true)
	fi
	timed "$ROUNDS" "${commands[@]}"
	heading "start to end of /bin/true (ms)"
	row "leash -I -- /bin/true beside /bin/true" "$(ms "${M[leash]}")" "$(ms "${M[bare]}")" "<= bare + 15" \
		"${M[leash]} <= ${M[bare]} + 15000"
	[ -z "${M[bwrap]:-}" ] || row "... beside bwrap --unshare-all" "$(ms "${M[leash]}")" "$(ms "${M[bwrap]}")" \
		"<= 1.5 * bwrap + 10" "${M[leash]} <= 1.5 * ${M[bwrap]} + 10000"
}

bench_exec() {
	local outside inside timer=("$T/work/spawn-timer" --turns true /bin/true)
	cp "$T/spawn-timer" "$T/work/spawn-timer"
	mkfifo "$T"/{outside,inside}.{turns,times}
	# One timer outside and one in a session, in turns.
	(cd "$T/work" && as_user "${timer[@]}") <"$T/outside.turns" >"$T/outside.times" &
	(cd "$T/work" && as_user "${leash[@]}" -v "$T/work:$T/work" -- "${timer[@]}") <"$T/inside.turns" >"$T/inside.times" &
	exec 3>"$T/outside.turns" 4<"$T/outside.times" 5>"$T/inside.turns" 6<"$T/inside.times"
	for _ in $(seq "$ROUNDS"); do
		echo 60 >&3
		read -r -u 4 outside && echo "$outside" >>"$T/outside.all"
		echo 60 >&5
		read -r -u 6 inside && echo "$inside" >>"$T/inside.all"
	done
	exec 3>&- 4<&- 5>&- 6<&-
	wait
	outside=$(median_of "$T/outside.all")
	inside=$(median_of "$T/inside.all")
	heading "a program started inside (us)"
	row "posix_spawn and wait of /bin/true" "$inside" "$outside" "<= 1.25 * outside" "$inside <= 1.25 * $outside"
	row "... ratio" "$(calc 2 "$inside / $outside")" "" ""
}

bench_open() {
	if [ ! -x "$T/bench-open" ]; then
		echo "bench-open is not built: the row of governed opens is left out"
		return
	fi
	(cd "$T/work" && as_user "$T/bench-open") >"$T/opens" 2>"$T/opens.err" || { sed 's/^/bench-open: /' "$T/opens.err"; return 0; }
	heading "one call (us, medians)"
	sed 's/ *best .*median */\t/; s/ us$//; s/  */ /g' "$T/opens" | awk -F '\t' '{ printf "%-46s %14s\n", $1, $2 }'
	awk '
		{ for (i = 1; i < NF; i++) if ($i == "median") value = $(i + 1) }
		$1 == "open" && /floor/ { floor = value }
		$1 == "open" && /governed/ { governed = value }
		END { if (floor && governed) print governed, floor }' "$T/opens" | while read -r governed floor; do
		row "governed open beside the floor" "$governed" "$floor" "<= 1.5 * floor" "$governed <= 1.5 * $floor"
	done
	# What an exec stop and two injected descriptors cost by themselves, whoever looks at them.
	awk '
		{ for (i = 1; i < NF; i++) if ($i == "median") value = $(i + 1) }
		$1 == "spawn" { at[$2] = value }
		END { if (at["floor"]) print at["bare"], at["floor"], at["governed"] }' "$T/opens" | while read -r bare floor governed; do
		row "governed spawn beside the floor's" "$governed" "$floor" "(the floor is $(calc 2 "$floor / $bare") * bare)"
	done
}

# A workspace with very many files: hard links count, for a walk would have to see each name.
make_files() {
	local tree=$CACHE/files-$FILES
	[ -e "$tree/.complete" ] && return
	echo "making $FILES files in $tree, once" >&2
	mkdir -p "$tree"
	python3 - "$tree" "$FILES" <<-'END'
		import os, sys
		tree, count = sys.argv[1], int(sys.argv[2])
		source = None
		for i in range(count):
		    folder = f"{tree}/{i // 1000}"
		    if i % 1000 == 0:
		        os.makedirs(folder, exist_ok=True)
		    name = f"{folder}/{i % 1000}"
		    if i % 50000 == 0:
		        open(name, "w").close()
		        source = name
		    else:
		        try:
		            os.link(source, name)
		        except FileExistsError:
		            pass
	END
	chmod -R a+rX "$CACHE"
	chmod 777 "$tree"
	touch "$tree/.complete"
}

bench_files() {
	[ "$FILES" -gt 0 ] || return 0
	make_files
	timed "$ROUNDS" few sh -c "cd '$T/empty' && exec '$T/leash' -I -- /bin/true" \
		--- many sh -c "cd '$CACHE/files-$FILES' && exec '$T/leash' -I -- /bin/true"
	heading "start in a workspace with $FILES files (ms)"
	row "beside an empty workspace" "$(ms "${M[many]}")" "$(ms "${M[few]}")" "no difference (10 %)" "${M[many]} <= 1.1 * ${M[few]} + 300"
}

# A generator's events through ring, chain and store; BENCH_EVENTS a second for BENCH_SECONDS.
bench_events() {
	if [ ! -x "$BUILD/bench/bench-store" ]; then
		echo "bench-store is not built: the rows of events are left out"
		return
	fi
	install -m 755 "$BUILD/bench/bench-store" "$T/bench-store"
	heading "events"
	as_user "$T/bench-store" "${BENCH_EVENTS:-200000}" "${BENCH_SECONDS:-30}" "$T/work"
}

# Memory of leash's own processes, after some activity: resident and proportional.
bench_memory() {
	local pid line rss=0 pss=0
	(cd "$T/work" && exec ${AS[@]+"${AS[@]}"} "${leash[@]}" -v "$T/work:$T/work" -- sh -c '
		find /usr/lib /usr/share -type f 2>/dev/null | head -n 20000 >/dev/null
		i=0; while [ $i -lt 300 ]; do cat /etc/passwd >/dev/null; i=$((i + 1)); done
		getent hosts nobody.invalid; touch ready; exec sleep 60') >/dev/null 2>&1 &
	for _ in $(seq 600); do
		[ -e "$T/work/ready" ] && break
		sleep 0.1
	done
	heading "memory of leash's processes in a session (KB)"
	for pid in $(pgrep -f "$T/leash|^leash: |^leash-init" -U "$(as_user id -u)"); do
		line=$(awk '/^Rss:/ { r = $2 } /^Pss:/ { p = $2 } END { print r, p }' "/proc/$pid/smaps_rollup" 2>/dev/null) || continue
		[ -n "$line" ] && [ "$line" != " " ] || continue
		case $(tr '\0' ' ' <"/proc/$pid/cmdline") in runuser* | env*) continue ;; esac
		rss=$((rss + ${line% *})) pss=$((pss + ${line#* }))
		row "  $(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c 1-40)" "${line% *} rss" "${line#* } pss" ""
	done
	row "sum of RSS" "$rss" "" "<= 25600" "$rss > 0 && $rss <= 25600"
	row "sum of PSS" "$pss" "" "<= 25600" "$pss > 0 && $pss <= 25600"
	for pid in $(pgrep -f "^$T/leash" -U "$(as_user id -u)"); do
		kill "$pid" 2>/dev/null || true
	done
	wait
}

# The page with 100,000 events, in the browser that is there; ui/e2e/speed.mjs says what is required.
bench_page() {
	local what value limit path
	# tools/build-page fetches a newer node where the system's is too old.
	path=$(echo "$ROOT"/ui/node_modules/node-linux-*/bin):$PATH
	local PATH=$path
	if ! command -v node >/dev/null || ! command -v npm >/dev/null || [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ] ||
		[ ! -d "$ROOT/ui/node_modules/playwright-core" ] || [ ! -e "$ROOT/ui/dist/index.html" ]; then
		echo "node, npm, chromium or the page's packages are not there: the rows of the page are left out"
		return
	fi
	heading "the page, 100,000 events"
	(cd "$ROOT/ui" && timeout 600 node e2e/speed.mjs 100000) >"$T/page" 2>"$T/page.err" || true
	(cd "$ROOT/ui" && LEASH=$BUILD/leash timeout 120 node e2e/latency.mjs) >>"$T/page" 2>>"$T/page.err" || true
	sed 's/^/page: /' "$T/page.err"
	# WHAT: VALUE UNIT (at most LIMIT)
	sed -nE 's/^(FAILED )?([^:]+): ([0-9.]+) ([^(]+[^( ])( \(at most ([0-9.]+)\))?$/\2\t\3 \4\t\6/p' "$T/page" |
		while IFS=$'\t' read -r what value limit; do
			row "$what" "$value" "" "${limit:+<= $limit}" "${limit:+${value%% *} <= $limit}"
		done
}

facts
for name in ${BENCH_ONLY:-start exec open files memory events page}; do
	"bench_$name"
done
