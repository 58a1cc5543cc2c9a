# shellcheck shell=bash
# Root file systems and images that are made once and kept below build/. Source after lib.sh; what makes images wants
# engine.sh too. All of it goes before enter_world, which has no way to Debian and npm.

ROOTS_CACHE=${LEASH_E2E_CACHE:-$ROOT/build/e2e-cache}
ROOTS_WHY=

# debian_archive: Debian's smallest set of packages, as $ROOTS_CACHE/debian.tar. Fails with the reason in ROOTS_WHY.
debian_archive() {
	mkdir -p "$ROOTS_CACHE"
	(
		flock 9
		[ -e "$ROOTS_CACHE/debian.tar" ] && exit 0
		command -v debootstrap >/dev/null || { echo "debootstrap is not installed" >"$T/debootstrap.log"; exit 1; }
		debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$T/fresh" >"$T/debootstrap.log" 2>&1 &&
			tar -C "$T/fresh" --exclude=./dev/* --exclude=./var/cache/apt/* --exclude=./var/lib/apt/lists/* -cf "$ROOTS_CACHE/debian.part" . &&
			mv "$ROOTS_CACHE/debian.part" "$ROOTS_CACHE/debian.tar"
		status=$?
		rm -rf "$T/fresh"
		exit "$status"
	) 9>"$ROOTS_CACHE/debian.lock" && return 0
	ROOTS_WHY="debootstrap failed: $(tail -n 1 "$T/debootstrap.log")"
	return 1
}

# What a kept image depends on: its recipe, the arguments, and whom this machine trusts.
image_key() {
	{
		printf '%s\n' "${@:2}"
		cat "$1" /usr/local/share/ca-certificates/*.crt 2>/dev/null
	} | sha256sum | cut -d ' ' -f 1
}

# What recipes have as BASE: Debian that trusts whom this machine trusts on the way to Debian and npm, and whose dpkg, as
# that of every image of Debian's, does not wait for the disk.
build_base() {
	mkdir -p "$T/base/ca-certificates"
	cp /usr/local/share/ca-certificates/*.crt "$T/base/ca-certificates/" 2>/dev/null
	echo force-unsafe-io >"$T/base/unsafe-io"
	printf '%s\n' 'FROM debian:test' 'COPY ca-certificates/ /usr/local/share/ca-certificates/' \
		'COPY unsafe-io /etc/dpkg/dpkg.cfg.d/' >"$T/base/Dockerfile"
	engine import "$ROOTS_CACHE/debian.tar" debian:test && engine build -t base:test "$T/base"
}

# keep_engine: the engine's images are those that suites have made before, and stay. One suite at a time has them.
keep_engine() {
	mkdir -p "$ROOTS_CACHE"
	exec 6>"$ROOTS_CACHE/engine.lock"
	flock -w 600 6 || skip_all "another suite has the engine's images"
	ENGINE_DATA=$ROOTS_CACHE/engine
}

# In an engine that runs. What was there of that name goes.
build_image() {
	local name=$1 recipe=$2 argument arguments=()
	shift 2
	for argument; do
		arguments+=(--build-arg "$argument")
	done
	build_base &&
		engine build --network host -t "$name" --build-arg BASE=base:test ${arguments[@]+"${arguments[@]}"} - <"$recipe" &&
		engine image prune -f
}

# keep_image NAME RECIPE [BUILD-ARGUMENT…]: after keep_engine; builds the image of a Dockerfile whose base is an argument,
# unless that was done before. Skips the suite where it can't be had.
keep_image() {
	local name=$1 key status
	shift
	key=$(image_key "$@")
	[ "$(cat "$ROOTS_CACHE/$name.key" 2>/dev/null)" = "$key" ] && [ -d "$ENGINE_DATA/image" ] && return
	debian_archive || skip_all "$ROOTS_WHY"
	start_engine || skip_all "dockerd does not run here: $(tail -n 1 "$ENGINE_DIR/log" 2>/dev/null)"
	build_image "$name:test" "$@" >"$T/$name.log" 2>&1
	status=$?
	stop_engine
	ip link delete "$ENGINE_BRIDGE"
	[ "$status" = 0 ] || skip_all "no image is made here: $(tail -n 1 "$T/$name.log")"
	echo "$key" >"$ROOTS_CACHE/$name.key"
}
