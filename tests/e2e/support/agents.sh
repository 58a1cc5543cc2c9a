# shellcheck shell=bash
# Installs the real agents (package.json and its lock file beside this one) and makes them reachable
# for the test's user. Source after lib.sh and world.sh.

. "$(dirname "${BASH_SOURCE[0]}")/node-packages.sh"

# Before enter_world, which has no way to the registry.
install_agents() {
	[ "${LEASH_TEST_WORLD:-}" != yes ] || return 0
	install_node_packages agents "$ROOT/tests/e2e/support" --foreground-scripts || skip_all "$NODE_PACKAGES_WHY"
}

# The agent runs this as a step of its scenario, and waits until its memory was looked through.
# shellcheck disable=SC2034
SEARCH_STEP='touch search.now; for i in $(seq 700); do [ -e search.done ] && break; sleep 0.1; done; echo looked'

# Whose container is looked through.
search_root() {
	pgrep -U "$T_UID" -o -x leash
}

# search_memory VALUE: in the background, before the agent starts. Leaves "N found" in SEARCHED.
search_memory() {
	SEARCHED=$T/searched
	rm -f "$SEARCHED" "$WORK"/search.*
	(
		wait_for 150 test -e "$WORK/search.now" || exit
		python3 "$WORLD_LIB/memory.py" "$(search_root)" "$1" >"$SEARCHED" 2>"$T/memory.err"
		: >"$WORK/search.done"
	) &
	SEARCH_PID=$!
}

# check_memory NAME [HOW-OFTEN]: how often it was found, as a pattern; not at all unless said.
check_memory() {
	wait "$SEARCH_PID"
	like "$1" "$(cat "$SEARCHED" 2>&1)" "^([3-9]|[1-9][0-9]+) ${2:-0}\$"
	diag "$(head -n 5 "$T/memory.err")"
}

# After enter_world: AGENTS becomes a directory that the user can read.
mount_agents() {
	mount_node_packages agents /opt
	# shellcheck disable=SC2034
	AGENTS=/opt/node_modules
}
