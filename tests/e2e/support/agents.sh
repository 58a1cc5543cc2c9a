# shellcheck shell=bash
# Installs the real agents (package.json and its lock file beside this one) and makes them reachable
# for the test's user. Source after lib.sh and world.sh.

. "$(dirname "${BASH_SOURCE[0]}")/node-packages.sh"

# Before enter_world, which has no way to the registry.
install_agents() {
	[ "${LEASH_TEST_WORLD:-}" != yes ] || return 0
	install_node_packages agents "$ROOT/tests/e2e/support" --foreground-scripts || skip_all "$NODE_PACKAGES_WHY"
}

# After enter_world: AGENTS becomes a directory that the user can read.
mount_agents() {
	mount_node_packages agents /opt
	# shellcheck disable=SC2034
	AGENTS=/opt/node_modules
}
