#!/usr/bin/env bash
# What a release has, on machines that have nothing else: a Debian of its smallest set of packages and
# a root of busybox alone, in each of which a user without root runs a first session, from the archive
# and from npm's packages.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/roots.sh"
[ "$(id -u)" = 0 ] || skip_all "roots of the test's own need root"
for program in debootstrap busybox npm; do
	command -v "$program" >/dev/null || skip_all "$program is not installed"
done
make_user
BUILD=${LEASH_BUILD:-$(dirname "$LEASH")}
umask 022

# ---- The files -----------------------------------------------------------------
check "a release is made" "$ROOT/packaging/dist" "$BUILD" "$T/dist"
check "... its checksums hold" eval "cd '$T/dist' && sha256sum -c SHA256SUMS"
check "... the same again is the same" eval "'$ROOT/packaging/dist' '$BUILD' '$T/again' && cmp '$T/dist/SHA256SUMS' '$T/again/SHA256SUMS'"
archive=$(echo "$T"/dist/leash-*-linux-*.tar.gz)
folder=$(basename "$archive" .tar.gz)
is "... in one folder" "$(tar -tzf "$archive" | cut -d/ -f1 | sort -u)" "$folder"
is "... that belongs to root" "$(tar --numeric-owner -tvzf "$archive" | awk '{ print $2 }' | sort -u)" 0/0

# ---- Roots -----------------------------------------------------------------------
# A user with a home and the demo in it.
furnish() {
	grep -q ^user: "$1/etc/passwd" || echo 'user:x:1000:1000::/home/user:/bin/sh' >>"$1/etc/passwd"
	grep -q ^user: "$1/etc/group" || echo 'user:x:1000:' >>"$1/etc/group"
	[ ! -e "$1/etc/shadow" ] || grep -q ^user: "$1/etc/shadow" || echo "user:!:20000::::::" >>"$1/etc/shadow"
	mkdir -p "$1/home/user/tools" "$1/opt" "$1/old"
	cp -r "$ROOT/demo" "$1/home/user/"
	cp "$ROOT/tools/demo" "$1/home/user/tools/"
	chown -R 1000:1000 "$1/home/user"
}

make_small() {
	local program
	mkdir -p "$T/small"/{bin,etc,root,tmp,var/tmp,proc,sys,dev,run,usr/bin}
	cp "$(command -v busybox)" "$T/small/bin/busybox"
	for program in $(busybox --list); do
		[ "$program" = busybox ] || ln -s busybox "$T/small/bin/$program"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$T/small/etc/passwd"
	echo 'root:x:0:' >"$T/small/etc/group"
	chmod 1777 "$T/small/tmp" "$T/small/var/tmp"
	furnish "$T/small"
}

make_debian() {
	debian_archive || return 1
	mkdir -p "$T/debian"
	tar -C "$T/debian" -xf "$ROOTS_CACHE/debian.tar" && furnish "$T/debian"
}

# in_root ROOT COMMAND: as its user, in namespaces in which it is the whole machine.
in_root() {
	unshare --mount --pid --fork --propagation private bash -c '
		mount --bind "$1" "$1" && cd "$1" && mount --rbind /dev dev && mount --rbind /sys sys && mount -t proc proc proc &&
			pivot_root . old && umount -l /old && exec env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/user /bin/su -m -s /bin/sh user -c "cd; $2"
	' in_root "$1" "$2" </dev/null >"$OUT" 2>"$ERR"
	RC=$?
}

# a_first_session NAME ROOT LEASH
a_first_session() {
	in_root "$2" "$3 version"
	like "$1: it starts" "$(out)" '^leash [0-9]'
	in_root "$2" "sh tools/demo $3"
	is "$1: the first session ends well" "$RC" 0
	like "$1: ... shows what was stopped" "$(out)" 'deny.*private/token'
	like "$1: ... and tells why" "$(out)" 'forbid'
	unlike "$1: ... and the token was not read" "$(out)" 'a token that nobody'
	[ "$RC" = 0 ] || diag "$(out | head -n 40)" "$(err | head -n 20)"
	in_root "$2" "mkdir -p w && cd w && $3 -I -- sh -c 'echo new >file; cat /home/user/w/file; exit 7'"
	is "$1: a session of one's own" "$RC:$(out)" 7:new
}

make_debian || skip_all "$ROOTS_WHY"
make_small
tar -C "$T/debian/opt" -xzf "$archive"
tar -C "$T/small/opt" -xzf "$archive"
a_first_session "Debian, archive" "$T/debian" "/opt/$folder/bin/leash"
a_first_session "busybox, archive" "$T/small" "/opt/$folder/bin/leash"

# ---- npm -------------------------------------------------------------------------
start_service node "$ROOT/tests/e2e/support/registry.mjs" 127.0.0.1 0 "$T/registry.log" "$T"/dist/leash-*.tgz
registry=http://127.0.0.1:${SERVICE_SAID#ready }
mkdir -p "$T/debian/usr/local/bin" "$T/debian/usr/local/lib"
cp "$(realpath "$(command -v node)")" "$T/debian/usr/local/bin/node"
cp -r "$(dirname "$(dirname "$(realpath "$(command -v npm)")")")" "$T/debian/usr/local/lib/npm"
printf '#!/bin/sh\nexec node /usr/local/lib/npm/bin/npm-cli.js "$@"\n' >"$T/debian/usr/local/bin/npm"
chmod 755 "$T/debian/usr/local/bin/npm"
npm="npm install -g --no-update-notifier --prefix /home/user/npm --no-audit --no-fund --fetch-retries 0 --registry $registry"
in_root "$T/debian" "$npm leash"
is "npm install -g leash" "$RC" 0
[ "$RC" = 0 ] || diag "$(err | head -n 20)"
a_first_session "Debian, npm" "$T/debian" /home/user/npm/bin/leash
in_root "$T/debian" "mkdir -p w && cd w && (/home/user/npm/bin/leash -I -- sh -c 'kill -KILL \$\$'; echo \$?)"
is "npm: a signal's number is the exit code" "$(out)" 137
in_root "$T/debian" "LEASH_NPM_FORCE_PLATFORM=darwin LEASH_NPM_FORCE_ARCH=arm64 /home/user/npm/bin/leash -- true"
is "npm: a machine that it has no program for" "$RC" 125
like "... is told so" "$(err)" 'no leash for darwin'
in_root "$T/debian" 'find npm -depth -path "*/leash-linux-*" -delete; npm/bin/leash -- true'
like "npm: without the programs' package it says what to do" "$(err)" 'without --omit=optional'
is "nothing else was fetched" "$(grep -Ev '^GET /(-/)?leash' "$T/registry.log")" ""

done_testing
