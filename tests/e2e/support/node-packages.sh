# shellcheck shell=bash
# Installs what a directory's package.json and lock file name into a cache below build/, once.
# Source after lib.sh and world.sh.

NODE_PACKAGES_CACHE=${LEASH_E2E_CACHE:-$ROOT/build/e2e-cache}

# install_node_packages NAME DIRECTORY [NPM-FLAG…]: before enter_world, which has no way to the
# registry. Fails with the reason in NODE_PACKAGES_WHY.
install_node_packages() {
	local cache=$NODE_PACKAGES_CACHE/$1 from=$2 lock=$2/package-lock.json
	shift 2
	NODE_PACKAGES_WHY=
	cmp -s "$lock" "$cache/installed" && return 0
	if ! command -v npm >/dev/null; then
		NODE_PACKAGES_WHY="npm is not installed"
		return 1
	fi
	mkdir -p "$cache"
	(
		flock 9
		cmp -s "$lock" "$cache/installed" && exit 0
		cp "$from/package.json" "$lock" "$cache" &&
			npm ci --prefix "$cache" --no-fund --no-audit "$@" >"$cache/log" 2>&1 &&
			cp "$lock" "$cache/installed"
	) 9>"$cache/lock" && return 0
	# shellcheck disable=SC2034
	NODE_PACKAGES_WHY="npm ci failed: $(tail -n 1 "$cache/log")"
	return 1
}

# mount_node_packages NAME PLACE: after enter_world, where the user can read them, wherever the cache lies.
mount_node_packages() {
	mount --bind "$NODE_PACKAGES_CACHE/$1" "$2"
}

# The packages of the clients that speak to servers, before enter_world; NODE_PACKAGES_WHY says why there are none.
install_client_packages() {
	[ "${LEASH_TEST_WORLD:-}" != yes ] || return 0
	install_node_packages clients "$ROOT/tests/e2e/support/clients" --ignore-scripts
	export NODE_PACKAGES_WHY
}

# mount_client_packages DIRECTORY: after it, for the scripts in there: modules are looked for beside them.
mount_client_packages() {
	mkdir "$1/node_modules"
	[ "$NODE_PACKAGES_WHY" ] || mount_node_packages clients/node_modules "$1/node_modules"
	on_exit "umount '$1/node_modules' 2>/dev/null"
}
