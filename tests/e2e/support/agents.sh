# shellcheck shell=bash
# Installs the real agents (package.json and its lock file beside this one) into a cache below build/
# and makes them reachable for the test's user. Source after lib.sh and world.sh.

AGENTS_CACHE=${LEASH_E2E_CACHE:-$ROOT/build/e2e-cache}/agents

# Before enter_world, which has no way to the registry.
install_agents() {
	local lock=$ROOT/tests/e2e/support/package-lock.json
	[ "${LEASH_TEST_WORLD:-}" != yes ] || return 0
	cmp -s "$lock" "$AGENTS_CACHE/installed" && return 0
	command -v npm >/dev/null || skip_all "npm is not installed"
	mkdir -p "$AGENTS_CACHE"
	(
		flock 9
		cmp -s "$lock" "$AGENTS_CACHE/installed" && exit 0
		cp "$ROOT/tests/e2e/support/package.json" "$lock" "$AGENTS_CACHE" &&
			npm ci --prefix "$AGENTS_CACHE" --no-fund --no-audit --foreground-scripts >"$AGENTS_CACHE/log" 2>&1 &&
			cp "$lock" "$AGENTS_CACHE/installed"
	) 9>"$AGENTS_CACHE/lock" || skip_all "npm ci failed: $(tail -n 1 "$AGENTS_CACHE/log")"
}

# After enter_world: AGENTS becomes a directory that the user can read, wherever the cache lies.
mount_agents() {
	mount --bind "$AGENTS_CACHE" /opt
	# shellcheck disable=SC2034
	AGENTS=/opt/node_modules
}
