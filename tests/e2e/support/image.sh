# shellcheck shell=bash
# A suite's sessions in containers: LEASH_TEST_IMAGE is debian or busybox. The image has the test's user as he is on the
# machine, with his home; it is named in every leash's environment, so that a suite need not know. Sourced by lib.sh.

. "$ROOT/tests/e2e/support/engine.sh"
. "$ROOT/tests/e2e/support/roots.sh"

IMAGE=home$$:test

# What suites run inside.
image_recipe() {
	printf '%s\n' 'ARG BASE' 'FROM ${BASE}' 'RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \' \
		'curl git netcat-openbsd nodejs openssl procps python3 socat && rm -rf /var/lib/apt/lists/*'
}

# Busybox alone, with names of its own for its programs, as policies tell them apart by these.
make_busybox_root() {
	local root=$T/busybox program
	mkdir -p "$root"/{usr/bin,etc,root,tmp,var/tmp,proc,sys,dev,run}
	ln -s usr/bin "$root/bin"
	cp "$(command -v busybox)" "$root/usr/bin/busybox" || return 1
	for program in $("$root/usr/bin/busybox" --list); do
		[ "$program" = busybox ] || ln "$root/usr/bin/busybox" "$root/usr/bin/$program"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
}

# Before the test's network is there, which has no way to Debian.
keep_test_image() {
	require_engine
	[ "$LEASH_TEST_IMAGE" = busybox ] && return
	keep_engine
	image_recipe >"$T/tools.recipe"
	[ "${LEASH_TEST_WORLD:-}" = yes ] || keep_image tools "$T/tools.recipe"
}

# Called by make_user.
enter_image() {
	keep_test_image
	must_start_engine
	[ "$LEASH_TEST_IMAGE" != busybox ] || { make_busybox_root && image busybox && ENGINE_IMAGES+=(busybox:test); } || skip_all "no image can be made"
	ENGINE_IMAGES+=("$IMAGE")
	furnish_image
}

# furnish_image: the image again, with the home as it is now.
furnish_image() {
	local base=busybox context=$T/home-image
	[ "$LEASH_TEST_IMAGE" = busybox ] || base=tools
	rm -rf "$context"
	mkdir -p "$context/home"
	tar -C "$T_HOME" --exclude=./work --exclude=./.local/state --exclude=./.config/leash -c . | tar -C "$context/home" -xp
	cat >"$context/Dockerfile" <<END
FROM $base:test
RUN echo '$T_USER:x:$T_UID:$T_GID::$T_HOME:/bin/sh' >>/etc/passwd && echo '$T_USER:x:$T_GID:' >>/etc/group
COPY --chown=$T_UID:$T_GID home/ $T_HOME/
USER $T_UID:$T_GID
ENV HOME=$T_HOME
END
	if [ -e "$T/authority.crt" ]; then
		cp "$T/authority.crt" "$context/"
		sed -i '/^USER/i COPY authority.crt /usr/local/share/ca-certificates/\nRUN update-ca-certificates' "$context/Dockerfile"
	fi
	engine build -q -t "$IMAGE" "$context" >"$T/image.log" 2>&1 || not_ok "the image of the home" "$(cat "$T/image.log")"
}

# trust_in_image CERTIFICATE
trust_in_image() {
	cp "$1" "$T/authority.crt"
	furnish_image
}
