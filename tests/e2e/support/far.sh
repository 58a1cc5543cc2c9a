# shellcheck shell=bash
# An engine as macOS has it: of this machine's files it sees the users' homes and nothing else that a session needs, and
# leash outside is the program for systems without a native runtime, with Linux's programs in its package. Source after
# engine.sh.

# The programs: leash-posix under leash's name, and what it takes into containers.
make_package() {
	local build=${LEASH_BUILD:-${LEASH%/*}} machine=amd64
	[ "$(uname -m)" != aarch64 ] || machine=arm64
	LINUX_LEASH=$LEASH
	PACKAGE=$T/package
	LINUX_PROGRAMS=$PACKAGE/libexec/leash/linux-$machine
	if ! ninja -C "$build" leash-posix >"$T/built" 2>&1; then
		not_ok "leash-posix is built" "$(tail -n 5 "$T/built")"
		done_testing
	fi
	install -D -m 755 "$build/leash-posix" "$PACKAGE/bin/leash"
	install -D -m 755 "$LEASH" "$LINUX_PROGRAMS/leash"
	install -m 755 "$build/leash-proxy" "$LINUX_PROGRAMS/leash-proxy"
	LEASH=$PACKAGE/bin/leash
}

# In a place of its own: the suite's is not shared.
hide_from_engine() {
	ENGINE_DIR=$(mktemp -d /run/leash-far.XXXXXX)
	chmod 755 "$ENGINE_DIR"
	ENGINE_SOCKET=$ENGINE_DIR/sock
	ENGINE_DATA=$ENGINE_DIR/data
	# shellcheck disable=SC2016
	ENGINE_STARTER=(unshare --mount sh -c 'for hidden in /tmp /root /etc/ssl "$0"; do [ ! -d "$hidden" ] || mount -t tmpfs none "$hidden" || exit; done; exec "$@"'
		"$ROOT")
}
