#!/usr/bin/env bash
# Podman without root: the image's root is the user himself outside, and still no more than it is
# with Docker. And with root, by root. What this machine's control groups and devices don't allow is
# left out of its calls.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/engine.sh"
make_user
[ "$(id -u)" = 0 ] || skip_all "a user with ids of his own needs root"
for program in podman runc newuidmap busybox; do
	command -v "$program" >/dev/null || skip_all "$program is missing (apt-get install podman runc uidmap busybox-static)"
done
grep -q "^$T_USER:" /etc/subuid || skip_all "this machine gives new users no ids (/etc/subuid)"
make_small_root || skip_all "no images can be made"
mkdir "$T/runtime" "$T/programs"
chown "$T_UID:$T_GID" "$T/runtime"

cat >"$T/programs/podman" <<END
#!/bin/bash
flags=(--ulimit "nofile=1024:1024" --ulimit "nproc=1000:1000")
[ -w /dev/net/tun ] || flags+=(--network=none)
arguments=()
while [ \$# -gt 0 ]; do
	case \$1 in
	--pids-limit) shift ;;
	run) arguments+=(run "\${flags[@]}") ;;
	*) arguments+=("\$1") ;;
	esac
	shift
done
exec $(command -v podman) --runtime runc --cgroup-manager cgroupfs "\${arguments[@]}"
END
chmod 755 "$T/programs/podman"
CALLER_ENV+=("LEASH_DOCKER=$T/programs/podman" "XDG_RUNTIME_DIR=$T/runtime")
LEASH_FLAGS=(-I --image localhost/small:test)
podman() {
	as_user "$T/programs/podman" "$@"
}
on_exit 'podman system reset --force >/dev/null 2>&1'
tar -C "$T/small" -c . | podman import - localhost/small:test >/dev/null 2>"$T/podman.log" ||
	skip_all "podman makes no image here: $(tail -n 1 "$T/podman.log")"
podman run --rm localhost/small:test /bin/true >/dev/null 2>"$T/podman.log" ||
	skip_all "podman runs no container here: $(tail -n 1 "$T/podman.log")"
no_containers() {
	[ -z "$(podman ps -aq)" ]
}

leash_run -- sh -c 'id -u; echo new >file; su dev -c "id -u; touch file2"; exit 7'
is "the command's exit code" "$RC" 7
is "... as root, and as another" "$(out)" "0
1000"
is "what root writes is the user's outside" "$(stat -c %U "$WORK/file")" "$T_USER"
refute "... and others of the image do not write there" test -e "$WORK/file2"
check_event "its events are outside" '.kind == "proc.exec" and .path == "/bin/busybox"'
check "... and nobody changed them" as_user "$LEASH" verify
check "no container is left" no_containers
as_user gcc -O1 -static -o "$WORK/probe" -x c - <"$(dirname "$0")/support/engine-probe.c"
leash_run -- ./probe
while read -r verdict name; do
	is "$name" "$verdict" refused
done < <(grep -E '^(refused|DONE) ' "$OUT")
is "all were tried" "$(tail -n 1 "$OUT")" "all"
leash_start -- sh -c 'trap "" TERM HUP; echo ready; while :; do sleep 0.1; done'
wait_for 20 grep -q ready "$OUT"
kill -KILL "$LEASH_PID"
check "leash was killed: the container is gone soon" wait_for 4 no_containers
leash_wait 5
leash_run --image nowhere.invalid/nothing:1 -- true
is "an image that is not there" "$RC" 125

# ---- By root ---------------------------------------------------------------------------

mkdir -p "$T/root/work"
cat >"$T/programs/podman-root" <<END
#!/bin/bash
arguments=()
for a; do
	arguments+=("\$a")
	[ "\$a" != run ] || arguments+=(--network=none)
done
exec $T/programs/podman --root "$T/root/store" --runroot "$T/root/run" "\${arguments[@]}"
END
chmod 755 "$T/programs/podman-root"
on_exit '"$T/programs/podman-root" system reset --force >/dev/null 2>&1'
if tar -C "$T/small" -c . | "$T/programs/podman-root" import - localhost/small:test >/dev/null 2>"$T/podman.log" &&
	"$T/programs/podman-root" run --rm localhost/small:test /bin/true >/dev/null 2>"$T/podman.log"; then
	(cd "$T/root/work" && env -i HOME="$T/root" PATH="$PATH" LEASH_DOCKER="$T/programs/podman-root" timeout 60 \
		"$LEASH" -I --image localhost/small:test -- sh -c 'id -u; echo new >file; su dev -c "id -u; touch file2"; exit 7') >"$OUT" 2>"$ERR"
	is "by root: the command's exit code" "$?" 7
	is "... as root, and as another" "$(out)" "0
1000"
	is "... what root writes is root's outside" "$(stat -c %U "$T/root/work/file")" root
	refute "... and others of the image do not write there" test -e "$T/root/work/file2"
	check "... its events are outside, and nobody changed them" env HOME="$T/root" "$LEASH" verify
	is "... no container is left" "$("$T/programs/podman-root" ps -aq)" ""
else
	skip "podman by root" "it runs no container here: $(tail -n 1 "$T/podman.log")"
fi

done_testing
